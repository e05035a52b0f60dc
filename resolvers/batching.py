"""Doing together what is asked for at the same time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import repeat
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batcher(Generic[Item, Result]):
    """One worker that does whatever has arrived since it began its last work.

    Nobody waits for company: a lone item is worked on at once. While work is under way, others
    gather, and are done together next, up to `most` at a time. `work` gives one result for each
    item, in order; if it raises, each of its callers gets that error. A cancelled caller does not
    stop the work. There is no task while there is nothing to do.
    """

    def __init__(
        self, work: Callable[[list[Item]], Awaitable[Sequence[Result]]], most: int
    ) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._worker: asyncio.Task[None] | None = None
        self._resumes_at = self._tells_at = 0.0

    async def do(self, item: Item) -> Result:
        """Hand in one item, and wait for its result."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._worker is None:
            self._worker = asyncio.create_task(self._run())
        return await future

    def pause(self, seconds: float) -> None:
        """Begin no work for so long; what comes meanwhile gathers."""
        self._resumes_at = asyncio.get_running_loop().time() + seconds

    def hold(self, seconds: float) -> None:
        """The same, and keep the results of the work under way back for as long."""
        self.pause(seconds)
        self._tells_at = self._resumes_at

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        if self._worker is not None:
            await asyncio.wait([self._worker])

    async def _run(self) -> None:
        try:
            while self._waiting:
                await _sleep_until(self._resumes_at)
                many = range(min(self._most, len(self._waiting)))
                await self._do_batch([self._waiting.popleft() for _ in many])
        finally:
            self._worker = None

    async def _do_batch(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in batch])
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(
                        error if isinstance(error, Exception) else asyncio.CancelledError()
                    )
            if not isinstance(error, Exception):
                raise
            return
        await _sleep_until(self._tells_at)
        for (_, future), result in zip(batch, results, strict=True):
            if not future.done():
                future.set_result(result)


async def _sleep_until(moment: float) -> None:
    pause = moment - asyncio.get_running_loop().time()
    if pause > 0:
        await asyncio.sleep(pause)


def few_sizes(values: Sequence[Item]) -> list[Item]:
    """The values, the last one repeated up to a power of two: each size is another statement to
    compile and prepare."""
    size = 1 << (len(values) - 1).bit_length()
    return [*values, *repeat(values[-1], size - len(values))] if values else []
