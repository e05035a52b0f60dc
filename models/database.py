"""The database of one process: snapshots to read from, transactions to write in."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Executable, Row, event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.util import greenlet_spawn

DATABASE_FAILURES = (SQLAlchemyError, OSError)
"""What is raised where the database is away, or a connection broke."""


class ReadSession(AsyncSession):
    """A session on one snapshot: every statement sees the same committed state. Never writes."""


class WriteSession(AsyncSession):
    """A session in a READ COMMITTED transaction (PostgreSQL) or BEGIN IMMEDIATE (SQLite)."""


class Database:
    """Engines and session factories for one URL. Raises ValueError for a URL it cannot serve."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        if self.dialect == "sqlite":
            self.engine = _sqlite_engine(parsed)
            reading: dict[str, Any] = {}
            writing: dict[str, Any] = {}
        elif parsed.drivername == "postgresql+asyncpg":
            # Not left to the server's default: `models.locks` and `models.ballot_box` rest on it.
            settings = {"default_transaction_isolation": "read committed"}
            self.engine = create_async_engine(
                parsed,
                pool_size=pool_size,
                max_overflow=0,
                pool_use_lifo=True,  # the one used last is still in the caches
                connect_args={"server_settings": settings},
            )
            reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            writing = {"isolation_level": "READ COMMITTED"}
        else:
            raise ValueError("use sqlite+aiosqlite:// or postgresql+asyncpg://")
        self._reading = async_sessionmaker(
            self.engine.execution_options(begin="BEGIN", **reading),
            class_=ReadSession,
            expire_on_commit=False,
        )
        self._glancing = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self.writer_engine = self.engine.execution_options(begin="BEGIN IMMEDIATE", **writing)
        self._writing = async_sessionmaker(
            self.writer_engine,
            class_=WriteSession,
            expire_on_commit=False,
        )

    def snapshot(self) -> ReadSession:
        """A session whose first statement fixes what it sees. The caller closes it."""
        return self._reading()

    def writing(self) -> WriteSession:
        """A session to change rows in. The caller commits and closes it."""
        return self._writing()

    def glance(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for a single statement: it begins and ends no transaction."""
        return self._glancing.connect()

    async def look(
        self, statement: Executable, parameters: dict[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """All rows of a single statement, without a transaction of their own.

        It does in one greenlet what takes three, and a task, with `glance`. Each greenlet has a
        stack of its own, which the kernel gives and takes: that may cost more than the statement.
        """
        return await greenlet_spawn(self._look, statement, parameters)

    def _look(
        self, statement: Executable, parameters: dict[str, Any]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        with self._glancing.sync_engine.connect() as connection:
            return connection.execute(statement, parameters).all()

    async def dispose(self) -> None:
        await self.engine.dispose()


def on_postgresql(session: AsyncSession) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def insert_or_ignore(session: WriteSession, table: type[DeclarativeBase]) -> Any:
    """An insert that can say `on_conflict_do_nothing`, which each dialect spells its own way."""
    return postgresql.insert(table) if on_postgresql(session) else sqlite.insert(table)


async def insert_rows(
    session: WriteSession, table: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert the rows in one statement; none where there are none."""
    if rows:
        await session.execute(insert(table), rows)


def _sqlite_engine(url: URL) -> AsyncEngine:
    """SQLite with write-ahead log, full synchronisation, foreign keys, and explicit BEGIN."""
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine.sync_engine, "invalidate")
    def _let_go(connection: Any, record: object, error: object) -> None:
        # A statement whose caller was cancelled leaves a cursor behind. Until that is collected, it
        # would keep the closed connection's transaction, and everybody else waiting for it.
        with suppress(sqlite3.Error):
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        # Upgrading a deferred transaction to a writing one fails under contention; beginning
        # as a writer waits its turn instead.
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine
