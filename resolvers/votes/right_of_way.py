"""Right of way: whoever closes a vote goes before the requests that come in meanwhile.

In one event loop a request goes on when all that came with it have had their turn, and a closing
has a dozen such moments. Its lock makes the voters wait anyway, but not before it is reached.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

AT_MOST = 0.05
"""Seconds that others wait. It is a brake and protects nothing."""

AFTERWARDS = 0.003
"""Seconds in which what was done is answered."""

FREE_BETWEEN = 0.2
"""Seconds, at least, in which nobody has it: meetings that close their votes one after the other
keep everybody else waiting for a fifth of the time at most."""


class RightOfWay:
    """One for each process."""

    def __init__(self) -> None:
        self._is_free = asyncio.Event()
        self._is_free.set()
        self._free_until = 0.0

    @property
    def is_free(self) -> bool:
        return self._is_free.is_set()

    async def until_free(self) -> None:
        """Wait while somebody has it."""
        await self._is_free.wait()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Let others wait while the body runs, unless they had to only just now."""
        loop = asyncio.get_running_loop()
        if not self.is_free or loop.time() < self._free_until:
            yield
            return
        self._is_free.clear()
        loop.call_later(AT_MOST, self._give)
        try:
            yield
        finally:
            loop.call_later(AFTERWARDS, self._give)

    def _give(self) -> None:
        if not self.is_free:
            self._is_free.set()
            self._free_until = asyncio.get_running_loop().time() + FREE_BETWEEN
