"""How many members are connected to each meeting, in all processes together.

Each process counts its own and tells the others: what changed, numbered, a few times a second at
most, and every ten seconds that it is there. Who missed a number asks for everything. Only counts
travel, nobody's name, and nothing is stored: docs/realtime.md tells what the figure is worth.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Self
from uuid import UUID, uuid4

import structlog

from realtime.feed import Feed, FeedStopped
from realtime.tasks import cancel, watched
from realtime.topics import (
    GAP,
    PRESENCE_CHANNEL,
    PRESENCE_TOPIC,
    UNITS_CHANNEL,
    channel_of_meeting,
    topic_of_connected,
)

# All in seconds.
TOGETHER = 0.3  # what changes meanwhile is told in one message
BEAT_EVERY = 10.0
FORGOTTEN_AFTER = 25.0  # of silence

logger = structlog.get_logger()


class Kind(Enum):
    """What a message says, in the order in which messages of one number are taken."""

    CHANGED = "changed"
    """Meetings whose count changed, with the new count."""
    ALL = "all"
    """Every meeting of the sender with its count; there are no others."""
    HERE = "here"
    """That the sender lives."""
    ASK = "ask"
    """Processes that should send ALL; none stands for each."""
    GONE = "gone"
    """That the sender ends."""


_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, eq=False)
class Message:
    """One topic of a hint on PRESENCE_CHANNEL: words, so that JSON has nothing to escape."""

    sender: str
    kind: Kind
    number: int
    """Of the sender's last CHANGED: whoever knows another one has missed something."""
    counts: Mapping[UUID, int] = field(default_factory=dict)
    """By meeting, of CHANGED and ALL."""
    whom: frozenset[str] = frozenset()
    """Who is to answer an ASK; nobody stands for everybody."""

    def encode(self) -> str:
        counts = (f"{meeting_id.hex}={count}" for meeting_id, count in self.counts.items())
        return " ".join((self.sender, self.kind.value, str(self.number), *counts, *self.whom))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Raises ValueError."""
        sender, name, number, *words = text.split(" ")
        kind = Kind(name)
        if kind is Kind.ASK:
            return cls(sender, kind, int(number), whom=frozenset(words))
        pairs = (word.split("=") for word in words)
        counts = {UUID(meeting): int(count) for meeting, count in pairs}
        return cls(sender, kind, int(number), counts)


@dataclass
class _Other:
    """What is known of another process, up to the `number` of its changes."""

    heard_at: float
    number: int = 0
    counts: dict[UUID, int] = field(default_factory=dict)


class Presence:
    """Counts connected members. One for each process; `enter` and `leave` work before it runs.

    When a meeting's number changes, mailboxes of this process on the meeting's channel get
    PRESENCE_TOPIC, `TOGETHER` later.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._name = uuid4().hex
        self._number = 0
        self._here: dict[UUID, dict[UUID, int]] = {}
        self._others: dict[str, _Other] = {}
        self._beat_at = time.monotonic()  # the first is at once
        self._changed: set[UUID] = set()  # here, and not told to other processes
        self._moved: set[UUID] = set()  # anywhere, and not told to our pages
        self._unknown: set[str] = set()  # processes to be asked
        self._asks_all = True
        self._is_asked = False
        self._awake = asyncio.Event()

    def enter(self, meeting_id: UUID, member_id: UUID) -> None:
        """A member looks at the meeting, once more. Each `enter` has one `leave`."""
        members = self._here.setdefault(meeting_id, {})
        members[member_id] = members.get(member_id, 0) + 1
        if members[member_id] == 1:
            self._note_change(meeting_id)

    def leave(self, meeting_id: UUID, member_id: UUID) -> None:
        """Raises KeyError for who did not enter."""
        members = self._here[meeting_id]
        members[member_id] -= 1
        if members[member_id] == 0:
            del members[member_id]
            if not members:
                del self._here[meeting_id]
            self._note_change(meeting_id)

    def connected(self, meeting_id: UUID) -> int:
        """Members connected to the meeting, as far as known; on two processes they count twice."""
        elsewhere = (other.counts.get(meeting_id, 0) for other in self._others.values())
        return self._count_here(meeting_id) + sum(elsewhere)

    @property
    def connected_here(self) -> int:
        """Members connected to this process, once for each meeting that they look at."""
        return sum(map(len, self._here.values()))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Exchange counts with other processes until the block ends."""
        tasks = [
            watched(self._listen(), name="presence listener"),
            watched(self._speak(), name="presence speaker"),
        ]
        try:
            yield self
        finally:
            await cancel(tasks)
            await self._publish(self._message(Kind.GONE))

    def _count_here(self, meeting_id: UUID) -> int:
        return len(self._here.get(meeting_id, ()))

    def _note_change(self, meeting_id: UUID) -> None:
        self._changed.add(meeting_id)
        self._moved.add(meeting_id)
        self._awake.set()

    # --- Speaking -------------------------------------------------------------------------------

    async def _speak(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_look()):
                    await self._awake.wait()
            await asyncio.sleep(TOGETHER)
            self._awake.clear()
            self._forget_silent()
            self._tell_our_pages()
            if messages := self._messages():
                await self._publish(*messages)

    def _next_look(self) -> float:
        silent = (other.heard_at + FORGOTTEN_AFTER for other in self._others.values())
        return min([self._beat_at, *silent])

    def _forget_silent(self) -> None:
        before = time.monotonic() - FORGOTTEN_AFTER
        for name in [name for name, other in self._others.items() if other.heard_at <= before]:
            logger.info("presence.forgotten", process=name)
            self._forget(name)

    def _forget(self, name: str) -> None:
        if other := self._others.pop(name, None):
            self._moved |= other.counts.keys()

    def _tell_our_pages(self) -> None:
        moved, self._moved = self._moved, set()
        for meeting_id in moved:
            self._feed.tell(channel_of_meeting(meeting_id), {PRESENCE_TOPIC})
            self._feed.tell(UNITS_CHANNEL, {topic_of_connected(meeting_id)})

    def _messages(self) -> list[Message]:
        """What there is to say now; it counts as said, because whoever misses it asks."""
        messages: list[Message] = []
        if self._changed:
            self._number += 1
            messages.append(self._message(Kind.CHANGED, counts=self._counts(self._changed)))
        if self._is_asked:
            messages.append(self._message(Kind.ALL, counts=self._counts(self._here)))
        if self._asks_all or self._unknown:
            whom = frozenset() if self._asks_all else frozenset(self._unknown)
            messages.append(self._message(Kind.ASK, whom=whom))
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT_EVERY
            messages.append(self._message(Kind.HERE))
        self._changed, self._unknown = set(), set()
        self._is_asked = self._asks_all = False
        return messages

    def _message(self, kind: Kind, **values: Any) -> Message:
        return Message(self._name, kind, self._number, **values)

    def _counts(self, meetings: Iterable[UUID]) -> dict[UUID, int]:
        return {meeting_id: self._count_here(meeting_id) for meeting_id in meetings}

    async def _publish(self, *messages: Message) -> None:
        # Not while the broker is away: the feed would publish it later, when it is old.
        if self._feed.is_broker_up:
            topics = {message.encode() for message in messages}
            await self._feed.publish(PRESENCE_CHANNEL, topics)

    # --- Listening ------------------------------------------------------------------------------

    async def _listen(self) -> None:
        with suppress(FeedStopped):
            async with self._feed.join(PRESENCE_CHANNEL) as mailbox:
                while True:
                    await self._hear(await mailbox.next())

    async def _hear(self, topics: AbstractSet[str]) -> None:
        messages = []
        for topic in topics - {GAP}:
            try:
                messages.append(Message.decode(topic))
            except ValueError as error:
                logger.warning("presence.malformed", error=str(error)[:200])
        # A mailbox keeps no order.
        for message in sorted(messages, key=lambda one: (one.number, _ORDER[one.kind])):
            if message.sender != self._name:
                self._take(message)
                await asyncio.sleep(0)  # one with all meetings of a city takes its time
        self._asks_all |= GAP in topics
        if self._asks_all or self._moved or self._unknown or self._is_asked:
            self._awake.set()

    def _take(self, message: Message) -> None:
        if message.kind is Kind.GONE:
            self._forget(message.sender)
            return
        now = time.monotonic()
        other = self._others.setdefault(message.sender, _Other(now))
        other.heard_at = now
        if message.kind is Kind.ASK and (not message.whom or self._name in message.whom):
            self._is_asked = True
        if message.kind is Kind.CHANGED and message.number == other.number + 1:
            self._set_counts(other, message.counts)
        elif message.kind is Kind.ALL and message.number >= other.number:
            self._set_counts(other, {**dict.fromkeys(other.counts, 0), **message.counts})
        elif message.number > other.number:
            self._unknown.add(message.sender)
            return
        other.number = max(other.number, message.number)

    def _set_counts(self, other: _Other, counts: Mapping[UUID, int]) -> None:
        for meeting_id, count in counts.items():
            if other.counts.get(meeting_id, 0) != count:
                self._moved.add(meeting_id)
            if count:
                other.counts[meeting_id] = count
            else:
                other.counts.pop(meeting_id, None)
