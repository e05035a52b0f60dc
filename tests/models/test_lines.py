"""Statements that go to the driver itself, and the connections that they go through."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Callable, Coroutine, Generator
from datetime import UTC, datetime
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import DateTime, Integer, Uuid, bindparam, func, literal, select, text, update
from sqlalchemy.exc import (
    DBAPIError,
    OperationalError,
    ResourceClosedError,
    StatementError,
    UnboundExecutionError,
)

from models.base import database_clock
from models.database import Database, WriteSession
from models.driver.hot_statements import Statement, among, columns_of
from models.meetings.meetings import Meeting
from models.register.units import Member
from models.votes.votes import Vote
from rules.meetings.meetings import VoteState
from rules.register.members import Standing
from tests.support.asking import eventually
from tests.support.factories import City

ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

MEMBER = Member.metadata.tables["member"]
ONE = Statement(select(literal(1, Integer).label("one")))
SLEEPING = Statement(text("SELECT pg_sleep(:seconds) IS NULL AS over").columns(over=Integer()))
WHO = Statement(text("SELECT pg_backend_pid() AS pid").columns(pid=Integer()))
NAME = Statement(select(Member.name).where(Member.id == bindparam("member", type_=Uuid())))
RENAME = Statement(
    update(MEMBER)
    .where(MEMBER.c.id == bindparam("member", type_=Uuid()))
    .values(name=bindparam("new"))
    .returning(MEMBER.c.name)
)


@pytest.mark.parametrize("entity", [Vote, Meeting, Member])
async def test_rows_are_those_that_sqlalchemy_gives(city: City, entity: Any) -> None:
    database, key = city.scene.database, entity.__table__.c.id
    async with database.snapshot() as session:
        loaded = {one.id: one for one in await session.scalars(select(entity))}
        statement = Statement(select(*columns_of(entity)).where(among(key, "keys")))
        assert loaded
        for keys in ([], [uuid4()], list(loaded), [*loaded, uuid4(), *loaded]):
            rows = await session.fetch(statement, {"keys": keys})
            assert rows == await database.look(statement, {"keys": keys})
            assert {row.id for row in rows} == loaded.keys() & set(keys)
            for row in rows:
                for name, value in row._asdict().items():
                    told = getattr(loaded[row.id], name)
                    assert (type(value), value) == (type(told), told), name
                assert entity(**row._asdict()).id == row.id


async def test_parameters_and_constants_are_as_their_types_have_them(city: City) -> None:
    moment = bindparam("moment", type_=Vote.opened_at.type)
    statement = Statement(
        select(
            literal(VoteState.OPEN, Vote.state.type).label("state"),
            (database_clock() > moment).label("is_later"),
            bindparam("state", type_=Vote.state.type).label("given"),
        )
    )
    then = datetime(2026, 11, 1, 19, tzinfo=UTC)
    parameters = {"moment": then, "state": VoteState.CLOSED}
    (row,) = await city.scene.database.look(statement, parameters)
    assert (row.state, bool(row.is_later), row.given) == (VoteState.OPEN, True, VoteState.CLOSED)
    parameters["moment"] = then.replace(tzinfo=None)
    with pytest.raises((ValueError, StatementError), match="time zone"):
        await city.scene.database.look(statement, parameters)


@pytest.fixture
def small(city: City) -> Database:
    url = city.scene.database.engine.url.render_as_string(hide_password=False)
    return Database(url, pool_size=2)


@ON_POSTGRESQL
async def test_a_snapshot_stays_as_it_is_and_writes_nothing(city: City) -> None:
    database = city.scene.database
    count = Statement(select(func.count().label("all")).select_from(Member))
    async with database.snapshot() as session:
        before = await session.fetch(count, {})
        city.scene.member("Mới", city.branch)
        await city.scene.save()
        assert await session.fetch(count, {}) == before
        assert await session.scalar(select(func.count(Member.id))) == before[0].all
        with pytest.raises(DBAPIError, match="read-only"):
            await session.execute(text("DELETE FROM audit"))
    assert database.connections_in_use == 0
    assert (await database.look(count, {}))[0].all == before[0].all + 1


@ON_POSTGRESQL
async def test_what_fails_tells_no_parameters_and_is_not_used_again(small: Database) -> None:
    fails = Statement(select((1 / bindparam("number", type_=Integer())).label("quotient")))
    ((before,),) = await small.look(WHO, {})
    with pytest.raises(OperationalError, match="DivisionByZero") as failed:
        await small.look(fails, {"number": 0})
    assert failed.value.params is None
    ((after,),) = await small.look(WHO, {})
    assert before != after
    assert small.connections_in_use == 0
    await small.dispose()


@ON_POSTGRESQL
async def test_who_is_cancelled_leaves_nothing_behind(small: Database) -> None:
    for _ in range(5):
        waiting = [asyncio.create_task(small.look(SLEEPING, {"seconds": 60})) for _ in range(2)]
        await asyncio.sleep(0.05)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        assert await small.look(ONE, {}) == [(1,)]
    assert small.connections_in_use == 0
    await small.dispose()


@types.coroutine
def cancelling(wait: int, work: Coroutine[Any, Any, Any]) -> Generator[Any, Any, None]:
    """Do the work, and cancel this task at the wait of that number."""
    steps = work.__await__()
    for _ in range(wait):
        try:
            yield next(steps)
        except StopIteration:
            return
    task = asyncio.current_task()
    assert task is not None
    task.cancel()
    yield from steps


async def glance(database: Database) -> None:
    async with database.glance() as connection:
        await connection.execute(ONE.built)


async def look(database: Database) -> None:
    await database.look(ONE, {})


@pytest.mark.parametrize("work", [glance, look])
async def test_who_is_cancelled_at_any_wait_gives_the_connection_back(
    city: City, work: Callable[[Database], Coroutine[Any, Any, None]]
) -> None:
    async def work_until(wait: int) -> None:
        await cancelling(wait, work(city.scene.database))

    waits, is_cancelled = count(), True
    while is_cancelled:
        task = asyncio.create_task(work_until(next(waits)))
        await asyncio.wait([task])
        await eventually(lambda: city.scene.database.connections_in_use == 0)
        is_cancelled = task.cancelled()
    assert next(waits) > 2


@ON_POSTGRESQL
async def test_who_is_cancelled_while_a_snapshot_ends_leaves_nothing_behind(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:  # `snapshot` would shield the end from being cancelled
        session = await small.begin_snapshot()
        try:
            await session.fetch(ONE, {})
        finally:
            await session.close()

    await read()
    for end in ("SELECT pg_sleep(60)", "ROLLBACK"):
        monkeypatch.setattr("models.database._END_SNAPSHOT", end)
        for pause in (0.0, 0.001, 0.002, 0.05):
            reading = asyncio.create_task(read())
            for _ in range(2):
                await asyncio.sleep(pause)
                reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            async with asyncio.timeout(10):
                assert await small.look(ONE, {}) == [(1,)]
    assert small.lines_in_use == small.connections_in_use == 0
    await small.dispose()


@ON_POSTGRESQL
async def test_a_snapshot_that_is_over_reads_nothing_more(small: Database) -> None:
    async with small.snapshot() as session:
        assert await session.scalar(select(literal(1))) == 1
    with pytest.raises(ResourceClosedError):
        await session.fetch(ONE, {})
    with pytest.raises(UnboundExecutionError):
        await session.scalar(select(literal(1)))
    await session.close()
    assert small.lines_in_use == small.connections_in_use == 0
    await small.dispose()


@ON_POSTGRESQL
async def test_what_is_in_use_when_all_is_closed_is_not_kept(small: Database) -> None:
    async with small.snapshot() as session:
        await small.dispose()
        assert await session.fetch(ONE, {}) == [(1,)]
    assert await small.look(ONE, {}) == [(1,)]
    assert small.lines_in_use == small.connections_in_use == 0
    assert len(small._lines) == 1
    await small.dispose()


@ON_POSTGRESQL
async def test_a_parameter_that_is_missing_is_not_null(small: Database) -> None:
    told = Statement(select(bindparam("number", type_=Integer()).label("told")))
    assert await small.look(told, {"number": None}) == [(None,)]
    for wrong in ({}, {"nummer": 1}):
        with pytest.raises(KeyError):
            await small.look(told, wrong)
    await small.dispose()


@ON_POSTGRESQL
async def test_more_looks_than_connections_wait_for_each_other(small: Database) -> None:
    looks = (small.look(SLEEPING, {"seconds": 0.01}) for _ in range(20))
    assert await asyncio.gather(*looks) == [[(False,)]] * 20
    assert small.connections_in_use == 0
    async with small.writing() as session:  # for which some are left
        assert await session.scalar(select(literal(1))) == 1
    await small.dispose()


@ON_POSTGRESQL
async def test_connections_that_the_server_closed_are_made_anew(
    city: City, small: Database
) -> None:
    kill = Statement(
        text("SELECT pg_terminate_backend(:pid) AS is_over").columns(is_over=DateTime())
    )
    ((pid,),) = await small.look(WHO, {})
    async with small.snapshot() as session:
        await city.scene.database.look(kill, {"pid": pid})
        with pytest.raises(DBAPIError):
            await session.fetch(ONE, {})
    assert await small.look(ONE, {}) == [(1,)]
    ((pid,),) = await small.look(WHO, {})
    await city.scene.database.look(kill, {"pid": pid})
    await asyncio.sleep(0.05)  # until it is noticed
    assert await small.look(ONE, {}) == [(1,)]
    assert small.connections_in_use == 0
    await small.dispose()


# --- In transactions ----------------------------------------------------------------------------


async def begun(session: WriteSession) -> None:
    """Afterwards the session has a transaction, on PostgreSQL on the driver's connection too."""
    assert await session.scalar(select(literal(1))) == 1


@pytest.mark.parametrize("entity", [Vote, Meeting, Member])
async def test_a_transaction_too_gives_the_rows_that_sqlalchemy_gives(
    city: City, entity: Any
) -> None:
    key = entity.__table__.c.id
    statement = Statement(select(*columns_of(entity)).where(among(key, "keys")).order_by(key))
    async with city.scene.database.writing() as session:
        keys = list(await session.scalars(select(entity.id)))
        told = (await session.execute(statement.built, {"keys": keys})).all()
        rows = await session.fetch(statement, {"keys": keys})
        assert told == rows
        for one, other in zip(told, rows, strict=True):
            assert list(map(type, one)) == list(map(type, other))
            assert one._fields == other._fields


async def test_what_updates_and_returns_is_committed_with_the_transaction(city: City) -> None:
    database = city.scene.database
    values = {"member": city.an.id, "new": "Ẩn"}
    async with database.writing() as session:
        assert await session.fetch(RENAME, values) == [("Ẩn",)]  # which begins
        assert await session.fetch(RENAME, {**values, "new": "Ân"}) == [("Ân",)]
        assert await database.look(NAME, {"member": city.an.id}) == [(city.an.name,)]
        await session.commit()
        assert await session.fetch(RENAME, {**values, "new": "An"}) == [("An",)]  # the next one
        assert await session.fetch(RENAME, values) == [("Ẩn",)]
    assert await database.look(NAME, {"member": city.an.id}) == [("Ân",)]
    assert database.connections_in_use == 0


async def test_what_the_orm_has_yet_to_write_is_written_before(city: City) -> None:
    async with city.scene.database.writing() as session:
        member = await session.get_one(Member, city.an.id)
        member.name = "Ẩn"
        assert await session.fetch(NAME, {"member": city.an.id}) == [("Ẩn",)]
        other = Member(id=uuid4(), name="Mới", standing=Standing.FULL)
        session.add(other)
        assert await session.fetch(NAME, {"member": other.id}) == [("Mới",)]


@ON_POSTGRESQL
async def test_what_fails_in_a_transaction_tells_no_parameters_and_undoes_all(
    city: City, small: Database
) -> None:
    async def write_and_fail() -> None:
        async with small.writing() as session:
            await begun(session)
            await session.fetch(RENAME, {"member": city.an.id, "new": "Ẩn"})
            await session.fetch(RENAME, {"member": city.an.id, "new": ""})

    with pytest.raises(OperationalError, match="check constraint") as failed:
        await write_and_fail()
    assert failed.value.params is None
    assert await small.look(NAME, {"member": city.an.id}) == [(city.an.name,)]
    assert small.connections_in_use == 0
    await small.dispose()


@ON_POSTGRESQL
async def test_who_is_cancelled_in_a_transaction_leaves_nothing_behind(
    city: City, small: Database
) -> None:
    async def write_and_sleep(member_id: UUID) -> None:
        async with small.writing() as session:
            await begun(session)
            await session.fetch(RENAME, {"member": member_id, "new": "Ẩn"})
            await session.fetch(SLEEPING, {"seconds": 60})

    for _ in range(5):
        members = (city.an.id, city.binh.id)
        waiting = [asyncio.create_task(write_and_sleep(one)) for one in members]
        await asyncio.sleep(0.05)
        for one in waiting:
            one.cancel()
        ended = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(one) for one in ended] == [asyncio.CancelledError] * 2
        assert small.connections_in_use == 0
        async with small.writing() as session:
            await begun(session)
            assert await session.fetch(NAME, {"member": city.an.id}) == [(city.an.name,)]
            assert await session.fetch(SLEEPING, {"seconds": 0.01}) == [(False,)]
    await small.dispose()


@ON_POSTGRESQL
async def test_a_transaction_whose_connection_the_server_closed_fails_and_the_next_one_works(
    city: City, small: Database
) -> None:
    kill = Statement(text("SELECT pg_terminate_backend(:pid) AS over").columns(over=Integer()))

    async def lose_connection() -> None:
        async with small.writing() as session:
            await begun(session)
            ((pid,),) = await session.fetch(WHO, {})
            await city.scene.database.look(kill, {"pid": pid})
            await session.fetch(ONE, {})

    with pytest.raises(OperationalError):
        await lose_connection()
    async with small.writing() as session:
        await begun(session)
        assert await session.fetch(ONE, {}) == [(1,)]
    assert small.connections_in_use == 0
    await small.dispose()
