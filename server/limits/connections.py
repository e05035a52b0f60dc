"""What strangers may take of one process: connections, requests and frames, by their addresses."""

import resource
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address
from typing import Any

from rules.rate_limit import Buckets, Rate
from server.settings import Settings
from server.websocket.frame_allowance import OF_STRANGERS

ADDRESSES = 10_000
"""That are remembered; of more, those that did nothing for the longest time are forgotten."""

REFUSALS = Rate(rate=20, size=50)
"""Of what is no good request, answered at once for one address; others wait a moment."""

AT_ONCE = 10
"""Seconds' worth of requests that may come at one moment."""

SPARE_FILES = 128
"""Of the files that the process may open: for databases, the broker and whatever is read."""

STATE = "limits"
"""Where a server's state has its `Limits`, for the protocols that uvicorn makes."""


class Limits:
    """One for each process."""

    def __init__(self, settings: Settings | None = None) -> None:
        settings = settings or Settings()
        rate = settings.address_requests
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.head_seconds = settings.head_seconds
        self.body_seconds = settings.body_seconds
        self.frames = Buckets(OF_STRANGERS, ADDRESSES)
        self.requests = Buckets(Rate(rate, AT_ONCE * rate), ADDRESSES)
        self.refusals = Buckets(REFUSALS, ADDRESSES)
        self._connections = max(1, min(settings.connections, files - SPARE_FILES))
        self._of_address = settings.address_connections
        self._connected: Counter[str] = Counter()
        self._sockets: Counter[str] = Counter()

    def connect(self, address: str, connections: int) -> bool:
        """Let one more connection in, so that there are so many. False when they are too many;
        otherwise it is to `disconnect` once."""
        if connections > self._connections:
            return False
        return _enter(self._connected, address, self._of_address)

    def disconnect(self, address: str) -> None:
        _leave(self._connected, address)

    @contextmanager
    def socket_of(self, address: str) -> Iterator[bool]:
        """Whether the address may have one more WebSocket; it counts while the body runs."""
        is_let_in = _enter(self._sockets, address, self._of_address)
        try:
            yield is_let_in
        finally:
            if is_let_in:
                _leave(self._sockets, address)


def limits_of(state: dict[str, Any]) -> Limits:
    """The limits of the server with this state."""
    limits: Limits | None = state.get(STATE)
    if limits is None:
        limits = state[STATE] = Limits()
    return limits


def address_of(client: tuple[str, int] | None) -> str:
    """Whom a limit is for: an IPv4 address, or the first half of an IPv6 address, since whoever has
    one has all of its network. "" where there is none."""
    host = client[0] if client else ""
    if ":" not in host:
        return host
    try:
        address = IPv6Address(host.partition("%")[0])
    except ValueError:
        return host
    return str(address.ipv4_mapped or address.exploded[:19])


def _enter(counts: Counter[str], address: str, most: int) -> bool:
    if counts[address] >= most:
        return False
    counts[address] += 1
    return True


def _leave(counts: Counter[str], address: str) -> None:
    counts[address] -= 1
    if not counts[address]:
        del counts[address]
