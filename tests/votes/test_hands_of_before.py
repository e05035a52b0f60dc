"""Hands that were counted before each kept its option stay, through the migration and back."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from models.database import Database
from models.migrate import downgrade, upgrade
from realtime.feed import Feed
from rules.votes.record.recount import problems
from tests.support import services
from tests.support.factories import ORDINARY, City
from tests.support.voting import (
    counts,
    enter,
    export,
    look,
    open_motion,
    reason,
    turnout,
    vote_after,
)

BEFORE = import_module("models.migrations.versions.0006_hands_by_name").down_revision
BOTH = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])


@pytest.fixture
async def old_city(kind: str, feed: Feed, request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A city in a database of its own."""
    url = (
        f"sqlite+aiosqlite:///{tmp_path}/meetings.db"
        if kind == "sqlite"
        else services.create_database(request.getfixturevalue("postgresql_server"))
    )
    database = Database(url)
    await upgrade(database)
    city = City(database, feed)
    await city.scene.save()
    yield city
    await database.dispose()


async def migrate(city: City, revision: str) -> None:
    database = city.scene.database
    if revision == "head":
        await upgrade(database)
        return
    await downgrade(database, revision)
    await database.dispose()


async def execute(city: City, statement: str, **values: Any) -> Any:
    on_sqlite = city.scene.database.dialect == "sqlite"
    plain = {
        name: one.hex if on_sqlite and hasattr(one, "hex") else one for name, one in values.items()
    }
    async with city.scene.database.writer_engine.begin() as connection:
        return await connection.execute(text(statement), plain)


@BOTH
async def test_hands_of_before_are_counted_as_they_were(old_city: City) -> None:
    """An's and Bình's were counted by the version before, one for and one against."""
    city = old_city
    vote = await open_motion(city, ORDINARY)
    await migrate(city, BEFORE)
    for member in (city.an, city.binh):
        marked = "INSERT INTO hand_mark (vote_id, member_id) VALUES (:vote, :member)"
        await execute(city, marked, vote=vote.id, member=member.id)
    for option in (vote.for_, vote.against):
        summed = "INSERT INTO hand_count (option_id, vote_id, hands) VALUES (:option, :vote, 1)"
        await execute(city, summed, option=option, vote=vote.id)
    await migrate(city, "head")
    seen = await look(
        city.hanh, vote, "tally { cast byHand options { optionId count } } hands { optionId }"
    )
    assert (turnout(seen), list(counts(seen).values())) == ((2, 2), [1, 1, 0])
    assert seen["hands"] == [{"optionId": None}] * 2
    about = {"voteId": vote.id}
    for told in (
        await reason(city.an, "contestHand", **about),
        await reason(city.hanh, "takeBackHands", **about, memberIds=[city.an.id]),
    ):
        assert told == "WRONG_STATE"
    await enter(city, city.chi)
    one = {"memberIds": [city.chi.id], "hands": [{"optionId": vote.for_, "count": 1}]}
    after = await vote_after(city.hanh, "recordHands", vote, **one)
    assert (turnout(after), list(counts(after).values())) == ((3, 3), [2, 1, 0])


@BOTH
async def test_going_back_keeps_the_sums_and_what_nobody_may_change(old_city: City) -> None:
    city = old_city
    vote = await open_motion(city, ORDINARY)
    await enter(city, city.an, city.binh)
    both = {"memberIds": [city.an.id, city.binh.id], "hands": [{"optionId": vote.for_, "count": 2}]}
    await vote_after(city.hanh, "recordHands", vote, **both)
    await migrate(city, BEFORE)
    for table in ("hand_mark", "audit", "ballot"):
        await nobody_changes(city, table)
    await migrate(city, "head")
    for table in ("hand_mark", "hand_taken_back", "audit"):
        await nobody_changes(city, table)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert (turnout(closed), list(counts(closed).values())) == ((2, 2), [2, 0, 0])
    assert list(problems(await export(city, vote))) == [
        "the hands are not those that the audit chain tells"
    ]


async def nobody_changes(city: City, table: str) -> None:
    """A trigger says so to every role, for a row or none."""
    rows = (await execute(city, f"SELECT COUNT(*) FROM {table}")).scalar_one()  # noqa: S608
    if rows or city.scene.database.dialect == "postgresql":
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET vote_id = vote_id"):  # noqa: S608
            with pytest.raises(IntegrityError, match="only ever inserted"):
                await execute(city, change)
