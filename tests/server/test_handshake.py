"""Handshakes are answered as uvicorn answers them, whichever way they go."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from server.websocket.frames import FrameProtocol
from tests.support.factories import City
from tests.support.graphql_socket import PROTOCOL
from tests.support.socket_server import serving_sockets

USUAL = {
    "Host": "127.0.0.1",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": PROTOCOL,
}

QUICK: dict[str, dict[str, str]] = {
    "usual": {},
    "Firefox": {"Connection": "keep-alive, Upgrade"},
    "wants compression": {"Sec-WebSocket-Extensions": "permessage-deflate"},
    "no protocol": {"Sec-WebSocket-Protocol": ""},
    "another protocol": {"Sec-WebSocket-Protocol": "graphql-ws"},
    "own origin": {"Origin": "http://127.0.0.1"},
    "foreign origin": {"Origin": "http://evil.example"},
    "latin-1 cookie": {"Cookie": "name=Thủy".encode().decode("latin-1")},
}
LONG: dict[str, dict[str, str]] = {
    "no key": {"Sec-WebSocket-Key": ""},
    "short key": {"Sec-WebSocket-Key": "c2hvcnQ="},
    "long key": {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZSBhbmQgbW9yZQ=="},
    "no base 64": {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZ!=="},
    "two keys": {"sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="},
    "no version": {"Sec-WebSocket-Version": ""},
    "old version": {"Sec-WebSocket-Version": "8"},
    "two versions": {"sec-websocket-version": "13"},
    "connection with more": {"Connection": "upgrade, close"},
    "connection that does not parse": {"Connection": "upgrade, (;)"},
    "two protocols": {"Sec-WebSocket-Protocol": f"graphql-ws, {PROTOCOL}"},
    "no token": {"Sec-WebSocket-Protocol": "a b"},
    "two origins": {"Origin": "http://127.0.0.1", "origin": "http://evil.example"},
    "an empty body": {"Content-Length": "0"},
    "many headers": {f"X-{number}": "x" for number in range(70)},
    "a long header": {"X-Long": "x" * 5_000},
    "too long a header": {"X-Long": "x" * 9_000},
}
LINES = ["POST /graphql HTTP/1.1", "GET /graphql HTTP/1.0", "GET /gr%61phql?a=%2F HTTP/1.1"]


def request(headers: dict[str, str], line: str = "GET /graphql HTTP/1.1") -> bytes:
    """Of headers that differ in case only, both are sent; one without a value is not sent."""
    fields = [f"{name}: {value}" for name, value in (USUAL | headers).items() if value]
    return "\r\n".join([line, *fields, "", ""]).encode("latin-1")


async def answer(port: int, data: bytes) -> tuple[bytes, set[bytes], bytes]:
    """Status line, header fields, and what follows within 0.2 s or before the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    received = b""
    try:
        async with asyncio.timeout(0.2):
            while more := await reader.read(65_536):
                received += more
    except TimeoutError:
        pass
    writer.transport.abort()
    head, _, rest = received.partition(b"\r\n\r\n")
    status, *fields = re.sub(rb"(?i)\r\ndate: [^\r]*", b"\r\nDate: now", head).split(b"\r\n")
    return status, {field.lower() for field in fields}, rest


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_every_handshake_is_answered_as_uvicorn_answers_it(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken_over: list[FrameProtocol] = []
    take_over = FrameProtocol.take_over

    def noted(protocol: FrameProtocol, *handshake: Any) -> None:
        taken_over.append(protocol)
        take_over(protocol, *handshake)

    monkeypatch.setattr(FrameProtocol, "take_over", noted)
    requests = {case: request(headers) for case, headers in (QUICK | LONG).items()}
    requests |= {line: request({}, line) for line in LINES}
    async with serving_sockets(city) as ours, serving_sockets(city, http="httptools") as uvicorns:
        for case, data in requests.items():
            taken_over.clear()
            given = await answer(ours.port, data)
            assert given == await answer(uvicorns.port, data), case
            assert bool(taken_over) == (case in QUICK or case == LINES[-1]), case
