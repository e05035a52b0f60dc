"""The rights of the application's own role on PostgreSQL: what serving needs, and no more.

It never changes what was cast, puts ballots into the box through functions alone, and changes of
other rows only the columns that an act changes. docs/voting.md says what it can still do.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.base import Base
from models.database import Database

ONLY_INSERTED = frozenset(
    {
        "audit",
        "ballot",
        "ballot_choice",
        "cast_mark",
        "hand_mark",
        "hand_taken_back",
        "lot",
        "paper",
        "paper_choice",
        "recusal",
        "vote_option",
    }
)
"""Triggers refuse every UPDATE and DELETE of these, to every role."""

IN_THE_BOX = frozenset({"ballot", "ballot_choice", "cast_mark", "paper", "paper_choice"})
"""The role reads these, and puts rows into them through functions alone."""
UNSEEN = frozenset({"open_paper"})
"""The role does not even read papers of open votes, nor the transactions that wrote them."""

INSERTED = (ONLY_INSERTED - IN_THE_BOX) | {
    "attendance",
    "proxy",
    "roll_entry",
    "session",
    "suspension",
    "vote",
}
UPDATED = {
    "activation_card": "used_at",
    "agenda_item": "state",
    "attendance": "status, checked_in_at, confirmed_at, confirmed_by_id, version",
    "meeting": "state, opened_at, closed_at, chair_id, row_version",
    "member": "standing",
    "proxy": "holder_id",
    "roll_entry": "was_present_at_closing, was_excused",
    "session": "expires_at, revoked_at",
    "suspension": "reinstated_at, reinstated_by_id",
    "vote": "state, opened_at, closes_at, closed_at, outcome, published_at, annulled_at,"
    " annulment, annulment_proposed_at, annulment_proposed_by_id, proposed_annulment, row_version",
}
"""The columns that acts change, by table."""
DELETED = frozenset({"access_change", "proxy"})
"""Rows of `access_change` come from triggers, and are pruned."""

FUNCTIONS = ("put_ballots", "put_papers", "rewrite_papers", "sweep_papers")
"""What the role may call. All functions run with their owner's rights and a closed search path."""


async def grant(database: Database, role: str) -> list[str]:
    """Give a role what serving needs and take everything else on our tables from it.

    Run as the owner of the tables, who is another role. Gives a sentence for each thing that the
    role can do and should not, and that this could not take from it. Raises ValueError off
    PostgreSQL, and LookupError where there is no such role.
    """
    if database.dialect != "postgresql":
        raise ValueError("only PostgreSQL has roles")
    async with database.writer_engine.begin() as connection:
        await connection.run_sync(_grant, role)
        return await connection.run_sync(lambda sync: list(_left_over(sync, role)))


def _grant(connection: Connection, role: str) -> None:
    if (
        connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
        is None
    ):
        raise LookupError(f"PostgreSQL has no role {role}; make it first: CREATE ROLE … LOGIN")
    quote = connection.dialect.identifier_preparer.quote
    name = quote(role)
    schema, database = (
        quote(str(connection.scalar(text(f"SELECT current_{what}()"))))
        for what in ("schema", "database")
    )
    for table in Base.metadata.sorted_tables:
        connection.exec_driver_sql(f"REVOKE ALL ON {table.name} FROM PUBLIC, {name}")
        if rights := _rights_on(table.name):
            connection.exec_driver_sql(f"GRANT {rights} ON {table.name} TO {name}")
    connection.exec_driver_sql(f"GRANT SELECT ON alembic_version TO {name}")
    for function in _our_functions(connection):
        connection.exec_driver_sql(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC, {name}")
    connection.exec_driver_sql(f"GRANT EXECUTE ON FUNCTION {', '.join(FUNCTIONS)} TO {name}")
    connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
    for taken in (f"TEMPORARY, CREATE ON DATABASE {database}", f"CREATE ON SCHEMA {schema}"):
        _try(connection, f"REVOKE {taken} FROM PUBLIC, {name}")


def _rights_on(table: str) -> str:
    return ", ".join(
        [
            *(["SELECT"] if table not in UNSEEN else []),
            *(["INSERT"] if table in INSERTED else []),
            *([f"UPDATE ({UPDATED[table]})"] if table in UPDATED else []),
            *(["DELETE"] if table in DELETED else []),
        ]
    )


def _our_functions(connection: Connection) -> list[str]:
    """Those of the tables' owner, with their arguments: other people's stay as they are."""
    found = connection.scalars(
        text(
            "SELECT oid::regprocedure::text FROM pg_proc"
            " WHERE pronamespace = current_schema()::regnamespace AND proowner ="
            " (SELECT relowner FROM pg_class WHERE oid = 'vote'::regclass)"
        )
    )
    return list(found)


def _try(connection: Connection, statement: str) -> None:
    """What only the owner of the database or the schema may do."""
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(statement)
    except DBAPIError:
        return  # `_left_over` tells


_LEFT_OVER = {
    "is a superuser": "SELECT rolsuper FROM pg_roles WHERE rolname = :role",
    "may make roles": "SELECT rolcreaterole FROM pg_roles WHERE rolname = :role",
    "may make databases": "SELECT rolcreatedb FROM pg_roles WHERE rolname = :role",
    "reads the log of all changes (REPLICATION)": (
        "SELECT rolreplication FROM pg_roles WHERE rolname = :role"
    ),
    "can act as the tables' owner: REVOKE that membership": (
        "SELECT pg_has_role(CAST(:role AS name), relowner, 'MEMBER') FROM pg_class"
        " WHERE oid = 'vote'::regclass"
    ),
    "can act as a role that reads or writes files, runs programs, or reads or writes all tables": (
        "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = ANY (ARRAY['pg_read_server_files',"
        " 'pg_write_server_files', 'pg_execute_server_program', 'pg_read_all_data',"
        " 'pg_write_all_data', 'pg_maintain', 'pg_create_subscription', 'pg_database_owner'])"
        " AND pg_has_role(CAST(:role AS name), oid, 'MEMBER'))"
    ),
    "may make temporary tables: as the database's owner, REVOKE TEMPORARY ON DATABASE": (
        "SELECT has_database_privilege(CAST(:role AS name), current_database(), 'TEMPORARY')"
    ),
    "may make schemas: as the database's owner, REVOKE CREATE ON DATABASE": (
        "SELECT has_database_privilege(CAST(:role AS name), current_database(), 'CREATE')"
    ),
    "may make things in a schema: as its owner, REVOKE CREATE ON SCHEMA": (
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname !~ '^pg_'"
        " AND has_schema_privilege(CAST(:role AS name), oid, 'CREATE'))"
    ),
    "may set session_replication_role: REVOKE SET ON PARAMETER": (
        "SELECT has_parameter_privilege(CAST(:role AS name), 'session_replication_role', 'SET')"
    ),
    "changes what was cast, by rights that others gave it": (
        "SELECT bool_or(has_table_privilege(CAST(:role AS name), name::regclass, right_))"
        " FROM unnest(CAST(:tables AS text[])) AS name,"
        " unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS right_"
    ),
    "reads papers of open votes, by rights that others gave it": (
        "SELECT has_table_privilege(CAST(:role AS name), 'open_paper'::regclass, 'SELECT')"
    ),
}
"""What the role must not be able to do, and how to ask for it."""


def _left_over(connection: Connection, role: str) -> Iterator[str]:
    for what, question in _LEFT_OVER.items():
        if "has_parameter" in question and not _has_parameter_rights(connection):
            continue
        asked = text(question)
        values: dict[str, Any] = {"role": role}
        if ":tables" in question:
            values["tables"] = [*ONLY_INSERTED, "vote", "roll_entry", "hand_count"]
        if connection.scalar(asked, values):
            yield f"{role} {what}"


def _has_parameter_rights(connection: Connection) -> bool:
    """Before PostgreSQL 15 nobody but a superuser has the right in question."""
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    return version is not None and version >= 150_000
