"""The database of one process: snapshots to read from, transactions to write in."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import OperationalError, ResourceClosedError, SQLAlchemyError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import QueuePool
from sqlalchemy.util import await_only, greenlet_spawn

from models.driver.direct_pool import Line, Lines
from models.driver.hot_statements import Rows, Statement

DATABASE_FAILURES = (SQLAlchemyError, OSError)
"""What is raised where the database is away, or a connection broke."""

WRITE_AHEAD_LOG = "PRAGMA journal_mode = WAL"
WAL_PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # seconds

_BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_END_SNAPSHOT = "ROLLBACK"


class ReadSession(AsyncSession):
    """A session on one snapshot: every statement sees the same committed state. Never writes."""

    _lines: Lines | None = None
    _line: Line | None = None

    async def begin_on(self, lines: Lines) -> None:
        """Read on a connection of PostgreSQL's on which the driver can be asked directly, too."""
        self._lines, self._line = lines, await lines.take()
        self.sync_session.bind = self._line.connection.sync_connection
        try:
            await self._line.execute(_BEGIN_SNAPSHOT)
        except BaseException:
            await self.close()
            raise

    async def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """All rows of a statement that is known beforehand."""
        if self._lines is None:
            return (await self.execute(statement.built, dict(parameters))).all()
        if self._line is None:
            raise ResourceClosedError("This snapshot is over.")
        return await self._line.fetch(statement, parameters)

    async def close(self) -> None:
        line, self._line = self._line, None
        if self._lines is None:
            await super().close()
        elif line is not None:
            try:
                await self._end(line)
            except BaseException:
                line.spoil()  # it may still be in the transaction
                raise
            finally:
                self.sync_session.bind = None  # the line is somebody else's from now on
                await self._lines.give_back(line)

    async def _end(self, line: Line) -> None:
        if self.in_transaction():
            await super().close()
        if line.is_usable:
            with suppress(OperationalError):
                await line.execute(_END_SNAPSHOT)


class WriteSession(AsyncSession):
    """A session in a READ COMMITTED transaction (PostgreSQL) or BEGIN IMMEDIATE (SQLite)."""

    _line: Line | None = None

    async def fetch(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """All rows of a statement that is known beforehand.

        It does not autoflush as `execute` does: what the ORM has yet to write is written first.
        """
        if self.new or self.dirty or self.deleted:
            await self.flush()
        line = await self._begun_line()
        if line is None:
            return (await self.execute(statement.built, dict(parameters))).all()
        return await line.fetch(statement, parameters)

    async def close(self) -> None:
        """Roll back what was not committed. A connection on which a fetch failed or was cancelled
        is closed: the cancelling must not come so late that it hits somebody else's statement."""
        line, self._line = self._line, None
        if line is None or line.is_usable:
            await super().close()
        else:
            await self.invalidate()

    async def _begun_line(self) -> Line | None:
        """The connection, if it is PostgreSQL's and has begun its transaction, which SQLAlchemy
        does with the first statement of its own."""
        if not self.in_transaction() or not on_postgresql(self):
            return None
        if self._line is None or self._line.connection.closed:  # by the end of a transaction
            connection = await self.connection()
            raw = await connection.get_raw_connection()
            self._line = Line(connection, raw.driver_connection)
        return self._line if self._line.driver.is_in_transaction() else None


class Database:
    """Engines and session factories for one URL. Raises ValueError for a URL it cannot serve."""

    def __init__(self, url: str, pool_size: int = 10) -> None:
        parsed = make_url(url)
        self.dialect = parsed.get_backend_name()
        if self.dialect == "sqlite":
            self.engine = _sqlite_engine(parsed)
            # Nothing that has to be told the driver: whoever is cancelled meanwhile would leave
            # the connection behind, which SQLAlchemy has not yet handed to anybody.
            glancing: dict[str, Any] = {"begin": None}
            writing: dict[str, Any] = {}
        elif parsed.drivername == "postgresql+asyncpg":
            # Not left to the server's default: locks and the ballot box rest on it.
            settings = {"default_transaction_isolation": "read committed"}
            self.engine = create_async_engine(
                parsed,
                hide_parameters=True,  # of a ballot, in a log
                pool_size=pool_size,
                max_overflow=0,
                pool_use_lifo=True,  # the one used last is still in the caches
                connect_args={"server_settings": settings},
            )
            glancing = {"isolation_level": "AUTOCOMMIT"}
            writing = {"isolation_level": "READ COMMITTED"}
        else:
            raise ValueError("use sqlite+aiosqlite:// or postgresql+asyncpg://")
        self._reading = async_sessionmaker(
            self.engine.execution_options(begin="BEGIN"),
            class_=ReadSession,
            expire_on_commit=False,
        )
        self._glancing = self.engine.execution_options(**glancing)
        self._lines = Lines(self._glancing, most=pool_size // 2)
        self.writer_engine = self.engine.execution_options(begin="BEGIN IMMEDIATE", **writing)
        self._writing = async_sessionmaker(
            self.writer_engine,
            class_=WriteSession,
            expire_on_commit=False,
        )

    async def begin_snapshot(self) -> ReadSession:
        """A session whose first statement fixes what it sees. The caller closes it."""
        session = self._reading()
        if self.dialect == "postgresql":
            await session.begin_on(self._lines)
        return session

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[ReadSession]:
        """The same for the length of a block."""
        async with await self.begin_snapshot() as session:
            yield session

    def writing(self) -> WriteSession:
        """A session to change rows in. The caller commits and closes it."""
        return self._writing()

    def glance(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection for a single statement: it begins and ends no transaction."""
        return self._glancing.connect()

    async def look(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        """All rows of a single statement that is known beforehand, without a transaction of its
        own. A statement that writes is committed with it, on PostgreSQL."""
        if self.dialect == "postgresql":
            async with self._lines.one() as line:
                return await line.fetch(statement, parameters)
        return await greenlet_spawn(self._look, statement, parameters)

    def _look(self, statement: Statement, parameters: Mapping[str, Any]) -> Rows:
        # In one greenlet what takes three, and a task, with `glance`.
        with self._glancing.sync_engine.connect() as connection:
            return connection.execute(statement.built, dict(parameters)).all()

    @property
    def connections_in_use(self) -> int:
        """Connections that somebody holds."""
        pool = self.engine.sync_engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - so are all that we make
        return pool.checkedout() - len(self._lines)

    @property
    def lines_in_use(self) -> int:
        """Of these, the lines, of which there may be `most_lines`."""
        return self._lines.in_use

    @property
    def most_lines(self) -> int:
        return self._lines.most

    async def dispose(self) -> None:
        await self._lines.close()
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


def keep_write_ahead_log(cursor: Any) -> None:
    """Have SQLite's file keep a write-ahead log. Of several who come to a new file at the same
    moment, one may be told that it is locked, whatever its timeout: it tries again."""
    for pause in WAL_PAUSES:
        with suppress(sqlite3.OperationalError):
            cursor.execute(WRITE_AHEAD_LOG)
            return
        await_only(asyncio.sleep(pause))
    cursor.execute(WRITE_AHEAD_LOG)


def _sqlite_engine(url: URL) -> AsyncEngine:
    """SQLite with write-ahead log, full synchronisation, foreign keys, and explicit BEGIN."""
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, hide_parameters=True, connect_args={"timeout": 30})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, record: object) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        keep_write_ahead_log(cursor)
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA secure_delete = ON")  # papers that were swept leave no bytes
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
        if begin := connection.get_execution_options().get("begin", "BEGIN"):
            connection.exec_driver_sql(begin)

    return engine
