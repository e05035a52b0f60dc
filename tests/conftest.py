"""Fixtures for all tests. A server is started by the first test that asks for it."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from tests import services


def pytest_configure() -> None:
    # A terminated run then ends like an interrupted one: fixtures stop the servers they started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)


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
