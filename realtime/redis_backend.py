"""A supervised Redis (or Valkey) backend for broadcaster.

Why not broadcaster's own: docs/decisions/0003-own-redis-backend.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Coroutine
from typing import Any, NoReturn

import structlog
from broadcaster import BroadcastBackend, Event
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import ConnectionError as BrokerLost
from redis.exceptions import RedisError

from realtime.events import GAP, encode_hint

# All in seconds.
ANSWERS_WITHIN = 2.0  # a handshake, a subscribe acknowledgement; longer counts as loss
PING_AFTER = 5.0  # of silence
PINGS_UNTIL_LOSS = 3  # 15 s of silence in all
FIRST_RECONNECT = 0.05  # then doubled each time
LONGEST_RECONNECT = 2.0
REMIND_EVERY = 2.0  # while the broker is away
PUBLISH_TRY_WITHIN = 0.3

PUBLISHERS = 8  # connections; who comes later waits, where a full pool would raise

# Redis ends the subscribed mode with the last channel: this one is never left.
PERMANENT_CHANNEL = "feed"

logger = structlog.get_logger()


class RedisBackend(BroadcastBackend):
    """Reads the subscribed channels over one connection that it replaces when it is lost.

    Guarantees, while connected: `subscribe` returns after the broker acknowledged, so what is
    published afterwards arrives. Whenever messages may have been missed, every subscribed channel
    gets a GAP: every two seconds while the broker is away, and once on its return, after all
    channels are subscribed again. `subscribe` and `unsubscribe` never raise; `publish` does.
    """

    def __init__(self, url: str) -> None:
        # RESP 2: in RESP 3 subscriptions share a connection with replies, which nobody needs here.
        # No retries: connecting again is ours, because a gap must follow it. No timeouts: redis-py
        # writes under asyncio.wait_for, which in Python 3.11 may swallow a cancellation.
        self._readers = ConnectionPool.from_url(
            url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
        )
        self._publisher: Redis = Redis.from_url(
            url,
            protocol=2,
            retry=Retry(ConstantBackoff(FIRST_RECONNECT), 2),
            socket_timeout=PUBLISH_TRY_WITHIN,
            socket_connect_timeout=PUBLISH_TRY_WITHIN,
        )
        self._publishing = asyncio.Semaphore(PUBLISHERS)
        # Bounded, so that a flood is held back at the socket and not gathered here.
        self._events: asyncio.Queue[Event] = asyncio.Queue(maxsize=1000)
        self._channels: set[str] = set()
        self._reader: _Reader | None = None
        self._is_up = False
        self._first_attempt_over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_up(self) -> bool:
        """Whether every channel is subscribed at the broker, as far as we can know."""
        return self._is_up and not any(task.done() for task in self._tasks)

    async def connect(self) -> None:
        """Start reading; returns after the first attempt to connect, whatever came of it."""
        self._tasks = [
            watched(self._supervise(), name="feed reader"),
            watched(self._remind_while_away(), name="feed reminder"),
        ]
        await self._first_attempt_over.wait()

    async def disconnect(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        for _ in range(PUBLISHERS):  # a publish under way could open another connection later
            await self._publishing.acquire()
        try:
            await self._publisher.aclose()
        except RedisError as error:  # a broker that hangs does not take its leave
            logger.info("feed.publisher_not_closed", error=repr(error))

    async def subscribe(self, group: str) -> None:
        """Returns when the broker acknowledged, or else when the loss is noticed."""
        self._channels.add(group)
        if self._reader is not None:
            await self._reader.subscribe(group)

    async def unsubscribe(self, group: str) -> None:
        self._channels.discard(group)
        if self._reader is not None:
            await self._reader.unsubscribe(group)

    async def publish(self, channel: str, message: str) -> None:
        """Raises RedisError, after three short attempts."""
        async with self._publishing:
            await self._publisher.publish(channel, message)

    async def next_published(self) -> Event:
        return await self._events.get()

    async def _supervise(self) -> None:
        """Read, and after every loss read again, for ever."""
        delay = FIRST_RECONNECT
        while True:
            started = time.monotonic()
            try:
                await self._read()
            except (RedisError, OSError) as error:
                logger.warning("feed.broker_lost", error=repr(error))
            except Exception:
                logger.exception("feed.reader_failed")
            # Only a connection that lasted earns a quick replacement: a broker that accepts and
            # drops would otherwise cause a gap, and so many queries, twenty times a second.
            lasted = time.monotonic() - started > LONGEST_RECONNECT
            delay = FIRST_RECONNECT if lasted else min(2 * delay, LONGEST_RECONNECT)
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311

    async def _read(self) -> NoReturn:
        """Connect, subscribe to all channels and pass messages on, until the connection is lost."""
        reader = _Reader(self._readers.make_connection())  # type: ignore[no-untyped-call]
        try:
            await reader.connect()
            # From here on a new channel subscribes by itself. The permanent one comes last: its
            # acknowledgement says that all of them are subscribed.
            self._reader = reader
            await reader.send("SUBSCRIBE", *self._channels, PERMANENT_CHANNEL)
            while True:
                match await reader.next_reply():
                    case [b"message", bytes(channel), bytes(message)]:
                        await self._pass_on(channel, message)
                    case [b"subscribe", bytes(channel), _]:
                        reader.acknowledge(channel.decode())
                        if channel.decode() == PERMANENT_CHANNEL:
                            await self._come_up()
        finally:
            self._reader = None
            self._is_up = False
            self._first_attempt_over.set()
            await reader.close()

    async def _come_up(self) -> None:
        logger.info("feed.broker_up", channels=len(self._channels))
        self._is_up = True
        self._first_attempt_over.set()
        await self._tell_of_gap()

    async def _pass_on(self, channel: bytes, message: bytes) -> None:
        try:
            event = Event(channel.decode(), message.decode())
        except UnicodeDecodeError:
            logger.warning("feed.malformed_hint", channel=repr(channel), error="not UTF-8")
        else:
            await self._events.put(event)

    async def _remind_while_away(self) -> None:
        while True:
            await asyncio.sleep(REMIND_EVERY)
            if not self._is_up:
                await self._tell_of_gap()

    async def _tell_of_gap(self) -> None:
        for channel in tuple(self._channels):
            await self._events.put(Event(channel, encode_hint({GAP})))


class _Reader:
    """One connection in the subscribed mode, from connecting to loss.

    A loss, whoever notices it first, closes the connection; `next_reply` then raises.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._unacknowledged: dict[str, asyncio.Event] = {}

    async def connect(self) -> None:
        async with asyncio.timeout(ANSWERS_WITHIN):
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)
        for waiting in self._unacknowledged.values():
            waiting.set()

    async def send(self, *command: str) -> None:
        # On a closed connection redis-py would connect again, to no subscription at all.
        if self._connection.is_connected:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await self._connection.send_command(*command, check_health=False)

    async def subscribe(self, channel: str) -> None:
        if not self._connection.is_connected:
            return  # the next connection will subscribe it
        acknowledged = self._unacknowledged[channel] = asyncio.Event()
        try:
            await self.send("SUBSCRIBE", channel)
            async with asyncio.timeout(ANSWERS_WITHIN):
                await acknowledged.wait()
        except (RedisError, OSError) as error:  # asyncio's TimeoutError is an OSError
            logger.warning("feed.not_acknowledged", channel=channel, error=repr(error))
            await self.close()

    async def unsubscribe(self, channel: str) -> None:
        try:
            await self.send("UNSUBSCRIBE", channel)
        except (RedisError, OSError):
            await self.close()

    def acknowledge(self, channel: str) -> None:
        if waiting := self._unacknowledged.pop(channel, None):
            waiting.set()

    async def next_reply(self) -> Any:
        """The next reply. Raises RedisError or OSError when the connection is lost."""
        for _ in range(PINGS_UNTIL_LOSS):
            reply = await self._connection.read_response(
                timeout=PING_AFTER, disconnect_on_error=False
            )
            if reply is not None:
                return reply
            await self.send("PING")
        raise BrokerLost(f"silent for {PINGS_UNTIL_LOSS * PING_AFTER:.0f} s")


def watched(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """A background task whose death is logged, unless it was cancelled."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.critical("feed.task_died", task=task.get_name(), exc_info=error)
