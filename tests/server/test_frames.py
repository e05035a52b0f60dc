"""Frames written straight into the connection: what a client reads is what was meant."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import uvicorn
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from server.http.incoming import EMPTY_PONG, EMPTY_PONG_SIZE
from server.limits.connections import Limits
from server.runtime import ping_scheduler as keepalive
from server.websocket.frame_allowance import FrameAllowance
from server.websocket.frames import NO_DESCRIPTOR, FrameProtocol, frame_header
from server.websocket.outlets import MessageOutlet
from tests.support.factories import City
from tests.support.graphql_socket import open_socket
from tests.support.socket_server import WATCH, SocketServer, serving_sockets

LENGTHS = [0, 1, 125, 126, 127, 255, 256, 65_535, 65_536, 65_537, 1_000_000]

IDS = [
    "1",
    "i" * 64,
    'quote " and \\ backslash',
    "</script> & 'é'",
    "line\nbreak\ttab\r",
    "\x00\x01\x1f\x7f",
    "\u2028\u2029",
    "Đồng chí Nguyễn",
    "ộ" * 64,
    "🗳️🇻🇳",
    "𝕏" * 64,
    "\ufffd\uffff",
]


@pytest.fixture
async def process(city: City) -> AsyncIterator[SocketServer]:
    async with serving_sockets(city) as process:
        yield process


def read_frames(data: bytes) -> list[Frame]:
    """What the client of the library `websockets` makes of bytes from the network."""
    client = ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN, max_size=None)
    client.receive_data(data)
    return [event for event in client.events_received() if isinstance(event, Frame)]


@pytest.mark.parametrize("length", LENGTHS)
def test_a_client_reads_a_frame_of_any_length(length: int) -> None:
    payload = b"x" * length
    (frame,) = read_frames(frame_header(length) + payload)
    assert (frame.opcode, frame.fin, bytes(frame.data)) == (Opcode.TEXT, True, payload)


def test_frames_follow_one_another() -> None:
    data = b"".join(frame_header(length) + b"x" * length for length in LENGTHS)
    assert [len(frame.data) for frame in read_frames(data)] == LENGTHS


@pytest.mark.parametrize("length", [125, 126, 65_535, 65_536])
def test_a_length_is_told_in_as_few_bytes_as_the_protocol_asks_for(length: int) -> None:
    assert len(frame_header(length)) == {125: 2, 126: 4, 65_535: 4, 65_536: 10}[length]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_quick", [True, False], ids=["frames", "messages"])
async def test_ids_of_any_kind_and_length_come_back_as_they_were(
    city: City, is_quick: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_quick:  # as on a server without the extension
        monkeypatch.setattr(
            "server.websocket.connections.outlet_of", lambda _, send: MessageOutlet(send)
        )
    ids = [*IDS, *("n" * length for length in range(2, 64))]
    meeting = str(city.meeting.id)
    async with serving_sockets(city) as process:
        for start in range(0, len(ids), 15):
            async with open_socket(process.ws, city.an.token) as socket:
                some = ids[start : start + 15]
                for one in some:
                    await socket.subscribe(one, WATCH, id=meeting)
                    assert (await socket.next(one))["meeting"]["title"]
                await process.push()  # nothing has changed
                assert await socket.ask("{ __typename }") == {"__typename": "Query"}
                assert not socket._passed_over


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("is_quick", [True, False], ids=["frames", "messages"])
@pytest.mark.parametrize("size", [0, 60, 65_000, 65_536, 300_000])
async def test_a_state_of_any_size_arrives_whole(
    city: City, is_quick: bool, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_quick:
        monkeypatch.setattr(
            "server.websocket.connections.outlet_of", lambda _, send: MessageOutlet(send)
        )
    async with serving_sockets(city) as process, open_socket(process.ws, city.an.token) as socket:
        process.show(size)
        await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
        for number in range(4):
            data = await socket.next("watch")
            assert data == {"meeting": {"version": number, "title": "x" * size}}
            await process.push()


class Wire:
    """In place of a transport: keeps what is written."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def is_closing(self) -> bool:
        return False


@pytest.mark.parametrize("operation_id", IDS)
async def test_both_ways_of_writing_give_the_same_message(operation_id: str) -> None:
    head = b'{"id":' + orjson.dumps(operation_id) + b',"type":"next","payload":'
    state = orjson.dumps({"data": {"title": 'Nghị quyết "số 1"\n', "pad": "ế" * 40_000}})
    wire, sent = Wire(), asyncio.Queue[Any]()

    protocol = FrameProtocol.__new__(FrameProtocol)
    protocol.writable = asyncio.Event()
    protocol.writable.set()
    protocol.transport = wire  # type: ignore[assignment]
    protocol._socket = NO_DESCRIPTOR
    protocol.is_taking = True
    protocol.close_sent = protocol.is_held = False
    assert protocol.write(head, state + b"}")
    (frame,) = read_frames(wire.data)

    assert MessageOutlet(sent.put).write(head, state + b"}")
    message = await sent.get()
    assert message == {"type": "websocket.send", "text": bytes(frame.data).decode()}
    assert json.loads(message["text"]) == {
        "id": operation_id,
        "type": "next",
        "payload": json.loads(state),
    }


async def test_while_a_message_is_sent_no_other_is_taken_and_then_it_is_told() -> None:
    may_send, drained = asyncio.Event(), asyncio.Event()

    async def send(_: Any) -> None:
        await may_send.wait()

    outlet = MessageOutlet(send)
    outlet.on_drained = drained.set
    assert outlet.is_taking
    assert outlet.write(b"{", b"")
    assert not outlet.is_taking
    assert not outlet.write(b"{", b"")
    may_send.set()
    await drained.wait()
    assert outlet.is_taking


async def test_who_is_cut_off_is_sent_the_close_and_nothing_that_waited() -> None:
    sent: list[Any] = []

    async def send(event: Any) -> None:
        if event["type"] == "websocket.send":
            await asyncio.Event().wait()
        sent.append(event)

    outlet = MessageOutlet(send)
    assert outlet.write(b"{", b"")
    await asyncio.sleep(0)
    outlet.cut_off(4509, "Too slow")
    await asyncio.sleep(0.01)
    assert sent == [{"type": "websocket.close", "code": 4509, "reason": "Too slow"}]


def test_pings_and_patience_end_within_45_seconds() -> None:
    """A peer has from one turn to the next, and a turn may come a look late."""
    interval = uvicorn.Config("server.asgi:create_app").ws_ping_interval
    assert interval
    assert 2 * (interval + keepalive.EVERY) <= 45


def frames_of_a_client(*frames: Frame) -> bytes:
    return b"".join(frame.serialize(mask=True) for frame in frames)


@pytest.mark.parametrize("length", LENGTHS)
def test_the_end_of_a_frame_of_any_length_is_seen(length: int) -> None:
    data = frames_of_a_client(Frame(Opcode.PONG, b""), Frame(Opcode.TEXT, b"x" * length))
    for cut in (1, 5, 7, 8, 9, 12, len(data) // 2, len(data) - 1):
        allowance = FrameAllowance("", Limits().frames, 0)
        allowance.introduce()
        assert allowance.take(data[:cut], 0)
        assert allowance.is_between_frames == (cut == EMPTY_PONG_SIZE or cut >= len(data))
        assert allowance.take(data[cut:], 0)
        assert allowance.is_between_frames


@pytest.mark.parametrize("cut", [None, 1, 7])
async def test_a_pong_counts_whether_it_comes_alone_or_amid_a_message_in_parts(
    process: SocketServer, city: City, cut: int | None
) -> None:
    async with open_socket(process.ws, city.an.token):
        (connection,) = process.sockets._of_member[city.an.id]
        protocol = connection.outlet
        assert isinstance(protocol, FrameProtocol)
        assert protocol.ping()
        assert not protocol.has_answered
        data = frames_of_a_client(Frame(Opcode.TEXT, b'{"type":"ping"}'), Frame(Opcode.PONG, b""))
        if cut is None:
            protocol.data_received(data[-EMPTY_PONG_SIZE:])
        else:
            protocol.data_received(data[:cut])
            assert not protocol.has_answered
            protocol.data_received(data[cut:])
        assert protocol.has_answered
        assert protocol.ping(), "who has answered is asked again"
        assert protocol.transport.is_closing() is False
        assert not protocol.ping(), "who has not is cut off"
        assert protocol.transport.is_closing()


async def test_what_looks_like_a_pong_amid_a_message_is_part_of_it(
    process: SocketServer, city: City
) -> None:
    async with open_socket(process.ws, city.an.token):
        (connection,) = process.sockets._of_member[city.an.id]
        protocol = connection.outlet
        assert isinstance(protocol, FrameProtocol)
        assert protocol.ping()
        head = bytes((0x81, 0x80 | 6, 0, 0, 0, 0))  # a text of six bytes, masked with zeros
        protocol.data_received(head)
        protocol.data_received(EMPTY_PONG + b"\0\0\0\0")
        assert not protocol.has_answered
