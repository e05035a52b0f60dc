"""Bringing a database to today's tables, and checking that it is there."""

from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from models.database import Database
from models.installed import install as installed

MIGRATIONS = Path(__file__).parent / "migrations"


async def upgrade(database: Database) -> None:
    """Apply what is missing. Safe to call from several processes: the first one works."""

    def to_head(config: Config) -> None:
        connection = config.attributes["connection"]
        if not is_at_head(connection):
            installed.remove(connection)  # SQLite renames no table that a trigger names
            command.upgrade(config, "head")
        installed.install(connection)

    await _run(database, to_head)


async def downgrade(database: Database, revision: str) -> None:
    """Take migrations back as far as a revision, or to `base`. No guard is there until `upgrade`:
    today's name columns that earlier tables have not."""

    def to_revision(config: Config) -> None:
        installed.remove(config.attributes["connection"])
        command.downgrade(config, revision)

    await _run(database, to_revision)


async def check(database: Database) -> None:
    """Raises alembic.util.CommandError when the tables differ from the models."""
    await _run(database, command.check)


async def check_reached(database: Database) -> None:
    """Raises LookupError when a migration is missing. Writes nothing."""

    def compare(connection: Connection) -> None:
        if not is_at_head(connection):
            raise LookupError("the database is not migrated; run: branch-meetings migrate")

    async with database.engine.connect() as connection:
        await connection.run_sync(compare)


def is_at_head(connection: Connection) -> bool:
    reached = MigrationContext.configure(connection).get_current_revision()
    return reached == ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def new_revision(database: Database, message: str) -> None:
    """Write a migration for what the models have and the database has not."""

    def revise(config: Config) -> None:
        number = len(list((MIGRATIONS / "versions").glob("*.py"))) + 1
        command.revision(config, message, autogenerate=True, rev_id=f"{number:04d}")

    await _run(database, revise)


async def _run(database: Database, step: Callable[[Config], None]) -> None:
    def with_connection(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            # Alembic has no lock of its own; a second process waits and finds nothing to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7306086967)")
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        step(config)

    async with database.writer_engine.begin() as connection:
        await connection.run_sync(with_connection)
