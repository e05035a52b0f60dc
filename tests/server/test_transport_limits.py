"""What ends a connection besides malformed messages: floods, and the end of the session."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed

import server.websocket.connections
from models.accounts.accounts import Session
from server.websocket.protocol import BURST, MESSAGES_A_SECOND
from tests.support.asking import eventually
from tests.support.factories import City, Person
from tests.support.graphql_socket import open_socket
from tests.support.socket_server import WATCH, SocketServer, serving_sockets
from tests.support.tampering import change

REFRESH = "mutation { refreshSession { sessionExpiresAt } }"


@pytest.fixture
async def process(city: City, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SocketServer]:
    monkeypatch.setattr(server.websocket.connections, "LOOK_EVERY", 0.02)
    async with serving_sockets(city) as process:
        yield process


async def let_end_in(person: Person, seconds: float) -> None:
    """Let the person's session end so soon."""
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    session_id = person.signed_in.session_id
    await change(person.scene.database, Session, Session.id == session_id, expires_at=ends)


@pytest.mark.parametrize("message", ["ping", "subscribe"])
async def test_a_flood_of_messages_ends_the_connection(
    city: City, process: SocketServer, message: str
) -> None:
    async with open_socket(process.ws, city.an.token) as socket:
        with suppress(ConnectionClosed):
            for number in range(2 * BURST + 2 * MESSAGES_A_SECOND):
                if message == "ping":
                    await socket.send("ping")
                else:
                    await socket.subscribe(f"{number}", WATCH, id=str(city.meeting.id))
                    await socket.send("complete", id=f"{number}")
        assert (await socket.closed())[0] == 4508


async def test_a_burst_and_then_a_steady_pace_are_no_flood(
    city: City, process: SocketServer
) -> None:
    async with open_socket(process.ws, city.an.token) as socket:
        for _ in range(BURST - 10):
            await socket.send("ping")
        for _ in range(10):
            await asyncio.sleep(1 / MESSAGES_A_SECOND)
            await socket.send("ping")
        assert await socket.ask("{ __typename }")


async def test_notice_is_given_once_before_the_session_ends(
    city: City, process: SocketServer
) -> None:
    await let_end_in(city.an, 100)
    async with (
        open_socket(process.ws, city.an.token) as socket,
        open_socket(process.ws, city.binh.token) as other,
    ):
        notice = await socket.receive()
        assert notice["type"] == "ping"
        assert list(notice["payload"]) == ["sessionEndsIn"]
        assert 60 < notice["payload"]["sessionEndsIn"] <= 100
        await socket.send("pong")
        await asyncio.sleep(0.2)
        assert await other.ask("{ __typename }")
        assert await socket.ask("{ __typename }")
        assert not [m for m in socket._passed_over + other._passed_over if m["type"] == "ping"]


async def test_who_refreshes_the_session_stays_connected(city: City, process: SocketServer) -> None:
    await let_end_in(city.an, 100)
    async with open_socket(process.ws, city.an.token) as socket:
        assert (await socket.receive())["type"] == "ping"
        await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
        first = await socket.next("watch")
        (connection,) = process.connections
        before = connection.access
        assert before is not None
        told = await socket.ask(REFRESH)
        ends = datetime.fromisoformat(told["refreshSession"]["sessionExpiresAt"])
        assert ends > before.viewer.session_expires_at + timedelta(minutes=10)
        await eventually(
            lambda: (
                connection.access is not None
                and connection.access.viewer.session_expires_at == ends
            )
        )
        process.show(10)
        await process.push()
        assert (await socket.next("watch")) != first
        assert not [m for m in socket._passed_over if m["type"] == "ping"]


async def test_a_session_that_runs_out_closes_the_socket(city: City, process: SocketServer) -> None:
    await let_end_in(city.an, 1.5)
    async with (
        open_socket(process.ws, city.an.token) as socket,
        open_socket(process.ws, city.binh.token) as other,
    ):
        await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
        assert await socket.closed() == (4401, "Your session has ended")
        assert await other.ask("{ __typename }")


async def test_a_restart_is_told_to_everybody(city: City) -> None:
    async with AsyncExitStack() as stack:
        async with serving_sockets(city) as process:
            sockets = []
            for person in (city.an, city.binh):
                socket = await stack.enter_async_context(open_socket(process.ws, person.token))
                await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
                await socket.next("watch")
                sockets.append(socket)
        for socket in sockets:
            assert (await socket.closed())[0] == 1012


async def test_names_of_no_operation_are_none(city: City, process: SocketServer) -> None:
    """An empty name asks for the only operation, as no name does."""
    payload = {"query": WATCH, "variables": {"id": str(city.meeting.id)}, "operationName": ""}
    async with open_socket(process.ws, city.an.token) as socket:
        await socket.connection.send(
            json.dumps({"type": "subscribe", "id": "1", "payload": payload})
        )
        assert (await socket.next("1"))["meeting"]["version"]
