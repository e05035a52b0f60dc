"""Whoever joins a group is shown the present state, and costs the others nothing."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from realtime import fanout
from realtime.events import channel_of_meeting
from realtime.fanout import Fanout, Group
from realtime.feed import Feed
from tests.asking import eventually

CHANNEL = channel_of_meeting(uuid4())


class Page:
    """A subscriber who keeps what it was shown."""

    def __init__(self) -> None:
        self.shown: list[bytes] = []

    def push(self, state: bytes) -> None:
        self.shown.append(state)

    def end(self, error: object) -> None:
        raise AssertionError(error)


class Source:
    """A state that takes a moment to be read."""

    def __init__(self) -> None:
        self.state = b"0"
        self.reads = 0

    async def take(self) -> bytes:
        state = self.state
        await asyncio.sleep(0.01)
        self.reads += 1
        return state

    def join(self, groups: Fanout[object], page: Page) -> Group[object]:
        return groups.join("key", page, CHANNEL, lambda topic: True, self.take)


async def test_who_joins_sees_the_present_state_though_no_hint_has_come(feed: Feed) -> None:
    groups, source, first, second = Fanout[object](feed), Source(), Page(), Page()
    source.join(groups, first)
    await eventually(lambda: first.shown == [b"0"])
    source.state = b"1"  # and the broker is away
    source.join(groups, second)
    await eventually(lambda: second.shown == [b"1"])
    assert first.shown == [b"0"]
    await feed.publish(CHANNEL, {"meeting"})
    await eventually(lambda: first.shown == [b"0", b"1"])
    await groups.stop()


async def test_who_joins_while_a_state_is_taken_is_shown_the_next_one(feed: Feed) -> None:
    groups, source, first, second = Fanout[object](feed), Source(), Page(), Page()
    source.join(groups, first)
    await eventually(lambda: bool(first.shown))
    await feed.publish(CHANNEL, {"meeting"})
    await asyncio.sleep(0.005)  # it is being taken
    source.state = b"1"
    source.join(groups, second)
    await eventually(lambda: bool(second.shown))
    assert second.shown == [b"1"]
    await groups.stop()


async def test_those_who_join_together_share_their_first_state(feed: Feed) -> None:
    groups, source = Fanout[object](feed), Source()
    pages = [Page() for _ in range(1_000)]
    for page in pages:
        source.join(groups, page)
    await eventually(lambda: all(page.shown for page in pages))
    late = [Page() for _ in range(1_000)]
    for number, page in enumerate(late):
        source.join(groups, page)
        if number % 100 == 0:
            await asyncio.sleep(0.001)
    await eventually(lambda: all(page.shown for page in late))
    assert source.reads <= 2 + 10 * 0.05 / fanout.JOINERS_EVERY
    await groups.stop()


async def test_who_joins_and_leaves_at_once_is_shown_nothing(feed: Feed) -> None:
    groups, source, first, second = Fanout[object](feed), Source(), Page(), Page()
    source.join(groups, first)
    await eventually(lambda: bool(first.shown))
    source.join(groups, second).leave(second)
    await asyncio.sleep(2 * fanout.JOINERS_EVERY)
    assert second.shown == []
    assert first.shown == [b"0"]
    await groups.stop()
