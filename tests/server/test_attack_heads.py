"""Requests of every bad kind over bare connections: each is answered or closed, and in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from server.http import heads
from server.http.heads import FIELDS_AT_MOST, HEAD_AT_MOST, PIPELINED_AT_MOST, REPEATED_WAITS
from server.limits.connections import REFUSALS
from server.websocket.connections import INTRODUCE_WITHIN
from tests.support.raw_socket import HANDSHAKE, RawSocket, head, message
from tests.support.server_process import ServerProcess, demo_server
from tests.support.socket_server import serving_in_a_thread

HEAD_SECONDS = 1
BODY_SECONDS = 2
KEEP_ALIVE = 5  # seconds, uvicorn's

AT_ONCE = 1.5
"""Seconds for an answer that waits for nothing; a busy machine takes its time."""

HEALTH = "GET /healthz HTTP/1.1"
POST = "POST /graphql HTTP/1.1"
HOST = {"Host": "127.0.0.1"}
JSON = HOST | {"Content-Type": "application/json"}
CHUNKED = JSON | {"Transfer-Encoding": "chunked"}
QUERY = b'{"query":"{__typename}"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(
        tmp_path_factory,
        MEETINGS_HEAD_SECONDS=str(HEAD_SECONDS),
        MEETINGS_BODY_SECONDS=str(BODY_SECONDS),
        MEETINGS_ADDRESS_REQUESTS="100000",
    ) as server:
        yield server


@pytest.fixture
def peer(server: ServerProcess) -> Iterator[RawSocket]:
    with RawSocket(server.port) as peer:
        yield peer


def handshake(line: str = "GET /graphql HTTP/1.1", **headers: str) -> bytes:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return head(HANDSHAKE | named, line)


MANY = {f"X-{number}": "x" for number in range(FIELDS_AT_MOST + 1)}

REFUSED: dict[str, tuple[bytes, int]] = {
    "no request": (b"hello\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    "HTTP/9": (head(HOST, "GET / HTTP/9.9"), 400),
    "unknown method": (head(HOST, "FROB / HTTP/1.1"), 400),
    "CONNECT": (head(HOST, "CONNECT example.org:443 HTTP/1.1"), 400),
    "null in the path": (head(HOST, "GET /\0 HTTP/1.1"), 400),
    "null in a header": (head(HOST | {"X": "a\0b"}), 400),
    "no path but bytes": (head(HOST, "GET /\xff\xfe HTTP/1.1"), 400),
    "space before a colon": (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    "a header without a name": (b"GET / HTTP/1.1\r\n: a\r\n\r\n", 400),
    "continued header": (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400),
    "negative length": (head(JSON | {"Content-Length": "-1"}, POST), 400),
    "length in words": (head(JSON | {"Content-Length": "ten"}, POST), 400),
    "length over 64 bits": (head(JSON | {"Content-Length": "9" * 30}, POST), 400),
    "two lengths": (head(JSON | {"Content-Length": "5", "content-length": "6"}, POST), 400),
    "length and chunks": (head(CHUNKED | {"Content-Length": "5"}, POST) + b"0\r\n\r\n", 400),
    "huge length": (head(JSON | {"Content-Length": str(1 << 40)}, POST), 413),
    "bad chunk": (head(CHUNKED, POST) + b"zz\r\n", 400),
    "chunks that are too many": (head(CHUNKED, POST) + b"1\r\nx\r\n" * 2000, 400),
    "long extension of a chunk": (head(CHUNKED, POST) + b"1;" + b"x" * 60_000, 431),
    "long trailer": (head(CHUNKED, POST) + b"1\r\nx\r\n0\r\nX: " + b"x" * 60_000, 431),
    "too many headers": (head(HOST | MANY), 431),
    "a header that is too long": (head(HOST | {"X": "x" * 100_000}), 431),
    "a name that is too long": (head(HOST | {"x" * 100_000: "x"}), 431),
    "a path that is too long": (head(HOST, f"GET /{'x' * 100_000} HTTP/1.1"), 431),
    "upgrade with a body": (handshake(Content_Length="5"), 400),
    "upgrade with chunks": (handshake(Transfer_Encoding="chunked"), 400),
    "upgrade with too many headers": (handshake(**MANY), 431),
    "upgrade with a long line": (handshake(X="x" * 9_000), 431),
    "upgrade by POST": (handshake("POST /graphql HTTP/1.1"), 405),
    "upgrade without a key": (handshake(Sec_WebSocket_Key=""), 400),
    "upgrade with a bad key": (handshake(Sec_WebSocket_Key="x"), 400),
    "upgrade of version 8": (handshake(Sec_WebSocket_Version="8"), 400),
    "upgrade without a version": (handshake(Sec_WebSocket_Version=""), 400),
    "upgrade from a foreign page": (handshake(Origin="https://evil.example"), 403),
    "upgrade of another path": (handshake("GET /else HTTP/1.1"), 403),
    "request and upgrade at once": (head(HOST, HEALTH) + handshake(), 200),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_good_request_is_answered_at_once_and_that_is_all(
    peer: RawSocket, server: ServerProcess, case: str
) -> None:
    data, status = REFUSED[case]
    began = time.monotonic()
    peer.send(data)
    assert peer.answer() == status
    assert time.monotonic() - began < AT_ONCE
    assert "Traceback" not in server.errors()


LATE: dict[str, tuple[bytes, bytes]] = {
    "nothing": (b"", b""),
    "empty lines": (b"\r\n\r\n", b"408"),
    "half a line": (b"GET / HT", b"408"),
    "half a head": (b"GET / HTTP/1.1\r\nHost: a\r\n", b"408"),
    "half a handshake": (handshake()[:-2], b"408"),
    "no body": (head(JSON | {"Content-Length": "50"}, POST), b"408"),
    "half a body": (head(JSON | {"Content-Length": "50"}, POST) + QUERY, b"408"),
    "half a chunk": (head(CHUNKED, POST) + b"10\r\n{", b"408"),
    "no body after Continue": (
        head(JSON | {"Content-Length": "50", "Expect": "100-continue"}, POST),
        b"100",
    ),
}


def test_what_does_not_come_in_time_is_given_up(server: ServerProcess) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        peers = {case: stack.enter_context(RawSocket(server.port)) for case in LATE}
        for case, peer in peers.items():
            peer.send(LATE[case][0])
        received = {case: peer.everything() for case, peer in peers.items()}
    for case, (_, status) in LATE.items():
        assert received[case][9:12] == status, case
    assert b" 408 " in received["no body after Continue"]
    assert HEAD_SECONDS < time.monotonic() - began < BODY_SECONDS + AT_ONCE


def test_who_sends_byte_after_byte_has_no_more_time(peer: RawSocket) -> None:
    began = time.monotonic()
    peer.send(b"GET / HTTP/1.1\r\nX: ")
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.1):
            try:
                peer.send(b"x")
            except OSError:
                return

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert peer.answer() == 408
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - began < HEAD_SECONDS + AT_ONCE


def test_a_head_of_80_mb_is_refused_before_it_has_come(peer: RawSocket) -> None:
    began = time.monotonic()
    peer.send(b"GET / HTTP/1.1\r\nX: ")
    assert peer.send_until_refused(b"x" * 1_000_000, most=80) < 80
    assert time.monotonic() - began < AT_ONCE


def test_who_sends_bad_requests_again_and_again_is_answered_more_slowly(
    server: ServerProcess,
) -> None:
    """Else 20 connections that send nothing else would take a third of a processor."""
    with ExitStack() as stack:
        peers = [stack.enter_context(RawSocket(server.port)) for _ in range(2 * int(REFUSALS.size))]
        began = time.monotonic()
        for peer in peers:
            peer.send(b"hello\r\n\r\n")
        assert {peer.answer() for peer in peers} == {400}
        assert time.monotonic() - began > REPEATED_WAITS


def test_a_connection_is_closed_when_nothing_more_is_asked(peer: RawSocket) -> None:
    began = time.monotonic()
    peer.send(head(HOST, HEALTH))
    assert peer.response()[0] == 200
    assert peer.receive() == b""
    assert time.monotonic() - began < KEEP_ALIVE + AT_ONCE


def test_who_never_introduces_themselves_is_sent_away_though_they_talk(peer: RawSocket) -> None:
    peer.shake_hands()
    began = time.monotonic()
    stop = threading.Event()

    def talk() -> None:
        while not stop.wait(0.1):
            try:
                peer.send(message("ping"))
            except OSError:
                return

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        assert peer.closed() == 4408
    finally:
        stop.set()
        thread.join()
    assert time.monotonic() - began < INTRODUCE_WITHIN + AT_ONCE


GOOD: dict[str, bytes] = {
    "absolute path": head(HOST, "GET http://127.0.0.1/healthz HTTP/1.1"),
    "HTTP/1.0": head({}, "GET /healthz HTTP/1.0"),
    "upgrade to something else": head(
        HOST | {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}, HEALTH
    ),
    "as large as may be": head(HOST | {"X": "x" * (HEAD_AT_MOST - 1024)}, HEALTH),
    "a body in two parts": head(CHUNKED, POST) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(QUERY), QUERY),
    "empty lines before": b"\r\n\r\n" + head(HOST, HEALTH),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_is_unusual_and_good_is_answered(peer: RawSocket, case: str) -> None:
    peer.send(GOOD[case])
    assert peer.response()[0] == 200


def test_requests_at_once_are_answered_one_after_the_other(peer: RawSocket) -> None:
    peer.send(head(HOST, HEALTH) * PIPELINED_AT_MOST)
    for _ in range(PIPELINED_AT_MOST):
        assert peer.response()[0] == 200


def test_requests_without_end_are_not_taken(peer: RawSocket, server: ServerProcess) -> None:
    assert peer.send_until_refused(head(HOST, HEALTH) * 1000) < 1000
    assert "Traceback" not in server.errors(), server.errors()


def test_400_slow_heads_are_all_gone_in_time_and_others_are_answered_meanwhile(
    server: ServerProcess,
) -> None:
    began = time.monotonic()
    slow = [RawSocket(server.port) for _ in range(400)]
    try:
        for peer in slow:
            peer.send(b"GET / HTTP/1.1\r\n")
        with RawSocket(server.port) as other:
            other.send(head(HOST, HEALTH))
            assert other.response()[0] == 200
        assert {peer.answer() for peer in slow} == {408}
        assert time.monotonic() - began < HEAD_SECONDS + 2 * AT_ONCE
    finally:
        for peer in slow:
            peer.__exit__()


def test_who_takes_nothing_of_an_answer_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "TAKES_NOTHING_AT_MOST", 0.3)
    gone = threading.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200})
        leaving = asyncio.ensure_future(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await asyncio.sleep(0)
        gone.set()

    with serving_in_a_thread(endless) as port, RawSocket(port) as peer:
        peer.send(head(HOST))
        assert gone.wait(10 * AT_ONCE)
