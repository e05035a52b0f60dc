"""What is installed beside the tables: functions (PostgreSQL) and guards, which are code.

A migration changes tables, and takes this away before and puts it in again afterwards, as it is
today: a table that SQLite builds anew has its guards, and no guard stands in a migration's way.
"""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, text

from models.installed import functions as functions
from models.installed import guards as guards

NOTES = (
    "note_access_of_member",
    "note_access_of_session",
    "note_access_of_place",
    "note_access_of_moved_unit",
)
"""Trigger functions of migrations, which are as safe as ours from here on."""


def install(connection: Connection) -> None:
    """Put in what is not there, or there as an earlier version has it."""
    if connection.dialect.name == "postgresql":
        _install_on_postgresql(connection)
    else:
        _install_on_sqlite(connection)


def remove(connection: Connection) -> None:
    """Take the guards away, and their functions."""
    if connection.dialect.name != "postgresql":
        for name in _guards_on_sqlite(connection):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        return
    for trigger in connection.execute(_GUARDS).all():
        connection.exec_driver_sql(f"DROP TRIGGER {trigger.name} ON {trigger.table_name}")
    for function in connection.scalars(_GUARD_FUNCTIONS).all():
        connection.exec_driver_sql(f"DROP FUNCTION {function}")


_GUARDS = text(
    "SELECT tgname AS name, tgrelid::regclass::text AS table_name, tgenabled = 'O' AS is_on"
    " FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
    r" WHERE tgname LIKE 'guard\_%' AND relnamespace = current_schema()::regnamespace"
)
_GUARD_FUNCTIONS = text(
    "SELECT oid::regprocedure::text FROM pg_proc"
    r" WHERE proname LIKE 'guard\_%' AND pronamespace = current_schema()::regnamespace"
)
_COMMENT = text("SELECT obj_description(to_regproc('sweep_papers'), 'pg_proc')")


def _install_on_postgresql(connection: Connection) -> None:
    name = connection.scalar(text("SELECT current_schema()"))
    schema = connection.dialect.identifier_preparer.quote(str(name))
    triggers = list(guards.on_postgresql(schema))
    statements = [*functions.functions(schema), *triggers, *_closing(schema)]
    version = hashlib.sha256("\n".join(statements).encode()).hexdigest()
    if connection.scalar(_COMMENT) == version and _has_all(connection, triggers):
        return  # nobody who votes waits for it
    remove(connection)
    for statement in (*statements, f"COMMENT ON FUNCTION {schema}.sweep_papers IS '{version}'"):
        connection.exec_driver_sql(statement)
    ours = (*functions.FUNCTIONS, *connection.scalars(_GUARD_FUNCTIONS).all())
    for function in ours:
        connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")


def _closing(schema: str) -> list[str]:
    """What the functions of migrations need."""
    names = [f"{schema}.{function}()" for function in ("refuse_change", *NOTES)]
    path = f"pg_catalog, {schema}, pg_temp"
    return [
        *(f"ALTER FUNCTION {name} SET search_path = {path}" for name in names),
        *(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC" for name in names),
    ]


def _has_all(connection: Connection, statements: Sequence[str]) -> bool:
    wanted = sum(statement.startswith("CREATE TRIGGER") for statement in statements)
    return [trigger.is_on for trigger in connection.execute(_GUARDS)] == [True] * wanted


def _install_on_sqlite(connection: Connection) -> None:
    wanted = dict(guards.on_sqlite())
    if _guards_on_sqlite(connection) == wanted:
        return
    remove(connection)
    for statement in wanted.values():
        connection.exec_driver_sql(statement)


def _guards_on_sqlite(connection: Connection) -> dict[str, str]:
    rows = connection.execute(
        text(
            r"SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE :like"
        ).bindparams(like="%_guard_%")
    )
    return {row.name: row.sql for row in rows}
