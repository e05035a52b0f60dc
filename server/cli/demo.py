"""The demo organisation: who may sign in, and a crowd to see it live."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.common import Port, console, demo_settings, fail, site_of, with_database
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from models.database import Database
    from server.demo.demo import Person


def tokens(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    port: Port = None,
) -> None:
    """Print sign-in links for the chair, members and an officer of the demo."""
    from server.demo.demo import as_data

    settings = demo_settings(port)
    people = with_database(settings, lambda database: sign_in_demo(database, settings))
    if as_json:
        data = as_data(people, site_of(settings))
        print(json.dumps(data, ensure_ascii=False, indent=2))  # noqa: T201
    else:
        print_links(people, site_of(settings))


def crowd(
    members: Annotated[int, typer.Option(min=1, max=60, help="How many come.")] = 60,
    seconds: Annotated[float, typer.Option(min=1, max=600, help="How long it takes.")] = 60,
    port: Port = None,
) -> None:
    """Let simulated members join the demo's meeting, check in and vote, to see it live."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from server.auth.credentials import ServerCredentials
    from server.demo import crowd as crowds
    from server.demo import data as demo_data
    from server.demo import demo as demos

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


async def prepare_demo(database: Database) -> list[Person]:
    from models import migrate as migrations
    from server.auth.credentials import ServerCredentials
    from server.demo import demo as demos

    settings = read_settings()
    credentials = ServerCredentials(settings)
    await migrations.upgrade(database)
    if await demos.fill(database, credentials):
        console.print("Created the demo: Hoàng Liệt ward, 31 branches, 2,315 members.")
    return await demos.sign_in_people(database, credentials)


async def sign_in_demo(database: Database, settings: Settings) -> list[Person]:
    from models.migrate import check_reached
    from server.auth.credentials import ServerCredentials
    from server.demo.demo import sign_in_people

    await check_reached(database)
    return await sign_in_people(database, ServerCredentials(settings))


def print_links(people: list[Person], site: str) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    table = Table("Part", "Name", "Sign-in link", box=SIMPLE_HEAD)
    for person in people:
        table.add_row(person.part, person.name, person.link(site))
    # Wide enough for whole links: a narrow terminal wraps them, and they can still be copied.
    wide = Console(width=max(console.width, 120))
    wide.print(f"Branch Meetings on {site}", table, sep="\n")
