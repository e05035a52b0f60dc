"""The feed on a cluster that loses servers and moves slots; what always holds is in test_feed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from redis.crc import key_slot

from realtime.broker import reader
from realtime.broker.cluster import ClusterBackend
from realtime.broker.slots import ClusterUrl, SlotMap
from realtime.feed import Feed, Mailbox
from realtime.topics import GAP, channel_of_meeting
from tests.support.hints import (
    MEETING,
    broker_is_away,
    broker_is_up,
    eventually,
    hanging,
    take,
    take_until,
)
from tests.support.valkey_server import Valkey, ValkeyCluster

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shared_cluster() -> Iterator[ValkeyCluster]:
    with ValkeyCluster() as cluster:
        yield cluster


@pytest.fixture
def cluster(shared_cluster: ValkeyCluster) -> Iterator[ValkeyCluster]:
    """A cluster to kill servers of and to move slots in; whole again before the next test."""
    yield shared_cluster
    for node in shared_cluster.nodes:
        if not node.is_running:
            node.start()
    shared_cluster.wait_until_ok()


@pytest.fixture
async def feed(cluster: ValkeyCluster) -> AsyncIterator[Feed]:
    async with Feed.from_url(cluster.url) as feed:
        yield feed


def channel_at(cluster: ValkeyCluster, node: Valkey) -> str:
    """A new channel that the server serves."""
    while True:
        channel = channel_of_meeting(uuid4())
        if cluster.owner_of(slot_of(channel)) is node:
            return channel


def slot_of(channel: str) -> int:
    return key_slot(channel.encode())


async def is_undisturbed(feed: Feed, channel: str, mailbox: Mailbox) -> None:
    """Hints arrive, and no gap."""
    for number in range(20):
        await feed.publish(channel, {f"vote:{number}"})
        assert await take(mailbox) == {f"vote:{number}"}


async def test_a_killed_server_costs_its_own_channels_gaps_and_the_others_nothing(
    cluster: ValkeyCluster, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A server that a busy machine keeps waiting is not meant here.
    monkeypatch.setattr("realtime.broker.publisher.ANSWERS_WITHIN", 20.0)
    monkeypatch.setattr("realtime.feed.PUBLISH_WITHIN", 20.0)
    killed, other, _ = cluster.nodes
    ours, theirs = channel_at(cluster, killed), channel_at(cluster, other)
    async with feed.join(ours) as an, feed.join(theirs) as binh:
        killed.kill()
        async with asyncio.timeout(2.5):
            assert await an.next() == {GAP}
        async with asyncio.timeout(2.5):
            assert await an.next() == {GAP}
        await is_undisturbed(feed, theirs, binh)
        assert feed.failed_publishes == 0
        assert not feed.is_broker_up
        killed.start()
        await broker_is_up(feed)
        assert await take(an) == {GAP}
        await is_undisturbed(feed, ours, an)
        await is_undisturbed(feed, theirs, binh)


async def test_a_server_that_hangs_holds_up_nobody_at_the_others(
    cluster: ValkeyCluster, feed: Feed
) -> None:
    hanging_one, other, _ = cluster.nodes
    ours, theirs = channel_at(cluster, hanging_one), channel_at(cluster, other)
    async with feed.join(ours) as an, feed.join(theirs) as binh:
        with hanging(hanging_one):
            await feed.publish(ours, MEETING)
            assert "meeting" in await take(an)
            await is_undisturbed(feed, theirs, binh)
            async with asyncio.timeout(2.5):
                await take_until(an, GAP)
            assert feed.failed_publishes == 1
        await broker_is_up(feed)
        await take_until(an, GAP)
        await is_undisturbed(feed, theirs, binh)


async def test_hints_that_a_server_did_not_take_are_published_there(
    cluster: ValkeyCluster, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "PING_AFTER", 1000.0)  # the others notice nothing
    channel = channel_at(cluster, cluster.nodes[1])
    async with Feed.from_url(cluster.url) as there, there.join(channel) as theirs:
        with hanging(cluster.nodes[1]):
            await feed.publish(channel, {"vote:1"})
            await feed.publish(channel, {"vote:2"})
            assert feed.failed_publishes == 2
        assert await take_until(theirs, "vote:2") >= {"vote:1", "vote:2"}


async def test_a_slot_that_moves_takes_its_channels_along(
    cluster: ValkeyCluster, feed: Feed
) -> None:
    old, new, third = cluster.nodes
    moved, stayed = channel_at(cluster, old), channel_at(cluster, third)
    async with (
        Feed.from_url(cluster.url) as there,
        feed.join(moved) as ours,
        there.join(moved) as theirs,
        there.join(stayed) as binh,
    ):
        for to in (new, old, third, old):
            cluster.move_slot(slot_of(moved), to)
            assert await take(ours) == {GAP}
            assert await take(theirs) == {GAP}
            await is_undisturbed(feed, moved, theirs)
            await take_until(ours, "vote:19")
        await is_undisturbed(feed, stayed, binh)
        assert feed.failed_publishes == 0


async def test_whoever_does_not_know_of_the_move_yet_still_publishes_and_joins(
    cluster: ValkeyCluster,
) -> None:
    old, new, _ = cluster.nodes
    channel = channel_at(cluster, old)
    async with Feed.from_url(cluster.url) as here, Feed.from_url(cluster.url) as there:
        cluster.move_slot(slot_of(channel), new)
        async with there.join(channel) as mailbox:
            await here.publish(channel, MEETING)
            assert here.failed_publishes == 0
            await take_until(mailbox, GAP)  # which stands for the hint, if that came too early
            await is_undisturbed(here, channel, mailbox)
    cluster.move_slot(slot_of(channel), old)


async def test_a_replica_that_takes_over_gets_the_channels() -> None:
    with ValkeyCluster() as cluster:
        primary = cluster.nodes[0]
        channel = channel_at(cluster, primary)
        replica = cluster.add_replica(primary)
        async with Feed.from_url(cluster.url) as feed, feed.join(channel) as mailbox:
            primary.kill()
            replica.tell("CLUSTER", "FAILOVER", "TAKEOVER")
            await broker_is_away(feed)
            await broker_is_up(feed)
            await feed.publish(channel, {"vote:1"})
            assert GAP in await take_until(mailbox, "vote:1")
            await is_undisturbed(feed, channel, mailbox)
            primary.start()  # as a replica
            await is_undisturbed(feed, channel, mailbox)


async def test_no_server_keeps_a_subscription_that_was_left(
    cluster: ValkeyCluster, feed: Feed
) -> None:
    channels = [channel_at(cluster, node) for node in cluster.nodes]

    async def are_left() -> bool:
        return not any(node.tell("PUBSUB", "SHARDCHANNELS") for node in cluster.nodes)

    for channel, node in zip(channels, cluster.nodes, strict=True):
        async with feed.join(channel):
            assert node.tell("PUBSUB", "SHARDCHANNELS") == [channel.encode()]
            assert node.tell("PUBSUB", "CHANNELS") == [reader.PERMANENT_CHANNEL.encode()]
    await eventually(are_left)


async def test_a_feed_that_starts_without_its_cluster_finds_it_later(
    cluster: ValkeyCluster,
) -> None:
    for node in cluster.nodes:
        node.kill()
    channel = channel_of_meeting(uuid4())
    async with Feed.from_url(cluster.url) as feed, feed.join(channel) as mailbox:
        assert not feed.is_broker_up
        assert await take(mailbox) == {GAP}
        for node in cluster.nodes:
            node.start()
        await broker_is_up(feed)
        await feed.publish(channel, MEETING)
        await take_until(mailbox, "meeting")


async def test_one_known_server_is_enough_and_a_password_goes_to_all(
    cluster: ValkeyCluster,
) -> None:
    for node in cluster.nodes:
        node.tell("CONFIG", "SET", "requirepass", "secret")
    try:
        url = f"redis+cluster://:secret@127.0.0.1:{cluster.nodes[2].port}"
        channels = [channel_of_meeting(uuid4()) for _ in range(20)]
        async with Feed.from_url(url) as feed:
            for channel in channels:
                async with feed.join(channel) as mailbox:
                    await is_undisturbed(feed, channel, mailbox)
            assert isinstance(feed._redis, ClusterBackend)
            assert len(feed._redis._nodes) == 3
    finally:
        for node in cluster.nodes:
            node.tell("CONFIG", "SET", "requirepass", "", password="secret")


@pytest.mark.parametrize(
    ("url", "seeds", "second"),
    [
        ("redis+cluster://a:1,b:2", ("a:1", "b:2"), "redis://b:2/0?"),
        ("redis+cluster://a", ("a:6379",), "redis://b:2/0?"),
        ("redis+cluster://[::1]:1,[::2]/0", ("[::1]:1", "[::2]:6379"), "redis://b:2/0?"),
        (
            "rediss+cluster://me:p%40ss@a:1?ssl_ca_certs=/ca.pem",
            ("a:1",),
            "rediss://me:p%40ss@b:2/0?ssl_ca_certs=/ca.pem",
        ),
    ],
)
def test_a_url_of_a_cluster_names_servers(url: str, seeds: tuple[str, ...], second: str) -> None:
    assert ClusterUrl(url).seeds == seeds
    assert ClusterUrl(url).of("b:2") == second


@pytest.mark.parametrize(
    "url", ["redis+cluster://:secret@a:1/3", "redis+cluster://:secret@", "redis+cluster://a:b"]
)
def test_a_url_that_names_no_cluster_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="cluster") as refused:
        Feed.from_url(url)
    assert "secret" not in str(refused.value)


def test_every_slot_of_a_range_belongs_to_its_server() -> None:
    slots = SlotMap([(0, 99, "a:1"), (101, 16_383, "b:2")])
    owners = [slots._addresses[slot] for slot in (0, 99, 100, 101, 16_383)]
    assert owners == ["a:1", "a:1", None, "b:2", "b:2"]
    assert slots.addresses == {"a:1", "b:2"}
