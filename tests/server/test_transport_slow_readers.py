"""Feed, fan-out and transport with clients that stop reading: they hold nobody up, and go."""

from __future__ import annotations

import asyncio
import base64
import fcntl
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from types import MappingProxyType

import pytest
from sqlalchemy import update

import server.http.incoming
import server.websocket.connections
import server.websocket.frames
from models.accounts.accounts import Session
from models.register.units import Member
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from rules.register.members import Standing
from server.websocket.frames import FrameProtocol
from server.websocket.protocol import Connection
from tests.support.asking import eventually
from tests.support.factories import City, Person
from tests.support.graphql_socket import PROTOCOL, Socket, open_socket
from tests.support.socket_server import WATCH, SocketServer, serving_sockets
from tests.support.tampering import change

SIZE = 400_000
"""Bytes of a state: a few fill what the kernel keeps for a client that does not read."""

EMPTY: Mapping[str, str] = MappingProxyType({})

SIOCOUTQNSD = 0x894B
"""Linux's question for the bytes of a connection that were not sent yet."""

GENEROUS = 20.0
"""Seconds, where something should take less than one."""

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def process(city: City) -> AsyncIterator[SocketServer]:
    async with serving_sockets(city) as process:
        process.show(SIZE)
        yield process


async def watch(socket: Socket, city: City) -> None:
    await socket.subscribe("watch", WATCH, id=str(city.meeting.id))


def buffer_of(connection: Connection) -> FrameProtocol:
    outlet = connection.outlet
    assert isinstance(outlet, FrameProtocol)
    return outlet


async def push_until_owed(process: SocketServer, person: Person) -> tuple[Connection, int]:
    """Push until the person's only connection takes no more; gives it and the last number."""
    (connection,) = process.sockets._of_member[person.id]
    async with asyncio.timeout(GENEROUS):
        while True:
            number = await process.push()
            await asyncio.sleep(0.002)
            if connection.owes_since is not None and await is_stuck(connection):
                return connection, number


async def is_stuck(connection: Connection) -> bool:
    """Whether nothing moves: for a while the kernel takes more than it took at first."""
    outlet = buffer_of(connection)
    size = outlet.transport.get_write_buffer_size()
    for _ in range(10):
        await asyncio.sleep(0.02)
        if outlet.writable.is_set() or outlet.transport.get_write_buffer_size() != size:
            return False
    return True


@asynccontextmanager
async def a_deaf_client(
    process: SocketServer, person: Person, city: City, headers: Mapping[str, str] = EMPTY
) -> AsyncIterator[None]:
    """Subscribes, and then neither reads nor answers anything."""
    reader, writer = await asyncio.open_connection("127.0.0.1", process.port, limit=1024)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        "GET /graphql HTTP/1.1",
        "Host: 127.0.0.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {PROTOCOL}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    assert b"101" in await reader.readline()
    payload = {"query": WATCH, "variables": {"id": str(city.meeting.id)}}
    for message in (
        {"type": "connection_init", "payload": {"token": person.token}},
        {"type": "subscribe", "id": "watch", "payload": payload},
    ):
        data = json.dumps(message).encode()
        mask = os.urandom(4)
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        writer.write(bytes((0x81, 0xFE)) + len(data).to_bytes(2, "big") + mask + masked)
    await eventually(lambda: bool(process.sockets._of_member.get(person.id)))
    (connection,) = process.sockets._of_member[person.id]
    await eventually(lambda: bool(connection.operations))
    try:
        yield
    finally:
        writer.transport.abort()


async def test_others_go_on_and_the_slow_is_owed_the_newest_state_only(
    city: City, process: SocketServer
) -> None:
    async with (
        open_socket(process.ws, city.an.token, reads_nothing_ahead=True) as slow,
        open_socket(process.ws, city.binh.token) as quick,
    ):
        await watch(slow, city)
        await watch(quick, city)
        connection, number = await push_until_owed(process, city.an)
        outlet = buffer_of(connection)
        for _ in range(30):
            number = await process.push()
            async with asyncio.timeout(GENEROUS):
                while (await quick.next("watch"))["meeting"]["version"] < number:
                    pass
            assert len(connection._owed) <= 1
            assert outlet.transport.get_write_buffer_size() <= SIZE + 1000
        seen = [(await slow.next("watch"))["meeting"]["version"]]
        while seen[-1] < number:
            seen.append((await slow.next("watch"))["meeting"]["version"])
        assert seen == sorted(set(seen))
        assert len(seen) <= number - 10, "what it was not shown in time it is not shown at all"
        assert connection.owes_since is None
        assert not connection._owed
        await process.push()
        assert (await slow.next("watch"))["meeting"]["version"] == number + 1


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "0"}], ids=["usual", "unusual"])
async def test_the_kernel_keeps_little_for_who_does_not_read(
    city: City, process: SocketServer, headers: dict[str, str]
) -> None:
    async with a_deaf_client(process, city.an, city, headers):
        connection, _ = await push_until_owed(process, city.an)
        transport = buffer_of(connection).transport
        unsent = fcntl.ioctl(transport.get_extra_info("socket").fileno(), SIOCOUTQNSD, bytes(4))
        # What the last write began with is taken whole, up to the size of a segment.
        assert (
            0
            < int.from_bytes(unsent, sys.byteorder)
            < 3 * server.websocket.frames.UNSENT_AT_MOST
            < SIZE
        )


async def test_who_has_not_taken_an_earlier_answer_is_owed_from_the_beginning(
    city: City, process: SocketServer
) -> None:
    async with a_deaf_client(process, city.an, city):
        (connection,) = process.sockets._of_member[city.an.id]
        outlet = buffer_of(connection)
        while outlet.is_taking:
            outlet.transport.write(bytes(SIZE))
        # As if that were the answer to a request before the handshake, on the same connection.
        outlet.is_taking = True
        outlet._keep_little_unsent()
        assert not outlet.is_taking
        assert not outlet.writable.is_set()


async def test_who_takes_state_after_state_slowly_has_fallen_behind_once(
    city: City, process: SocketServer
) -> None:
    async with open_socket(process.ws, city.an.token):
        (connection,) = process.sockets._of_member[city.an.id]
        for _ in range(3):
            process.sockets.owes(connection)
        assert process.sockets.fell_behind == 1


async def test_who_leaves_an_operation_that_is_owed_is_shown_nothing_of_it(
    city: City, process: SocketServer
) -> None:
    async with open_socket(process.ws, city.an.token, reads_nothing_ahead=True) as slow:
        await watch(slow, city)
        connection, number = await push_until_owed(process, city.an)
        await slow.send("complete", id="watch")
        await eventually(lambda: not connection._owed)
        await slow.subscribe("last", "{ __typename }")
        seen = 0
        while (message := await slow.receive())["id"] != "last":
            seen = message["payload"]["data"]["meeting"]["version"]
        assert seen < number
        assert (await slow.message("last"))["type"] == "complete"


async def test_who_is_too_slow_is_told_so_when_they_read_again(
    city: City, process: SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_socket(process.ws, city.an.token, reads_nothing_ahead=True) as slow:
        await watch(slow, city)
        connection, _ = await push_until_owed(process, city.an)
        monkeypatch.setattr(server.websocket.connections, "OWES_AT_MOST", 0.0)
        while connection in process.connections:  # the kernel may take a little more meanwhile
            await process.push()
            await asyncio.sleep(0.05)
        assert await slow.closed() == (4509, "Too slow a reader")


async def test_who_goes_on_reading_nothing_is_cut_off(
    city: City, process: SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.websocket.connections, "OWES_AT_MOST", 0.0)
    monkeypatch.setattr(server.http.incoming, "LEAVE_WITHIN", 0.2)
    async with a_deaf_client(process, city.an, city):
        connection, _ = await push_until_owed(process, city.an)
        outlet = buffer_of(connection)
        await eventually(lambda: connection not in process.connections)
        await eventually(lambda: outlet.disconnected)
    assert not process.sockets._of_member


async def test_owing_for_a_moment_is_no_reason_to_be_sent_away(
    city: City, process: SocketServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.websocket.connections, "LOOK_EVERY", 0.01)
    async with open_socket(process.ws, city.an.token, reads_nothing_ahead=True) as slow:
        await watch(slow, city)
        for _ in range(3):
            _, number = await push_until_owed(process, city.an)
            while (await slow.next("watch"))["meeting"]["version"] < number:
                pass
        assert len(process.connections) == 1


@pytest.mark.parametrize("is_stalled", [False, True], ids=["silent", "stalled"])
async def test_a_peer_that_answers_no_ping_is_gone(city: City, is_stalled: bool) -> None:
    async with serving_sockets(city, ws_ping_interval=0.2, ws_ping_timeout=0.2) as process:
        process.show(SIZE if is_stalled else 0)
        began = time.monotonic()
        async with (
            a_deaf_client(process, city.an, city),
            open_socket(process.ws, city.binh.token) as other,
        ):
            (connection,) = process.sockets._of_member[city.an.id]
            outlet = buffer_of(connection)
            while is_stalled and outlet.writable.is_set():
                await process.push()
            await eventually(lambda: outlet.disconnected)
            await eventually(lambda: connection not in process.connections)
            assert time.monotonic() - began < GENEROUS
            assert await other.ask("{ __typename }"), "who answers stays"


@pytest.mark.parametrize("what", ["suspended", "signed out"])
async def test_a_peer_that_takes_nothing_does_not_keep_others_from_being_sent_away(
    city: City, process: SocketServer, what: str
) -> None:
    """Its buffer is full, and nothing is owed yet: a close that waits would wait for long."""
    database = city.scene.database
    async with (
        a_deaf_client(process, city.an, city),
        open_socket(process.ws, city.binh.token) as other,
    ):
        (connection,) = process.sockets._of_member[city.an.id]
        while not await is_stuck(connection):
            await process.push()
        # Nothing is owed yet: as if the last state had just fitted.
        connection.owes_since = None
        connection._owed.clear()
        for person in (city.an, city.binh):
            if what == "suspended":
                await change(database, Member, Member.id == person.id, standing=Standing.SUSPENDED)
            else:
                session_id = person.signed_in.session_id
                async with database.writing() as session:
                    await session.execute(
                        update(Session)
                        .where(Session.id == session_id)
                        .values(revoked_at=Session.created_at)
                    )
                    await session.commit()
            await city.scene.feed.publish(ACCESS_CHANNEL, {topic_of_member(person.id)})
        assert (await other.closed())[0] == (4403 if what == "suspended" else 4401)
        assert connection not in process.connections


async def test_a_server_ends_in_time_though_a_peer_takes_nothing(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.http.incoming, "LEAVE_WITHIN", 0.3)
    async with AsyncExitStack() as stack:
        async with serving_sockets(city) as process:
            process.show(SIZE)
            await stack.enter_async_context(a_deaf_client(process, city.an, city))
            reading = await stack.enter_async_context(open_socket(process.ws, city.binh.token))
            await push_until_owed(process, city.an)
            began = time.monotonic()
        assert time.monotonic() - began < GENEROUS
        assert (await reading.closed())[0] == 1012
