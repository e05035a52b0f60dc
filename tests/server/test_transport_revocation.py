"""Who may see no more is shown no more: over two workers, with and without the broker, and in
races with joining."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from models.register.units import Appointment
from models.votes.votes import Vote
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from rules.votes.presets import PRESETS, Matter
from rules.votes.rule_sets import LiveTally
from server.demo import data as demo_data
from tests.support.asking import act, ask, eventually, watch
from tests.support.factories import SINCE, City, Person, context_of
from tests.support.graphql_socket import Socket, open_socket
from tests.support.server_process import CREDENTIALS, MEETING, THE_CHAIR, ServerProcess, fill_demo
from tests.support.services import create_database
from tests.support.socket_server import WATCH, SocketServer, serving_sockets
from tests.support.tampering import change
from tests.support.valkey_server import Valkey

WATCH_MEETING = "subscription ($id: ID!) { meeting(id: $id) { version turnout { present } } }"
SUSPEND = """mutation ($member: ID!) {
  suspendMember(memberId: $member, reason: "Chờ xem xét") { __typename }
}"""
CONFIRM = """mutation ($meeting: ID!, $member: ID!, $isPresent: Boolean!) {
  confirmAttendance(meetingId: $meeting, memberId: $member, isPresent: $isPresent) { __typename }
}"""
RUNS = 50
PLACES = iter(demo_data.places_present()[2:])
"""Of members whom the chair may suspend: the first two are the secretary and the deputy."""


@pytest.fixture(scope="module")
def broker() -> Iterator[Valkey]:
    with Valkey() as broker:
        yield broker


@pytest.fixture(scope="module")
def workers(
    postgresql_server: str, broker: Valkey, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ServerProcess]]:
    url = create_database(postgresql_server)
    fill_demo(url)
    settings = {"MEETINGS_DATABASE_URL": url, "MEETINGS_BROADCAST_URL": broker.url}
    folder: Path = tmp_path_factory.mktemp("workers")
    with (
        ServerProcess(folder, "serve", **settings) as one,
        ServerProcess(folder, "serve", **settings) as other,
    ):
        yield [one, other]


def change_something(worker: ServerProcess, is_present: bool) -> None:
    seen = str(demo_data.member_id(1, demo_data.places_present()[0]))
    worker.ask(CONFIRM, THE_CHAIR, meeting=MEETING, member=seen, isPresent=is_present)


async def read_to_the_end(socket: Socket) -> tuple[list[float], int]:
    """When frames came, and the code of the close; whatever comes after it would be a fault."""
    frames = []
    with suppress(ConnectionClosed):
        while True:
            await socket.connection.recv()
            frames.append(time.monotonic())
    return frames, (await socket.closed())[0]


@pytest.mark.parametrize("has_broker", [True, False], ids=["broker", "no broker"])
async def test_a_member_suspended_at_one_worker_is_sent_away_by_the_other(
    workers: list[ServerProcess], broker: Valkey, has_broker: bool
) -> None:
    one, other = workers
    member_id = demo_data.member_id(1, next(PLACES))
    if not has_broker:
        broker.kill()
    try:
        async with open_socket(other.ws, CREDENTIALS.demo_token(member_id)) as socket:
            await socket.subscribe("watch", WATCH_MEETING, id=MEETING)
            await socket.next("watch")
            reading = asyncio.create_task(read_to_the_end(socket))
            told = await asyncio.to_thread(one.ask, SUSPEND, THE_CHAIR, member=str(member_id))
            assert told["suspendMember"]["__typename"] == "Member"
            suspended = time.monotonic()
            is_present = False
            while not reading.done():
                is_present = not is_present
                await asyncio.to_thread(change_something, one, is_present)
                assert time.monotonic() < suspended + 15.0, "still connected"
            frames, code = await reading
            closed_after = time.monotonic() - suspended
        assert code == 4403
        assert closed_after < (5.0 if has_broker else 7.5), "5.5 s, and a busy machine"
        assert all(at - suspended < closed_after for at in frames)
    finally:
        if not has_broker:
            broker.start()
            await asyncio.to_thread(other.stop)
            await asyncio.to_thread(other.start)


# --- In one process ----------------------------------------------------------------------------


@pytest.fixture
async def process(city: City) -> AsyncIterator[SocketServer]:
    async with serving_sockets(city) as process:
        yield process


async def suspend(city: City, member: Person) -> None:
    arguments = {"memberId": member.id, "reason": "Chờ xem xét"}
    told = await act(context_of(city.hanh), "suspendMember", **arguments)
    assert told["__typename"] == "Member"


async def listen(process: SocketServer, member: Person, city: City) -> list[dict[str, Any]]:
    """Join, and give all that was told until the end: an error of the operation, or a close."""
    heard: list[dict[str, Any]] = []
    async with open_socket(process.ws) as socket:
        with suppress(ConnectionClosed):
            await socket.send("connection_init", payload={"token": member.token})
            await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
            while not heard or heard[-1]["type"] != "error":
                heard.append(await socket.receive())
            return heard
        heard.append({"type": "close", "code": (await socket.closed())[0]})
    return heard


@pytest.mark.parametrize("piece", range(5))
async def test_who_is_suspended_while_joining_is_sent_away(
    city: City, process: SocketServer, piece: int
) -> None:
    """At every moment of opening the socket, signing in and subscribing."""
    members = city.scene.members([f"Người {n}" for n in range(RUNS // 5)], city.branch)
    await city.scene.save()
    for number, member in enumerate(members):
        listening = asyncio.create_task(listen(process, member, city))
        await asyncio.sleep((piece * len(members) + number) * 0.0006)
        await suspend(city, member)
        heard = await asyncio.wait_for(listening, 20)
        assert heard[-1] == {"type": "close", "code": 4403}
    await eventually(lambda: not process.connections)
    assert process.sockets.live.fanout.subscribers == 0


async def test_who_is_suspended_is_not_let_in(city: City, process: SocketServer) -> None:
    await suspend(city, city.an)
    heard = await asyncio.wait_for(listen(process, city.an, city), 20)
    assert heard == [{"type": "close", "code": 4403}]


@pytest.mark.parametrize("piece", range(5))
async def test_who_signs_out_while_joining_is_shown_nothing_more(
    city: City, process: SocketServer, piece: int
) -> None:
    members = city.scene.members([f"Người {n}" for n in range(RUNS // 5)], city.branch)
    await city.scene.save()
    for number, member in enumerate(members):
        listening = asyncio.create_task(listen(process, member, city))
        await asyncio.sleep((piece * len(members) + number) * 0.0006)
        await sign_out(member)
        heard = await asyncio.wait_for(listening, 20)
        assert heard[-1] == {"type": "close", "code": 4401}
    await eventually(lambda: not process.connections)


async def sign_out(member: Person) -> None:
    await ask(context_of(member), "mutation { signOut }")


async def test_two_changes_of_access_at_once_end_with_the_last(
    city: City, process: SocketServer
) -> None:
    """A look that began before a suspension does not show again what the suspension ended."""
    async with open_socket(process.ws, city.an.token) as socket:
        await socket.subscribe("watch", WATCH, id=str(city.meeting.id))
        await socket.next("watch")
        audiences = process.sockets.live.audiences
        readmit, may_go_on = audiences.readmit, asyncio.Event()
        looks = 0

        async def look_slowly(accesses: Any) -> Any:
            nonlocal looks
            looks += 1
            found = await readmit(accesses)
            if looks == 1:
                await may_go_on.wait()
            return found

        audiences.readmit = look_slowly  # type: ignore[method-assign]
        await city.scene.feed.publish(ACCESS_CHANNEL, {topic_of_member(city.an.id)})
        await eventually(lambda: looks == 1)
        await suspend(city, city.an)
        (connection,) = process.connections
        await eventually(lambda: connection._holds == 2)
        process.show(10)
        await process.push()
        may_go_on.set()
        assert await read_to_the_end(socket) == ([], 4403)


async def test_whose_role_ends_keeps_the_socket_and_sees_what_members_see(city: City) -> None:
    rule = replace(PRESETS["vi-party"][Matter.ORDINARY], live_tally=LiveTally.CHAIR).to_data()
    await change(city.scene.database, Vote, Vote.id == city.vote.id, rule=rule)
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    document = """subscription ($id: ID!) {
      meeting(id: $id) { viewerMay votes { tally { options { count } } } } }"""
    async with watch(context_of(city.dung), document, id=str(city.meeting.id)) as watched:
        before = await watched.next()
        assert "CLOSE_VOTE" in before["viewerMay"]
        assert [o["count"] for o in before["votes"][0]["tally"]["options"]] == [0, 0, 0]
        await change(
            city.scene.database,
            Appointment,
            Appointment.member_id == city.dung.id,
            valid_to=SINCE + timedelta(days=1),
        )
        await city.scene.feed.publish(ACCESS_CHANNEL, {topic_of_member(city.dung.id)})
        after = await watched.next()
        assert "CLOSE_VOTE" not in after["viewerMay"]
        assert [o["count"] for o in after["votes"][0]["tally"]["options"]] == [None] * 3
