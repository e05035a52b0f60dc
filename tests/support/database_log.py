"""What the database holds, and which statements it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import patch

from sqlalchemy import event

from models.base import Base
from models.database import Database
from models.driver.direct_pool import Line
from models.driver.hot_statements import Rows, Statement


async def dump(database: Database) -> dict[str, list[str]]:
    """Every row of every table as the database stores it."""
    async with database.engine.connect() as connection:
        return {
            table.name: sorted(
                repr(tuple(row))
                for row in await connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')  # noqa: S608
            )
            for table in Base.metadata.sorted_tables
        }


@asynccontextmanager
async def unchanged(database: Database) -> AsyncIterator[None]:
    """Whatever happens in the block changes nothing in the database."""
    before = await dump(database)
    yield
    assert await dump(database) == before


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The SQL statements that the database is given meanwhile."""
    seen: list[str] = []
    with seeing_statements(database, seen.append):
        yield seen


@contextmanager
def seeing_statements(database: Database, see: Callable[[str], None]) -> Iterator[None]:
    """Each SQL statement is shown before it runs, whichever way it goes."""
    fetch = Line.fetch

    async def see_and_fetch(line: Line, statement: Statement, parameters: Any) -> Rows:
        if line.connection.sync_engine.pool is database.engine.sync_engine.pool:
            see(statement.text)
        return await fetch(line, statement, parameters)

    with (
        listening(database, "before_cursor_execute", lambda *about: see(about[2])),
        patch.object(Line, "fetch", see_and_fetch),
    ):
        yield


@contextmanager
def commits(database: Database) -> Iterator[list[Any]]:
    """The transactions that are committed meanwhile, those included that are a single call."""
    seen: list[Any] = []
    with listening(database, "commit", seen.append), statements(database) as executed:
        yield seen
    seen += filter(is_put, executed)


def is_put(statement: str) -> bool:
    """Does it put ballots into the box and commit them, as one call on PostgreSQL does?"""
    return "put_ballots(" in statement or "put_papers(" in statement


@contextmanager
def listening(database: Database, name: str, listener: Callable[..., Any]) -> Iterator[None]:
    event.listen(database.engine.sync_engine, name, listener)
    try:
        yield
    finally:
        event.remove(database.engine.sync_engine, name, listener)
