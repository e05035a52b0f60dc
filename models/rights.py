"""The rights of the application's own role on PostgreSQL: it never changes what was cast."""

from sqlalchemy import Connection

from models.base import Base
from models.database import Database

ONLY_INSERTED = frozenset({"ballot", "ballot_choice", "cast_mark", "hand_mark", "audit"})
PAPERS = frozenset({"paper", "paper_choice"})
"""Rewritten by `rewrite_papers` alone, which runs with its owner's rights."""
WRITTEN_BY_TRIGGERS = frozenset({"access_change"})
"""Only read, and pruned; the triggers run with their owner's rights."""
ONLY_READ = frozenset({"demo_mark"})
"""Nobody makes a demo, or forgets one, where a role serves."""
FUNCTIONS = ("put_ballots", "put_papers", "rewrite_papers")
"""The first two run with the caller's rights: they let nobody do what the tables would not."""


async def grant(database: Database, role: str) -> None:
    """Give a role what serving needs and take everything else on our tables from it.

    Run as the owner of the tables, who is another role. Raises ValueError off PostgreSQL.
    """
    if database.dialect != "postgresql":
        raise ValueError("only PostgreSQL has roles")
    async with database.writer_engine.begin() as connection:
        await connection.run_sync(_grant, role)


def _grant(connection: Connection, role: str) -> None:
    name = connection.dialect.identifier_preparer.quote(role)
    for table in Base.metadata.sorted_tables:
        connection.exec_driver_sql(f"REVOKE ALL ON {table.name} FROM {name}")
        connection.exec_driver_sql(f"GRANT {_rights_on(table.name)} ON {table.name} TO {name}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {name}")
    connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {', '.join(FUNCTIONS)} TO {name}")


def _rights_on(table: str) -> str:
    if table in ONLY_INSERTED | PAPERS:
        return "SELECT, INSERT"
    if table in ONLY_READ:
        return "SELECT"
    if table in WRITTEN_BY_TRIGGERS:
        return "SELECT, DELETE"
    return "SELECT, INSERT, UPDATE, DELETE"
