"""What somebody sends leaves no memory behind, however much and however new."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from websockets.asyncio.client import connect

from schema.live.documents import KEPT_BYTES, BadDocument, Documents
from schema.live.prepare import read_operation
from schema.schema import schema
from tests.support.hostile import DOCUMENTS
from tests.support.server_process import (
    MEETING,
    THE_CHAIR,
    THREE_MEMBERS,
    ServerProcess,
    demo_server,
    group_members,
)

WARM_UP, COUNTED = 300, 2_000
FLAT = 50 * 1024 * 1024
"""Bytes by which the server may grow."""

AT_ONCE = 4
TOKENS = itertools.cycle([THE_CHAIR, *THREE_MEMBERS])
A_SOCKET_S = 20
"""Subscriptions of one connection."""
VOTES = "id votes { id version question state matter openedAt closesAt tally { cast eligible } }"

Send = Callable[[ServerProcess, range], Awaitable[None]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server


def memory_of(server: ServerProcess) -> int:
    """Resident bytes of all its processes."""
    status = (Path(f"/proc/{pid}/status").read_text() for pid in group_members(server.pid))
    return sum(int(text.split("VmRSS:")[1].split()[0]) * 1024 for text in status)


async def documents(server: ServerProcess, numbers: range) -> None:
    """Some that are taken, and some that are too large; none was ever sent before."""
    async with httpx2.AsyncClient(timeout=30) as client:

        async def send(some: range) -> None:
            for number in some:
                what = f'meeting(id: "x") @skip(if: true) {{ {VOTES} }}'
                if number % 2:
                    what = "viewer {" + "member { id } " * 240 + "}"
                body = {"query": f"{{ x{number}: __typename {what} }}"}
                headers = {"authorization": f"Bearer {next(TOKENS)}"}
                await client.post(server.http, json=body, headers=headers)

        await asyncio.gather(*(send(numbers[start::AT_ONCE]) for start in range(AT_ONCE)))


async def subscriptions(server: ServerProcess, numbers: range) -> None:
    """Each with variables that no other had, and that its document does not declare."""
    connections = range(numbers.start // A_SOCKET_S, numbers.stop // A_SOCKET_S)

    async def send(some: range) -> None:
        for number in some:
            await _subscribe(server, number)

    await asyncio.gather(*(send(connections[start::AT_ONCE]) for start in range(AT_ONCE)))


async def _subscribe(server: ServerProcess, connection: int) -> None:
    query = "subscription W($id: ID!) { meeting(id: $id) { version } }"
    async with connect(server.ws, subprotocols=["graphql-transport-ws"]) as socket:  # type: ignore[list-item]
        await socket.send(
            json.dumps({"type": "connection_init", "payload": {"token": next(TOKENS)}})
        )
        await socket.recv()
        for number in range(A_SOCKET_S):
            junk = f"{connection} {number} " + "x" * 60_000
            payload = {"query": query, "variables": {"id": MEETING, "junk": junk}}
            message = {"type": "subscribe", "id": str(number), "payload": payload}
            await socket.send(json.dumps(message))
        for _ in range(A_SOCKET_S):
            assert json.loads(await socket.recv())["type"] == "next"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="asks Linux for the memory")
@pytest.mark.parametrize("send", [documents, subscriptions])
async def test_what_was_never_sent_before_leaves_no_memory_behind(
    server: ServerProcess, send: Send
) -> None:
    await send(server, range(WARM_UP))
    before = memory_of(server)
    await send(server, range(WARM_UP, WARM_UP + COUNTED))
    assert memory_of(server) - before < FLAT


def test_documents_are_kept_while_there_is_room() -> None:
    kept = Documents(schema._schema)
    fits = DOCUMENTS["a long list"]
    for number in range(30):
        kept.read(f"{fits} " + "," * number)
    assert 0 < kept._kept_bytes == sum(one.size for one in kept._kept.values()) <= KEPT_BYTES
    assert f"{fits} " + "," * 29 in kept._kept
    assert f"{fits} " not in kept._kept


def test_what_is_not_taken_is_not_kept() -> None:
    kept = Documents(schema._schema)
    for document in DOCUMENTS.values():
        try:
            kept.read(document)
        except BadDocument:
            assert document not in kept._kept


def test_a_subscription_keeps_the_variables_that_it_declares() -> None:
    operation = read_operation("subscription ($id: ID!) { meeting(id: $id) { id } }", None)
    assert operation is not None
    assert operation.declared({"id": "x", "junk": "x" * 60_000}) == {"id": "x"}
    assert operation.declared({}) == {}
