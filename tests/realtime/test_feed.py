"""The feed's guarantees, on every implementation; docs/realtime.md states them."""

from __future__ import annotations

import asyncio
import math
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from realtime.broker import reader
from realtime.broker.redis import RedisBackend
from realtime.feed import Feed, FeedStopped, Mailbox
from realtime.retry_queue import CAPACITY
from realtime.topics import (
    GAP,
    MalformedHint,
    channel_of_meeting,
    decode_hint,
    encode_hint,
)
from tests.support.hints import (
    MEETING,
    PATIENCE,
    broker_is_away,
    broker_is_up,
    eventually,
    hanging,
    take,
    take_until,
)
from tests.support.valkey_server import Valkey

CLUSTER = pytest.param("valkey_cluster", marks=pytest.mark.slow)


@pytest.fixture(params=["memory", "valkey_server", CLUSTER])
def feed_url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return "memory://"
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
async def feed(feed_url: str) -> AsyncIterator[Feed]:
    async with Feed.from_url(feed_url) as feed:
        yield feed


@pytest.fixture
def broker() -> Iterator[Valkey]:
    """A broker of the test's own, to kill and to stop."""
    with Valkey() as server:
        yield server


@pytest.fixture
def channel() -> str:
    return channel_of_meeting(uuid4())


@asynccontextmanager
async def client_of(url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(url) as client:
        yield client


# --- Joining and delivering -------------------------------------------------------------------


async def test_a_hint_reaches_a_mailbox_that_joined(feed: Feed, channel: str) -> None:
    async with feed.join(channel) as mailbox:
        await feed.publish(channel, {"meeting", "vote:1"})
        assert await take(mailbox) == {"meeting", "vote:1"}


async def test_a_hint_reaches_every_mailbox_of_its_channel_and_no_other(feed: Feed) -> None:
    ours, theirs = channel_of_meeting(uuid4()), channel_of_meeting(uuid4())
    async with feed.join(ours) as an, feed.join(ours) as binh, feed.join(theirs) as chi:
        await feed.publish(ours, MEETING)
        assert await take(an) == MEETING
        assert await take(binh) == MEETING
        await feed.publish(theirs, {"vote:7"})
        assert await take(chi) == {"vote:7"}


async def test_nothing_is_lost_between_joining_and_the_first_read(feed: Feed, channel: str) -> None:
    for number in range(100):
        async with feed.join(channel) as mailbox:
            await feed.publish(channel, {f"vote:{number}"})
            await take_until(mailbox, f"vote:{number}")


async def test_fifty_simultaneous_first_joiners_all_get_the_next_hint(
    feed: Feed, channel: str
) -> None:
    everyone_is_in = asyncio.Barrier(51)

    async def join() -> frozenset[str]:
        async with feed.join(channel) as mailbox:
            await everyone_is_in.wait()
            return await take(mailbox)

    joiners = [asyncio.create_task(join()) for _ in range(50)]
    await everyone_is_in.wait()
    await feed.publish(channel, MEETING)
    assert await asyncio.gather(*joiners) == [MEETING] * 50


async def test_many_channels_keep_their_hints_apart(feed: Feed) -> None:
    channels = [channel_of_meeting(uuid4()) for _ in range(300)]
    async with AsyncExitStack() as stack:
        joins = [stack.enter_async_context(feed.join(channel)) for channel in channels]
        mailboxes = await asyncio.gather(*joins)
        for number, channel in enumerate(channels):
            await feed.publish(channel, {f"vote:{number}"})
        told = [await take(mailbox) for mailbox in mailboxes]
    assert told == [{f"vote:{number}"} for number in range(300)]


async def test_hints_that_pile_up_are_told_together(feed: Feed, channel: str) -> None:
    async with feed.join(channel) as slow, feed.join(channel) as quick:
        for topic in ("vote:1", "vote:1", "meeting", "vote:2"):
            await feed.publish(channel, {topic})
        await take_until(quick, "vote:2")
        assert await take(slow) == {"meeting", "vote:1", "vote:2"}


async def test_a_burst_of_publishing_arrives_whole(feed: Feed, channel: str) -> None:
    votes = {f"vote:{number}" for number in range(500)}
    async with feed.join(channel) as mailbox:
        await asyncio.gather(*(feed.publish(channel, {vote}) for vote in votes))
        assert feed.failed_publishes == 0
        told: frozenset[str] = frozenset()
        while told < votes:
            told |= await take(mailbox)


async def test_publishing_to_many_channels_at_once(feed: Feed) -> None:
    channels = [channel_of_meeting(uuid4()) for _ in range(300)]
    async with AsyncExitStack() as stack:
        mailboxes = [await stack.enter_async_context(feed.join(channel)) for channel in channels]
        await feed.publish_all(dict.fromkeys(channels, MEETING))
        assert [await take(mailbox) for mailbox in mailboxes] == [MEETING] * 300


async def test_publishing_to_nobody_is_fine(feed: Feed, channel: str) -> None:
    await feed.publish(channel, MEETING)
    assert feed.failed_publishes == 0


async def test_two_processes_on_one_broker_reach_each_other(
    valkey_server: str, channel: str
) -> None:
    async with (
        Feed.from_url(valkey_server) as here,
        Feed.from_url(valkey_server) as there,
        here.join(channel) as ours,
        there.join(channel) as theirs,
    ):
        await here.publish(channel, {"vote:1"})
        assert await take(theirs) == {"vote:1"}
        assert await take(ours) == {"vote:1"}
        await there.publish(channel, {"vote:2"})
        assert await take(ours) == {"vote:2"}


# --- Leaving ----------------------------------------------------------------------------------


async def test_the_last_mailbox_to_leave_unsubscribes(feed: Feed, channel: str) -> None:
    async with feed.join(channel):
        async with feed.join(channel):
            pass
        assert list(feed._subscriptions) == [channel]
    assert not feed._subscriptions
    assert not feed._broadcast._subscribers


async def test_the_broker_keeps_no_subscription_that_was_left(
    valkey_server: str, channel: str
) -> None:
    async with client_of(valkey_server) as client, Feed.from_url(valkey_server) as feed:

        async def is_left() -> bool:
            return await client.pubsub_numsub(channel) == [(channel.encode(), 0)]

        async with feed.join(channel):
            assert await client.pubsub_numsub(channel) == [(channel.encode(), 1)]
        await eventually(is_left)


async def test_who_joins_while_the_last_one_leaves_still_gets_hints(
    feed: Feed, channel: str
) -> None:
    async def stay_until(end: asyncio.Event) -> None:
        async with feed.join(channel):
            await end.wait()

    for steps in range(25):
        async with asyncio.TaskGroup() as others:
            end = asyncio.Event()
            others.create_task(stay_until(end))
            async with feed.join(channel):  # the other one, who was first, is in
                pass
            end.set()
            for _ in range(steps):
                await asyncio.sleep(0)
            async with feed.join(channel) as mailbox:
                await feed.publish(channel, MEETING)
                assert await take(mailbox) == MEETING


async def test_a_joiner_cancelled_at_any_moment_leaves_nothing_behind(
    feed: Feed, channel: str
) -> None:
    async def join() -> None:
        async with feed.join(channel) as mailbox:
            await mailbox.next()

    before = asyncio.all_tasks()
    for steps in range(40):
        joiner = asyncio.create_task(join())
        for _ in range(steps):
            await asyncio.sleep(0)
        joiner.cancel()
        with pytest.raises(asyncio.CancelledError):
            await joiner
        assert not feed._subscriptions
        assert asyncio.all_tasks() == before
    async with feed.join(channel) as mailbox:
        await feed.publish(channel, MEETING)
        assert await take(mailbox) == MEETING


async def test_cancelling_one_of_many_first_joiners_does_not_hurt_the_others(
    feed: Feed, channel: str
) -> None:
    async def join() -> frozenset[str]:
        async with feed.join(channel) as mailbox:
            return await take(mailbox)

    first, *others = [asyncio.create_task(join()) for _ in range(10)]
    await asyncio.sleep(0)
    first.cancel()
    async with feed.join(channel):
        await feed.publish(channel, MEETING)
        assert await asyncio.gather(*others) == [MEETING] * 9


async def test_cancelling_a_waiter_loses_no_hint(feed: Feed, channel: str) -> None:
    async with feed.join(channel) as an, feed.join(channel) as binh:
        waiter = asyncio.create_task(an.next())
        await asyncio.sleep(0)
        waiter.cancel()
        await feed.publish(channel, MEETING)
        assert await take(binh) == MEETING
        assert await take(an) == MEETING


# --- Stopping ---------------------------------------------------------------------------------


async def test_stopping_wakes_waiters_and_leaves_no_task(feed_url: str, channel: str) -> None:
    before = asyncio.all_tasks()
    feed = Feed.from_url(feed_url)
    await feed.start()

    async def wait() -> None:
        async with feed.join(channel) as mailbox:
            await mailbox.next()

    waiters = [asyncio.create_task(wait()) for _ in range(3)]
    async with feed.join(channel):  # the waiters, who were first, are in
        await feed.stop()
        assert asyncio.all_tasks() - {*waiters} == before
    assert [type(e) for e in await asyncio.gather(*waiters, return_exceptions=True)] == [
        FeedStopped
    ] * 3
    await feed.stop()


async def test_stopping_at_any_moment_of_joining_ends_the_joiner(
    feed_url: str, channel: str
) -> None:
    before = asyncio.all_tasks()
    for steps in range(25):
        feed = Feed.from_url(feed_url)
        await feed.start()

        async def join(feed: Feed = feed) -> None:
            async with feed.join(channel) as mailbox:
                await mailbox.next()

        joiner = asyncio.create_task(join())
        for _ in range(steps):
            await asyncio.sleep(0)
        await feed.stop()
        with pytest.raises(FeedStopped):
            await joiner
        assert asyncio.all_tasks() == before


async def test_stopping_while_the_broker_is_pinged_ends_at_once(
    valkey_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PING_AFTER", 0.0005)
    monkeypatch.setattr(reader, "PINGS_UNTIL_LOSS", 10_000)
    for steps in range(100):
        async with asyncio.timeout(PATIENCE), Feed.from_url(valkey_server):
            for _ in range(steps):
                await asyncio.sleep(0)


async def test_a_stopped_feed_is_joined_by_nobody(feed_url: str, channel: str) -> None:
    async with Feed.from_url(feed_url) as feed:
        assert feed.is_broker_up
    assert not feed.is_broker_up
    with pytest.raises(FeedStopped):
        async with feed.join(channel):
            pass


async def test_publishing_after_stopping_is_counted_and_disturbs_nobody(
    feed_url: str, channel: str
) -> None:
    async with Feed.from_url(feed_url) as feed:
        pass
    with capture_logs() as logs:
        await feed.publish(channel, MEETING)
    assert (feed.failed_publishes, logs) == (1, [])


async def test_a_dead_listener_ends_the_subscriptions_instead_of_leaving_them_deaf(
    channel: str,
) -> None:
    async with Feed.from_url("memory://") as feed, feed.join(channel) as mailbox:
        not_an_event: Any = None
        await feed._broadcast._backend._published.put(not_an_event)  # type: ignore[attr-defined]
        with pytest.raises(FeedStopped):
            await take(mailbox)
        assert not feed.is_broker_up


# --- Messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    ["", "meeting", "{}", "[]", "null", "[1]", "[1.5]", '["meeting", null]', "[" * 100_000],
)
async def test_malformed_messages_are_skipped(feed: Feed, channel: str, message: str) -> None:
    with pytest.raises(MalformedHint):
        decode_hint(message)
    async with feed.join(channel) as mailbox:
        await feed._broadcast.publish(channel, message)
        await feed.publish(channel, MEETING)
        assert await take(mailbox) == MEETING


async def test_bytes_that_are_no_text_are_skipped(valkey_server: str, channel: str) -> None:
    async with (
        client_of(valkey_server) as client,
        Feed.from_url(valkey_server) as feed,
        feed.join(channel) as mailbox,
    ):
        assert await client.publish(channel, b"\xff\xfe") == 1
        await feed.publish(channel, MEETING)
        assert await take(mailbox) == MEETING


def test_a_hint_travels_as_its_topics_and_nothing_else() -> None:
    assert encode_hint({"vote:2", "meeting"}) == '["meeting","vote:2"]'
    assert decode_hint('["meeting","vote:2"]') == (frozenset({"meeting", "vote:2"}), None)


def test_a_hint_tells_when_its_topics_changed() -> None:
    assert encode_hint({"meeting"}, 1763.25) == '["meeting",1763.25]'
    assert decode_hint('["meeting",1763.25]') == (frozenset({"meeting"}), 1763.25)


async def test_a_mailbox_tells_how_many_hints_it_held_and_since_when(channel: str) -> None:
    mailbox = Mailbox(lambda topic: topic != "vote:2")
    for topic, at in (("meeting", 3.0), ("vote:2", 1.0), ("vote:1", 2.0), ("meeting", None)):
        mailbox.put({topic}, at)
    assert await mailbox.next() == {"meeting", "vote:1"}
    assert (mailbox.hints, mailbox.since) == (3, 2.0)
    mailbox.put({GAP})
    assert await mailbox.next() == {GAP}
    assert (mailbox.hints, mailbox.since) == (1, math.inf)


def test_only_known_addresses_make_a_feed() -> None:
    with pytest.raises(ValueError, match="not kafka://") as refused:
        Feed.from_url("kafka://user:secret@broker")
    assert "secret" not in str(refused.value)


# --- A broker that goes away ------------------------------------------------------------------


async def test_mailboxes_get_gaps_while_the_broker_is_away_and_hints_after(
    broker: Valkey, channel: str
) -> None:
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        broker.kill()
        assert await take(mailbox) == {GAP}
        assert not feed.is_broker_up
        assert await take(mailbox) == {GAP}
        broker.start()
        await broker_is_up(feed)
        assert await take(mailbox) == {GAP}
        await feed.publish(channel, MEETING)
        assert await take_until(mailbox, "meeting") <= {GAP, "meeting"}


async def test_every_channel_is_subscribed_again_after_a_lost_connection(broker: Valkey) -> None:
    channels = [channel_of_meeting(uuid4()) for _ in range(100)]
    async with client_of(broker.url) as client, AsyncExitStack() as stack:
        feed = await stack.enter_async_context(Feed.from_url(broker.url))
        mailboxes = [await stack.enter_async_context(feed.join(c)) for c in channels]
        await client.client_kill_filter(_type="pubsub")
        assert [await take(mailbox) for mailbox in mailboxes] == [{GAP}] * 100
        for channel, mailbox in zip(channels, mailboxes, strict=True):
            await feed.publish(channel, MEETING)
            assert await take(mailbox) == MEETING


async def test_a_channel_that_was_left_is_not_subscribed_again(
    broker: Valkey, channel: str
) -> None:
    async with client_of(broker.url) as client, Feed.from_url(broker.url) as feed:
        async with feed.join(channel):
            await client.client_kill_filter(_type="pubsub")
            await broker_is_away(feed)
        await broker_is_up(feed)
        assert await client.pubsub_channels() == [reader.PERMANENT_CHANNEL.encode()]


async def test_joining_while_the_broker_is_away_gets_gaps_and_then_hints(
    broker: Valkey, channel: str
) -> None:
    broker.kill()
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        assert not feed.is_broker_up
        assert await take(mailbox) == {GAP}
        broker.start()
        await broker_is_up(feed)
        await feed.publish(channel, MEETING)
        await take_until(mailbox, "meeting")


async def test_publishing_without_a_broker_is_quick_and_reaches_our_own(
    broker: Valkey, channel: str
) -> None:
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        broker.kill()
        async with asyncio.timeout(5):
            await feed.publish(channel, MEETING)
        assert feed.failed_publishes == 1
        await take_until(mailbox, "meeting")


async def test_publishing_to_a_broker_that_hangs_is_quick_however_many_do(
    broker: Valkey, channel: str
) -> None:
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        with hanging(broker):
            async with asyncio.timeout(5):
                await asyncio.gather(*(feed.publish(channel, MEETING) for _ in range(200)))
        assert feed.failed_publishes == 200
        await take_until(mailbox, "meeting")
        await broker_is_up(feed)
        await feed.publish(channel, {"vote:1"})
        assert feed.failed_publishes == 200
        await take_until(mailbox, "vote:1")


async def test_joining_a_broker_that_hangs_ends_in_gaps(broker: Valkey, channel: str) -> None:
    async with Feed.from_url(broker.url) as feed:
        with hanging(broker):
            async with feed.join(channel) as mailbox:
                await broker_is_away(feed)
                assert await take(mailbox) == {GAP}
        await broker_is_up(feed)


async def test_a_joiner_does_not_wait_for_a_broker_that_was_lost(
    broker: Valkey, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "ANSWERS_WITHIN", 1000.0)
    async with Feed.from_url(broker.url) as feed, AsyncExitStack() as stack:
        assert isinstance(feed._redis, RedisBackend)
        connection = feed._redis._reader._connection
        assert connection is not None

        async def is_waiting() -> bool:
            return connection.is_requested(channel)

        os.kill(broker.pid, signal.SIGSTOP)
        joiner = asyncio.create_task(stack.enter_async_context(feed.join(channel)))
        await eventually(is_waiting)
        broker.kill()
        async with asyncio.timeout(PATIENCE):
            assert await (await joiner).next() == {GAP}


async def test_a_lost_connection_is_not_brought_back_in_silence(broker: Valkey) -> None:
    # redis-py connects again when it is asked to send, and forgets the subscriptions.
    connection = reader._Connection(reader.bare_pool(broker.url))
    await connection.connect()
    await connection.close()
    await connection.subscribe("SUBSCRIBE", "a")
    await connection.request("SUBSCRIBE", ["b"])
    await connection.send(("PING",))
    with pytest.raises(RedisError):
        await connection.next_reply()


async def test_a_broker_that_hangs_holds_nobody_up_twice(broker: Valkey, channel: str) -> None:
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        with hanging(broker):
            await feed.publish(channel, {"vote:1"})
            await take_until(mailbox, "vote:1")
            async with asyncio.timeout(PATIENCE):
                for number in range(1000):  # at a quarter of a second each it would be minutes
                    await feed.publish(channel, {f"ballots:{number}"})
            await take_until(mailbox, "ballots:999")
        assert feed.failed_publishes == 1001


async def test_a_feed_stops_at_once_while_the_broker_hangs(broker: Valkey, channel: str) -> None:
    before = asyncio.all_tasks()
    with hanging(broker):
        async with asyncio.timeout(10), Feed.from_url(broker.url) as feed:  # 2 s of it to start
            publishing = asyncio.create_task(feed.publish(channel, MEETING))
            await asyncio.sleep(0.1)
        await publishing
        assert feed.failed_publishes == 1
        assert asyncio.all_tasks() == before


async def test_a_publisher_who_is_cancelled_takes_nobody_along(
    valkey_server: str, channel: str
) -> None:
    async with Feed.from_url(valkey_server) as feed, feed.join(channel) as mailbox:
        for steps in range(12):
            an, *others = [
                asyncio.create_task(feed.publish(channel, {f"vote:{number}"}))
                for number in range(5)
            ]
            for _ in range(steps):
                await asyncio.sleep(0)
            an.cancel()
            await asyncio.gather(*others)
            assert await take_until(mailbox, "vote:4") >= {"vote:1", "vote:2", "vote:3"}
        assert feed.failed_publishes == 0


async def test_hints_that_could_not_be_published_reach_other_processes_later(
    broker: Valkey, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PING_AFTER", 1000.0)  # the others notice nothing
    async with (
        Feed.from_url(broker.url) as here,
        Feed.from_url(broker.url) as there,
        there.join(channel) as theirs,
    ):
        with hanging(broker):
            await here.publish(channel, {"vote:1"})  # in time or not
            await here.publish(channel, {"vote:2"})  # at once
            assert here.failed_publishes == 2
        assert await take_until(theirs, "vote:2") >= {"vote:1", "vote:2"}


async def test_what_waits_for_a_retry_is_bounded(broker: Valkey, channel: str) -> None:
    async with (
        Feed.from_url(broker.url) as here,
        Feed.from_url(broker.url) as there,
        there.join(channel) as theirs,
    ):
        with hanging(broker):
            for number in range(2 * CAPACITY):
                await here.publish(channel, {f"vote:{number}"})
            assert len(here._unpublished.topics[channel]) <= CAPACITY
        assert await take_until(theirs, GAP)


async def test_a_broker_that_hangs_is_noticed_in_time_by_those_who_only_listen(
    broker: Valkey, channel: str
) -> None:
    async with Feed.from_url(broker.url) as feed, feed.join(channel) as mailbox:
        with hanging(broker):
            async with asyncio.timeout(2.4):  # what changes from now on shows within 2.5 s
                assert await mailbox.next() == {GAP}
            assert not feed.is_broker_up
            async with asyncio.timeout(2.4):
                assert await mailbox.next() == {GAP}
        async with asyncio.timeout(2.9):
            await broker_is_up(feed)
            await take_until(mailbox, GAP)


async def test_publishing_after_the_broker_closed_an_idle_connection_succeeds(
    broker: Valkey, channel: str
) -> None:
    async with client_of(broker.url) as client, Feed.from_url(broker.url) as feed:
        await feed.publish(channel, MEETING)
        await client.client_kill_filter(_type="normal", skipme=True)
        await feed.publish(channel, MEETING)
        assert feed.failed_publishes == 0


async def test_an_idle_broker_is_not_taken_for_lost(
    broker: Valkey, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PING_AFTER", 0.05)
    async with client_of(broker.url) as client, Feed.from_url(broker.url) as feed:

        async def has_pinged() -> bool:
            commands = await client.info("commandstats")
            return bool("cmdstat_ping" in commands and commands["cmdstat_ping"]["calls"] > 20)

        async with feed.join(channel) as mailbox:
            await eventually(has_pinged)
            await feed.publish(channel, MEETING)
            assert await take(mailbox) == MEETING  # and no gap
