"""One server's messages, over a connection that is replaced whenever it is lost.

Why not redis-py's own PubSub: docs/decisions/0003-own-redis-backend.md.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable
from typing import Any, NoReturn

import structlog
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import (
    AskError,
    ClusterDownError,
    RedisError,
    ResponseError,
    TryAgainError,
)
from redis.exceptions import ConnectionError as BrokerLost

from realtime.broker.inbox import Inbox
from realtime.tasks import cancel, watched

# All in seconds.
ANSWERS_WITHIN = 2.0  # a handshake, a subscribe acknowledgement; longer counts as loss
PING_AFTER = 0.5  # of silence
PINGS_UNTIL_LOSS = 4  # 2 s of silence in all
FIRST_RECONNECT = 0.05  # then doubled each time
LONGEST_RECONNECT = 1.0
LASTED = 2.0  # a connection that was up this long
REMIND_EVERY = 2.0  # while the server is away

# Redis ends the subscribed mode with the last channel: this one is never left. Its acknowledgement
# says that every channel before it was answered. It is a plain one in a cluster too, of no slot.
PERMANENT_CHANNEL = "feed"
PERMANENT = ("SUBSCRIBE", PERMANENT_CHANNEL)

logger = structlog.get_logger()


class BrokerSilent(BrokerLost):
    """The server has not answered for too long: it hangs, or the network swallows everything."""


class Reader:
    """Keeps channels subscribed at one server, and puts their messages into the inbox.

    Guarantees, while it is up: `subscribe` returns after the server acknowledged, so what is
    published afterwards arrives. Whenever messages may have been missed, every channel gets a GAP:
    when silence is noticed, every two seconds while the server is away, and once on its return,
    after all channels are subscribed again. Nothing here raises.

    With `is_sharded` the channels are those of a cluster's slots. `refused` is told of channels
    which the server does not serve, or no longer; they are the caller's from then on.
    """

    def __init__(
        self,
        url: str,
        inbox: Inbox,
        is_sharded: bool = False,
        refused: Callable[[Iterable[str]], None] = lambda channels: None,
    ) -> None:
        self.channels: set[str] = set()
        self._pool = bare_pool(url)
        self._inbox = inbox
        self._subscribe = "SSUBSCRIBE" if is_sharded else "SUBSCRIBE"
        self._unsubscribe = "SUNSUBSCRIBE" if is_sharded else "UNSUBSCRIBE"
        self._refused = refused
        self._adopted: set[str] = set()
        self._connection: _Connection | None = None
        self._is_up = False
        self._first_attempt_over = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def is_up(self) -> bool:
        """Whether every channel is subscribed, as far as we can know."""
        return self._is_up and not any(task.done() for task in self._tasks)

    def start(self) -> None:
        self._tasks = [
            watched(self._supervise(), name="feed reader"),
            watched(self._remind_while_away(), name="feed reminder"),
        ]

    async def has_tried(self) -> None:
        """Returns after the first attempt to connect, whatever came of it."""
        await self._first_attempt_over.wait()

    async def stop(self) -> None:
        await cancel(self._tasks)

    async def subscribe(self, channel: str) -> None:
        """Returns when the server acknowledged or refused, or else when the loss is noticed."""
        self.channels.add(channel)
        if self._connection is not None:
            await self._connection.subscribe(self._subscribe, channel)

    async def adopt(self, channels: Collection[str]) -> None:
        """Subscribe to channels that were subscribed elsewhere; each then gets a GAP."""
        self.channels.update(channels)
        self._adopted.update(channels)
        if self._connection is not None:
            await self._connection.request(self._subscribe, channels)

    async def unsubscribe(self, channels: Collection[str]) -> None:
        self.channels.difference_update(channels)
        self._adopted.difference_update(channels)
        if self._connection is not None:
            await self._connection.try_send(*((self._unsubscribe, c) for c in channels))

    async def _supervise(self) -> None:
        """Read, and after every loss read again, for ever."""
        delay = FIRST_RECONNECT
        while True:
            started = time.monotonic()
            try:
                await self._read()
            except (RedisError, OSError) as error:
                logger.warning("feed.broker_lost", error=repr(error))
                if isinstance(error, BrokerSilent):  # who closes a connection is noticed at once
                    await self._inbox.put_gap(self.channels)
            except Exception:
                logger.exception("feed.reader_failed")
            # Only a connection that lasted earns a quick replacement: a broker that accepts and
            # drops would otherwise cause a gap, and so many queries, twenty times a second.
            lasted = time.monotonic() - started > LASTED
            delay = FIRST_RECONNECT if lasted else min(2 * delay, LONGEST_RECONNECT)
            await asyncio.sleep(delay * random.uniform(0.5, 1))  # noqa: S311

    async def _read(self) -> NoReturn:
        """Connect, subscribe to all channels and pass messages on, until the connection is lost."""
        connection = _Connection(self._pool)
        try:
            await connection.connect()
            # From here on a new channel subscribes by itself. The permanent one comes last.
            self._connection = connection
            await connection.request(self._subscribe, self.channels, PERMANENT)
            while True:
                try:
                    await self._handle(connection, await connection.next_reply())
                except (AskError, ClusterDownError, TryAgainError) as error:
                    self._give_up(connection.take_refused(error))
        finally:
            self._connection = None
            self._is_up = False
            self._first_attempt_over.set()
            await connection.close()

    async def _handle(self, connection: _Connection, reply: Any) -> None:
        match reply:
            case [b"message" | b"smessage", bytes(name), bytes(message)]:
                await self._inbox.put(name, message)
            case [b"subscribe" | b"ssubscribe", bytes(name), _]:
                channel = name.decode()
                connection.acknowledge(channel)
                if channel == PERMANENT_CHANNEL:
                    await self._come_up(connection)
                elif channel in self._adopted and self._is_up:
                    self._adopted.discard(channel)
                    await self._inbox.put_gap([channel])
            case [b"sunsubscribe", bytes(name), _]:
                # We asked for it, or the slot has moved. If we have asked for the channel again,
                # the answer to that is still to come, and tells.
                channel = name.decode()
                if not connection.is_requested(channel):
                    self._give_up([channel])

    def _give_up(self, channels: Iterable[str]) -> None:
        if refused := self.channels.intersection(channels):
            logger.info("feed.channels_refused", channels=len(refused))
            self.channels -= refused
            self._adopted -= refused
            self._refused(refused)

    async def _come_up(self, connection: _Connection) -> None:
        logger.info("feed.broker_up", channels=len(self.channels))
        self._is_up = True
        self._first_attempt_over.set()
        # Who was adopted since we asked is answered later, and then gets a GAP too.
        self._adopted = set(filter(connection.is_requested, self._adopted))
        await self._inbox.put_gap(self.channels)

    async def _remind_while_away(self) -> None:
        while True:
            await asyncio.sleep(REMIND_EVERY)
            if not self._is_up:
                await self._inbox.put_gap(self.channels)


class _Connection:
    """One connection in the subscribed mode, from connecting to loss.

    A loss, whoever notices it first, closes the connection; `next_reply` then raises.
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]
        self._unacknowledged: dict[str, asyncio.Event] = {}

    async def connect(self) -> None:
        async with asyncio.timeout(ANSWERS_WITHIN):
            await self._connection.connect()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self._connection.disconnect(nowait=True)
        for waiting in self._unacknowledged.values():
            waiting.set()

    async def send(self, *commands: tuple[str, ...]) -> None:
        # On a closed connection redis-py would connect again, to no subscription at all.
        if commands and self._connection.is_connected:
            async with asyncio.timeout(ANSWERS_WITHIN):
                packed = self._connection.pack_commands(commands)
                await self._connection.send_packed_command(packed, check_health=False)

    async def try_send(self, *commands: tuple[str, ...]) -> None:
        try:
            await self.send(*commands)
        except (RedisError, OSError):
            await self.close()

    async def request(self, verb: str, channels: Iterable[str], *then: tuple[str, ...]) -> None:
        """Ask for the channels, each in a command of its own: a cluster takes no others."""
        channels = tuple(channels)
        for channel in channels:
            self._unacknowledged.setdefault(channel, asyncio.Event())
        await self.try_send(*((verb, channel) for channel in channels), *then)

    async def subscribe(self, verb: str, channel: str) -> None:
        if not self._connection.is_connected:
            return  # the next connection will subscribe it
        acknowledged = self._unacknowledged.setdefault(channel, asyncio.Event())
        try:
            await self.send((verb, channel))
            async with asyncio.timeout(ANSWERS_WITHIN):
                await acknowledged.wait()
        except (RedisError, OSError) as error:  # asyncio's TimeoutError is an OSError
            logger.warning("feed.not_acknowledged", channel=channel, error=repr(error))
            await self.close()

    def acknowledge(self, channel: str) -> None:
        if waiting := self._unacknowledged.pop(channel, None):
            waiting.set()

    def is_requested(self, channel: str) -> bool:
        return channel in self._unacknowledged

    def take_refused(self, error: ResponseError) -> list[str]:
        """The channels that a cluster's error is about, or may be; nobody waits for them longer."""
        slot = error.slot_id if isinstance(error, AskError) else None
        refused = [c for c in self._unacknowledged if slot in (None, key_slot(c.encode()))]
        for channel in refused:
            self.acknowledge(channel)
        return refused

    async def next_reply(self) -> Any:
        """The next reply. Raises RedisError or OSError when the connection is lost."""
        for _ in range(PINGS_UNTIL_LOSS):
            reply = await self._connection.read_response(
                timeout=PING_AFTER, disconnect_on_error=False
            )
            if reply is not None:
                return reply
            await self.send(("PING",))
        raise BrokerSilent(f"silent for {PINGS_UNTIL_LOSS * PING_AFTER:.0f} s")


def bare_pool(url: str) -> ConnectionPool:
    """For connections that do what they are told, once, and for as long as it takes."""
    # RESP 2: in RESP 3 subscriptions share a connection with replies, which nobody needs here.
    # No retries: connecting again is ours, because a gap must follow it. No timeouts: redis-py
    # writes under asyncio.wait_for, which in Python 3.11 may swallow a cancellation.
    return ConnectionPool.from_url(
        url,
        protocol=2,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=None,
        socket_connect_timeout=None,
    )
