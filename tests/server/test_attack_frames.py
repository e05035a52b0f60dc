"""Floods of frames: whoever sends too many is sent away, and nobody else notices."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from websockets.frames import Opcode

from rules.votes.ballots import OptionKind
from server.limits.connections import Limits, address_of
from server.websocket.frame_allowance import (
    INTRODUCTION,
    OF_A_CONNECTION,
    OF_STRANGERS,
    FrameAllowance,
)
from tests.support.raw_socket import RawSocket, frame, message
from tests.support.server_process import (
    OPEN_VOTE,
    THE_CHAIR,
    THREE_MEMBERS,
    ServerProcess,
    demo_server,
)

TOO_MANY = 4508
WITHIN = 5.0
"""Seconds in which a flood has to be over: far fewer than its bytes would take to be parsed."""

PART = frame(Opcode.CONT, fin=False)
FLOODS = {
    "pings": (b"", frame(Opcode.PING)),
    "pings with bytes": (b"", frame(Opcode.PING, b"x" * 125)),
    "pongs": (b"", frame(Opcode.PONG)),
    "empty parts": (frame(Opcode.TEXT, fin=False), PART),
    "parts of a byte": (frame(Opcode.TEXT, fin=False), frame(Opcode.CONT, b"x", fin=False)),
    "pings amid parts": (frame(Opcode.TEXT, fin=False), PART + frame(Opcode.PING)),
    "messages": (b"", message("pong")),
    "messages that are none": (b"", frame(Opcode.TEXT)),
}
AT_ONE_GO = 5000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server


@pytest.mark.parametrize("is_introduced", [False, True], ids=["stranger", "member"])
@pytest.mark.parametrize("flood", FLOODS)
def test_a_flood_ends_the_connection_at_once(
    server: ServerProcess, flood: str, is_introduced: bool
) -> None:
    first, again = FLOODS[flood]
    with RawSocket(server.port) as peer:
        if is_introduced:
            peer.sign_in(THREE_MEMBERS[0])
        else:
            peer.shake_hands()
        began = time.monotonic()
        peer.send(first)
        peer.send_until_refused(again * AT_ONE_GO)
        assert time.monotonic() - began < WITHIN


@pytest.mark.parametrize("flood", ["pings", "pongs", "empty parts"])
def test_a_flood_is_told_why_it_ends(server: ServerProcess, flood: str) -> None:
    first, again = FLOODS[flood]
    with RawSocket(server.port) as peer:
        peer.shake_hands()
        peer.send(first + again * (int(OF_A_CONNECTION.size) + 1))
        assert peer.closed() == TOO_MANY


def test_a_frame_in_single_bytes_is_a_flood_when_it_goes_on(server: ServerProcess) -> None:
    with RawSocket(server.port) as peer:
        peer.sign_in(THREE_MEMBERS[0])
        peer.send(frame(Opcode.TEXT, b"x" * 60_000)[:14])
        with suppress(OSError):
            for _ in range(50_000):
                peer.send(b"x")
        assert peer.closed() in (TOO_MANY, 1006), "told, or gone before"


def test_pushes_go_on_while_others_flood(server: ServerProcess) -> None:
    """Facts, not times: every state arrives, each flood is over before it has sent all it has."""
    with RawSocket(server.port) as subscriber, ExitStack() as stack:
        subscriber.sign_in(THE_CHAIR)
        query = "subscription ($id: ID!) { vote(id: $id) { tally { cast } } }"
        payload = {"query": query, "variables": {"id": OPEN_VOTE}}
        subscriber.send(message("subscribe", id="1", payload=payload))
        (first,) = subscriber.messages(1)
        before = first["payload"]["data"]["vote"]["tally"]["cast"]
        refused: list[int] = []

        def flood() -> None:
            for first, again in FLOODS.values():
                with RawSocket(server.port) as peer:
                    peer.shake_hands()
                    peer.send(first)
                    refused.append(peer.send_until_refused(again * AT_ONE_GO))

        threads = [threading.Thread(target=flood) for _ in range(2)]
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        assert server.cast(THREE_MEMBERS[1], OPEN_VOTE, OptionKind.FOR) == "Receipt"
        (pushed,) = subscriber.messages(1)
        assert pushed["payload"]["data"]["vote"]["tally"]["cast"] == before + 1
        for thread in threads:
            thread.join()
        assert len(refused) == 2 * len(FLOODS)


def test_what_is_no_frame_and_no_text_is_no_fault_of_ours(server: ServerProcess) -> None:
    bad = [frame(3), frame(Opcode.TEXT, b"\xff"), frame(Opcode.CLOSE, b"x"), b"\x81\x01x"]
    for data in [*bad, frame(Opcode.TEXT, b"x", fin=False) + frame(Opcode.CONT, b"\xff")]:
        with RawSocket(server.port) as peer:
            peer.shake_hands()
            peer.send(data)
            assert peer.closed() in (1002, 1007)
    assert "Traceback" not in server.errors()


def test_strangers_of_one_address_share_a_bucket_and_members_have_their_own() -> None:
    strangers = Limits().frames
    ping = frame(Opcode.PING)

    def connection() -> FrameAllowance:
        return FrameAllowance("192.0.2.1", strangers, 0)

    sent = 0
    while connection().take(ping * 100, 0):
        sent += 100 - int(INTRODUCTION)
        assert sent <= OF_STRANGERS.size
    assert sent > OF_STRANGERS.size - 200
    assert FrameAllowance("192.0.2.2", strangers, 0).take(ping * 100, 0)
    member = connection()
    member.introduce()
    assert member.take(ping * 100, 0)


def test_who_introduces_themselves_is_heard_whatever_others_of_their_address_do() -> None:
    strangers = Limits().frames
    while FrameAllowance("192.0.2.1", strangers, 0).take(frame(Opcode.PING) * 100, 0):
        pass
    introduction = message("connection_init", payload={"token": "x" * 100})
    for _ in range(500):
        assert FrameAllowance("192.0.2.1", strangers, 0).take(introduction, 0)


def test_long_messages_of_strangers_count_by_their_bytes() -> None:
    allowance = FrameAllowance("192.0.2.1", Limits().frames, 0)
    long = frame(Opcode.TEXT, b"x" * 60_000)
    taken = 0
    while allowance.take(long, 0):
        taken += 1
    assert 30 < taken < 60


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::1", "2001:0db8:0001:0002"),
        ("fe80::1%eth0", "fe80:0000:0000:0000"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no:address", "no:address"),
        ("", ""),
    ],
)
def test_an_address_is_one_of_ipv4_or_a_network_of_ipv6(host: str, address: str) -> None:
    assert address_of((host, 1)) == address
    assert address_of(None) == ""
