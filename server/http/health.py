"""`GET /healthz`: whether the process is well."""

import asyncio

from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from resolvers.context import Context

ASKS_EVERY = 1.0
"""Seconds: strangers may ask, and however many do, the database is asked once."""


class Health:
    """200 while the database answers; the broker being away is told, but meetings go on."""

    def __init__(self) -> None:
        self._asking: asyncio.Task[bool] | None = None
        self._asked_at = 0.0

    async def answer(self, request: Request) -> Response:
        context: Context = request.app.state.new_context()
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked_at >= ASKS_EVERY):
            self._asking, self._asked_at = asyncio.create_task(_is_database_up(context)), now
        is_up = await asyncio.shield(self._asking)
        body = {
            "status": "ok" if is_up else "unavailable",
            "database": "up" if is_up else "down",
            "broker": "up" if context.feed.is_broker_up else "down",
        }
        return JSONResponse(body, 200 if is_up else 503)


async def _is_database_up(context: Context) -> bool:
    try:
        async with context.reading() as session:
            await session.execute(select(1))
    except Exception:  # whatever it is, the answer is the same: not now
        return False
    else:
        return True
    finally:
        await context.release()
