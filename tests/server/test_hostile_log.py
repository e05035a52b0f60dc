"""Whatever strangers send, the log stays short, and on lines of its own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx2
import pytest
from structlog.testing import capture_logs

from server.runtime.log import LONGEST_VALUE, MOST_KINDS, CountedLog, plain
from tests.support.server_process import TLS, ServerProcess, demo_server

OFTEN = 20

HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
MASK = b"\0\0\0\0"

SENT: dict[str, list[bytes]] = {
    "no HTTP": [b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n"],
    "a bad header": [b"GET / HTTP/1.1\r\nHost : x\r\nA\x1b[31m: y\r\n\r\n"],
    "an unknown upgrade": [
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: tea\r\nConnection: Upgrade\r\n\r\n"
    ],
    "no key": [HANDSHAKE.replace("-Key", "-No").encode() + b"\r\n"],
    "a bad version": [HANDSHAKE.replace(": 13", ": 7").encode() + b"\r\n"],
    "another origin": [HANDSHAKE.encode() + b"Origin: http://a\x1b[2J.example\r\n\r\n"],
    "no UTF-8": [HANDSHAKE.encode() + b"\r\n", b"\x81\x82" + MASK + b"\xff\xfe"],
    "no frame": [HANDSHAKE.encode() + b"\r\n", b"\xff" * 64],
    "no mask": [HANDSHAKE.encode() + b"\r\n", b"\x81\x02hi"],
    "no message": [HANDSHAKE.encode() + b"\r\n", b"\x81\x84" + MASK + b"\x1b[1m"],
    "a bad operation": [
        HANDSHAKE.encode() + b"Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n",
        b"\x81\x84" + MASK + b"null",
    ],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server


def send(server: ServerProcess, parts: list[bytes]) -> None:
    """Send one part after the other, each when something has come back, and hang up."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as connection:
        for part in parts:
            with suppress(OSError):  # it may take its time with who sends nonsense, or hang up
                connection.sendall(part)
                connection.recv(65536)


@pytest.mark.parametrize("what", SENT)
def test_what_strangers_send_again_and_again_is_told_once(server: ServerProcess, what: str) -> None:
    before = server.errors()
    for _ in range(OFTEN):
        send(server, SENT[what])
    assert httpx2.get(f"{server.site}/healthz", verify=TLS).status_code == 200
    told = server.errors().removeprefix(before)
    assert len(told.splitlines()) <= 2
    assert "Traceback" not in told
    assert told.replace("\n", "").isprintable()


def test_repeated_events_are_counted_when_their_minute_is_over() -> None:
    counted = CountedLog(lines=2)
    with capture_logs() as logs:
        for number in range(5):
            counted.warning("knock", number=number)
        counted.flush(after=60)
        assert [entry["number"] for entry in logs] == [0, 1]
        counted.flush(after=0)
        assert (logs[2]["of"], logs[2]["times"]) == ("knock", 3)
        counted.warning("knock", number=5)
        assert logs[3]["number"] == 5


def test_kinds_that_strangers_make_up_are_bounded() -> None:
    counted = CountedLog(lines=1)
    with capture_logs() as logs:
        for number in range(1000):
            counted.warning(f"kind {number}")
        counted.flush(after=0)
    assert len(logs) <= MOST_KINDS + 2


def test_a_value_is_written_without_what_a_terminal_obeys() -> None:
    assert plain("Đặng\x1b[2J\r\n\u202e\x00") == "Đặng\\x1b[2J\\r\\n\\u202e\\x00"
    assert len(plain("x" * 10_000)) == LONGEST_VALUE + 1
