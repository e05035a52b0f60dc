"""The database: bring it to today's tables, or delete the embedded one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.common import console, demo_settings, fail, with_database
from server.settings import read_settings

if TYPE_CHECKING:
    from models.database import Database


def reset() -> None:
    """Delete the embedded database, so that the next run starts afresh."""
    from sqlalchemy.engine import make_url

    settings = demo_settings()
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        fail("reset only deletes the embedded SQLite database; drop yours with its own tools")
    for suffix in ("", "-wal", "-shm"):
        Path(url.database + suffix).unlink(missing_ok=True)
    console.print("The demo is gone. [bold]make run[/] makes a new one.")


def migrate(
    check: Annotated[bool, typer.Option(help="Only tell whether models and tables agree.")] = False,
    new: Annotated[str, typer.Option(help="Write a migration with this title.")] = "",
    grant: Annotated[
        str, typer.Option(help="Give this PostgreSQL role the rights to serve, and no others.")
    ] = "",
) -> None:
    """Bring the database to today's tables."""
    from models import migrate as migrations
    from models import rights

    settings = read_settings()

    async def work(database: Database) -> None:
        await migrations.upgrade(database)
        if check:
            await migrations.check(database)
        if new:
            await migrations.new_revision(database, new)
        if grant:
            for left in await rights.grant(database, grant):
                print(f"branch-meetings: could not take away: {left}", file=sys.stderr)  # noqa: T201

    with_database(settings, work)
