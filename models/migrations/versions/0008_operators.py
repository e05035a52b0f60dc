"""what an operator can do

Revision: 0008, after 0005

The audit chain tells of candidates who were nominated.
"""

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    _change_kinds("'CREATED'", "'CREATED', 'NOMINATED'")


def downgrade() -> None:
    _change_kinds("'CREATED', 'NOMINATED'", "'CREATED'")


def _change_kinds(before: str, after: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        _change_check("audit", "ck_audit_kind", before, after)
    else:
        _rebuild("audit", before, after)


def _change_check(table: str, name: str, before: str, after: str) -> None:
    """Whatever else the constraint allows by now stays."""
    definition = op.get_bind().scalar(
        text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
        {"name": name},
    )
    changed = definition.replace("::character varying", "")
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {changed.replace(before, after, 1)}")


def _rebuild(table: str, before: str, after: str) -> None:
    """SQLite changes no constraint: a new table takes the rows, and the old one's triggers."""
    connection = op.get_bind()
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"),
        {"table": table},
    )
    made = {row.name: row.sql for row in rows}
    body = made.pop(table).replace(before, after, 1).partition("(")[2]
    for statement in (
        f"CREATE TABLE {table}_changed ({body}",
        f"INSERT INTO {table}_changed SELECT * FROM {table}",  # noqa: S608
        f"DROP TABLE {table}",
        f"ALTER TABLE {table}_changed RENAME TO {table}",
        *made.values(),
    ):
        connection.exec_driver_sql(statement)
