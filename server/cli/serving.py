"""Serving: the demo to try, or what settings say."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Annotated

import typer

from server.cli.common import Port, demo_settings, fail, site_of, with_database, with_port
from server.cli.demo import prepare_demo, print_links
from server.settings import Settings

if TYPE_CHECKING:
    from models.database import Database

APP = "server.asgi:create_app"


def run(port: Port = None) -> None:
    """Try it: set up the database and the demo once, print sign-in links, serve."""
    from server.runtime.process import serve_app

    settings = demo_settings(port)
    refuse_bad_feed(settings)
    refuse_taken_port(settings)
    people = with_database(settings, prepare_demo)
    print_links(people, site_of(settings))
    serve_app(APP, settings.host, settings.port, workers=1)


def serve(
    workers: Annotated[int, typer.Option(min=1, help="Processes; more than one needs Redis.")] = 1,
    port: Port = None,
) -> None:
    """Serve, as settings say. The database must be migrated."""
    from server.runtime.process import serve_app

    settings = with_port(port)
    refuse_bad_feed(settings)
    if workers > 1 and settings.broadcast_url.startswith("memory:"):
        fail("several workers need MEETINGS_BROADCAST_URL=redis://…: memory reaches one process")
    refuse_taken_port(settings)
    with_database(settings, lambda database: check_ready(database, settings))
    serve_app(APP, settings.host, settings.port, workers, is_supervised=settings.is_production)


async def check_ready(database: Database, settings: Settings) -> None:
    from models.migrate import check_reached
    from server.asgi import refuse_unsafe_database

    await check_reached(database)
    if settings.is_production:
        await refuse_unsafe_database(database)


def refuse_bad_feed(settings: Settings) -> None:
    from realtime.feed import Feed

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
