"""One member takes no more than their share, and nobody who uses the software meets a limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from models.votes.votes import Ballot
from realtime.shares import AHEAD, COST_A_SECOND, Shares
from rules.rate_limit import Rate
from rules.refusals import Reason, Refusal
from schema.live.prepare import read_operation
from schema.live.run import Live
from schema.schema import schema
from server.asgi import create_app
from server.limits import members as member_limits
from server.limits.members import ACTS, BALLOTS, SOCKETS, SUBSCRIPTIONS, WORK, MemberLimits
from server.settings import Settings
from server.websocket import protocol
from server.websocket.close_codes import TOO_MANY_SOCKETS
from server.websocket.protocol import MAXIMUM_OPERATIONS
from tests.support.asking import eventually, finding, push_each
from tests.support.database_log import dump
from tests.support.factories import ORDINARY, City, Person, context_of
from tests.support.graphql_socket import open_socket
from tests.support.socket_server import serving_sockets
from tests.support.voting import open_motion

ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

QUERY = "query ($id: ID!) { meeting(id: $id) { title } }"
CHECK_IN = "mutation ($id: ID!) { checkIn(meetingId: $id) { __typename } }"
CAST = """mutation ($id: ID!, $choice: ID!, $key: ID!) {
  castBallot(voteId: $id, choices: [$choice], key: $key) { __typename }
}"""
WATCH = "subscription ($id: ID!) { meeting(id: $id) { id ALIAS: title } }"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (member_limits, protocol):
        monkeypatch.setattr(module, "PATIENCE", 0.01)


async def spend_all(limits: MemberLimits, who: UUID, query: str) -> Refusal:
    async def ask() -> None:
        for _ in range(1_000):
            await limits.begin(who, query, is_new=False)

    with pytest.raises(Refusal) as refused:
        await ask()
    assert refused.value.reason is Reason.TOO_MANY_REQUESTS
    return refused.value


async def charges_taken(limits: MemberLimits, who: UUID, query: str) -> int:
    """How often a document is taken before it is refused."""
    document, count = schema.documents.read(query), 0
    with suppress(Refusal):
        while True:
            await limits.charge(who, document, None)
            count += 1
    return count


# --- Sizes --------------------------------------------------------------------------------------


async def test_an_honest_evening_meets_no_limit() -> None:
    """Three devices that come back at once, each with a page of its own; then a chair who acts
    every second while two programs ask every second, for ten minutes; ballots all the while."""
    now = 0.0
    limits, who = MemberLimits(), uuid4()
    act = schema.documents.read(CHECK_IN)
    for _ in range(3):
        for _ in range(15):
            assert limits._work.take(who, now, 1 + len(act.node.definitions))
    for _ in range(600):
        now += 1.0
        for bucket, tokens in ((limits._work, 12), (limits._acts, 1), (limits._ballots, 1)):
            assert bucket.take(who, now, tokens)
    assert SOCKETS >= 3 * 4
    assert SUBSCRIPTIONS >= 3 * 10


async def test_who_asks_too_much_is_told_the_limit_and_when_to_come_again() -> None:
    refusal = await spend_all(MemberLimits(), uuid4(), QUERY)
    assert refusal.details == {"limit": WORK.size, "retryAfterSeconds": 1}


async def test_a_ballot_has_an_allowance_of_its_own() -> None:
    limits, who = MemberLimits(), uuid4()
    await spend_all(limits, who, QUERY)
    assert await charges_taken(limits, who, CHECK_IN) >= ACTS.size
    for _ in range(int(BALLOTS.size)):
        assert limits.begins_at_once(who, CAST, is_new=False)
        await limits.charge(who, schema.documents.read(CAST), None)
    assert not limits.begins_at_once(who, CAST, is_new=False)


async def test_each_act_of_a_document_counts() -> None:
    limits, who = MemberLimits(), uuid4()
    acts = " ".join(f'a{n}: checkIn(meetingId: "x") {{ __typename }}' for n in range(5))
    spread = "...F } fragment F on Mutation { ... { " + acts + " }"
    document = schema.documents.read(f"mutation {{ {spread} }}")
    for _ in range(int(ACTS.size) // 5):
        await limits.charge(who, document, None)
    with pytest.raises(Refusal):
        await limits.charge(who, document, None)


async def test_what_costs_much_counts_for_several() -> None:
    limits, who = MemberLimits(), uuid4()
    inside = "votes { roll { member { name appointments { role } } } }"
    votes = " ".join(f"a{n}: {inside}" for n in range(3))
    taken = await charges_taken(limits, who, f'{{ meeting(id: "x") {{ {votes} }} }}')
    assert 5 <= taken <= WORK.size / 2


async def test_one_member_s_limits_are_nobody_else_s() -> None:
    limits = MemberLimits()
    await spend_all(limits, uuid4(), QUERY)
    assert limits.begins_at_once(uuid4(), QUERY, is_new=False)


async def test_only_so_many_operations_are_under_way_at_once_ballots_apart() -> None:
    limits, who = MemberLimits(), uuid4()
    places = [limits.place(who, QUERY) for _ in range(member_limits.AT_ONCE)]
    for place in places:
        await place.__aenter__()
    with pytest.raises(Refusal):
        async with limits.place(who, QUERY):
            pass
    async with limits.place(who, CAST), limits.place(uuid4(), QUERY):
        pass
    for place in places:
        await place.__aexit__(None, None, None)
    async with limits.place(who, QUERY):
        pass
    assert not limits._present


# --- HTTP ---------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(city: City) -> AsyncIterator[httpx2.AsyncClient]:
    url = city.scene.database.engine.url.render_as_string(hide_password=False)
    app = create_app(Settings(database_url=url))
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        yield client


async def post(client: httpx2.AsyncClient, person: Person, query: str, **variables: Any) -> Any:
    return await client.post(
        "/graphql",
        json={"query": query, "variables": {name: str(one) for name, one in variables.items()}},
        headers={"authorization": f"Bearer {person.token}"},
    )


@ON_ONE_DATABASE
async def test_over_http_the_refusal_is_429_and_a_ballot_goes_on(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member_limits, "ACTS", Rate(0.001, 3))
    vote = await open_motion(city, ORDINARY)
    async with serving(city) as client:
        for _ in range(3):
            answer = await post(client, city.an, CHECK_IN, id=city.meeting.id)
            assert answer.status_code == 200
        before = await dump(city.scene.database)
        answer = await post(client, city.an, CHECK_IN, id=city.meeting.id)
        assert (answer.status_code, await dump(city.scene.database)) == (429, before)
        (error,) = answer.json()["errors"]
        details = error["extensions"]["details"]
        assert error["extensions"]["reason"] == "TOO_MANY_REQUESTS"
        assert details["limit"] == 3
        assert answer.headers["retry-after"] == str(details["retryAfterSeconds"])
        cast = await post(client, city.an, CAST, id=vote.id, choice=vote.for_, key="key")
        assert cast.json()["data"]["castBallot"]["__typename"] == "Receipt"
        other = await post(client, city.chi, CHECK_IN, id=city.meeting.id)
        assert other.json()["data"]["checkIn"]["__typename"] == "Meeting"
    assert len((await dump(city.scene.database))[Ballot.__tablename__]) == 1


# --- Sockets ------------------------------------------------------------------------------------


@ON_ONE_DATABASE
async def test_so_many_sockets_are_open_at_once_and_no_more(city: City) -> None:
    async with serving_sockets(city) as process:
        process.sockets.members = MemberLimits()
        process.sockets.members.sockets = 2
        async with (
            open_socket(process.ws, city.an.token),
            open_socket(process.ws, city.binh.token),
        ):
            async with (
                open_socket(process.ws, city.an.token),
                open_socket(process.ws) as third,
            ):
                await third.send("connection_init", payload={"token": city.an.token})
                assert (await third.closed())[0] == TOO_MANY_SOCKETS
            async with open_socket(process.ws, city.an.token) as again:
                await again.send("ping")
                assert (await again.receive())["type"] == "pong"


@ON_ONE_DATABASE
async def test_so_many_different_subscriptions_are_open_at_once(city: City) -> None:
    async with serving_sockets(city) as process:
        limits = process.sockets.members = MemberLimits()
        limits.subscriptions = 3
        async with open_socket(process.ws, city.an.token) as socket:
            for number in range(3):
                document = WATCH.replace("ALIAS", f"a{number}")
                for tab in "ab":  # the same one twice counts once
                    await socket.subscribe(f"{number}{tab}", document, id=str(city.meeting.id))
                    await socket.next(f"{number}{tab}")
            fourth = WATCH.replace("ALIAS", "b")
            await socket.subscribe("4", fourth, id=str(city.meeting.id))
            message = await socket.message("4")
            (error,) = message["payload"]
            assert error["extensions"]["reason"] == "TOO_MANY_REQUESTS"
            assert error["extensions"]["details"]["limit"] == 3
            await socket.send("complete", id="0a")
            await socket.send("complete", id="0b")
            await socket.subscribe("5", fourth, id=str(city.meeting.id))
            await socket.next("5")
        await eventually(lambda: not limits._followed)


@ON_ONE_DATABASE
async def test_over_a_socket_the_refusal_ends_the_operation_and_nothing_else(city: City) -> None:
    async with serving_sockets(city) as process:
        limits = process.sockets.members = MemberLimits()
        async with open_socket(process.ws, city.an.token) as socket:
            await spend_all(limits, city.an.id, QUERY)
            limits._work.spend(city.an.id, asyncio.get_running_loop().time(), WORK.size)
            for number in range(MAXIMUM_OPERATIONS):
                await socket.subscribe(str(number), QUERY, id=str(city.meeting.id))
            for number in range(MAXIMUM_OPERATIONS):
                message = await socket.message(str(number))
                assert message["payload"][0]["extensions"]["reason"] == "TOO_MANY_REQUESTS"
        async with open_socket(process.ws, city.binh.token) as socket:
            assert await socket.ask(QUERY, id=str(city.meeting.id))


# --- Turns --------------------------------------------------------------------------------------


def test_the_first_execution_after_a_rest_never_waits_and_then_shares_are_kept() -> None:
    shares = Shares()
    assert shares.take("An", 10_000, now=0.0) == 0.0
    waits = [shares.take("An", 10_000, now=0.0) for _ in range(3)]
    assert waits == sorted(waits)
    assert waits[-1] > 3 * 10_000 / COST_A_SECOND - 2 * AHEAD
    assert shares.take("Bình", 10_000, now=0.0) == 0.0
    assert shares.take("An", 10_000, now=60.0) == 0.0


def test_a_page_that_is_pushed_to_four_times_a_second_waits_for_nothing() -> None:
    shares = Shares()
    for moment in range(100):
        for _ in range(3):  # its subscriptions
            assert shares.take("An", 450, now=moment / 4) <= AHEAD


@ON_ONE_DATABASE
async def test_a_group_is_one_member_s_own_until_another_joins_it(city: City) -> None:
    shared = context_of(city.nobody)
    live = Live(shared, push_each)
    operation = read_operation(WATCH.replace("ALIAS", "x"), None)
    assert operation is not None

    class Page:
        def push(self, state: bytes) -> None: ...

        def end(self, error: object) -> None: ...

    pages = []
    for person in (city.an, city.an, city.binh):
        access = await finding(context_of(person))()
        assert access is not None
        plan = await live.plan(access, operation, {"id": str(city.meeting.id)})
        pages.append(Page())
        group = live.join(plan, pages[-1], person.id)
        assert group.owner == (city.an.id if person is city.an else None)
    group.leave(pages[-1])
    assert group.owner == city.an.id
    await live.stop()
    await shared.release()
