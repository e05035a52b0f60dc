"""What has arrived from the servers, until broadcaster hands it out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog
from broadcaster import Event

from realtime.topics import GAP, encode_hint

CAPACITY = 1000  # messages; a flood is held back at the sockets and not gathered here

logger = structlog.get_logger()


class Inbox:
    """Messages of all channels, in the order in which they came."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue(CAPACITY)

    async def next(self) -> Event:
        return await self._events.get()

    async def put(self, channel: bytes, message: bytes) -> None:
        try:
            event = Event(channel.decode(), message.decode())
        except UnicodeDecodeError:
            logger.warning("feed.malformed_hint", channel=repr(channel), error="not UTF-8")
        else:
            await self._events.put(event)

    async def put_gap(self, channels: Iterable[str]) -> None:
        for channel in tuple(channels):
            await self._events.put(Event(channel, encode_hint({GAP})))
