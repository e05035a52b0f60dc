"""Background tasks that somebody watches."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Coroutine
from typing import Any

import structlog

logger = structlog.get_logger()


def watched(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A background task whose death is logged, unless it was cancelled."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


async def cancel(tasks: Collection[asyncio.Task[None]]) -> None:
    """Cancel the tasks and wait until they have ended, however they do."""
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("feed.task_died", task=task.get_name(), exc_info=error)


async def next_moment(every: float) -> None:
    """Sleep about so many seconds, to one of the moments that all who call this share: to wake a
    process that has nothing to do costs more than most of what it then does."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(moment_after(now + every / 2, every) - now)


def moment_after(due: float, every: float) -> float:
    """The first moment not before `due` that is a multiple of `every`, all in seconds: what many
    wait for apart from each other is then done together."""
    return math.ceil(due / every) * every
