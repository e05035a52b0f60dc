"""A supervised Redis (or Valkey) backend for broadcaster.

Why not broadcaster's own: docs/decisions/0003-own-redis-backend.md.
"""

from __future__ import annotations

from broadcaster import BroadcastBackend, Event

from realtime.broker.inbox import Inbox
from realtime.broker.publisher import Publisher
from realtime.broker.reader import Reader


class RedisBackend(BroadcastBackend):
    """Reads the subscribed channels over one connection, and publishes over another.

    Guarantees, while connected: `subscribe` returns after the broker acknowledged, so what is
    published afterwards arrives. Whenever messages may have been missed, every subscribed channel
    gets a GAP: every two seconds while the broker is away, and once on its return, after all
    channels are subscribed again. `subscribe` and `unsubscribe` never raise; `publish` does.
    """

    def __init__(self, url: str) -> None:
        self._inbox = Inbox()
        self._reader = Reader(url, self._inbox)
        self._publisher = Publisher(url)

    @property
    def is_up(self) -> bool:
        """Whether hints come and go, as far as we can know."""
        return self._reader.is_up and self._publisher.is_up

    async def connect(self) -> None:
        """Start reading; returns after the first attempt to connect, whatever came of it."""
        self._publisher.start()
        self._reader.start()
        await self._reader.has_tried()

    async def disconnect(self) -> None:
        await self._reader.stop()
        await self._publisher.stop()

    async def subscribe(self, group: str) -> None:
        """Returns when the broker acknowledged, or else when the loss is noticed."""
        await self._reader.subscribe(group)

    async def unsubscribe(self, group: str) -> None:
        await self._reader.unsubscribe([group])

    async def publish(self, channel: str, message: str) -> None:
        """Raises RedisError or OSError: at once, if the broker did not answer lately."""
        await self._publisher.publish(channel, message)

    async def next_published(self) -> Event:
        return await self._inbox.next()
