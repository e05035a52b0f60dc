"""What an operation came from: a connection, which says nothing of who asks."""

import asyncio
from dataclasses import dataclass
from typing import Protocol


class Client(Protocol):
    @property
    def address(self) -> str:
        """Of its network, or whatever else is a limit's business; "" where nothing is known."""
        ...

    @property
    def device(self) -> str | None:
        """In a few words, such as `Chrome, Android`."""
        ...

    async def left(self) -> None:
        """Returns when nobody waits for the answer any more."""
        ...


class UnknownClient:
    """A client of which nothing is known; it never leaves."""

    address: str = ""
    device: str | None = None

    async def left(self) -> None:
        await asyncio.get_running_loop().create_future()


@dataclass(frozen=True)
class MemberClient(UnknownClient):
    """A socket of a member, by whose id they are known to limits."""

    address: str
