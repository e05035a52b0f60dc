"""Two workers that write ballots of the same members at once do not block each other, and one that
waited for a closing sees it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import Integer, Text, text

from models.database import Database, WriteSession
from models.driver.hot_statements import Statement
from models.locks import hold_alone
from models.votes.ballot_box import NewBallot, put_ballots
from models.votes.closing import flip_to_closed
from rules.votes.ballots import Judged, Validity
from rules.votes.rule_sets import RuleSet, Secrecy
from tests.support.factories import ORDINARY, City, Person, VoteIds
from tests.support.voting import HIDDEN, open_motion

ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
"""SQLite has one writer at a time."""


def ballot_of(person: Person, vote: VoteIds) -> NewBallot:
    judged = Judged(Validity.VALID, (vote.for_,))
    return NewBallot(person.id, person.signed_in.session_id, str(uuid4()), judged)


class OneTransaction:
    """In place of a `Database`, so that what is put is not committed yet."""

    dialect = "postgresql"

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    async def look(self, statement: Statement, parameters: dict[str, Any]) -> Any:
        return (await self._session.execute(statement.built, parameters)).all()


async def somebody_waits(database: Database) -> None:
    """Until a statement waits for what another transaction holds."""
    async with asyncio.timeout(10):
        while await database.look(_WAITING, {}) == [(0,)]:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


_WAITING = Statement(
    text(
        "SELECT count(*) AS waiting FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    ).columns(waiting=Integer())
)


@ON_POSTGRESQL
async def test_the_order_in_which_ballots_arrive_does_not_matter(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    low, high = sorted((city.an, city.binh), key=lambda person: person.id)

    async def put(database: Database, *people: Person) -> int:
        new = [ballot_of(person, vote) for person in people]
        taken = await put_ballots(database, vote.id, Secrecy.OPEN, new)
        return sum(one is not None for one in taken)

    async with city.scene.database.writing() as session:
        uncommitted = cast("Database", OneTransaction(session))
        assert await put(uncommitted, low) == 1
        other = asyncio.create_task(put(city.scene.database, high, low))
        await somebody_waits(city.scene.database)  # for the ballot that is not committed yet
        assert await put(uncommitted, high) == 1
        await session.commit()
    assert await other == 0


@pytest.fixture(params=["repeatable read", "serializable"])
async def worker(city: City, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """Another worker's database, where the server's default is not what we rest on."""
    url = city.scene.database.engine.url
    default = f'ALTER DATABASE "{url.database}" {{}} default_transaction_isolation'
    async with city.scene.database.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"{default.format('SET')} = '{request.param}'")
    worker = Database(url.render_as_string(hide_password=False))
    yield worker
    await worker.dispose()
    async with city.scene.database.writer_engine.begin() as connection:
        await connection.exec_driver_sql(default.format("RESET"))


@ON_POSTGRESQL
@pytest.mark.parametrize("rule", [ORDINARY, HIDDEN], ids=["open", "unattributed"])
async def test_who_waited_for_a_closing_sees_it_whatever_the_server_s_default(
    city: City, worker: Database, rule: RuleSet
) -> None:
    isolation = Statement(text("SHOW transaction_isolation").columns(transaction_isolation=Text()))
    assert await worker.look(isolation, {}) == [("read committed",)]
    vote = await open_motion(city, rule)
    async with city.scene.database.writing() as session:
        await hold_alone(session, vote.id)
        ballots = [ballot_of(city.an, vote)]
        late = asyncio.create_task(put_ballots(worker, vote.id, rule.secrecy, ballots))
        await somebody_waits(city.scene.database)  # for the lock
        assert not late.done()
        assert await flip_to_closed(session, vote.id)
        await session.commit()
    assert await late == [None]
