"""Requests of strangers are limited by their addresses, before any work is done for them.

Who brings the token of a session is a member, and others count what members do. Whoever brings one
that is none pays for it afterwards.
"""

import asyncio
import math
from collections.abc import Callable

import orjson
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.auth.credentials import bearer_token, hash_token
from server.auth.session_cookie import SessionCookie
from server.limits.connections import Limits, address_of

# What is taken of an address's bucket; a file or a look at /healthz is one.
OPERATION = 10.0
"""Of GraphQL, without a token."""
HANDSHAKE = 3.0
FAILURE = 10.0
"""A token that is none, or what else is refused as the client's mistake."""
ANSWERED = 64 * 1024
"""Bytes of an answer that count as one more."""

FOR_MEMBERS = ("/graphql", "/session")

HELD = 1.0
"""Seconds that a refused request is held up: else it would come again at once."""


class Strangers:
    """Says who has to wait. `knows` says whether a token with this hash is a session's."""

    def __init__(
        self, limits: Limits, cookie: SessionCookie, knows: Callable[[bytes], bool]
    ) -> None:
        self._buckets = limits.requests
        self._cookie = cookie
        self._knows = knows

    def wait(self, scope: Scope) -> float:
        """Count a request. Seconds until it may be tried again, 0 if it may be answered."""
        address, now = address_of(scope["client"]), _now()
        cost = self._cost(scope)
        if self._buckets.take(address, now, cost) or self._is_member(scope):
            return 0.0
        return max(self._buckets.wait(address, now, cost), 0.001)

    def spend(self, scope: Scope, cost: float) -> None:
        self._buckets.spend(address_of(scope["client"]), _now(), cost)

    def _cost(self, scope: Scope) -> float:
        if scope["type"] == "websocket":
            return HANDSHAKE
        if scope["path"] not in FOR_MEMBERS:
            return 1.0
        return 0.0 if self._token(scope) else OPERATION

    def _token(self, scope: Scope) -> str | None:
        connection = HTTPConnection(scope)
        return bearer_token(connection) or self._cookie.read(connection)

    def _is_member(self, scope: Scope) -> bool:
        """Whoever is at the same address as one who asks too much is not kept out."""
        token = self._token(scope)
        return token is not None and self._knows(hash_token(token))


class LimitStrangers:
    """The middleware for HTTP."""

    def __init__(self, app: ASGIApp, strangers: Strangers) -> None:
        self.app = app
        self._strangers = strangers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif wait := self._strangers.wait(scope):
            await refuse(scope, send, wait)
        else:
            await self.app(scope, receive, self._counting(scope, send))

    def _counting(self, scope: Scope, send: Send) -> Send:
        async def send_and_count(message: Message) -> None:
            if message["type"] == "http.response.start":
                if 400 < message["status"] < 500 and message["status"] != 429:
                    self._strangers.spend(scope, FAILURE)
            elif scope["path"] not in FOR_MEMBERS:
                self._strangers.spend(scope, len(message.get("body", b"")) / ANSWERED)
            await send(message)

        return send_and_count


async def refuse(scope: Scope, send: Send, wait: float) -> None:
    """429 for a request or a handshake, after a while."""
    await asyncio.sleep(HELD)
    seconds = math.ceil(wait)
    message = f"too many requests from your address; try again in {seconds} s"
    body = orjson.dumps({"errors": [{"message": message, "extensions": {}}]})
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"retry-after", str(seconds).encode()),
    ]
    prefix = "websocket." if scope["type"] == "websocket" else ""
    start = {"type": f"{prefix}http.response.start", "status": 429, "headers": headers}
    await send(start)
    await send({"type": f"{prefix}http.response.body", "body": body})


def _now() -> float:
    return asyncio.get_running_loop().time()
