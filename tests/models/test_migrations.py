"""Migrations bring an empty database to today's tables, back, and together."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text
from sqlalchemy.util import greenlet_spawn

from models import Base, database
from models.database import Database
from models.migrate import MIGRATIONS, check, check_reached, downgrade, upgrade
from tests.support import services
from tests.support.database_log import dump
from tests.support.factories import City

BOTH = pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
POSTGRESQL = pytest.mark.parametrize("empty_url", ["postgresql"], indirect=True)


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any table."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/meetings.db"
    return services.create_database(request.getfixturevalue("postgresql_server"))


@pytest.fixture
async def bare(empty_url: str) -> AsyncIterator[Database]:
    one = Database(empty_url)
    yield one
    await one.dispose()


async def tables(database: Database) -> set[str]:
    def names(connection: Connection) -> set[str]:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}

    async with database.engine.connect() as connection:
        return await connection.run_sync(names)


async def triggers(database: Database) -> set[str]:
    """With the tables that they are on."""
    statement = {
        "sqlite": "SELECT tbl_name || '.' || name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgrelid::regclass || '.' || tgname FROM pg_trigger"
        " WHERE NOT tgisinternal",
    }[database.dialect]
    async with database.engine.connect() as connection:
        return set(await connection.scalars(text(statement)))


@BOTH
async def test_an_empty_database_comes_to_today_s_tables(bare: Database) -> None:
    await upgrade(bare)
    assert await tables(bare) == set(Base.metadata.tables)
    await check(bare)
    await check_reached(bare)


@BOTH
async def test_upgrading_twice_is_the_same_as_once(bare: Database) -> None:
    await upgrade(bare)
    await upgrade(bare)
    await check(bare)


@BOTH
async def test_down_to_nothing_and_up_again(bare: Database) -> None:
    await upgrade(bare)
    await downgrade(bare, "base")
    assert await tables(bare) == set()
    await upgrade(bare)
    await check(bare)


@BOTH
async def test_every_migration_can_be_taken_back_and_made_again(bare: Database) -> None:
    await upgrade(bare)
    of_today = await triggers(bare)
    assert of_today
    *earlier, _ = reversed(list(ScriptDirectory(str(MIGRATIONS)).walk_revisions()))
    for migration in reversed(earlier):
        await downgrade(bare, migration.revision)
        with pytest.raises(LookupError, match="branch-meetings migrate"):
            await check_reached(bare)
        await upgrade(bare)
        await check(bare)
        assert await triggers(bare) == of_today, migration.revision


@BOTH
async def test_the_check_finds_a_table_that_is_not_today_s(bare: Database) -> None:
    await upgrade(bare)
    async with bare.writer_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE member ADD COLUMN nickname VARCHAR(20)"))
    with pytest.raises(CommandError, match="nickname"):
        await check(bare)


@BOTH
async def test_a_database_without_migrations_is_told_from_one_with_all(bare: Database) -> None:
    with pytest.raises(LookupError, match="branch-meetings migrate"):
        await check_reached(bare)
    assert await tables(bare) == set()
    await upgrade(bare)
    await check_reached(bare)


async def test_upgrading_keeps_what_is_there(city: City) -> None:
    before = await dump(city.scene.database)
    await upgrade(city.scene.database)
    assert await dump(city.scene.database) == before


@BOTH
async def test_several_tasks_that_migrate_at_once_all_succeed(empty_url: str) -> None:
    databases = [Database(empty_url) for _ in range(4)]
    await asyncio.gather(*map(upgrade, databases))
    await check(databases[0])
    await asyncio.gather(*(database.dispose() for database in databases))


class LockedFile:
    """The cursor of somebody who comes to a new file when others do."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def execute(self, statement: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise sqlite3.OperationalError("database is locked")


async def test_who_comes_to_a_new_file_with_others_tries_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(database, "WAL_PAUSES", (0.0, 0.0))
    await greenlet_spawn(database.keep_write_ahead_log, LockedFile(refusals=2))
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        await greenlet_spawn(database.keep_write_ahead_log, LockedFile(refusals=3))


@POSTGRESQL
async def test_several_processes_that_migrate_at_once_all_succeed(
    bare: Database, empty_url: str
) -> None:
    program = (
        "import asyncio, sys; from models.database import Database;"
        " from models.migrate import upgrade; asyncio.run(upgrade(Database(sys.argv[1])))"
    )
    processes = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            program,
            empty_url,
            cwd=Path(__file__).parent.parent.parent,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = await asyncio.gather(*(process.communicate() for process in processes))
    assert [process.returncode for process in processes] == [0, 0, 0], said
    await check(bare)


@BOTH
async def test_a_migration_that_fails_leaves_nothing_behind(
    bare: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("alembic.op.create_index", fail)
        with pytest.raises(RuntimeError, match="disk"):
            await upgrade(bare)
    assert await tables(bare) == set()
    await upgrade(bare)
    await check(bare)
