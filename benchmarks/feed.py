"""What hints cost, and how long a broker that hangs, dies or moves slots holds anybody up.

    python -m benchmarks.feed

Two feeds in this process, the second of which listens, on one Valkey server and on a cluster of
three. Everything runs on one machine. Figures are medians where nothing else is said.
"""

import asyncio
import logging
import os
import signal
import statistics
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from redis.asyncio.cluster import RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from realtime.feed import Feed, Mailbox
from realtime.topics import GAP, channel_of_meeting
from tests.support.valkey_server import Valkey, ValkeyCluster

ONE_BY_ONE = 2000
TOGETHER = 5000
IDLE = 10.0  # seconds
OUTAGES = (0.5, 1.0, 3.0, 5.0)  # seconds
MOVES = 30
HANGS = 3.0  # seconds

Rows = dict[str, str]


def main() -> None:
    # What a broker does here is logged otherwise, again and again.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with Valkey() as server, ValkeyCluster() as cluster:
        one = asyncio.run(measure(server.url, server, channel_of_meeting(uuid4())))
        at_first = channel_at(cluster, cluster.nodes[0])
        three = asyncio.run(measure(cluster.url, cluster.nodes[0], at_first))
        three |= asyncio.run(measure_moves(cluster))
        three |= asyncio.run(measure_neighbours(cluster))
    table = Table("The feed", "one server", "a cluster of three")
    for what in {**one, **three}:
        table.add_row(what, one.get(what, ""), three.get(what, ""))
    Console(width=120).print(table)


async def measure(url: str, server: Valkey, channel: str) -> Rows:
    async with (
        Feed.from_url(url) as here,
        Feed.from_url(url) as there,
        there.join(channel) as mailbox,
    ):
        return {
            "from publishing to another's mailbox: median, p99": await delivery(
                here, mailbox, channel
            ),
            "publishing: processor time each": await publishing(here, 1),
            "the same, 10 at once": await publishing(here, 10),
            "the same, 500 at once": await publishing(here, 500),
            "an idle feed: processor time a second": await idling(),
            **await hanging(here, mailbox, channel, server),
            "up again after 0.5, 1, 3 and 5 s without": await outages(there, server),
        }


async def delivery(feed: Feed, mailbox: Mailbox, channel: str) -> str:
    async def deliver() -> None:
        await feed.publish(channel, {"meeting"})
        await mailbox.next()

    times = sorted([await timed(deliver) for _ in range(ONE_BY_ONE)])
    return f"{ms(statistics.median(times))}, {ms(times[int(0.99 * ONE_BY_ONE)])}"


async def publishing(feed: Feed, many: int) -> str:
    channels = [channel_of_meeting(uuid4()) for _ in range(many)]
    began = time.process_time()
    for _ in range(TOGETHER // many):
        await feed.publish_all(dict.fromkeys(channels, frozenset({"presence"})))
    return ms((time.process_time() - began) / TOGETHER)


async def idling() -> str:
    began = time.process_time()
    await asyncio.sleep(IDLE)
    return ms((time.process_time() - began) / IDLE / 2)


async def hanging(here: Feed, mailbox: Mailbox, channel: str, server: Valkey) -> Rows:
    async def publish() -> None:
        await here.publish(channel, {"meeting"})

    async def hear_of_gap() -> None:
        while GAP not in await mailbox.next():
            pass

    os.kill(server.pid, signal.SIGSTOP)
    noticed = asyncio.create_task(timed(hear_of_gap))
    first = await timed(publish)
    later = max([await timed(publish) for _ in range(1000)])
    silence = await noticed
    os.kill(server.pid, signal.SIGCONT)
    await come_up(here)
    return {
        "it hangs: the first publish, the longest of 1,000 more": f"{ms(first)}, {ms(later)}",
        "it hangs: until listeners got a gap": ms(silence),
    }


async def outages(feed: Feed, server: Valkey) -> str:
    times = []
    for seconds in OUTAGES:
        server.kill()
        await asyncio.sleep(seconds)
        server.start()
        times.append(await timed(partial(come_up, feed)))
    return ", ".join(map(ms, times))


async def measure_moves(cluster: ValkeyCluster) -> Rows:
    channel = channel_at(cluster, cluster.nodes[0])
    times = []
    async with Feed.from_url(cluster.url) as feed, feed.join(channel) as mailbox:
        for number in range(MOVES):
            await come_up(feed)
            cluster.move_slot(key_slot(channel.encode()), cluster.nodes[(number + 1) % 3])
            times.append(await timed(mailbox.next))
    longest = max(times)
    return {
        "a slot moves: until its channels got a gap: median, longest": (
            f"{ms(statistics.median(times))}, {ms(longest)}"
        )
    }


async def measure_neighbours(cluster: ValkeyCluster) -> Rows:
    """Publishing to two servers while the third hangs and is published to as well."""
    channels = [channel_at(cluster, node) for node in cluster.nodes]
    retry = Retry(NoBackoff(), 0)
    theirs = RedisCluster(
        host="127.0.0.1",
        port=cluster.nodes[1].port,
        retry=retry,
        socket_timeout=0.5,
        socket_connect_timeout=0.5,
    )
    async with Feed.from_url(cluster.url) as feed, theirs:
        return {
            "the longest publish elsewhere while one hangs": await elsewhere(
                cluster, channels, lambda channel: feed.publish(channel, {"meeting"})
            ),
            "the same, with redis-py's RedisCluster": await elsewhere(
                cluster,
                channels,
                lambda channel: theirs.execute_command("SPUBLISH", channel, '["meeting"]'),
            ),
        }


async def elsewhere(
    cluster: ValkeyCluster, channels: list[str], publish: Callable[[str], Awaitable[Any]]
) -> str:
    hung = channels[0]
    for channel in channels:
        await publish(channel)
    failed, longest = 0, 0.0

    async def keep_publishing(channel: str) -> None:
        nonlocal failed, longest
        until = time.monotonic() + HANGS
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                await publish(channel)
            except (RedisError, OSError):
                failed += channel != hung
            if channel != hung:
                longest = max(longest, time.monotonic() - began)
            await asyncio.sleep(0.01)

    os.kill(cluster.nodes[0].pid, signal.SIGSTOP)
    await asyncio.gather(*map(keep_publishing, channels))
    os.kill(cluster.nodes[0].pid, signal.SIGCONT)
    await asyncio.sleep(1)
    return f"{ms(longest)}, {failed} failed"


async def come_up(feed: Feed) -> None:
    while not feed.is_broker_up:  # noqa: ASYNC110 - there is nothing to wait for
        await asyncio.sleep(0.005)


def channel_at(cluster: ValkeyCluster, node: Valkey) -> str:
    while True:
        channel = channel_of_meeting(uuid4())
        if cluster.owner_of(key_slot(channel.encode())) is node:
            return channel


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await work()
    return time.perf_counter() - began


def ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds >= 0.1 else f"{1000 * seconds:.2g} ms"


if __name__ == "__main__":
    main()
