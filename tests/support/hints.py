"""Waiting for hints, and for what happens to brokers."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from realtime.feed import Feed, Mailbox
from realtime.topics import MEETING_TOPIC
from tests.support.valkey_server import Valkey

MEETING = frozenset({MEETING_TOPIC})
PATIENCE = 20.0  # seconds, for what takes a moment on an idle machine


async def take(mailbox: Mailbox) -> frozenset[str]:
    async with asyncio.timeout(PATIENCE):
        return await mailbox.next()


async def take_until(mailbox: Mailbox, topic: str) -> frozenset[str]:
    """Everything up to the hint with the topic."""
    seen: frozenset[str] = frozenset()
    async with asyncio.timeout(PATIENCE):
        while topic not in seen:
            seen |= await mailbox.next()
    return seen


async def eventually(is_true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        for pause in itertools.repeat(0.01):
            if await is_true():
                return
            await asyncio.sleep(pause)


async def broker_is_up(feed: Feed, up: bool = True) -> None:
    async def is_so() -> bool:
        return feed.is_broker_up is up

    await eventually(is_so)


async def broker_is_away(feed: Feed) -> None:
    await broker_is_up(feed, False)


@contextmanager
def hanging(broker: Valkey) -> Iterator[None]:
    """The broker does nothing for a while; the kernel takes what is sent to it."""
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)
