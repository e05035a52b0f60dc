"""Changing the database past what it lets anybody do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text, update

from models.base import Base
from models.database import Database, WriteSession, on_postgresql
from models.votes.votes import Vote


async def change(database: Database, table: type[Base], *where: Any, **values: Any) -> None:
    """Change the rows, as somebody with access to the database would; a vote's row past what its
    triggers refuse."""
    async with (tampering if table is Vote else committing)(database) as session:
        await session.execute(update(table).where(*where).values(**values))


@asynccontextmanager
async def committing(database: Database) -> AsyncIterator[WriteSession]:
    async with database.writing() as session:
        yield session
        await session.commit()


async def empty(database: Database) -> None:
    """Delete every row of every table, those that are only ever inserted included."""
    tables = [table.name for table in reversed(Base.metadata.sorted_tables)]
    deletes = [f'DELETE FROM "{name}"' for name in tables]  # noqa: S608
    if database.dialect == "postgresql":  # in one go, before every test
        async with database.writer_engine.begin() as connection:
            whole = "; ".join([WITHOUT_TRIGGERS, *deletes])
            await connection.exec_driver_sql(f"DO $$ BEGIN {whole}; END $$")
        return
    async with tampering(database) as session:
        for statement in deletes:
            await session.execute(text(statement))


WITHOUT_TRIGGERS = "SET LOCAL session_replication_role = replica"
"""On PostgreSQL, by a superuser: until the transaction ends, without foreign keys as well."""


@asynccontextmanager
async def tampering(database: Database) -> AsyncIterator[WriteSession]:
    """A session that may change whatever triggers refuse: they are away meanwhile."""
    async with database.writing() as session:
        on = []
        if database.dialect == "postgresql":
            await session.execute(text(WITHOUT_TRIGGERS))
        else:
            on = await _drop_triggers(session)
        yield session
        for statement in on:
            await session.execute(text(statement))
        await session.commit()


async def drop_guards(session: WriteSession) -> None:
    """Take our triggers away until the transaction is rolled back, and leave foreign keys."""
    if on_postgresql(session):
        for table in Base.metadata.sorted_tables:
            await session.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
    else:
        await _drop_triggers(session)


async def _drop_triggers(session: WriteSession) -> list[str]:
    """On SQLite. Gives what makes them anew."""
    rows = await session.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"))
    triggers = {row.name: row.sql for row in rows}
    for name in triggers:
        await session.execute(text(f"DROP TRIGGER {name}"))
    return [sql.replace(":", r"\:") for sql in triggers.values()]
