"""Somebody who signs in, or guesses, from an address of their own over a connection of their own.

async with Guest(port, "127.0.0.7") as guest:
    assert await guest.sign_in(code) == "SignedIn"
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Self

from server.auth.credentials import CODE_ALPHABET, CODE_LENGTH

SIGN_IN = """mutation ($code: String!) {
  signIn(code: $code) { __typename ... on Refused { reason details } }
}"""


def a_guess() -> str:
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


@dataclass
class Guest:
    port: int
    address: str = "127.0.0.1"
    details: dict[str, Any] = field(default_factory=dict)
    """Of the last refusal."""

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", self.port, local_addr=(self.address, 0)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def sign_in(self, code: str) -> str:
        """`SignedIn`, or the reason of the refusal."""
        self.send(code)
        answer = (await self.receive())["data"]["signIn"]
        self.details = answer.get("details") or {}
        return str(answer.get("reason", answer["__typename"]))

    def send(self, code: str) -> None:
        body = json.dumps({"query": SIGN_IN, "variables": {"code": code}}).encode()
        head = (
            "POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)

    async def receive(self) -> Any:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.partition(b":")[2])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        )
        return json.loads(await self._reader.readexactly(length))


async def guess_until(stop: asyncio.Event, port: int, address: str) -> int:
    """Guess one code after the other; gives how many."""
    async with Guest(port, address) as guest:
        count = 0
        while not stop.is_set():
            asked = asyncio.ensure_future(guest.sign_in(a_guess()))
            stopped = asyncio.ensure_future(stop.wait())
            await asyncio.wait([asked, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            if not asked.done():
                asked.cancel()
                break
            count += 1
        return count
