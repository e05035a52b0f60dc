"""Votes that close by themselves, by whichever worker is there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import uniform

import structlog

from resolvers.context import Context
from resolvers.votes import close_due_votes

EVERY = (0.5, 1.0)
"""Seconds between two looks, at random, so that workers do not look at the same moment."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def closing_due_votes(new_context: Callable[[], Context]) -> AsyncIterator[None]:
    """While the body runs, close votes when their time is over."""
    task = asyncio.create_task(_run(new_context))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _run(new_context: Callable[[], Context]) -> None:
    while True:
        context = new_context()
        try:
            await close_due_votes(context)
        except Exception:  # a database that is away comes back; votes wait for it
            log.warning("could not close due votes", exc_info=True)
        finally:
            await context.release()
        await asyncio.sleep(uniform(*EVERY))  # noqa: S311
