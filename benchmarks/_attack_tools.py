"""What attackers do it with: plain connections that write whatever they like."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from benchmarks._attack_stage import Target

ADDRESS = "127.0.0.2"
"""Where attackers come from, where the system lets them; honest people come from 127.0.0.1."""

AGAIN_AFTER = 0.05  # seconds; who was sent away comes back


class Connection:
    """One connection from an attacker's address."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
        """One HTTP request; gives its answer's body. Raises OSError or EOFError."""
        head = f"{method} {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {len(body)}\r\n"
        if body:
            head += "content-type: application/json\r\n"
        if token:
            head += f"authorization: Bearer {token}\r\n"
        await self.send(head.encode() + b"\r\n" + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = answer.partition(b"content-length:")[2].partition(b"\r\n")[0]
        return await self.reader.readexactly(int(length or 0))

    async def post(self, query: str, token: str = "", **variables: Any) -> bytes:
        body = json.dumps({"query": query, "variables": variables}).encode()
        return await self.ask("POST", "/graphql", body, token)

    async def tell(self, **message: Any) -> None:
        """One message of graphql-transport-ws."""
        await self.send(frame(json.dumps(message).encode()))


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Connection]:
    try:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", target.port, local_addr=(ADDRESS, 0)
        )
    except OSError:  # one address only
        reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def socket(target: Target, token: str = "") -> AsyncIterator[Connection]:
    """A WebSocket, introduced if there is a token. What comes is thrown away."""
    async with connected(target) as connection:
        key = b64encode(os.urandom(16)).decode()
        await connection.send(
            f"GET /graphql HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
            "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n".encode()
        )
        await connection.reader.readuntil(b"\r\n\r\n")
        reading = asyncio.create_task(_throw_away(connection.reader))
        try:
            if token:
                await connection.tell(type="connection_init", payload={"token": token})
            yield connection
        finally:
            reading.cancel()


async def _throw_away(reader: asyncio.StreamReader) -> None:
    while await reader.read(1 << 16):
        pass


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A final frame as clients send it, masked with zeros (RFC 6455, 5.2)."""
    size = len(payload)
    length = bytes((0x80 | size,)) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + b"\0\0\0\0" + payload


async def many(number: int, attack: Callable[[int], Awaitable[None]]) -> None:
    """So many at once, each of which begins anew whenever it was sent away."""

    async def again_and_again(which: int) -> None:
        while True:
            with suppress(OSError, EOFError, ValueError):
                await attack(which)
            await asyncio.sleep(AGAIN_AFTER)

    await asyncio.gather(*(again_and_again(which) for which in range(number)))


async def keep_asking(
    target: Target, number: int, query: Callable[[int], str], token: str = "", **variables: Any
) -> None:
    """So many connections post a document each as fast as they are answered; `query` is given the
    number of the request."""
    requests = count()

    async def ask(_: int) -> None:
        async with connected(target) as connection:
            while True:
                await connection.post(query(next(requests)), token, **variables)

    await many(number, ask)


def doubling(fragments: int, salt: int = 0) -> str:
    """A document whose fields double with each of its fragments."""
    links = "".join(
        f" fragment F{n} on Viewer{{__typename ...F{n + 1} ...F{n + 1}}}" for n in range(fragments)
    )
    last = f" fragment F{fragments} on Viewer{{__typename}}"
    return f"{{viewer{{a{salt}:__typename ...F0}}}}{links}{last}"
