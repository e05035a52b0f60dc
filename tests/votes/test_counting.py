"""Counting stays cheap while PostgreSQL has no statistics of the ballots, in their first minute."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from models.database import Database
from models.driver.hot_statements import Statement
from models.register.units import Member
from models.votes import counting as counting
from models.votes.votes import Ballot, BallotChoice, RollEntry
from resolvers.votes import roll
from rules.register.members import Standing
from rules.votes.ballots import Validity
from tests.support.factories import City
from tests.support.tampering import tampering

MEMBERS = 300
ROWS_EACH = 40
"""That all steps of a plan together may touch for each ballot. To compare each with each other one
would be hundreds."""


FRESH = ("ballot", "ballot_choice", "roll_entry")


@asynccontextmanager
async def without_statistics(database: Database) -> AsyncIterator[None]:
    """As if nobody had ever analysed the tables; and nobody does meanwhile."""
    if database.dialect == "sqlite":
        yield
        return
    async with tampering(database) as session:
        await session.execute(text(f"TRUNCATE {', '.join(FRESH)} CASCADE"))
        for table in FRESH:
            await session.execute(text(f"ALTER TABLE {table} SET (autovacuum_enabled = off)"))
    try:
        yield
    finally:
        async with tampering(database) as session:
            for table in FRESH:
                await session.execute(text(f"ALTER TABLE {table} RESET (autovacuum_enabled)"))


async def fill_box(city: City) -> None:
    for _ in range(MEMBERS):
        member, ballot, vote = uuid4(), uuid4(), city.vote
        city.scene.add(Member, id=member, name="Member", standing=Standing.FULL)
        city.scene.add(
            RollEntry,
            vote_id=vote.id,
            member_id=member,
            standing=Standing.FULL,
            is_elsewhere=False,
            is_summoned=True,
            was_present_at_opening=True,
        )
        city.scene.add(
            Ballot,
            id=ballot,
            vote_id=vote.id,
            member_id=member,
            key="key",
            validity=Validity.VALID,
            cast_at=datetime.now(UTC),
        )
        city.scene.add(BallotChoice, ballot_id=ballot, option_id=vote.for_, vote_id=vote.id)
    await city.scene.save(is_tampering=True)


def rows_touched(plan: dict[str, Any]) -> float:
    """Those that the steps gave or threw away."""
    thrown = sum(count for name, count in plan.items() if name.startswith("Rows Removed"))
    own: float = (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    return own + sum(map(rows_touched, plan.get("Plans", ())))


async def explain(database: Database, statement: Statement, values: dict[str, Any]) -> Any:
    """The plan with what its steps touched."""
    async with database._lines.one() as line:
        asked = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement.text}"
        return (await line.driver.fetchval(asked, *statement.arguments(values)))[0]["Plan"]


async def test_no_ballot_is_compared_with_every_other_one(city: City) -> None:
    async with without_statistics(city.scene.database):
        await fill_box(city)
        await count_and_explain(city)


async def count_and_explain(city: City) -> None:
    async with city.scene.database.snapshot() as session:
        counts = await counting.count_votes(session, [city.vote.id])
        assert counts[city.vote.id].of(city.vote.for_).heads == MEMBERS
        if city.scene.database.dialect == "sqlite":
            return
        votes = {"votes": [city.vote.id]}
        voters = {"vote": city.vote.id, "meeting": city.meeting.id}
        for statement, values in (
            (counting._COUNTS, votes),
            (counting._COUNTS_AND_TURNOUT, votes),
            (Statement(counting._BALLOTS), votes),
            (roll._VOTERS, voters),
        ):
            touched = rows_touched(await explain(city.scene.database, statement, values))
            assert touched < ROWS_EACH * MEMBERS, statement.text
