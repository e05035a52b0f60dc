"""Making the closed list of a column longer (`models.base.one_of`), on both databases."""

import re
from collections.abc import Collection

import sqlalchemy as sa
from alembic import op


def widen(table: str, column: str, values: Collection[str]) -> None:
    """Let the column take these values too, besides those that it takes already.

    SQLite cannot change a constraint: the table is built anew, and its triggers with it.
    """
    name = f"ck_{table}_{column}"
    if op.get_bind().dialect.name == "postgresql":
        _widen_on_postgresql(table, column, name, values)
    else:
        _widen_on_sqlite(table, name, values)


def _widen_on_postgresql(table: str, column: str, name: str, values: Collection[str]) -> None:
    definition = op.get_bind().scalar(
        sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"),
        {"name": name},
    )
    op.drop_constraint(op.f(name), table, type_="check")
    op.create_check_constraint(op.f(name), table, f"{column} IN ({_listed(definition, values)})")


def _widen_on_sqlite(table: str, name: str, values: Collection[str]) -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = :table AND sql IS NOT NULL"),
        {"table": table},
    ).all()
    (created,) = (row.sql for row in rows if row.type == "table")
    head, _, rest = created.partition(f"CONSTRAINT {name} CHECK (")
    within = re.match(r"[^(]*\(([^)]*)\)", rest)
    assert within is not None, created  # noqa: S101 - so `one_of` writes it
    listed = rest.replace(within[1], _listed(within[1], values), 1)
    changed = f"{head}CONSTRAINT {name} CHECK ({listed}"
    op.execute(re.sub(rf'^CREATE TABLE "?{table}"?', f'CREATE TABLE "{table}_anew"', changed))
    op.execute(f'INSERT INTO "{table}_anew" SELECT * FROM "{table}"')  # noqa: S608
    op.execute(f'DROP TABLE "{table}"')
    op.execute(f'ALTER TABLE "{table}_anew" RENAME TO "{table}"')
    for row in rows:
        if row.type != "table":
            op.execute(row.sql)


def _listed(before: str, more: Collection[str]) -> str:
    """The values named in a constraint and some more, quoted."""
    known = re.findall(r"'(\w+)'", before)
    return ", ".join(f"'{value}'" for value in dict.fromkeys([*known, *more]))
