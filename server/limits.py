"""What strangers may take of one process: connections, requests and frames, by their addresses."""

from ipaddress import IPv6Address
from typing import Any

from rules.rate_limit import Buckets
from server.frame_allowance import OF_STRANGERS

ADDRESSES = 10_000
"""That are remembered; of more, those that did nothing for the longest time are forgotten."""

STATE = "limits"
"""Where a server's state has its `Limits`, for the protocols that uvicorn makes."""


class Limits:
    """One for each process."""

    def __init__(self) -> None:
        self.frames = Buckets(OF_STRANGERS, ADDRESSES)


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
