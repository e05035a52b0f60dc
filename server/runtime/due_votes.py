"""Votes that close by themselves, by whichever worker is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import uniform

import structlog

from models.votes.sweep import sweep_papers
from realtime.tasks import cancel
from resolvers.context import Context
from resolvers.votes.due_votes import LOOK_OFTEN, close_due_votes

APART = 0.25
"""Seconds that a look is late at most, at random: whoever comes first finds what others then do
not."""

FINISHES_WITHIN = 5.0  # seconds

log = structlog.get_logger(__name__)


@asynccontextmanager
async def closing_due_votes(new_context: Callable[[], Context]) -> AsyncIterator[None]:
    """While the body runs, close votes when their time is over, and sweep the papers of those that
    are closed. What has begun by then is finished, unless the database takes too long."""
    is_over = asyncio.Event()
    task = asyncio.create_task(_run(new_context, is_over))
    try:
        yield
    finally:
        is_over.set()
        await asyncio.wait([task], timeout=FINISHES_WITHIN)
        await cancel([task])


async def _run(new_context: Callable[[], Context], is_over: asyncio.Event) -> None:
    is_swept = False
    while not is_over.is_set():
        context, pause = new_context(), LOOK_OFTEN
        try:
            pause = await close_due_votes(context)
            is_swept = await sweep_papers(context.database, is_swept=is_swept)
        except Exception:  # a database that is away comes back; votes wait for it
            log.warning("could not close due votes", exc_info=True)
        finally:
            await context.release()
        with suppress(TimeoutError):
            async with asyncio.timeout(pause + uniform(0, APART)):  # noqa: S311
                await is_over.wait()
