"""A retry queue for hints that could not be published, because the broker did not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from realtime.topics import GAP, encode_hint

RETRY_AFTER = 0.25  # seconds
CAPACITY = 100  # topics of a channel; a GAP stands for more


class RetryQueue:
    """Coalesces what waits, each topic once, and publishes it as soon as that is possible."""

    def __init__(self, publish: Callable[[str, str], Awaitable[None]]) -> None:
        self.topics: dict[str, set[str]] = {}
        """By channel."""
        self._publish = publish
        self._has_work = asyncio.Event()

    def add(self, channel: str, topics: AbstractSet[str]) -> None:
        waiting = self.topics.setdefault(channel, set())
        waiting |= topics
        if len(waiting) > CAPACITY:
            self.topics[channel] = {GAP}
        self._has_work.set()

    async def run(self) -> None:
        """Publish what waits, for ever; what fails waits again."""
        while True:
            await self._has_work.wait()
            await asyncio.sleep(RETRY_AFTER)
            self._has_work.clear()
            waiting, self.topics = self.topics, {}
            await asyncio.gather(*(self._retry(*hint) for hint in waiting.items()))

    async def _retry(self, channel: str, topics: AbstractSet[str]) -> None:
        try:
            await self._publish(channel, encode_hint(topics))
        except Exception:  # which was logged when it failed first
            self.add(channel, topics)
