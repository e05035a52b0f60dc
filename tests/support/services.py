"""Real PostgreSQL and Valkey for tests and benchmarks, without root and without Docker.

    with postgresql() as url:
        database = create_database(url)

Looked for in this order: TEST_DATABASE_URL and TEST_REDIS_URL (a server of yours), an installed
program, the wheel in the development group. TEST_POSTGRESQL and TEST_VALKEY, `installed` or
`wheel`, force one of the last two. Nothing is skipped: without a server there is an error that
says what to install.

A server started here listens on 127.0.0.1 only, keeps everything in one temporary folder, and is
gone with that folder when its `with` ends. Start it from the main thread: on Linux the kernel
stops it when the thread that started it dies, so that a killed test run leaves no server behind.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.own_server import used
from tests.support.postgresql_server import PostgreSQL
from tests.support.valkey_server import Valkey, ValkeyCluster

_created_databases: list[str] = []


@contextmanager
def postgresql(durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server; gives the URL of its maintenance database.

    With `durable`, a server started here flushes every commit to the disk (fsync on), which
    tests of durability need; other tests are faster without.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        used["PostgreSQL at TEST_DATABASE_URL"] = None
        try:
            yield make_url(url).set(drivername="postgresql+asyncpg").render_as_string(False)
        finally:
            while _created_databases:
                _execute(url, f"DROP DATABASE IF EXISTS {_created_databases.pop()} WITH (FORCE)")
    else:
        with PostgreSQL(durable) as server:
            yield server.url


@contextmanager
def valkey_cluster() -> Iterator[str]:
    """Three Valkey servers of one cluster; gives the URL that names them all."""
    with ValkeyCluster() as cluster:
        yield cluster.url


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey (or Redis) server; gives its URL."""
    if url := os.environ.get("TEST_REDIS_URL"):
        used["Valkey at TEST_REDIS_URL"] = None
        yield url
    else:
        with Valkey() as server:
            yield server.url


def create_database(url: str) -> str:
    """A new empty database on the server of `url`; gives the new database's URL.

    It blocks for about a tenth of a second and may be called inside a running event loop.
    """
    name = f"test_{uuid4().hex}"
    _execute(url, f"CREATE DATABASE {name}")
    _created_databases.append(name)
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def describe() -> str:
    """The servers used so far, for the summary: `PostgreSQL 15.18 (installed), Valkey …`."""
    return ", ".join(used)


def _execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction, in a thread, where no event loop is running."""

    async def execute() -> None:
        driver = make_url(url).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(driver, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, execute()).result()
