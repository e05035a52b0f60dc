"""`GET /metrics`, for Prometheus: who may read it, and whom it asks.

Whichever worker of a server is asked, it asks the others too, so an answer is complete.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resolvers.context import Context
from server.auth.credentials import bearer_token
from server.runtime.worker_channel import Siblings
from server.settings import OPEN
from server.websocket.connections import Sockets

if TYPE_CHECKING:
    from server.metrics.figures import Told


class Metrics:
    """The endpoint: off without a token, and never open in production (`server.settings`)."""

    def __init__(self, token: str) -> None:
        self._token = token

    @asynccontextmanager
    async def serving(self, shared: Context, sockets: Sockets) -> AsyncIterator[None]:
        """Answer while the body runs."""
        if not self._token:
            yield
            return
        # Not loaded where nobody asks: it would cost every start some time and memory.
        from server.metrics.figures import Process, encode, tell

        process = Process(shared, sockets)
        self._tell = partial(tell, process)
        self._encode = encode
        async with Siblings.of_environment(lambda: orjson.dumps(self._tell())) as siblings:
            self._siblings = siblings
            yield

    async def answer(self, request: Request) -> Response:
        if not self._token:
            return _error(404, "metrics are off")
        if not self._is_allowed(bearer_token(request)):
            return _error(401, "send the token as Authorization: Bearer")
        workers: dict[int, Told | None] = {self._siblings.number: self._tell()}
        for number, told in (await self._siblings.ask()).items():
            workers[number] = orjson.loads(told) if told else None
        body, media_type = self._encode(workers, request.headers.get("accept", ""))
        return Response(body, headers={"content-type": media_type})

    def _is_allowed(self, token: str | None) -> bool:
        if self._token == OPEN:
            return True
        return hmac.compare_digest((token or "").encode(), self._token.encode())


def _error(status: int, message: str) -> Response:
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    body = {"errors": [{"message": message, "extensions": {}}]}
    return JSONResponse(body, status, headers=headers)
