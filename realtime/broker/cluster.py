"""Sharded channels on a Redis (or Valkey) cluster, for broadcaster.

Why like this: docs/decisions/0010-each-server-by-itself.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable

import structlog
from broadcaster import BroadcastBackend, Event
from redis.exceptions import AskError
from redis.exceptions import ConnectionError as BrokerLost

from realtime.broker.inbox import Inbox
from realtime.broker.publisher import Publisher
from realtime.broker.reader import REMIND_EVERY, Reader
from realtime.broker.slots import ClusterUrl, SlotMap, address_of, read_slots
from realtime.tasks import cancel, watched

# In seconds.
LOOK_EVERY = 0.25
RENEW_EVERY = 10.0  # the map, while all is well
RENEW_WHILE_AWAY = 1.0  # somebody may take over

logger = structlog.get_logger()


class ClusterBackend(BroadcastBackend):
    """Reads each channel at the server that serves its slot, and publishes it there.

    The guarantees are RedisBackend's, for each server by itself: while one is away, its channels
    get a GAP every two seconds, and those of the others notice nothing. A channel whose slot moves
    is subscribed at the new server, and then gets a GAP.
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError."""
        self._url = ClusterUrl(url)
        self._inbox = Inbox()
        self._slots = SlotMap()
        self._is_stale = False
        self._nodes: dict[str, _Node] = {}
        # Each subscribed channel is in one node's reader, or in here, for as long as no server
        # that we know serves it.
        self._unassigned: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_up(self) -> bool:
        """Whether hints come and go in all slots, as far as we can know."""
        return (
            bool(self._nodes)
            and not self._unassigned
            and all(node.is_up for node in self._nodes.values())
            and not any(task.done() for task in self._tasks)
        )

    async def connect(self) -> None:
        """Start reading; returns after the first attempt to connect, whatever came of it."""
        await self._renew()
        await asyncio.gather(*(node.reader.has_tried() for node in self._nodes.values()))
        self._tasks = [
            watched(self._keep_map(), name="feed cluster map"),
            watched(self._remind_unassigned(), name="feed reminder"),
        ]

    async def disconnect(self) -> None:
        await cancel(self._tasks)
        await asyncio.gather(*(node.stop() for node in self._nodes.values()))

    async def subscribe(self, group: str) -> None:
        """Returns when the server acknowledged or refused, or else when its loss is noticed."""
        if node := self._nodes.get(self._slots.address_of(group) or ""):
            await node.reader.subscribe(group)
        else:
            self._unassign([group])

    async def unsubscribe(self, group: str) -> None:
        self._unassigned.discard(group)
        for node in tuple(self._nodes.values()):
            if group in node.reader.channels:
                await node.reader.unsubscribe([group])

    async def publish(self, channel: str, message: str) -> None:
        """Raises RedisError or OSError: at once, if the server did not answer lately."""
        try:
            await self._publisher(self._slots.address_of(channel)).publish(channel, message)
        except AskError as moved:
            self._is_stale = True
            address = address_of(moved.host, moved.port)
            await self._publisher(address).publish(channel, message)

    async def next_published(self) -> Event:
        return await self._inbox.next()

    def _publisher(self, address: str | None) -> Publisher:
        if address is None or address not in self._nodes:
            raise BrokerLost("no known server serves the channel")
        return self._nodes[address].publisher

    def _unassign(self, channels: Iterable[str]) -> None:
        self._unassigned.update(channels)
        self._is_stale = True

    async def _remind_unassigned(self) -> None:
        while True:
            await asyncio.sleep(REMIND_EVERY)
            await self._inbox.put_gap(self._unassigned)

    async def _keep_map(self) -> None:
        """Read the map at once when it is known to be wrong, and else now and then."""
        renewed = time.monotonic()
        while True:
            await asyncio.sleep(LOOK_EVERY * random.uniform(0.5, 1))  # noqa: S311
            due = renewed + (RENEW_EVERY if self.is_up else RENEW_WHILE_AWAY)
            if self._is_stale or time.monotonic() > due:
                renewed = time.monotonic()
                try:
                    await self._renew()
                except Exception:
                    logger.exception("feed.cluster_map_failed")

    async def _renew(self) -> None:
        """Read the map from whoever answers, and move channels to where it says."""
        self._is_stale = False
        nodes = random.sample(sorted(self._nodes), len(self._nodes))
        nodes.sort(key=lambda address: not self._nodes[address].is_up)
        slots = await read_slots(self._url, dict.fromkeys([*nodes, *self._url.seeds]))
        if slots is None:
            return
        self._slots = slots
        for address in slots.addresses - self._nodes.keys():
            self._nodes[address] = _Node(self._url.of(address), self._inbox, self._unassign)
        await self._drop_misplaced()
        await self._assign()

    async def _drop_misplaced(self) -> None:
        """Unassign channels that are where the map does not have them, and stop old nodes."""
        for address, node in tuple(self._nodes.items()):
            channels = node.reader.channels
            if strayed := {c for c in channels if self._slots.address_of(c) != address}:
                self._unassigned |= strayed
                await node.reader.unsubscribe(strayed)
            if address not in self._slots.addresses:
                await node.stop()
                del self._nodes[address]

    async def _assign(self) -> None:
        moving: defaultdict[str, set[str]] = defaultdict(set)
        for channel in self._unassigned:
            if (address := self._slots.address_of(channel)) in self._nodes:
                moving[address].add(channel)
        for address, channels in moving.items():
            channels &= self._unassigned  # some may have been left while others were asked for
            self._unassigned -= channels
            await self._nodes[address].reader.adopt(channels)


class _Node:
    """One server: what is read there and published there."""

    def __init__(self, url: str, inbox: Inbox, refused: Callable[[Iterable[str]], None]) -> None:
        self.reader = Reader(url, inbox, is_sharded=True, refused=refused)
        self.publisher = Publisher(url, is_sharded=True)
        self.reader.start()
        self.publisher.start()

    @property
    def is_up(self) -> bool:
        return self.reader.is_up and self.publisher.is_up

    async def stop(self) -> None:
        await self.reader.stop()
        await self.publisher.stop()
