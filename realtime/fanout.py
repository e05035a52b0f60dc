"""One execution, many subscribers: each distinct subscription is run once for all who share it.

A group is made of subscribers who are to see the same. It follows one channel of the feed; when a
hint says that something changed, it takes the state anew, once, and gives it to everyone in it.
docs/realtime.md has the guarantees.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import structlog

from realtime.feed import Feed, FeedStopped, Mailbox
from realtime.histogram import Histogram
from realtime.tasks import moment_after, watched
from realtime.topics import is_count

COUNTS_EVERY = 0.25
"""Seconds between two pushes that tell of new figures only."""

TOGETHER_EVERY = 0.05
"""Seconds between the moments at which groups that waited are run, those that are due together."""

TRY_AGAIN_AFTER = 1.0
"""Seconds, when a state could not be taken; its subscribers keep the one they have."""

PUSH_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

AT_ONE_GO = 200
"""Subscribers who are pushed to, some milliseconds' worth; then others on the event loop have their
turn."""

logger = structlog.get_logger()

Error = TypeVar("Error")
Error_contra = TypeVar("Error_contra", contravariant=True)


class Subscriber(Protocol[Error_contra]):
    """Somebody who is shown a group's state."""

    def end(self, error: Error_contra) -> None:
        """There is no state any more. The subscriber has left the group already. Neither raises nor
        waits."""
        ...


Push = Callable[[Sequence[Any], bytes], None]
"""Shows subscribers of one group the latest state; what they were not shown yet may be left out.
Neither raises nor waits, and nobody joins or leaves meanwhile."""


@dataclass(frozen=True)
class Ended(Generic[Error]):
    """What comes instead of a state when there is none and will be none."""

    error: Error


TakeState = Callable[[], Awaitable[bytes | Ended[Error]]]


@dataclass
class Counters:
    """What the fan-out has done since the process began."""

    hints: int = 0
    """Wake-ups of groups; what came while a group was busy or waiting is one."""
    coalesced: int = 0
    """Hints that did not wake a group, because they came so; each push tells of them too."""
    taken: int = 0
    """States taken, or tried to, each for a whole group."""
    unchanged: int = 0
    """Of these, those that were the state before: nothing was pushed."""
    failures: int = 0
    deliveries: int = 0
    state_seconds: Histogram = field(default_factory=lambda: Histogram(PUSH_SECONDS))
    """From the earliest change that a push tells of, by the clock of the process that made it, to
    the write for its last subscriber. Where a gap stands for the change, nobody knows."""
    counts_seconds: Histogram = field(default_factory=lambda: Histogram(PUSH_SECONDS))
    """The same for pushes that tell of new figures only, which wait for each other."""


class Fanout(Generic[Error]):
    """The groups of one process."""

    def __init__(self, feed: Feed, push: Push) -> None:
        self.counters = Counters()
        self.push = push
        self._feed = feed
        self._groups: dict[Hashable, Group[Error]] = {}

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def subscribers(self) -> int:
        return sum(map(len, self._groups.values()))

    def join(
        self,
        key: Hashable,
        subscriber: Subscriber[Error],
        channel: str,
        wants: Callable[[str], bool],
        take: TakeState[Error],
        owner: Hashable = None,
    ) -> Group[Error]:
        """Put a subscriber into the group of that key, which the first one makes.

        The latest state is pushed at once if there is one, else as soon as there is. `wants` and
        `take` are the same for whoever has the same key. Several subscribers may be one owner's.
        """
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self, key, take)
            group.begin(self._feed, channel, wants)
        group.add(subscriber, owner)
        return group

    def forget(self, group: Group[Error]) -> None:
        if self._groups.get(group.key) is group:
            del self._groups[group.key]

    async def stop(self) -> None:
        """End all groups. Subscribers hear nothing more."""
        tasks = [group.cancel() for group in tuple(self._groups.values())]
        if tasks:
            await asyncio.wait(tasks)


class Group(Generic[Error]):
    """Subscribers who see the same, and the state they were shown last."""

    __slots__ = (
        "_changed_at",
        "_fanout",
        "_figures_from",
        "_is_count",
        "_subscribers",
        "_take",
        "_task",
        "key",
        "state",
    )

    def __init__(self, fanout: Fanout[Error], key: Hashable, take: TakeState[Error]) -> None:
        self.key = key
        self.state: bytes | None = None
        self._fanout = fanout
        self._take = take
        self._subscribers: dict[Subscriber[Error], Hashable] = {}
        self._changed_at = math.inf
        self._figures_from = -math.inf
        self._is_count = False

    def __len__(self) -> int:
        return len(self._subscribers)

    @property
    def owner(self) -> Hashable | None:
        """Whose own it is; None where its subscribers are not all the same one's."""
        owners = iter(self._subscribers.values())
        first = next(owners, None)
        return first if all(owner == first for owner in owners) else None

    def begin(self, feed: Feed, channel: str, wants: Callable[[str], bool]) -> None:
        self._task = watched(self._run(feed, channel, wants), name=f"group on {channel}")

    def cancel(self) -> asyncio.Task[None]:
        self._fanout.forget(self)
        self._task.cancel()
        return self._task

    def add(self, subscriber: Subscriber[Error], owner: Hashable = None) -> None:
        self._subscribers[subscriber] = owner
        if self.state is not None:
            self._fanout.counters.deliveries += 1
            self._fanout.push((subscriber,), self.state)

    def leave(self, subscriber: Subscriber[Error]) -> None:
        """Nothing is pushed from now on. The group ends with its last subscriber."""
        self._subscribers.pop(subscriber, None)
        if not self._subscribers:
            self.cancel()

    async def _run(self, feed: Feed, channel: str, wants: Callable[[str], bool]) -> None:
        """Join the channel first, take the state second: nothing falls in between."""
        try:
            async with feed.join(channel, wants) as mailbox:
                while await self._refresh():
                    await self._change(mailbox)
        except FeedStopped:
            pass  # so does the process
        finally:
            self._fanout.forget(self)

    async def _refresh(self) -> bool:
        """Take the state and push it where it changed. False when there is none any more."""
        state = await self._take_patiently()
        # From here, not from the end of the push: that takes its time where thousands are shown it.
        now = asyncio.get_running_loop().time()
        self._figures_from = moment_after(now + COUNTS_EVERY, TOGETHER_EVERY)
        if isinstance(state, Ended):
            self._fanout.forget(self)
            subscribers, self._subscribers = self._subscribers, {}
            for subscriber in subscribers:
                subscriber.end(state.error)
            return False
        if state == self.state:
            self._fanout.counters.unchanged += 1
        else:
            self.state = state
            await self._push(state)
            self._measure()
        return True

    async def _take_patiently(self) -> bytes | Ended[Error]:
        """The state; a database that is away comes back, and its subscribers wait for it."""
        while True:
            self._fanout.counters.taken += 1
            try:
                return await self._take()
            except Exception:
                self._fanout.counters.failures += 1
                logger.warning("fanout.no_state", exc_info=True)
            await asyncio.sleep(TRY_AGAIN_AFTER)

    async def _push(self, state: bytes) -> None:
        subscribers = tuple(self._subscribers)
        for start in range(0, len(subscribers), AT_ONE_GO):
            if start:
                await asyncio.sleep(0)
            some = subscribers[start : start + AT_ONE_GO]
            self._fanout.push([one for one in some if one in self._subscribers], state)
        self._fanout.counters.deliveries += len(subscribers)

    def _measure(self) -> None:
        if self._changed_at < math.inf:
            counters = self._fanout.counters
            seconds = counters.counts_seconds if self._is_count else counters.state_seconds
            seconds.observe(max(0.0, time.time() - self._changed_at))  # clocks differ

    async def _change(self, mailbox: Mailbox) -> None:
        """Wait until something changed: a state is shown at once, figures in measured steps."""
        loop = asyncio.get_running_loop()
        self._is_count = True
        self._changed_at = math.inf
        await self._take_hints(mailbox)
        self._fanout.counters.hints += 1
        self._fanout.counters.coalesced -= 1  # the one that woke us
        while self._is_count and loop.time() < self._figures_from:
            try:
                async with asyncio.timeout_at(self._figures_from):
                    await self._take_hints(mailbox)
            except TimeoutError:
                return

    async def _take_hints(self, mailbox: Mailbox) -> None:
        topics = await mailbox.next()
        self._fanout.counters.coalesced += mailbox.hints
        self._changed_at = min(self._changed_at, mailbox.since)
        self._is_count = self._is_count and all(map(is_count, topics))
