"""what an operator can do

Revision: 0008, after 0005

Papers of an open UNATTRIBUTED vote lie in a table of their own, `open_paper`, whose pages are
given up after the vote has closed: nothing in the files then joins who voted and what was cast
(`models.votes.sweep`). The audit chain tells of candidates who were nominated. From here on
functions and guards are no migration's: `models.installed.install` makes them.
"""

from importlib import import_module

import sqlalchemy as sa
from alembic import op
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0005"


def upgrade() -> None:
    _change_kinds("'CREATED'", "'CREATED', 'NOMINATED'")
    op.create_table(
        "open_paper",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("vote_id", sa.Uuid(), nullable=False),
        sa.Column(
            "validity",
            sa.Enum(
                "VALID",
                "BLANK",
                "INVALID",
                name="validity",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "choices",
            sa.JSON().with_variant(postgresql.JSONB(), "postgresql"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_open_paper")),
    )
    if op.get_bind().dialect.name == "postgresql":
        _move_papers("jsonb_agg(option_id)")
        for table in ("paper", "paper_choice"):  # into new files, without what was there before
            op.execute(f"CLUSTER {table} USING pk_{table}")
    else:
        _move_papers("json_group_array(option_id)")


def _move_papers(choices: str) -> None:
    """Those of votes that are open, into the table that is given up when they close."""
    is_open = "vote_id IN (SELECT id FROM vote WHERE state = 'OPEN')"
    op.execute(
        "INSERT INTO open_paper (id, vote_id, validity, choices)"  # noqa: S608
        f" SELECT id, vote_id, validity, coalesce((SELECT {choices} FROM paper_choice"
        f" WHERE paper_id = paper.id), '[]') FROM paper WHERE {is_open}"
    )
    op.execute(f"DELETE FROM paper_choice WHERE {is_open}")  # noqa: S608
    op.execute(f"DELETE FROM paper WHERE {is_open}")  # noqa: S608


def downgrade() -> None:
    """Papers of votes that are open would be lost; close those first."""
    op.drop_table("open_paper")
    _change_kinds("'CREATED', 'NOMINATED'", "'CREATED'")
    if op.get_bind().dialect.name == "postgresql":
        for name in ("put_ballots", "put_papers", "rewrite_papers"):
            op.execute(f"DROP FUNCTION {name}")
        older = import_module("models.migrations.versions.0005_cast_ballots")
        for name, put in older.FUNCTIONS.items():
            op.execute(older.FUNCTION.format(name=name, put=put))
        op.execute(import_module("models.migrations.versions.0002_append_only").REWRITE_PAPERS)


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
