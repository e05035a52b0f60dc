"""The feed: hints from whoever changed something to whoever shows it, in every process.

docs/realtime.md defines hint, topic, channel, mailbox and gap, and what the feed guarantees.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import structlog
from broadcaster import Broadcast

from realtime.broker.cluster import ClusterBackend
from realtime.broker.publisher import BrokerInDoubt
from realtime.broker.redis import RedisBackend
from realtime.retry_queue import RetryQueue
from realtime.tasks import cancel, watched
from realtime.topics import GAP, MalformedHint, decode_hint, encode_hint

PUBLISH_WITHIN = 1.0  # seconds; the change is committed already, and somebody waits for an answer

logger = structlog.get_logger()


class FeedStopped(Exception):
    """The feed is not running: nothing more will arrive."""


class Mailbox:
    """The topics that changed since its owner last looked. One owner, who calls `next` in a loop.

    It holds each topic once, so a slow owner costs no more memory than there are topics.
    """

    def __init__(self, wants: Callable[[str], bool] | None = None) -> None:
        self.hints = 0
        """How many there were of which `next` gave the topics last."""
        self.since = math.inf
        """The Unix time of the earliest change among them, as far as known."""
        self._wants = wants
        self._topics: set[str] = set()
        self._waiting = 0
        self._waiting_since = math.inf
        self._filled = asyncio.Event()
        self._is_closed = False

    async def next(self) -> frozenset[str]:
        """Wait for at least one topic, and take all that there are; GAP stands for every topic.

        Cancelling it loses nothing. Raises FeedStopped.
        """
        await self._filled.wait()
        self.raise_if_closed()
        topics = frozenset(self._topics)
        self._topics.clear()
        self._filled.clear()
        self.hints, self._waiting = self._waiting, 0
        self.since, self._waiting_since = self._waiting_since, math.inf
        return topics

    def put(self, topics: AbstractSet[str], at: float | None = None) -> None:
        """`at` is the Unix time of the change, if it is known."""
        if self._wants is not None and GAP not in topics:
            topics = frozenset(filter(self._wants, topics))
        if topics:
            self._topics |= topics
            self._waiting += 1
            if at is not None and at < self._waiting_since:
                self._waiting_since = at
            self._filled.set()

    def close(self) -> None:
        self._is_closed = True
        self._filled.set()

    def raise_if_closed(self) -> None:
        if self._is_closed:
            raise FeedStopped


@dataclass(eq=False)
class _ChannelSubscription:
    """The one subscription of this process to a channel, and the mailboxes that share it."""

    mailboxes: set[Mailbox] = field(default_factory=set)
    has_joined: asyncio.Event = field(default_factory=asyncio.Event)
    is_leaving: bool = False
    task: asyncio.Task[None] = field(init=False)

    def deliver(self, topics: AbstractSet[str], at: float | None = None) -> None:
        for mailbox in self.mailboxes:
            mailbox.put(topics, at)

    def leave(self) -> None:
        """Let the task end. While it is joining it must not be cancelled: it looks afterwards."""
        if not self.is_leaving:
            self.is_leaving = True
            if self.has_joined.is_set():
                self.task.cancel()


class Feed:
    """Publishes hints, and delivers them to whoever joined their channel.

    Guarantees at least once, in no order, to every mailbox that joined before the hint was
    published; where hints may have been lost, a GAP instead. Topics that arrive before their
    mailbox is read are told together. A feed is started once and stopped once.
    """

    def __init__(
        self, broadcast: Broadcast, redis: RedisBackend | ClusterBackend | None = None
    ) -> None:
        self.failed_publishes = 0
        self._broadcast = broadcast
        self._redis = redis
        self._subscriptions: dict[str, _ChannelSubscription] = {}
        self._unpublished = RetryQueue(broadcast.publish)
        self._retries: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._is_running = False

    @classmethod
    def from_url(cls, url: str) -> Self:
        """`memory://` for one process, `redis://host:port/db` for several.

        `redis+cluster://host:port,host:port` is a cluster; `rediss` in both is TLS. Raises
        ValueError.
        """
        match urlsplit(url).scheme:
            case "memory":
                return cls(Broadcast(url))
            case "redis" | "rediss":
                return cls._of(RedisBackend(url))
            case "redis+cluster" | "rediss+cluster":
                return cls._of(ClusterBackend(url))
            case scheme:  # not the whole URL, which may hold a password
                known = "memory://, redis(s):// or redis(s)+cluster://"
                raise ValueError(f"A feed is {known}, not {scheme}://")

    @classmethod
    def _of(cls, redis: RedisBackend | ClusterBackend) -> Self:
        return cls(Broadcast(backend=redis), redis)

    @property
    def is_broker_up(self) -> bool:
        """For health checks. While it is false, mailboxes get a GAP every two seconds, or our hints
        do not reach other processes.
        """
        return self._is_running and (self._redis is None or self._redis.is_up)

    async def start(self) -> None:
        """Connect. Without a broker it starts all the same, and goes on trying."""
        await self._broadcast.connect()
        # The attribute is private, and the version pinned: otherwise nobody watches this task.
        self._listener = self._broadcast._listener_task
        self._listener.add_done_callback(self._listener_ended)
        if self._redis is not None:
            self._retries = watched(self._unpublished.run(), name="feed retries")
        self._is_running = True

    async def stop(self) -> None:
        """End every subscription; mailboxes raise FeedStopped. No task and no connection stays."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self._close()
        if tasks := [subscription.task for subscription in self._subscriptions.values()]:
            await asyncio.wait(tasks)
        # Broadcast.disconnect() would not wait for its listener, nor go on after a dead one.
        await cancel([listener, self._retries] if self._retries else [listener])
        if self._redis is not None:
            await self._redis.disconnect()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def publish(
        self, channel: str, topics: AbstractSet[str], at: float | None = None
    ) -> None:
        """Tell everyone on the channel that the topics changed. Call it after the commit; `at` is
        its Unix time, if it was not now.

        It never raises, and returns within a second whatever the broker does, because the change
        stands; at once while the broker is known not to answer. A hint that could not be published
        is counted in `failed_publishes`, reaches this process's own mailboxes all the same, and is
        published when the broker answers again.
        """
        at = time.time() if at is None else at
        try:
            async with asyncio.timeout(PUBLISH_WITHIN):
                self._raise_if_stopped()
                await self._broadcast.publish(channel, encode_hint(topics, at))
            await asyncio.sleep(0)  # broadcaster's queues have no bound: let them run empty
        except Exception as error:
            self.failed_publishes += 1
            # The doubt was logged when it began, and who tells something at the end tells nobody.
            if not isinstance(error, BrokerInDoubt | FeedStopped):
                logger.warning("feed.publish_failed", channel=channel, error=repr(error))
            self.tell(channel, topics, at)
            self._unpublished.add(channel, topics)

    async def publish_all(self, hints: Mapping[str, AbstractSet[str]]) -> None:
        """Publish to many channels, in the time of one."""
        await asyncio.gather(*(self.publish(*hint) for hint in hints.items()))

    def tell(self, channel: str, topics: AbstractSet[str], at: float | None = None) -> None:
        """Fill this process's own mailboxes on the channel; nobody else is told."""
        if subscription := self._subscriptions.get(channel):
            subscription.deliver(topics, at)

    @asynccontextmanager
    async def join(
        self, channel: str, wants: Callable[[str], bool] | None = None
    ) -> AsyncIterator[Mailbox]:
        """A mailbox for the channel's hints, until the block ends. Raises FeedStopped.

        With `wants` for those topics only of which it is true, and for gaps.

        When the block begins, the broker has acknowledged the subscription: whatever is published
        from then on arrives. If the broker is away, the mailbox gets GAPs instead. So: join first,
        then read the database.
        """
        mailbox = Mailbox(wants)
        subscription = await self._enter(channel, mailbox)
        try:
            await subscription.has_joined.wait()
            mailbox.raise_if_closed()
            yield mailbox
        finally:
            subscription.mailboxes.discard(mailbox)
            if not subscription.mailboxes:
                subscription.leave()
                await asyncio.wait([subscription.task])

    async def _enter(self, channel: str, mailbox: Mailbox) -> _ChannelSubscription:
        """Add the mailbox to the channel's subscription, which the first one opens."""
        while (subscription := self._subscriptions.get(channel)) and subscription.is_leaving:
            await asyncio.wait([subscription.task])
        # No await from here on, so that simultaneous first joiners find the same subscription.
        self._raise_if_stopped()
        if subscription is None:
            subscription = self._subscriptions[channel] = _ChannelSubscription()
            subscription.task = watched(self._follow(channel, subscription), name=f"feed {channel}")
        subscription.mailboxes.add(mailbox)
        return subscription

    async def _follow(self, channel: str, subscription: _ChannelSubscription) -> None:
        """Subscribe to the channel and hand out its hints until the subscription is left."""
        try:
            async with self._broadcast.subscribe(channel) as subscriber:
                subscription.has_joined.set()
                while not subscription.is_leaving:
                    event = await subscriber.get()
                    try:
                        subscription.deliver(*decode_hint(event.message))
                    except MalformedHint as error:
                        logger.warning("feed.malformed_hint", channel=channel, error=str(error))
        finally:
            del self._subscriptions[channel]
            subscription.has_joined.set()  # or it never will
            for mailbox in subscription.mailboxes:  # of a feed that stopped
                mailbox.close()

    def _listener_ended(self, listener: asyncio.Task[None]) -> None:
        if not listener.cancelled():
            logger.critical("feed.listener_died", error=repr(listener.exception()))
            self._close()

    def _close(self) -> None:
        self._is_running = False
        for subscription in self._subscriptions.values():
            subscription.leave()

    def _raise_if_stopped(self) -> None:
        if not self._is_running:
            raise FeedStopped
