"""WebSocket as RFC 6455 says it, cases of sections 2, 5, 6 and 7 of the Autobahn test suite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.frames import Opcode

from server.http.incoming import PONGS_A_READ
from tests.support.raw_socket import RawSocket, frame
from tests.support.socket_server import serving_in_a_thread

TEXT, BINARY, CONT = Opcode.TEXT, Opcode.BINARY, Opcode.CONT
PING, PONG, CLOSE = Opcode.PING, Opcode.PONG, Opcode.CLOSE

GREEK = "κόσμε".encode()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Whoever sends something gets the same back."""
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({**event, "type": "websocket.send"})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with serving_in_a_thread(echo) as port:
        yield port


@pytest.fixture
def peer(port: int) -> Iterator[RawSocket]:
    with RawSocket(port) as peer:
        peer.shake_hands()
        yield peer


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


IN_PARTS = frame(TEXT, b"one ", fin=False)

ANSWERED: dict[str, tuple[list[bytes], list[tuple[Opcode, bytes]]]] = {
    "2.1 empty ping": ([frame(PING)], [(PONG, b"")]),
    "2.3 ping with bytes": ([frame(PING, b"\0\xff\xfe")], [(PONG, b"\0\xff\xfe")]),
    "2.4 ping of 125": ([frame(PING, b"\xfe" * 125)], [(PONG, b"\xfe" * 125)]),
    "2.7 unasked pong": ([frame(PONG)], []),
    "2.9 unasked pong and ping": ([frame(PONG, b"x") + frame(PING, b"y")], [(PONG, b"y")]),
    "2.10 ten pings at once": (
        [b"".join(frame(PING, b"%d" % number) for number in range(10))],
        [(PONG, b"%d" % number) for number in range(10)],
    ),
    "2.11 ten pings byte by byte": (
        [bytes((byte,)) for number in range(10) for byte in frame(PING, b"%d" % number)],
        [(PONG, b"%d" % number) for number in range(10)],
    ),
    "5.3 two parts": ([IN_PARTS, frame(CONT, b"two")], [(TEXT, b"one two")]),
    "5.5 two parts byte by byte": (
        [bytes((byte,)) for byte in IN_PARTS + frame(CONT, b"two")],
        [(TEXT, b"one two")],
    ),
    "5.6 ping amid two parts": (
        [IN_PARTS + frame(PING, b"amid") + frame(CONT, b"two")],
        [(PONG, b"amid"), (TEXT, b"one two")],
    ),
    "5.19 five parts and pings": (
        [
            frame(BINARY, b"1", fin=False) + frame(CONT, b"2", fin=False) + frame(PING, b"a"),
            frame(CONT, b"3", fin=False) + frame(CONT, fin=False) + frame(PING, b"b"),
            frame(CONT, b"5"),
        ],
        [(PONG, b"a"), (PONG, b"b"), (BINARY, b"1235")],
    ),
    "6.2.3 letters cut between parts": (
        [b"".join([frame(TEXT, GREEK[:1], fin=False), frame(CONT, GREEK[1:])])],
        [(TEXT, GREEK)],
    ),
    "6.1.2 empty parts": (
        [frame(TEXT, fin=False) + frame(CONT, fin=False) + frame(CONT)],
        [(TEXT, b"")],
    ),
    "1.1.6 64 KB in pieces": (
        [frame(TEXT, b"*" * 65_536)[at : at + 997] for at in range(0, 65_550, 997)],
        [(TEXT, b"*" * 65_536)],
    ),
}


@pytest.mark.parametrize("case", ANSWERED)
def test_what_the_protocol_allows_is_answered_and_then_a_close_by_its_own_code(
    peer: RawSocket, case: str
) -> None:
    sent, expected = ANSWERED[case]
    for data in sent:
        peer.send(data)
    assert peer.frames(len(expected)) == expected
    peer.send(close(1000, b"bye"))
    assert peer.frames() == [(CLOSE, b"\x03\xe8bye")]


CLOSED: dict[str, tuple[bytes, int]] = {
    "7.1.5 close amid a message in parts": (IN_PARTS + close() + frame(CONT, b"two"), 1000),
    "7.1.3 close and ping": (close() + frame(PING), 1000),
    "7.1.2 two closes": (close() + close(), 1000),
    "7.3.1 empty close": (close(None), 1005),
    "7.3.5 close with the longest reason": (close(1000, b"x" * 123), 1000),
    "7.7.13 a code of an application": (close(4999), 4999),
    "7.3.2 close of one byte": (frame(CLOSE, b"x"), 1002),
    "7.3.6 close that is too long": (frame(CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "7.5.1 close with a reason that is no text": (close(1000, b"\xce\xba\xff"), 1007),
    "7.9.1 code 0": (close(0), 1002),
    "7.9.4 code 1004": (close(1004), 1002),
    "7.9.5 code 1005": (close(1005), 1002),
    "7.9.8 code 1016": (close(1016), 1002),
    "7.13.1 code 5000": (close(5000), 1002),
    "2.5 ping of 126": (frame(PING, b"x" * 126), 1002),
    "3.1 reserved bit": (frame(TEXT, b"x", rsv=4), 1002),
    "4.1.1 reserved opcode": (frame(3), 1002),
    "4.2.1 reserved control opcode": (frame(11), 1002),
    "5.1 ping in parts": (frame(PING, fin=False) + frame(CONT), 1002),
    "5.2 pong in parts": (frame(PONG, fin=False) + frame(CONT), 1002),
    "5.9 part of nothing": (frame(CONT, b"x"), 1002),
    "5.10 last part of nothing": (frame(CONT, b"x", fin=False), 1002),
    "5.18 second message amid the first": (IN_PARTS + frame(TEXT, b"x"), 1002),
    "6.3.1 no text": (frame(TEXT, b"\xce\xba\xe1\xed\xa0\x80edited"), 1007),
    "6.4.1 no text in the middle part": (
        frame(TEXT, GREEK, fin=False) + frame(CONT, b"\xf4\x90\x80\x80", fin=False),
        1007,
    ),
    "6.4.2 half a letter that cannot become one": (
        frame(TEXT, GREEK + b"\xf4", fin=False) + frame(CONT, b"\x90", fin=False),
        1007,
    ),
    "6.5 half a letter at the end": (frame(TEXT, GREEK[:1]), 1007),
    "not masked": (b"\x81\x01x", 1002),
    "over 64 KB": (frame(TEXT, b"x" * 65_537), 1009),
    "over 64 KB in parts": (
        frame(TEXT, b"x" * 40_000, fin=False) + frame(CONT, b"x" * 40_000),
        1009,
    ),
    "2^63 bytes announced": (b"\x81\xff" + b"\xff" * 8 + b"\0" * 4, 1009),
}


@pytest.mark.parametrize("case", CLOSED)
def test_what_ends_a_connection_is_told_its_code_at_once(peer: RawSocket, case: str) -> None:
    data, code = CLOSED[case]
    peer.send(data)
    assert peer.closed() == code


def test_of_many_pings_at_once_the_last_is_answered_and_few_others(peer: RawSocket) -> None:
    peer.send(b"".join(frame(PING, b"%03d" % number) for number in range(95)) + close())
    *pongs, end = peer.frames()
    assert end[0] is CLOSE
    assert pongs[-1] == (PONG, b"094")
    assert len(pongs) <= PONGS_A_READ


def test_pings_in_single_reads_are_answered_each(peer: RawSocket) -> None:
    for number in range(50):
        peer.send(frame(PING, b"%d" % number))
        assert peer.frames(1) == [(PONG, b"%d" % number)]
