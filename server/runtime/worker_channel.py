"""The workers of one server, which ask each other for figures.

They share a folder that only their user can look into. Each holds a number there for as long as it
lives, and answers on a Unix socket; a worker that is started anew gets the number of the one that
has ended.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, Self

FOLDER = "BRANCH_MEETINGS_WORKERS"
"""The environment variable with which `branch-meetings serve` names the folder to its workers."""

ANSWERS_WITHIN = 1.0  # seconds


class Siblings:
    """One worker's place among the workers of its server."""

    def __init__(self, number: int = 0, folder: Path | None = None) -> None:
        self.number = number
        self._folder = folder

    @classmethod
    @asynccontextmanager
    async def of_environment(cls, tell: Callable[[], bytes]) -> AsyncIterator[Self]:
        """Tell the others what `tell` gives while the body runs. Without folder there are none."""
        if FOLDER not in os.environ:
            yield cls()
            return
        async with cls.of_folder(Path(os.environ[FOLDER]), tell) as siblings:
            yield siblings

    @classmethod
    @asynccontextmanager
    async def of_folder(cls, folder: Path, tell: Callable[[], bytes]) -> AsyncIterator[Self]:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):  # who asked has gone
                writer.write(tell())
                writer.close()
                await writer.wait_closed()

        number, lock = _take_number(folder)
        with lock:
            socket = folder / f"{number}.socket"
            socket.unlink(missing_ok=True)
            async with await asyncio.start_unix_server(answer, socket):
                yield cls(number, folder)
            socket.unlink(missing_ok=True)

    async def ask(self) -> dict[int, bytes | None]:
        """What each of the others tells, by its number; None of one that does not answer."""
        if self._folder is None:
            return {}
        numbers = sorted(int(socket.stem) for socket in self._folder.glob("*.socket"))
        others = [number for number in numbers if number != self.number]
        answers = await asyncio.gather(*map(self._ask, others))
        return dict(zip(others, answers, strict=True))

    async def _ask(self, number: int) -> bytes | None:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                reader, writer = await asyncio.open_unix_connection(
                    f"{self._folder}/{number}.socket"
                )
                try:
                    return await reader.read()
                finally:
                    writer.close()
        except OSError:  # which a time-out is, too
            return None


def _take_number(folder: Path) -> tuple[int, IO[bytes]]:
    """The least number that no living worker holds, and the file whose lock holds it."""
    for number in count():
        lock = (folder / f"{number}.lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
        else:
            return number, lock
    raise AssertionError
