"""Fixtures for all tests. A server is started by the first test that asks for it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, settings

from models.database import Database
from models.migrate import upgrade
from realtime.feed import Feed
from tests.support import services
from tests.support.factories import City
from tests.support.tampering import empty


def pytest_configure() -> None:
    # A terminated run then ends like an interrupted one: fixtures stop the servers they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # A busy machine is no mistake.
    settings.register_profile(
        "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.load_profile("untimed")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The browser's scenes take longest: whoever runs them begins with them.
    items.sort(key=lambda item: "/web/" not in item.nodeid)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if used := services.describe():
        terminalreporter.write_line(f"Servers used: {used}")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a PostgreSQL server's maintenance database; see services.create_database."""
    with services.postgresql() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[str]:
    """The URL of a Valkey server that all tests share; choose channels of your own."""
    with services.valkey() as url:
        yield url


@pytest.fixture(scope="session")
def valkey_cluster() -> Iterator[str]:
    """The URL of three Valkey servers that share one cluster; choose channels of your own."""
    with services.valkey_cluster() as url:
        yield url


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Database:
    """A migrated SQLite file."""
    return _migrated(f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sqlite')}/meetings.db")


@pytest.fixture(scope="session")
def postgresql(postgresql_server: str) -> Database:
    """A migrated PostgreSQL database."""
    return _migrated(services.create_database(postgresql_server))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    """A migrated database without rows. Whoever took a connection has given it back."""
    database: Database = request.getfixturevalue(request.param)
    await empty(database)
    try:
        yield database
        assert database.connections_in_use == 0
    finally:
        await database.dispose()


@pytest.fixture
async def feed() -> AsyncIterator[Feed]:
    async with Feed.from_url("memory://") as feed:
        yield feed


@pytest.fixture
async def city(database: Database, feed: Feed) -> City:
    """A small city, whose first branch is meeting."""
    city = City(database, feed)
    await city.scene.save()
    return city


def _migrated(url: str) -> Database:
    async def migrate() -> Database:
        database = Database(url)
        await upgrade(database)
        await database.dispose()
        return database

    # In a thread, because this one may have an event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, migrate()).result()
