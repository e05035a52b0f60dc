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


def moment_after(due: float, every: float) -> float:
    """The first moment not before `due` that is a multiple of `every`, all in seconds: what many
    wait for apart from each other is then done together."""
    return math.ceil(due / every) * every
