"""Ballots stand back for a moment when somebody begins to close their vote, and so does whatever
else comes in; for no longer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest

from models import migrate
from models.database import Database
from models.votes.ballot_box import CastBallot, put_ballots
from resolvers.votes import cast as casting
from resolvers.votes import right_of_way
from resolvers.votes.cast import Casting
from resolvers.votes.right_of_way import RightOfWay
from server.asgi import create_app
from server.settings import Settings
from tests.support.asking import PATIENCE, act, eventually, execute
from tests.support.factories import ORDINARY, City, context_of
from tests.support.voting import cast, open_motion, reason, vote_after

MOMENT = 0.2  # seconds
CLOSE = "mutation ($vote: ID!) { closeVote(voteId: $vote) { __typename } }"


async def test_ballots_wait_for_a_closing_that_begins_and_get_in_when_it_fails(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", MOMENT)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)

    async def fail(*arguments: Any) -> None:
        raise ConnectionError

    asked = time.monotonic()
    with monkeypatch.context() as broken:
        broken.setattr("resolvers.votes.votes.close_held_vote", fail)
        result = await execute(context_of(city.hanh), CLOSE, vote=str(vote.id))
        assert result.errors
    await cast(city.binh, vote, vote.for_)
    assert time.monotonic() - asked >= MOMENT


async def test_nobody_waits_for_who_may_not_close_the_vote(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", 3_600.0)
    monkeypatch.setattr(right_of_way, "AT_MOST", 3_600.0)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    for person, why in ((city.an, "NOT_ALLOWED"), (city.yen, "NOT_FOUND")):
        assert await reason(person, "closeVote", voteId=vote.id) == why
        assert context_of(person).service(Casting).right_of_way.is_free
    async with asyncio.timeout(PATIENCE):
        await cast(city.binh, vote, vote.for_)


async def test_a_ballot_that_is_being_written_is_answered_when_way_was_made(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", MOMENT)
    vote = await open_motion(city, ORDINARY)
    shared = context_of(city.binh).service(Casting)
    asked = 0.0

    async def put_amid_a_closing(*arguments: Any) -> list[CastBallot | None]:
        nonlocal asked
        taken = await put_ballots(*arguments)
        asked = time.monotonic()
        with shared.making_way(vote.id):
            return taken

    monkeypatch.setattr(casting, "put_ballots", put_amid_a_closing)
    await cast(city.binh, vote, vote.for_)
    assert time.monotonic() - asked >= MOMENT


async def test_ballots_that_waited_for_the_closing_are_told_of_it(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    way = context_of(city.hanh).service(Casting).right_of_way
    closing = asyncio.create_task(vote_after(city.hanh, "closeVote", vote))
    await eventually(lambda: not way.is_free)
    ballot = {"voteId": vote.id, "choices": [vote.for_], "key": "key"}
    late = await act(context_of(city.binh), "castBallot", **ballot)
    assert ((await closing)["tally"]["cast"], late["reason"]) == (1, "VOTE_CLOSED")


async def test_way_is_made_again_only_after_a_while(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_EVERY", 3_600.0)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    with context_of(city.hanh).service(Casting).making_way(vote.id):
        pass
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", 3_600.0)
    with context_of(city.hanh).service(Casting).making_way(vote.id):
        async with asyncio.timeout(PATIENCE):
            await cast(city.binh, vote, vote.for_)


# --- Whatever else comes in ---------------------------------------------------------------------


async def test_requests_wait_until_whoever_has_the_right_of_way_is_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(right_of_way, "AT_MOST", 3_600.0)
    url = f"sqlite+aiosqlite:///{tmp_path}/meetings.db"
    database = Database(url)
    await migrate.upgrade(database)
    await database.dispose()
    app = create_app(Settings(database_url=url))
    transport = httpx2.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://test") as client,
    ):
        with app.state.right_of_way.taken():
            asked = asyncio.create_task(client.get("/healthz"))
            _, waiting = await asyncio.wait([asked], timeout=MOMENT)
            assert waiting
        async with asyncio.timeout(PATIENCE):
            assert (await asked).status_code == 200


async def test_a_closing_has_the_right_of_way_and_gives_it_back(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    way = context_of(city.hanh).service(Casting).right_of_way
    closing = asyncio.create_task(vote_after(city.hanh, "closeVote", vote))
    await eventually(lambda: not way.is_free)
    async with asyncio.timeout(PATIENCE):
        await way.until_free()
    await closing


async def test_nobody_waits_longer_than_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "AT_MOST", 0.01)
    way = RightOfWay()
    with way.taken():
        assert not way.is_free
        async with asyncio.timeout(PATIENCE):
            await way.until_free()


async def test_who_has_just_waited_does_not_wait_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "FREE_BETWEEN", 3_600.0)
    way = RightOfWay()
    with way.taken():
        pass
    async with asyncio.timeout(PATIENCE):
        await way.until_free()
    with way.taken():
        assert way.is_free


async def test_of_two_at_once_the_first_one_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "AT_MOST", 3_600.0)
    way = RightOfWay()
    with way.taken():
        with way.taken():
            pass
        await asyncio.sleep(2 * right_of_way.AFTERWARDS)
        assert not way.is_free


async def test_who_fails_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(right_of_way, "AT_MOST", 3_600.0)
    way = RightOfWay()
    with pytest.raises(RuntimeError), way.taken():
        raise RuntimeError
    async with asyncio.timeout(PATIENCE):
        await way.until_free()
