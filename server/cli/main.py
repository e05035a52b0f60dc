"""The command `branch-meetings`."""

import asyncio
import json
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar
from uuid import UUID

import typer
from alembic.util import CommandError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from models import migrate as migrations
from models import rights
from models.database import Database
from models.votes.export import export_vote
from models.votes.record import read_chains, read_record
from realtime.feed import Feed
from rules.refusals import Refusal
from rules.votes.explain.sentences import Language, explain
from rules.votes.record.recount import Withheld, problems, withheld_of
from rules.votes.record.recount import recount as recount_export
from rules.votes.record.verify import check_heads, missing_heads, verify_record
from schema.schema import schema as graphql_schema
from server.asgi import refuse_unsafe_database
from server.auth.credentials import ServerCredentials
from server.demo import crowd as crowds
from server.demo import data as demo_data
from server.demo import demo as demos
from server.runtime.process import serve_app
from server.settings import OPEN, Mode, Settings, SettingsError, read_settings, variable_name

Result = TypeVar("Result")

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
demo = typer.Typer(no_args_is_help=True, help="The demo organisation.")
export = typer.Typer(no_args_is_help=True, help="What can be checked elsewhere.")
app.add_typer(demo, name="demo")
app.add_typer(export, name="export")
console = Console()

SCHEMA_FILE = Path(__file__).parent.parent.parent / "schema" / "schema.graphql"
APP = "server.asgi:create_app"

Port = Annotated[
    int | None, typer.Option(min=1, max=65_535, help="Default: MEETINGS_PORT, or 8000.")
]


def main() -> None:
    """What an operator can put right is one line; anything else is a traceback."""
    try:
        app()
    except SettingsError as error:
        fail(str(error))


def fail(line: str) -> NoReturn:
    print(f"branch-meetings: {' '.join(line.split())}", file=sys.stderr)  # noqa: T201
    raise SystemExit(1)


@app.command()
def run(port: Port = None) -> None:
    """Try it: set up the database and the demo once, print sign-in links, serve."""
    settings = demo_settings(port)
    refuse_bad_feed(settings)
    refuse_taken_port(settings)
    people = with_database(settings, prepare_demo)
    print_links(people, site_of(settings))
    serve_app(APP, settings.host, settings.port, workers=1)


@app.command()
def serve(
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs Redis.")] = 1,
    port: Port = None,
) -> None:
    """Serve, as settings say. The database must be migrated."""
    settings = with_port(port)
    refuse_bad_feed(settings)
    if workers > 1 and settings.broadcast_url.startswith("memory:"):
        fail("several workers need MEETINGS_BROADCAST_URL=redis://…: memory reaches one process")
    refuse_taken_port(settings)
    with_database(settings, lambda database: check_ready(database, settings))
    serve_app(APP, settings.host, settings.port, workers, is_supervised=settings.is_production)


@app.command()
def reset() -> None:
    """Delete the embedded database, so that the next run starts afresh."""
    settings = demo_settings()
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        fail("reset only deletes the embedded SQLite database; drop yours with its own tools")
    for suffix in ("", "-wal", "-shm"):
        Path(url.database + suffix).unlink(missing_ok=True)
    console.print("The demo is gone. [bold]make run[/] makes a new one.")


@app.command()
def migrate(
    check: Annotated[bool, typer.Option(help="Only tell whether models and tables agree.")] = False,
    new: Annotated[str, typer.Option(help="Write a migration with this title.")] = "",
    grant: Annotated[
        str, typer.Option(help="Give this PostgreSQL role the rights to serve, and no others.")
    ] = "",
) -> None:
    """Bring the database to today's tables."""
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


@app.command()
def schema(
    check: Annotated[
        bool, typer.Option(help="Only tell whether the printed file is true.")
    ] = False,
) -> None:
    """Print the GraphQL schema to schema/schema.graphql."""
    printed = graphql_schema.as_str() + "\n"
    if not check:
        SCHEMA_FILE.write_text(printed, encoding="utf-8")
    elif SCHEMA_FILE.read_text(encoding="utf-8") != printed:
        fail("schema/schema.graphql is not what the code says; run: make schema")


@export.command("vote")
def export_one(vote_id: str) -> None:
    """Print a vote that has ended, with all that its outcome rests on, as JSON."""
    data = with_database(read_settings(), lambda database: read_export(database, vote_id))
    print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201


@app.command()
def recount(file: typer.FileText) -> None:
    """Count an exported vote again; tell the outcome, or what is wrong (then exit 1)."""
    try:
        data = json.load(file)
        found = list(problems(data))
        told = tell_outcome(data)
    except (ValueError, KeyError, TypeError, Refusal) as error:
        fail(f"{file.name} is not an export of a vote: {error!r}")
    console.print(told, soft_wrap=True, highlight=False)
    tell_problems((data["vote"], one) for one in found)


def tell_outcome(data: dict[str, Any]) -> str:
    if withheld_of(data) is Withheld.NOT_PUBLISHED:
        return "The result was not published; nobody is shown its figures."
    labels = {UUID(option["id"]): option["label"] for option in data["options"]}
    return explain(recount_export(data), Language.EN, labels)


@app.command()
def verify(
    heads: Annotated[
        typer.FileText | None,
        typer.Option(help="Heads that were kept elsewhere, as `heads` prints them."),
    ] = None,
) -> None:
    """Check every vote against its audit chain, and recount those that have ended (exit 1 if one
    fails). Only kept heads find a chain that was computed anew."""
    kept = read_heads(heads) if heads else []
    verified = with_database(read_settings(), lambda database: verify_votes(database, kept))
    for vote, sentence in verified.untold:
        console.print(f"vote {vote}: {sentence}.", soft_wrap=True, highlight=False)
    tell_problems(verified.problems)
    console.print(
        f"{verified.votes} votes checked, {verified.recounted} recounted; their chains hold."
    )


@app.command("heads")
def print_heads() -> None:
    """Print the last link of every vote's chain, a JSON line each, to be kept elsewhere."""
    chains = with_database(read_settings(), read_all_chains)
    for vote, links in chains.items():
        if links:
            line = {"vote": vote, "sequence": len(links), "hash": links[-1]}
            print(json.dumps(line))  # noqa: T201


@app.command("settings")
def show_settings() -> None:
    """Every setting with its value, unit and meaning."""
    settings = read_settings()
    table = Table("Variable", "Value", "Unit", "Meaning")
    for setting in fields(Settings):
        table.add_row(
            variable_name(setting.name),
            shown_setting(setting.name, getattr(settings, setting.name)),
            setting.metadata["unit"],
            setting.metadata["meaning"],
        )
    console.print(table)


@demo.command()
def tokens(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    port: Port = None,
) -> None:
    """Print sign-in links for the chair, members and an officer of the demo."""
    settings = demo_settings(port)
    people = with_database(settings, lambda database: sign_in_demo(database, settings))
    if as_json:
        data = demos.as_data(people, site_of(settings))
        print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201
    else:
        print_links(people, site_of(settings))


@demo.command()
def crowd(
    members: Annotated[int, typer.Option(min=1, max=60, help="How many come.")] = 60,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long it takes.")] = 60,
    port: Port = None,
) -> None:
    """Let simulated members join the demo's meeting, check in and vote, to see it live."""
    settings = demo_settings(port)
    credentials = ServerCredentials(settings)
    member_ids = [demo_data.member_id(1, place) for place in demo_data.crowd_places()[:members]]

    async def sign_in(database: Database) -> None:
        await sign_in_demo(database, settings)
        await demos.sign_in_members(database, credentials, member_ids)

    with_database(settings, sign_in)
    data = demos.as_data([], site_of(settings))
    with Progress(
        TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), console=console
    ) as bars:
        rows = {
            what: bars.add_task(what.replace("_", " "), total=members)
            for what in ("joined", "checked_in", "voted")
        }

        def show(progress: crowds.Progress) -> None:
            for what, bar in rows.items():
                bars.update(bar, completed=getattr(progress, what))

        tokens = [credentials.demo_token(member_id) for member_id in member_ids]
        progress = asyncio.run(
            crowds.gather_crowd(data["ws"], data["meeting"]["id"], tokens, seconds, show)
        )
    console.print(f"{progress.pushes} pushes received, {progress.refused} requests refused.")
    if progress.failed:
        fail(f"{len(progress.failed)} members lost their connection: {progress.failed[0]}")


async def read_export(database: Database, vote_id: str) -> dict[str, Any]:
    await migrations.check_reached(database)
    try:
        wanted = UUID(vote_id)
    except ValueError:
        raise LookupError(f"{vote_id} is no id of a vote") from None
    async with database.snapshot() as session:
        data = await export_vote(session, wanted)
    if data is None:
        raise LookupError(f"there is no vote {vote_id} that has ended")
    return data


@dataclass
class Verified:
    """What `verify` found, by vote."""

    votes: int = 0
    recounted: int = 0
    problems: list[tuple[str, str]] = field(default_factory=list)
    untold: list[tuple[str, str]] = field(default_factory=list)


async def verify_votes(database: Database, heads: Sequence[Mapping[str, Any]] = ()) -> Verified:
    """What is wrong with each vote; one snapshot for each."""
    chains = await read_all_chains(database)
    verified = Verified(votes=len(chains), problems=list(missing_heads(heads, chains)))
    for vote in chains:
        async with database.snapshot() as session:
            findings = verify_record(await read_record(session, UUID(vote)))
            data = await export_vote(session, UUID(vote), is_whole=True)
        if data is not None:
            verified.recounted += 1
            findings.problems += problems(data)
        verified.problems += [(vote, one) for one in dict.fromkeys(findings.problems)]
        verified.untold += [(vote, one) for one in findings.untold]
    return verified


async def read_all_chains(database: Database) -> dict[str, list[str]]:
    """The hashes of every vote's chain, in hex and in order."""
    await migrations.check_reached(database)
    async with database.snapshot() as session:
        return await read_chains(session)


def read_heads(file: typer.FileText) -> list[dict[str, Any]]:
    """Fails with one line for what is no list of heads."""
    try:
        heads = [json.loads(line) for line in file if line.strip()]
        check_heads(heads)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        fail(f"{file.name} holds no heads, as `branch-meetings heads` prints them: {error!r}")
    return heads


def tell_problems(found: Iterable[tuple[str, str]]) -> None:
    """Exit 1 after one line for each problem."""
    lines = [f"vote {vote}: {problem}" for vote, problem in found]
    for line in lines:
        print(f"branch-meetings: {line}", file=sys.stderr)  # noqa: T201
    if lines:
        raise SystemExit(1)


def shown_setting(name: str, value: object) -> str:
    """A setting's value without what must not end up in a terminal's history."""
    if name == "secret" or (name == "metrics" and value not in ("", OPEN)):
        return "…"
    if name.endswith("_url"):
        return make_url(str(value)).render_as_string(hide_password=True)
    return str(getattr(value, "value", value))


async def prepare_demo(database: Database) -> list[demos.Person]:
    settings = read_settings()
    credentials = ServerCredentials(settings)
    await migrations.upgrade(database)
    if await demos.fill(database, credentials):
        console.print("Created the demo: Hoàng Liệt ward, 31 branches, 2,315 members.")
    return await demos.sign_in_people(database, credentials)


async def check_ready(database: Database, settings: Settings) -> None:
    await migrations.check_reached(database)
    if settings.is_production:
        await refuse_unsafe_database(database)


async def sign_in_demo(database: Database, settings: Settings) -> list[demos.Person]:
    await migrations.check_reached(database)
    return await demos.sign_in_people(database, ServerCredentials(settings))


def with_port(port: int | None) -> Settings:
    settings = read_settings()
    return replace(settings, port=port) if port is not None else settings


def demo_settings(port: int | None = None) -> Settings:
    settings = with_port(port)
    if settings.mode is Mode.PRODUCTION:
        fail("there is no demo in production")
    return settings


def with_database(settings: Settings, work: Any) -> Any:
    """Run `work` on the database; a database that cannot be reached is one line."""
    return asyncio.run(_with_database(settings, work))


async def _with_database(settings: Settings, work: Any) -> Any:
    try:
        database = Database(settings.database_url, settings.database_pool)
    except (SQLAlchemyError, ValueError, OSError) as error:
        fail(f"MEETINGS_DATABASE_URL: {error}")
    try:
        return await work(database)
    except (OSError, OverflowError, DBAPIError) as error:
        fail(f"the database does not answer: {error.__cause__ or error}")
    except (CommandError, LookupError) as error:
        fail(str(error))
    finally:
        await database.dispose()


def site_of(settings: Settings) -> str:
    return f"http://{settings.host}:{settings.port}"


def refuse_bad_feed(settings: Settings) -> None:
    try:
        Feed.from_url(settings.broadcast_url)
    except ValueError as error:
        fail(f"MEETINGS_BROADCAST_URL: {error}")


def refuse_taken_port(settings: Settings) -> None:
    address = (settings.host, settings.port)
    try:
        family = socket.getaddrinfo(*address, type=socket.SOCK_STREAM)[0][0]
        socket.create_server(address, family=family).close()
    except OSError as error:
        fail(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}")


def print_links(people: list[demos.Person], site: str) -> None:
    table = Table("Part", "Name", "Sign-in link", box=SIMPLE_HEAD)
    for person in people:
        table.add_row(person.part, person.name, person.link(site))
    # Wide enough for whole links: a narrow terminal wraps them, and they can still be copied.
    wide = Console(width=max(console.width, 120))
    wide.print(f"Branch Meetings on {site}", table, sep="\n")
