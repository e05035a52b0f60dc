"""Which server of a cluster serves which channel."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import structlog
from redis.asyncio.connection import AbstractConnection
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import RedisError

from realtime.broker.reader import bare_pool

ANSWERS_WITHIN = 1.0  # seconds

logger = structlog.get_logger()


class ClusterUrl:
    """`redis+cluster://user:password@host:port,host:port?options`; `rediss+cluster://` for TLS.

    A server's address is its `host:port`. Credentials and options are the same for all.
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError, which repeats nothing of the URL: it may hold a password."""
        parts = urlsplit(url)
        if parts.path not in ("", "/", "/0"):
            raise ValueError("A cluster has the database 0 and no other")
        credentials, at, hosts = parts.netloc.rpartition("@")
        self.seeds = tuple(_with_port(host) for host in hosts.split(","))
        self._before = f"{parts.scheme.removesuffix('+cluster')}://{credentials}{at}"
        self._after = f"/0?{parts.query}"

    def of(self, address: str) -> str:
        return f"{self._before}{address}{self._after}"


class SlotMap:
    """The address of each slot's primary, as one server knew it."""

    def __init__(self, ranges: Iterable[tuple[int, int, str]] = ()) -> None:
        """`ranges` are the first slot, the last slot, and the address."""
        self._addresses: list[str | None] = [None] * REDIS_CLUSTER_HASH_SLOTS
        for first, last, address in ranges:
            self._addresses[first : last + 1] = [address] * (last + 1 - first)
        self.addresses = frozenset(a for a in self._addresses if a is not None)

    def address_of(self, channel: str) -> str | None:
        return self._addresses[key_slot(channel.encode())]


async def read_slots(url: ClusterUrl, addresses: Iterable[str]) -> SlotMap | None:
    """Ask one server after the other, until one knows; None if nobody does.

    A server that has lost sight of the majority is believed only if nobody else answers.
    """
    doubtful: SlotMap | None = None
    for address in addresses:
        try:
            info, ranges = await _ask(url.of(address))
        except (RedisError, OSError) as error:
            logger.info("feed.cluster_not_read", address=address, error=repr(error))
            continue
        slots = SlotMap(_range(entry, host=address.rpartition(":")[0]) for entry in ranges)
        if slots.addresses and b"cluster_state:ok" in info:
            return slots
        doubtful = slots if slots.addresses else doubtful
    return doubtful


async def _ask(url: str) -> Sequence[Any]:
    connection: AbstractConnection = bare_pool(url).make_connection()  # type: ignore[no-untyped-call]
    try:
        async with asyncio.timeout(ANSWERS_WITHIN):
            await connection.connect()  # type: ignore[no-untyped-call]
            commands = connection.pack_commands([("CLUSTER", "INFO"), ("CLUSTER", "SLOTS")])
            await connection.send_packed_command(commands, check_health=False)
            return [await connection.read_response(), await connection.read_response()]
    finally:
        await connection.disconnect(nowait=True)


def _range(entry: Sequence[Any], host: str) -> tuple[int, int, str]:
    """One entry of CLUSTER SLOTS. A server that does not know its own name is where we asked."""
    first, last, (name, port, *_), *_ = entry
    if name not in (None, b"", b"?"):
        host = name.decode()
    return first, last, address_of(host, port)


def address_of(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host and not host.startswith("[") else f"{host}:{port}"


def _with_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, "6379"
    if not name or not port.isdecimal():
        raise ValueError("A cluster's servers are given as host:port,host:port")
    return f"{name}:{port}"
