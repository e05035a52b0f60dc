"""Whoever has the database role that serves tries to become more, and to do more than acts do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from models.base import Base
from models.database import Database
from models.rights import DELETED, INSERTED, ONLY_INSERTED, UPDATED, grant
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City
from tests.support.voting import HIDDEN, cast, vote_after

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

DENIED = r"permission denied|must be owner|must be superuser|not allowed|does not exist"


@pytest.fixture
async def role(database: Database) -> AsyncIterator[str]:
    """A role that may serve, made as docs/operations.md says."""
    name = f"serving_{uuid4().hex}"
    async with database.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN PASSWORD 'serving'")
    assert await grant(database, name) == []
    yield name
    async with database.writer_engine.begin() as connection:
        await connection.exec_driver_sql(f"DROP OWNED BY {name}")
        await connection.exec_driver_sql(f"DROP ROLE {name}")


@pytest.fixture
async def thief(database: Database, role: str) -> AsyncIterator[Database]:
    """The database as that role sees it."""
    url = make_url(database.engine.url).set(username=role, password="serving")
    stolen = Database(url.render_as_string(hide_password=False))
    yield stolen
    await stolen.dispose()


@pytest.fixture
async def held(city: City) -> City:
    """With a closed vote, a hidden one that is closed, and one of each that is open."""
    for number, rule in enumerate((ORDINARY, HIDDEN, ORDINARY, HIDDEN)):
        vote = await open_motion_at(city, 50 + number, rule)
        for person in city.entitled:
            await cast(person, vote, vote.for_)
        if number < 2:
            await vote_after(city.hanh, "closeVote", vote)
    return city


async def open_motion_at(city: City, position: int, rule: Any) -> Any:
    vote = city.scene.vote(city.meeting, item=1, position=position, rule=rule)
    await city.scene.save()
    await vote_after(city.hanh, "openVote", vote)
    return vote


async def run(database: Database, statement: str) -> None:
    async with database.engine.connect() as connection:
        for part in statement.split(";;"):
            await connection.exec_driver_sql(part)
        await connection.commit()


async def is_refused(database: Database, statement: str, why: str = DENIED) -> None:
    with pytest.raises(DBAPIError, match=why):
        await run(database, statement)


EVIL = "CREATE FUNCTION {schema}.evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN ALTER TABLE"
EVIL += " public.ballot DISABLE TRIGGER ALL; RETURN true; END $$"

TO_BE_MORE = {
    "a temporary function": EVIL.format(schema="pg_temp"),
    "a temporary table": "CREATE TEMP TABLE vote (id uuid)",
    "a temporary view": "CREATE TEMP VIEW vote AS SELECT * FROM public.vote",
    "a temporary sequence": "CREATE TEMP SEQUENCE s",
    "a temporary type": "CREATE TYPE pg_temp.t AS (a int)",
    "a function": EVIL.format(schema="public"),
    "a table": "CREATE TABLE public.vote_ (id uuid)",
    "a table from a query": "SELECT * INTO public.copy FROM vote",
    "a view": "CREATE VIEW public.v AS SELECT * FROM vote",
    "an operator": "CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_eq)",
    "a cast": "CREATE CAST (uuid AS bigint) WITH INOUT",
    "a type": "CREATE TYPE public.vote_state AS ENUM ('OPEN')",
    "a domain": "CREATE DOMAIN public.d AS uuid CHECK (true)",
    "a schema": "CREATE SCHEMA mine",
    "an extension": "CREATE EXTENSION dblink",
    "a language": "CREATE LANGUAGE plperlu",
    "an event trigger": "CREATE EVENT TRIGGER e ON ddl_command_end"
    " EXECUTE FUNCTION refuse_change()",
    "a trigger": "CREATE TRIGGER t BEFORE INSERT ON vote EXECUTE FUNCTION refuse_change()",
    "a rule": "CREATE RULE r AS ON INSERT TO audit DO INSTEAD NOTHING",
    "a policy": "CREATE POLICY p ON ballot USING (false)",
    "an index": "CREATE INDEX i ON vote ((question || 'x'))",
    "a default": "ALTER TABLE vote ALTER COLUMN position SET DEFAULT 1",
    "a column": "ALTER TABLE vote ADD COLUMN evil boolean DEFAULT true",
    "another owner": "ALTER TABLE vote OWNER TO CURRENT_USER",
    "another type": "ALTER TABLE vote ALTER COLUMN position TYPE bigint",
    "no trigger": "ALTER TABLE ballot DISABLE TRIGGER only_inserted",
    "no triggers": "ALTER TABLE ballot DISABLE TRIGGER ALL",
    "no guard": "DROP TRIGGER guard_vote_update ON vote",
    "no constraint": "ALTER TABLE vote DROP CONSTRAINT ck_vote_closed",
    "a replica": "SET session_replication_role = replica",
    "another function": "CREATE OR REPLACE FUNCTION public.sweep_papers() RETURNS boolean"
    " LANGUAGE sql AS 'SELECT true'",
    "another path of a function": "ALTER FUNCTION rewrite_papers SET search_path = pg_temp",
    "another owner of a function": "ALTER FUNCTION rewrite_papers OWNER TO CURRENT_USER",
    "another name": "ALTER TABLE vote RENAME TO votes",
    "a right": "GRANT DELETE ON ballot TO CURRENT_USER;; DELETE FROM ballot",
    "a right by default": "ALTER DEFAULT PRIVILEGES FOR ROLE postgres"
    " GRANT ALL ON TABLES TO PUBLIC",
    "a role": "CREATE ROLE evil SUPERUSER",
    "its own powers": "ALTER ROLE CURRENT_USER SUPERUSER",
    "the owner": "SET ROLE postgres",
    "the owner's session": "SET SESSION AUTHORIZATION postgres",
    "a setting": "ALTER SYSTEM SET fsync = off",
    "a setting of all": "ALTER DATABASE postgres SET search_path = evil",
    "a file read": "SELECT pg_read_file('/etc/passwd')",
    "a folder read": "SELECT pg_ls_dir('base')",
    "a file imported": "SELECT lo_import('/etc/passwd')",
    "a program": "COPY vote TO PROGRAM 'cat'",
    "a file written": "COPY vote TO '/tmp/vote'",
    "a program's rows": "COPY audit FROM PROGRAM 'cat'",
    "a catalogue": "UPDATE pg_proc SET prosecdef = false",
    "a log": "SELECT pg_create_logical_replication_slot('s', 'test_decoding')",
    "a page": "SELECT pg_read_binary_file('PG_VERSION')",
    "a trigger's function": "SELECT guard_vote_update()",
    "a publication": "CREATE PUBLICATION p FOR TABLE open_paper",
    "a subscription": "CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p",
}


async def test_the_role_becomes_nothing_more(held: City, thief: Database) -> None:
    taken = []
    async with unchanged(held.scene.database):
        for name, statement in TO_BE_MORE.items():
            with suppress(DBAPIError):
                await run(thief, statement)
                taken.append(name)
    assert taken == []


async def test_the_attack_by_a_temporary_view_runs_nothing_as_the_owner(
    held: City, thief: Database, role: str, database: Database
) -> None:
    """Even where the database's owner left everybody the right to temporary tables: those are
    looked for last, and named by their schema."""
    name = database.engine.url.database
    await run(database, f'GRANT TEMPORARY ON DATABASE "{name}" TO {role}')
    try:
        async with unchanged(database), thief.engine.connect() as connection:
            for statement in (
                "CREATE FUNCTION pg_temp.evil() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN"
                " IF current_user <> session_user THEN"
                " RAISE EXCEPTION 'I am %', current_user; END IF; RETURN true; END $$",
                "CREATE TEMP VIEW vote AS SELECT * FROM public.vote WHERE pg_temp.evil()",
                "CREATE TEMP VIEW open_paper AS SELECT gen_random_uuid() AS id,"
                " gen_random_uuid() AS vote_id, 'VALID' AS validity, '[]'::jsonb AS choices"
                " FROM public.vote WHERE pg_temp.evil()",
                "SET search_path = pg_temp, public",
            ):
                await connection.exec_driver_sql(statement)
            await connection.commit()
            for call in (
                "SELECT public.sweep_papers()",
                "SELECT public.rewrite_papers((SELECT id FROM public.vote LIMIT 1))",
                "UPDATE public.vote SET row_version = row_version + 1 WHERE false",
                "INSERT INTO public.session SELECT * FROM public.session WHERE false",
                "UPDATE public.member SET standing = standing",
            ):
                assert "I am" not in await said(connection, call)
    finally:
        await run(database, f'REVOKE TEMPORARY ON DATABASE "{name}" FROM {role}')


async def said(connection: AsyncConnection, statement: str) -> str:
    """The error, if there is one. Nothing is kept."""
    try:
        await connection.exec_driver_sql(statement)
    except DBAPIError as error:
        return str(error)
    finally:
        await connection.rollback()
    return ""


IN_OPEN_AND_CLOSED_VOTES = {
    "a ballot": "INSERT INTO ballot (id, vote_id, member_id, key, sequence, validity, cast_at)"
    " SELECT gen_random_uuid(), vote_id, member_id, 'k', 9, 'VALID', now() FROM roll_entry",
    "a ballot copied in": "COPY ballot FROM STDIN",
    "a mark": "INSERT INTO cast_mark SELECT vote_id, member_id, 'k', now() FROM roll_entry",
    "a paper": "INSERT INTO paper SELECT gen_random_uuid(), id, 'VALID' FROM vote",
    "an open paper": "INSERT INTO open_paper SELECT gen_random_uuid(), id, 'VALID', '[]' FROM vote",
    "open papers seen": "SELECT xmin, * FROM open_paper",
    "a label": "UPDATE vote_option SET label = 'x'",
    "a question": "UPDATE vote SET question = 'x'",
    "a rule": "UPDATE vote SET rule = '{}'",
    "a weight": "UPDATE roll_entry SET weight = 9",
    "a name": "UPDATE member SET name = 'x'",
    "a vote gone": "DELETE FROM vote",
    "a line gone": "DELETE FROM roll_entry",
    "a link gone": "DELETE FROM audit",
    "a ballot gone": "DELETE FROM ballot",
    "everything gone": "TRUNCATE vote CASCADE",
    "a role given": "UPDATE appointment SET role = 'SECRETARY'",
    "a member made": "INSERT INTO member (id, name, standing)"
    " VALUES (gen_random_uuid(), 'x', 'FULL')",
    "a unit's rule": "UPDATE unit_rule SET rule = '{}'",
}
BY_GUARDS = {
    "a vote opened again": "UPDATE vote SET state = 'OPEN', closed_at = NULL"
    " WHERE state = 'CLOSED'",
    "an outcome": "UPDATE vote SET outcome = '{}' WHERE published_at IS NOT NULL",
    "a publication undone": "UPDATE vote SET published_at = NULL WHERE published_at IS NOT NULL",
    "an end sooner": "UPDATE vote SET closes_at = opened_at WHERE state = 'CLOSED'",
    "a hand": "INSERT INTO hand_mark (vote_id, member_id) SELECT vote.id, member_id FROM vote"
    " JOIN roll_entry ON vote_id = vote.id WHERE state = 'CLOSED'",
    "hands": "INSERT INTO hand_count (option_id, vote_id, hands) SELECT vote_option.id, vote.id, 9"
    " FROM vote JOIN vote_option ON vote_id = vote.id WHERE state = 'CLOSED'",
    "an option": "INSERT INTO vote_option (id, vote_id, position, kind, label)"
    " SELECT gen_random_uuid(), id, 9, 'CHOICE', 'x' FROM vote WHERE state = 'OPEN'",
    "somebody recused": "INSERT INTO recusal SELECT vote.id, member_id FROM vote"
    " JOIN roll_entry ON vote_id = vote.id WHERE state = 'OPEN'",
    "who was here": "UPDATE roll_entry SET was_present_at_closing = true",
    "a link": "INSERT INTO audit SELECT id, 90, 'PUBLISHED', '{}', decode('00', 'hex'),"
    " decode('00', 'hex') FROM vote",
    "papers once more": "SELECT rewrite_papers(id) FROM vote WHERE state = 'CLOSED'",
    "papers too soon": "SELECT rewrite_papers(id) FROM vote WHERE state = 'OPEN'",
}


async def test_the_role_does_only_what_acts_do(held: City, thief: Database) -> None:
    async with unchanged(held.scene.database):
        for statement in IN_OPEN_AND_CLOSED_VOTES.values():
            await is_refused(thief, statement)
        for statement in BY_GUARDS.values():
            await is_refused(thief, statement, r"only|begins|follows|stay|hand_count|hand_mark")


async def test_functions_put_nothing_into_the_wrong_box(held: City, thief: Database) -> None:
    """A ballot by name into a hidden vote, or one of somebody whose session has ended."""
    call = (
        "SELECT * FROM {function}((SELECT id FROM vote WHERE state = 'OPEN'"
        " AND secrecy = '{secrecy}'), 1, ARRAY[gen_random_uuid()],"
        " ARRAY(SELECT member_id FROM roll_entry LIMIT 1), ARRAY(SELECT id FROM session LIMIT 1),"
        " ARRAY['k'], ARRAY['VALID'], ARRAY[]::uuid[], ARRAY[]::uuid[])"
    )
    async with unchanged(held.scene.database):
        for function, secrecy in (("put_ballots", "UNATTRIBUTED"), ("put_papers", "OPEN")):
            await run(thief, call.format(function=function, secrecy=secrecy))


async def test_every_function_has_a_closed_path_and_nobody_else_calls_it(
    role: str, database: Database
) -> None:
    question = (
        "SELECT proname, proconfig, prosecdef, proacl::text FROM pg_proc"
        " WHERE pronamespace = 'public'::regnamespace"
    )
    async with database.engine.connect() as connection:
        rows = (await connection.exec_driver_sql(question)).all()
    assert len(rows) > 20
    for row in rows:
        (path,) = [one for one in row.proconfig if one.startswith("search_path=")]
        assert path == "search_path=pg_catalog, public, pg_temp", row.proname
        assert row.proacl is not None, row.proname
        assert "{=" not in row.proacl, row.proname
        assert ",=" not in row.proacl, row.proname


async def test_the_grant_tells_what_it_cannot_take_away(database: Database, role: str) -> None:
    name = database.engine.url.database
    given = {
        f"ALTER ROLE {role} SUPERUSER": f"ALTER ROLE {role} NOSUPERUSER",
        f"GRANT pg_read_server_files TO {role}": f"REVOKE pg_read_server_files FROM {role}",
        "CREATE SCHEMA theirs;; GRANT CREATE ON SCHEMA theirs TO PUBLIC": "DROP SCHEMA theirs",
    }
    for give, take in given.items():
        await run(database, give)
        try:
            told = await grant(database, role)
        finally:
            await run(database, take)
        assert told, give
        assert all(line.startswith(role) for line in told)
    await run(database, f'GRANT TEMPORARY ON DATABASE "{name}" TO PUBLIC')
    assert await grant(database, role) == []


async def test_a_role_that_is_not_there_is_told(database: Database) -> None:
    with pytest.raises(LookupError, match="no role nobody_here"):
        await grant(database, "nobody_here")


def test_the_table_of_rights_names_tables_and_columns_that_are_there(database: Database) -> None:
    tables = Base.metadata.tables
    assert {*INSERTED, *UPDATED, *DELETED, *ONLY_INSERTED} <= set(tables)
    for table, columns in UPDATED.items():
        assert set(columns.split(", ")) <= set(tables[table].c.keys())
