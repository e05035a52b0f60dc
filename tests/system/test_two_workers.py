"""Two workers that share nothing but PostgreSQL and Valkey show the same meeting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosedError

from rules.votes.ballots import OptionKind
from server.demo import data as demo_data
from tests.support.graphql_socket import Socket, open_socket
from tests.support.server_process import (
    CLOSE,
    CREDENTIALS,
    MEETING,
    OPEN_VOTE,
    PREPARED_VOTE,
    THE_CHAIR,
    THREE_MEMBERS,
    TLS,
    ServerProcess,
    eventually,
    fill_demo,
    option,
)
from tests.support.services import create_database
from tests.support.valkey_server import Valkey

EVENTUALLY = 10.0  # seconds, for what takes two when the broker is away

VOTE = (
    "vote(id: $id) { state version tally { cast options { optionId count } } outcome { carried } }"
)
WATCH_VOTE = f"subscription ($id: ID!) {{ {VOTE} }}"
ASK_VOTE = f"query ($id: ID!) {{ {VOTE} }}"
WATCH_MEETING = "subscription ($id: ID!) { meeting(id: $id) { version votes { id state } } }"
WATCH_PRESENCE = "subscription ($id: ID!) { meeting(id: $id) { turnout { connected } } }"
OPEN = "mutation ($vote: ID!) { openVote(voteId: $vote) { __typename } }"

PLACES = iter(demo_data.places_present()[1:])


@dataclass
class Installation:
    """One database and one broker, and the settings that name them."""

    folder: Path
    broker: Valkey
    settings: dict[str, str]


@pytest.fixture(scope="module")
def installation(
    postgresql_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    url = create_database(postgresql_server)
    fill_demo(url)
    with Valkey() as broker:
        settings = {"MEETINGS_DATABASE_URL": url, "MEETINGS_BROADCAST_URL": broker.url}
        yield Installation(tmp_path_factory.mktemp("workers"), broker, settings)


@pytest.fixture(scope="module")
def one(installation: Installation) -> Iterator[ServerProcess]:
    with ServerProcess(installation.folder, "serve", **installation.settings) as worker:
        yield worker


@pytest.fixture(scope="module")
def other(installation: Installation) -> Iterator[ServerProcess]:
    with ServerProcess(installation.folder, "serve", **installation.settings) as worker:
        yield worker


@pytest.fixture
async def at_one(one: ServerProcess) -> AsyncIterator[Socket]:
    async with open_socket(one.ws, THE_CHAIR) as socket:
        yield socket


@pytest.fixture
async def at_the_other(other: ServerProcess) -> AsyncIterator[Socket]:
    async with open_socket(other.ws, THREE_MEMBERS[0]) as socket:
        yield socket


def somebody_new() -> str:
    """The token of a member who is present and has not cast yet."""
    return CREDENTIALS.demo_token(demo_data.member_id(1, next(PLACES)))


def count(vote: Any, kind: OptionKind) -> int:
    wanted = option(OPEN_VOTE, kind)
    (number,) = (o["count"] for o in vote["tally"]["options"] if o["optionId"] == wanted)
    return int(number)


def has_cast(number: int) -> Callable[[Any], bool]:
    return lambda data: data["vote"]["tally"]["cast"] >= number


async def watch_vote(socket: Socket, vote: str = OPEN_VOTE) -> Any:
    """Subscribe; gives the vote as it is now."""
    await socket.subscribe("vote", WATCH_VOTE, id=vote)
    return (await socket.next("vote"))["vote"]


async def test_a_ballot_cast_at_one_reaches_subscribers_of_both_with_the_right_tally(
    one: ServerProcess, other: ServerProcess, at_one: Socket, at_the_other: Socket
) -> None:
    before = await watch_vote(at_one)
    assert await watch_vote(at_the_other) == before
    ways = [(one, OptionKind.FOR), (other, OptionKind.AGAINST), (one, OptionKind.ABSTAIN)]
    for number, (worker, kind) in enumerate(ways, start=1):
        assert worker.cast(somebody_new(), OPEN_VOTE, kind) == "Receipt"
        is_it = has_cast(before["tally"]["cast"] + number)
        here, there = [
            (await socket.next_until("vote", is_it))["vote"] for socket in (at_one, at_the_other)
        ]
        assert here == there == one.ask(ASK_VOTE, THE_CHAIR, id=OPEN_VOTE)["vote"]
        assert count(here, kind) == count(before, kind) + 1
        assert here["version"] > before["version"]


async def test_ballots_cast_at_both_at_once_are_all_counted(
    one: ServerProcess, other: ServerProcess, at_one: Socket, at_the_other: Socket
) -> None:
    before = await watch_vote(at_one)
    await watch_vote(at_the_other)
    casts = [
        asyncio.to_thread(worker.cast, somebody_new(), OPEN_VOTE)
        for worker in (one, other, one, other, one, other)
    ]
    assert await asyncio.gather(*casts) == ["Receipt"] * 6
    is_it = has_cast(before["tally"]["cast"] + 6)
    last = [(await socket.next_until("vote", is_it))["vote"] for socket in (at_one, at_the_other)]
    assert last == [other.ask(ASK_VOTE, THE_CHAIR, id=OPEN_VOTE)["vote"]] * 2


async def test_one_ballot_sent_to_both_is_cast_once(
    one: ServerProcess, other: ServerProcess
) -> None:
    before = one.ask(ASK_VOTE, THE_CHAIR, id=OPEN_VOTE)["vote"]["tally"]["cast"]
    member = somebody_new()
    casts = [asyncio.to_thread(worker.cast, member, OPEN_VOTE) for worker in (one, other)]
    assert await asyncio.gather(*casts) == ["Receipt", "Receipt"]
    assert one.ask(ASK_VOTE, THE_CHAIR, id=OPEN_VOTE)["vote"]["tally"]["cast"] == before + 1


async def test_opening_and_closing_at_one_shows_at_the_other(
    one: ServerProcess, other: ServerProcess, at_the_other: Socket
) -> None:
    assert (await watch_vote(at_the_other, PREPARED_VOTE))["state"] == "PREPARED"
    await at_the_other.subscribe("meeting", WATCH_MEETING, id=MEETING)
    one.ask(OPEN, THE_CHAIR, vote=PREPARED_VOTE)
    await at_the_other.next_until("vote", lambda data: data["vote"]["state"] == "OPEN")
    assert other.cast(somebody_new(), PREPARED_VOTE) == "Receipt"
    one.ask(CLOSE, THE_CHAIR, vote=PREPARED_VOTE)
    closed = await at_the_other.next_until("vote", lambda data: data["vote"]["state"] == "CLOSED")
    assert closed["vote"]["outcome"] == {"carried": False}
    assert closed["vote"]["tally"]["cast"] == 1
    assert other.cast(somebody_new(), PREPARED_VOTE) == "VOTE_CLOSED"

    def is_closed(data: Any) -> bool:
        return {"id": PREPARED_VOTE, "state": "CLOSED"} in data["meeting"]["votes"]

    await at_the_other.next_until("meeting", is_closed)


async def test_who_is_connected_to_either_is_counted_at_both(
    one: ServerProcess, at_one: Socket, at_the_other: Socket
) -> None:
    def counts(number: int) -> Callable[[Any], bool]:
        return lambda data: data["meeting"]["turnout"]["connected"] == number

    for socket in (at_one, at_the_other):
        await socket.subscribe("presence", WATCH_PRESENCE, id=MEETING)
    for socket in (at_one, at_the_other):
        await socket.next_until("presence", counts(2))
    async with open_socket(one.ws, THREE_MEMBERS[1]) as third:
        await watch_vote(third)
        for socket in (at_one, at_the_other):
            await socket.next_until("presence", counts(3))
    for socket in (at_one, at_the_other):
        await socket.next_until("presence", counts(2))
    await at_the_other.send("complete", id="presence")
    await at_one.next_until("presence", counts(1))


async def test_members_of_a_killed_worker_see_the_present_state_at_the_other(
    one: ServerProcess, other: ServerProcess, at_one: Socket
) -> None:
    await watch_vote(at_one)
    async with open_socket(other.ws, THREE_MEMBERS[1]) as cut_off:
        before = await watch_vote(cut_off)
        other.kill()
        with pytest.raises(ConnectionClosedError):
            await cut_off.next_until("vote", lambda data: False)
    try:
        assert one.cast(somebody_new(), OPEN_VOTE) == "Receipt"
        async with open_socket(one.ws, THREE_MEMBERS[1]) as again:
            now = await watch_vote(again)
        assert now["tally"]["cast"] == before["tally"]["cast"] + 1
        last = await at_one.next_until("vote", has_cast(now["tally"]["cast"]))
        assert last["vote"] == now, "those who were there all the time see the same"
    finally:
        other.start()
    async with open_socket(other.ws, THREE_MEMBERS[1]) as back:
        assert await watch_vote(back) == now


async def test_meetings_go_on_without_the_broker(
    installation: Installation, one: ServerProcess, other: ServerProcess, at_one: Socket
) -> None:
    cast = (await watch_vote(at_one))["tally"]["cast"]
    installation.broker.kill()
    try:
        for _ in range(2):
            assert other.cast(somebody_new(), OPEN_VOTE) == "Receipt"
            cast += 1
            await at_one.next_until("vote", has_cast(cast), EVENTUALLY)
        health = httpx2.get(f"{one.site}/healthz", verify=TLS)
        assert health.status_code == 200
        assert health.json()["broker"] == "down"
        async with open_socket(one.ws, THREE_MEMBERS[2]) as newcomer:
            assert (await watch_vote(newcomer))["tally"]["cast"] == cast
    finally:
        installation.broker.start()
    eventually(lambda: broker_of(one) == broker_of(other) == "up", EVENTUALLY)
    assert other.cast(somebody_new(), OPEN_VOTE) == "Receipt"
    await at_one.next_until("vote", has_cast(cast + 1), EVENTUALLY)


def broker_of(worker: ServerProcess) -> Any:
    return httpx2.get(f"{worker.site}/healthz", verify=TLS).json()["broker"]


async def test_two_workers_of_one_command_show_the_same_and_stop_together(
    installation: Installation,
) -> None:
    with ServerProcess(
        installation.folder, "serve", "--workers", "2", **installation.settings
    ) as server:
        eventually(lambda: server.errors().count("feed.broker_up") == 2)  # both are there
        async with AsyncExitStack() as stack:
            sockets = [
                await stack.enter_async_context(open_socket(server.ws, THREE_MEMBERS[0]))
                for _ in range(12)
            ]
            cast = {(await watch_vote(socket))["tally"]["cast"] for socket in sockets}.pop()
            for _ in range(3):
                assert server.cast(somebody_new(), OPEN_VOTE) == "Receipt"
            for socket in sockets:
                await socket.next_until("vote", has_cast(cast + 3))
            server.stop()
            for socket in sockets:
                assert (await socket.closed())[0] == 1012
