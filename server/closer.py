"""Votes that close by themselves, by whichever worker is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import uniform

import structlog

from realtime.tasks import cancel
from resolvers.context import Context
from resolvers.votes import close_due_votes

EVERY = (0.5, 1.0)
"""Seconds between two looks, at random, so that workers do not look at the same moment."""

FINISHES_WITHIN = 5.0  # seconds

log = structlog.get_logger(__name__)


@asynccontextmanager
async def closing_due_votes(new_context: Callable[[], Context]) -> AsyncIterator[None]:
    """While the body runs, close votes when their time is over. What has begun by then is finished,
    unless the database takes too long."""
    is_over = asyncio.Event()
    task = asyncio.create_task(_run(new_context, is_over))
    try:
        yield
    finally:
        is_over.set()
        await asyncio.wait([task], timeout=FINISHES_WITHIN)
        await cancel([task])


async def _run(new_context: Callable[[], Context], is_over: asyncio.Event) -> None:
    while not is_over.is_set():
        context = new_context()
        try:
            await close_due_votes(context)
        except Exception:  # a database that is away comes back; votes wait for it
            log.warning("could not close due votes", exc_info=True)
        finally:
            await context.release()
        with suppress(TimeoutError):
            async with asyncio.timeout(uniform(*EVERY)):  # noqa: S311
                await is_over.wait()
