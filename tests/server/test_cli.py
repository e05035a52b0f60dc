"""The command `branch-meetings`, as an operator and a visitor use it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from models import migrate
from models.database import Database
from server.cli import database as database_commands
from server.cli import main as cli
from server.cli import printing
from server.demo import data as demo_data
from server.settings import Settings
from server.websocket.protocol import MESSAGES_A_SECOND
from tests.support.graphql_socket import Socket, open_socket
from tests.support.processes import free_port
from tests.support.server_process import (
    A_PROBATIONARY_MEMBER,
    AN_OFFICER,
    FINISHED_VOTE,
    MEETING,
    OPEN_VOTE,
    PREPARED_VOTE,
    THE_CHAIR,
    THREE_MEMBERS,
    ServerProcess,
    branch_meetings,
    demo_on_sqlite,
    demo_server,
    fill_demo,
)
from tests.support.services import create_database

REPOSITORY = Path(__file__).parent.parent.parent
TALLY = f'{{ vote(id: "{OPEN_VOTE}") {{ tally {{ cast }} }} }}'
WATCH = f'subscription {{ meeting(id: "{MEETING}") {{ version }} }}'
SECRET = "a secret of thirty-two characters or more"
PRODUCTION = {"MEETINGS_MODE": "production", "MEETINGS_SECRET": SECRET}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """For tests that change nothing but who is present."""
    with demo_server(tmp_path_factory) as server:
        yield server


def settings_of(server: ServerProcess) -> dict[str, str]:
    return {
        "MEETINGS_DATABASE_URL": f"sqlite+aiosqlite:///{server.folder}/meetings.db",
        "MEETINGS_PORT": str(server.port),
    }


def one_line(errors: str) -> str:
    """The only line on standard error, which says who speaks."""
    (line,) = errors.splitlines()
    assert line.startswith("branch-meetings: ")
    return line.removeprefix("branch-meetings: ")


# --- run, reset --------------------------------------------------------------------------------


def test_running_again_keeps_what_visitors_did(tmp_path: Path) -> None:
    with ServerProcess(tmp_path, "run") as server:
        assert "31 branches, 2,315 members" in server.output()
        assert f"{server.site}/sign-in#token={THE_CHAIR}" in server.output()
        before = server.ask(TALLY, THE_CHAIR)["vote"]["tally"]["cast"]
        assert server.cast(THREE_MEMBERS[0], OPEN_VOTE) == "Receipt"
        server.stop()
        server.start()
        assert server.ask(TALLY, THE_CHAIR)["vote"]["tally"]["cast"] == before + 1
        assert server.cast(THREE_MEMBERS[0], OPEN_VOTE, key="again") == "ALREADY_VOTED"
        assert server.output().count("Created the demo") == 1
        assert server.output().count(f"#token={THE_CHAIR}") == 2, "links stay good"
        assert server.errors() == ""
    assert (tmp_path / "var" / "meetings.db").is_file()


def test_reset_starts_afresh(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    demo_on_sqlite(tmp_path_factory, tmp_path / "var" / "meetings.db")
    with ServerProcess(tmp_path, "run") as server:
        before = server.ask(TALLY, THE_CHAIR)
        assert server.cast(THREE_MEMBERS[0], OPEN_VOTE) == "Receipt"
        server.kill()  # leaves the write-ahead log beside the database
        assert branch_meetings(tmp_path, "reset").returncode == 0
        assert list((tmp_path / "var").iterdir()) == []
        server.start()
        assert server.ask(TALLY, THE_CHAIR) == before
        assert server.cast(THREE_MEMBERS[0], OPEN_VOTE) == "Receipt"


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = str(taken.getsockname()[1])
        ended = branch_meetings(tmp_path, "run", "--port", port)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert one_line(ended.stderr).startswith(f"cannot listen on 127.0.0.1:{port}: ")
    assert not (tmp_path / "var").exists(), "nothing was made before the port was looked at"


# --- What an operator can put right is one line ------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "settings", "line"),
    [
        ("serve", {"MEETINGS_DATABASE_URL": "mysql://a/b"}, "MEETINGS_DATABASE_URL: use "),
        ("serve", {"MEETINGS_DATABASE_URL": "postgresql://a/b"}, "MEETINGS_DATABASE_URL: use "),
        ("run", {"MEETINGS_DATABASE_URL": "nonsense"}, "MEETINGS_DATABASE_URL: "),
        ("run", {"MEETINGS_DATABASE_URL": ""}, "MEETINGS_DATABASE_URL: "),
        ("run", {"MEETINGS_DATABASE_URL": "sqlite:///a.db"}, "MEETINGS_DATABASE_URL: "),
        ("run", {"MEETINGS_DATABASE_URL": "sqlite+aiosqlite:////dev/null/a"}, "MEETINGS_DATABASE"),
        (
            "run",
            {"MEETINGS_DATABASE_URL": "sqlite+aiosqlite:////dev/null"},
            "the database does not answer: ",
        ),
        (
            "migrate",
            {"MEETINGS_DATABASE_URL": "postgresql+asyncpg://a@127.0.0.1:1/b"},
            "the database does not answer: ",
        ),
        (
            "serve",
            {"MEETINGS_DATABASE_URL": "postgresql+asyncpg://a@127.0.0.1:99999/b"},
            "the database does not answer: ",
        ),
        ("serve", {}, "the database is not migrated; run: branch-meetings migrate"),
        ("demo tokens --json", {}, "the database is not migrated; run: branch-meetings migrate"),
        ("demo crowd", {}, "the database is not migrated; run: branch-meetings migrate"),
        ("serve --workers 2", {}, "several workers need MEETINGS_BROADCAST_URL=redis://"),
        ("run", {"MEETINGS_BROADCAST_URL": "kafka://a"}, "MEETINGS_BROADCAST_URL: "),
        ("serve", {"MEETINGS_BROADCAST_URL": "redis://a:b"}, "MEETINGS_BROADCAST_URL: "),
        ("run", {"MEETINGS_PORT": "http"}, "MEETINGS_PORT is "),
        ("run", {"MEETINGS_HOST": "host.invalid"}, "cannot listen on host.invalid:"),
        ("serve", {"MEETINGS_MODE": "production"}, "production needs MEETINGS_SECRET"),
        ("serve", {**PRODUCTION, "MEETINGS_ORIGINS": "*"}, "production refuses MEETINGS_ORIGINS"),
        ("run", PRODUCTION, "there is no demo in production"),
        ("demo tokens", PRODUCTION, "there is no demo in production"),
        ("demo crowd", PRODUCTION, "there is no demo in production"),
        ("reset", PRODUCTION, "there is no demo in production"),
        (
            "reset",
            {"MEETINGS_DATABASE_URL": "postgresql+asyncpg://a@127.0.0.1:1/b"},
            "reset only deletes the embedded SQLite database",
        ),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: str,
    settings: dict[str, str],
    line: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"MEETINGS_PORT": str(free_port()), **settings}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["branch-meetings", *arguments.split()])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert one_line(errors).startswith(line)


def test_a_database_that_does_not_exist_is_told_in_one_line(
    postgresql_server: str, tmp_path: Path
) -> None:
    url = re.sub(r"/[^/]*$", "/no_such_database", postgresql_server)
    ended = branch_meetings(tmp_path, "migrate", MEETINGS_DATABASE_URL=url)
    assert ended.returncode == 1
    assert "no_such_database" in one_line(ended.stderr)


def test_production_refuses_a_database_that_may_forget(
    postgresql_server: str, tmp_path: Path
) -> None:
    url = create_database(postgresql_server)

    async def prepare() -> None:
        database = Database(url)
        await migrate.upgrade(database)
        async with database.engine.begin() as connection:
            name = await connection.scalar(text("SELECT current_database()"))
            await connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
        await database.dispose()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, prepare()).result()
    ended = branch_meetings(
        tmp_path,
        "serve",
        MEETINGS_DATABASE_URL=url,
        MEETINGS_PORT=str(free_port()),
        **PRODUCTION,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.fullmatch(
        "production refuses a PostgreSQL with (fsync|full_page_writes|synchronous_commit) = off",
        one_line(ended.stderr),
    )


# --- The demo ----------------------------------------------------------------------------------


def test_tokens_are_what_programs_need_and_the_same_each_time(server: ServerProcess) -> None:
    first = branch_meetings(server.folder, "demo", "tokens", "--json", **settings_of(server))
    again = branch_meetings(server.folder, "demo", "tokens", "--json", **settings_of(server))
    assert first.returncode == 0
    assert first.stderr == ""
    assert first.stdout == again.stdout
    data = json.loads(first.stdout)
    people = data.pop("people")
    assert data == {
        "http": server.http,
        "ws": server.ws,
        "unit": {"id": str(demo_data.BRANCH_ID)},
        "meeting": {"id": MEETING},
        "votes": {"finished": FINISHED_VOTE, "open": OPEN_VOTE, "prepared": PREPARED_VOTE},
    }
    parts = ["chair", "member", "member", "member", "probationary", "officer"]
    assert [person["part"] for person in people] == parts
    tokens = [THE_CHAIR, *THREE_MEMBERS, A_PROBATIONARY_MEMBER, AN_OFFICER]
    assert [person["token"] for person in people] == tokens
    for person in people:
        assert set(person) == {"name", "part", "token", "link"}
        assert person["link"] == f"{server.site}/sign-in#token={person['token']}"
        viewer = server.ask("{ viewer { member { name } } }", person["token"])["viewer"]
        assert viewer["member"]["name"] == person["name"]


def test_tokens_are_shown_to_people_as_links(server: ServerProcess) -> None:
    shown = branch_meetings(server.folder, "demo", "tokens", **settings_of(server))
    assert shown.returncode == 0
    for token in (THE_CHAIR, *THREE_MEMBERS, A_PROBATIONARY_MEMBER, AN_OFFICER):
        assert f"{server.site}/sign-in#token={token}" in shown.stdout


def test_a_crowd_of_sixty_joins_checks_in_and_votes(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with demo_server(tmp_path_factory) as server:
        crowd = branch_meetings(
            server.folder,
            *("demo", "crowd", "--members", "60", "--seconds", "10"),
            **settings_of(server),
        )
        assert crowd.returncode == 0, crowd.stderr
        assert crowd.stderr == ""
        for what in ("joined", "checked in"):
            assert re.search(rf"{what} .*60/60", crowd.stdout), crowd.stdout
        assert ", 0 requests refused" in crowd.stdout
        state = server.ask(
            """query ($id: ID!) { meeting(id: $id) {
                 attendance { status member { id } }
                 votes { id tally { cast } } } }""",
            THE_CHAIR,
            id=MEETING,
        )["meeting"]
        present = {a["member"]["id"] for a in state["attendance"] if a["status"] == "PRESENT"}
        crowd_ids = {str(demo_data.member_id(1, p)) for p in demo_data.crowd_places()[:60]}
        assert crowd_ids <= present
        cast = next(vote["tally"]["cast"] for vote in state["votes"] if vote["id"] == OPEN_VOTE)
        assert cast >= 60
        assert server.errors() == ""


def test_a_crowd_without_a_server_is_told_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    crowd = branch_meetings(
        tmp_path,
        *("demo", "crowd", "--members", "3", "--seconds", "1"),
        MEETINGS_DATABASE_URL=demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db"),
        MEETINGS_PORT=str(free_port()),
    )
    assert crowd.returncode == 1
    assert "3 members" in one_line(crowd.stderr)


def test_the_demo_is_a_ward_of_31_branches_and_2315_members(server: ServerProcess) -> None:
    query = "query ($id: ID!) { unit(id: $id) { name kind memberCount children { memberCount } } }"
    ward = server.ask(query, AN_OFFICER, id=str(demo_data.WARD_ID))["unit"]
    assert (ward["name"], ward["kind"], ward["memberCount"]) == ("Hoàng Liệt", "BASE", 2_315)
    sizes = [child["memberCount"] for child in ward["children"]]
    assert len(sizes) == 31
    assert sum(sizes) == 2_315
    branch = server.ask(query, THE_CHAIR, id=str(demo_data.BRANCH_ID))["unit"]
    assert branch["memberCount"] == 75


def test_two_demos_are_the_same_but_for_the_time(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    demo_on_sqlite(tmp_path_factory, tmp_path / "one.db")
    fill_demo(f"sqlite+aiosqlite:///{tmp_path}/two.db")
    one, two = (rows_of(tmp_path / name) for name in ("one.db", "two.db"))
    assert len(one["member"]) == 2_315
    assert one == two


def rows_of(file: Path) -> dict[str, list[Any]]:
    """What the demo draws and counts, without moments and what only they make different."""
    queries = {
        "unit": "SELECT id, kind, name FROM unit",
        "parent": "SELECT unit_id, parent_id, valid_from FROM unit_parent",
        "member": "SELECT id, name, standing FROM member",
        "membership": "SELECT member_id, unit_id, kind, valid_from FROM membership",
        "appointment": "SELECT member_id, unit_id, role, valid_from FROM appointment",
        "meeting": "SELECT id, unit_id, kind, mode, state, chair_id FROM meeting",
        "item": "SELECT id, position, title, state FROM agenda_item",
        "attendance": "SELECT member_id, is_summoned, status FROM attendance",
        "vote": "SELECT id, item_id, position, question, state, outcome FROM vote",
        "option": "SELECT id, vote_id, kind, label FROM vote_option",
        "token": "SELECT token_hash FROM session",
    }
    connection = sqlite3.connect(file)
    try:
        return {name: sorted(connection.execute(query)) for name, query in queries.items()}
    finally:
        connection.close()


# --- schema, migrate, settings -----------------------------------------------------------------


def test_the_printed_schema_is_what_the_code_says(tmp_path: Path) -> None:
    assert branch_meetings(tmp_path, "schema", "--check").returncode == 0


def test_a_printed_schema_of_yesterday_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "schema.graphql"
    file.write_text("type Query { yesterday: Boolean }\n")
    monkeypatch.setattr(printing, "SCHEMA_FILE", file)
    with pytest.raises(SystemExit):
        printing.schema(check=True)
    assert "make schema" in one_line(capsys.readouterr().err)
    printing.schema(check=False)
    printing.schema(check=True)


def test_migrating_builds_what_the_models_say_and_can_be_repeated(tmp_path: Path) -> None:
    for arguments in (["migrate"], ["migrate", "--check"]):
        assert branch_meetings(tmp_path, *arguments).returncode == 0
    with ServerProcess(tmp_path, "serve") as server:
        assert server.ask("{ viewer { member { name } } }") == {"viewer": None}


def test_a_table_that_went_missing_is_told_in_one_line(
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db")
    connection = sqlite3.connect(tmp_path / "meetings.db")
    connection.execute("DROP TABLE ballot_choice")
    connection.close()
    monkeypatch.setenv("MEETINGS_DATABASE_URL", url)
    with pytest.raises(SystemExit):
        database_commands.migrate(check=True, new="")
    assert "ballot_choice" in one_line(capsys.readouterr().err)


def test_settings_are_shown_with_their_meaning_and_without_the_secret(tmp_path: Path) -> None:
    shown = branch_meetings(
        tmp_path,
        "settings",
        MEETINGS_SECRET=SECRET,
        MEETINGS_DATABASE_URL="postgresql+asyncpg://meetings:hunter2@db.internal/meetings",
        MEETINGS_BROADCAST_URL="redis://:hunter3@redis.internal/0",
        MEETINGS_METRICS="hunter4",
        COLUMNS="240",
    )
    assert shown.returncode == 0
    for name in Settings.__dataclass_fields__:
        assert f"MEETINGS_{name.upper()}" in shown.stdout
    assert "seconds" in shown.stdout
    assert "db.internal" in shown.stdout
    for secret in (SECRET, "hunter2", "hunter3", "hunter4"):
        assert secret not in shown.stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("memory://", "memory://"),
        ("sqlite+aiosqlite:///var/meetings.db", "sqlite+aiosqlite:///var/meetings.db"),
        ("sqlite+aiosqlite:////var/a:b@c.db", "sqlite+aiosqlite:////var/a:b@c.db"),
        ("postgresql+asyncpg://a@b:5432/c", "postgresql+asyncpg://a@b:5432/c"),
        ("postgresql+asyncpg://a:p%40w@b/c?ssl=on", "postgresql+asyncpg://a:***@b/c?ssl=on"),
        ("postgresql+asyncpg://a:p@w/\nd@b/c", "postgresql+asyncpg://a:***@b/c"),
        ("redis://:pw@a:6379/0", "redis://:***@a:6379/0"),
        ("redis+cluster://:pw@a:1,b:2", "redis+cluster://:***@a:1,b:2"),
        ("a:password@b", "…"),
    ],
)
def test_a_url_is_shown_without_its_password(url: str, shown: str) -> None:
    assert printing.without_password(url) == shown


@pytest.mark.parametrize("arguments", ["--help", "settings"])
def test_what_only_prints_does_not_import_what_costs(arguments: str) -> None:
    costly = "{'alembic', 'sqlalchemy', 'starlette', 'strawberry'}"
    program = f"""
import sys
from server.cli.main import app
app({arguments.split()}, standalone_mode=False)
print("imported:", *{costly} & sys.modules.keys())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert ended.stdout.splitlines()[-1] == "imported:"


# --- The end -----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=lambda how: how.name)
async def test_a_server_told_to_stop_says_goodbye_to_its_subscribers(
    tmp_path_factory: pytest.TempPathFactory, how: signal.Signals
) -> None:
    with demo_server(tmp_path_factory) as server:
        async with (
            open_socket(server.ws, THE_CHAIR) as first,
            open_socket(server.ws, THREE_MEMBERS[0]) as second,
            open_socket(server.ws) as not_signed_in,
        ):
            for watching in (first, second):
                await watch(watching)
            server.tell(how)
            for leaving in (first, second, not_signed_in):
                assert (await leaving.closed())[0] == 1012
        assert server.wait(12) in (0, 128 + how, -how)
        assert server.errors() == ""


async def watch(socket: Socket) -> None:
    await socket.subscribe("watch", WATCH)
    await socket.next("watch")


async def fill_every_buffer(socket: Socket) -> None:
    """Ask until the answers, which nobody reads, leave no room on the way, nor the questions."""
    with suppress(TimeoutError):
        while True:
            async with asyncio.timeout(2):
                await socket.send("ping", payload={"text": "x" * 60_000})
                await asyncio.sleep(1.2 / MESSAGES_A_SECOND)  # or it would be sent away


async def test_a_subscriber_who_reads_nothing_does_not_keep_the_server_from_stopping(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with demo_server(tmp_path_factory) as server:
        async with (
            open_socket(server.ws, THE_CHAIR, reads_nothing_ahead=True) as stalled,
            open_socket(server.ws, THREE_MEMBERS[0]) as reading,
        ):
            await watch(stalled)
            await watch(reading)
            await fill_every_buffer(stalled)
            assert server.cast(THREE_MEMBERS[0], OPEN_VOTE) == "Receipt"
            await reading.next("watch")
            server.tell(signal.SIGTERM)
            assert (await reading.closed())[0] == 1012
            assert server.wait(15) in (0, -signal.SIGTERM)
            stalled.connection.transport.abort()
