"""What several commands need: the settings, the database, and one line for who runs them."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from server.settings import Mode, Settings, read_settings

console = Console()

Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="Default: MEETINGS_PORT, or 8000.")
]


def fail(line: str) -> NoReturn:
    print(f"branch-meetings: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201
    raise SystemExit(1)


def with_port(port: int | None) -> Settings:
    settings = read_settings()
    return replace(settings, port=port) if port is not None else settings


def demo_settings(port: int | None = None) -> Settings:
    settings = with_port(port)
    if settings.mode is Mode.PRODUCTION:
        fail("there is no demo in production")
    return settings


def site_of(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def with_database(settings: Settings, work: Any) -> Any:
    """Run `work` on the database; a database that cannot be reached is one line."""
    return asyncio.run(_with_database(settings, work))


async def _with_database(settings: Settings, work: Any) -> Any:
    from alembic.util import CommandError
    from sqlalchemy.exc import DBAPIError, SQLAlchemyError

    from models.database import Database

    try:
        database = Database(settings.database_url, settings.database_pool)
    except (SQLAlchemyError, ValueError, OSError) as error:
        fail(f"MEETINGS_DATABASE_URL: {error}")
    try:
        return await work(database)
    except (OSError, OverflowError, DBAPIError) as error:
        fail(f"the database does not answer: {error.__cause__ or error}")
    except (CommandError, LookupError) as error:
        fail(str(error))
    finally:
        await database.dispose()
