"""Hints that other processes have not got yet, because the broker did not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet

from realtime.events import GAP, encode_hint

PAY_AFTER = 0.25  # seconds
MOST_OWED = 100  # topics of a channel; a GAP stands for more


class Debts:
    """Remembers each topic once, and publishes it as soon as that is possible."""

    def __init__(self, publish: Callable[[str, str], Awaitable[None]]) -> None:
        self.topics: dict[str, set[str]] = {}
        """By channel."""
        self._publish = publish
        self._is_owing = asyncio.Event()

    def owe(self, channel: str, topics: AbstractSet[str]) -> None:
        owed = self.topics.setdefault(channel, set())
        owed |= topics
        if len(owed) > MOST_OWED:
            self.topics[channel] = {GAP}
        self._is_owing.set()

    async def pay(self) -> None:
        """Publish what is owed, for ever; what fails is owed again."""
        while True:
            await self._is_owing.wait()
            await asyncio.sleep(PAY_AFTER)
            self._is_owing.clear()
            owed, self.topics = self.topics, {}
            await asyncio.gather(*(self._pay_one(*hint) for hint in owed.items()))

    async def _pay_one(self, channel: str, topics: AbstractSet[str]) -> None:
        try:
            await self._publish(channel, encode_hint(topics))
        except Exception:  # which was logged when it was first owed
            self.owe(channel, topics)
