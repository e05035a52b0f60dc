"""The application, composed in one place."""

import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import text
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.body_limit import RequestBodyLimitMiddleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from models.database import Database
from models.demo_mark import held_demo
from realtime.feed import Feed
from realtime.presence import Presence
from resolvers.context import Context
from resolvers.process import Process
from resolvers.votes.cast import Casting
from schema.live.documents import Asker
from schema.schema import schema
from server.auth.credentials import ServerCredentials
from server.auth.session_cookie import SessionCookie
from server.http.files import client_page
from server.http.graphql import (
    GraphQLView,
    SecurityHeaders,
    end_session,
    error_as_json,
    fault_as_json,
    keep_session,
    nobody_to_answer,
)
from server.http.heads import TRY_AGAIN_AFTER
from server.http.health import Health
from server.http.manifest import read_manifest
from server.limits.connections import STATE, Limits, address_of
from server.limits.members import MemberLimits
from server.limits.strangers import LimitStrangers, Strangers, refuse
from server.metrics.endpoint import Metrics
from server.runtime.due_votes import closing_due_votes
from server.runtime.gc_tuning import spare_the_collector
from server.runtime.log import set_up_log
from server.settings import Settings, SettingsError, read_settings
from server.websocket.connections import Sockets

MAXIMUM_BODY = 256 * 1024


def create_app(settings: Settings | None = None) -> Starlette:
    """The ASGI application; without settings it reads them from the environment."""
    settings = settings or read_settings()
    # The GraphQL executor leaves fields unawaited when their subscriber goes away amid a push.
    warnings.filterwarnings(
        "ignore", r"coroutine '(Executor|GraphQLCoreConverter)\.", RuntimeWarning
    )
    set_up_log()
    schema.documents.know(read_manifest())
    cookie = SessionCookie(is_production=settings.is_production)
    asker = Asker.MEMBER if settings.is_production else Asker.DEVELOPER
    members = MemberLimits(settings.member_allowance)
    sockets = Sockets(settings.origins, cookie, asker, members)
    metrics = Metrics(settings.metrics)
    limits = Limits(settings)
    strangers = Strangers(limits, cookie, lambda token: app.state.sessions.knows(token))

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Limits]]:
        database = Database(settings.database_url, settings.database_pool)
        credentials = ServerCredentials(settings)
        try:
            if settings.is_production:
                await refuse_unsafe_database(database)
            async with (
                Feed.from_url(settings.broadcast_url) as feed,
                Presence(feed).running() as presence,
            ):
                shared = Context(Process(database, feed, credentials, presence))
                app.state.new_context = shared.for_operation
                app.state.sessions = shared.sessions
                app.state.right_of_way = shared.service(Casting).right_of_way
                async with (
                    closing_due_votes(shared.for_operation),
                    sockets.serving(shared),
                    metrics.serving(shared, sockets),
                ):
                    spare_the_collector()
                    yield {STATE: limits}
        finally:
            await database.dispose()

    app = Application(
        sockets,
        strangers,
        limits,
        routes=[
            Route("/graphql", GraphQLView(schema, settings, members)),
            Route("/healthz", Health().answer),
            Route("/metrics", metrics.answer),
            Route("/session", keep_session, methods=["POST"]),
            Route("/session", end_session, methods=["DELETE"]),
            Route("/{path:path}", client_page),
        ],
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(LimitStrangers, strangers=strangers),
            Middleware(RequestBodyLimitMiddleware, max_body_size=MAXIMUM_BODY),
        ],
        exception_handlers={
            HTTPException: error_as_json,
            ClientDisconnect: nobody_to_answer,
            Exception: fault_as_json,
        },
        lifespan=lifespan,
    )
    app.state.is_production = settings.is_production
    app.state.session_cookie = cookie
    return app


class Application(Starlette):
    """Starlette for HTTP, whose requests wait while a vote is closed. Sockets go past it: each
    would keep the frames of every layer that it came through, for an evening."""

    def __init__(
        self, sockets: Sockets, strangers: Strangers, limits: Limits, **options: Any
    ) -> None:
        super().__init__(**options)
        self._sockets = sockets
        self._strangers = strangers
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            with self._limits.socket_of(address_of(scope["client"])) as is_let_in:
                wait = self._strangers.wait(scope) if is_let_in else TRY_AGAIN_AFTER
                if wait:
                    await refuse(scope, send, wait)
                elif scope["path"] == "/graphql":
                    await self._sockets(scope, receive, send)
                else:
                    await super().__call__(scope, receive, send)
            return
        if scope["type"] == "http" and not self.state.right_of_way.is_free:
            await self.state.right_of_way.until_free()
        await super().__call__(scope, receive, send)


async def refuse_unsafe_database(database: Database) -> None:
    """An acknowledged ballot must survive a power cut, and nobody's token may be known. Raises
    SettingsError."""
    if await held_demo(database):
        raise SettingsError("production refuses a database that held the demo; make a new one")
    if database.dialect != "postgresql":
        return
    async with database.engine.connect() as connection:
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            if await connection.scalar(text(f"SHOW {setting}")) == "off":
                raise SettingsError(f"production refuses a PostgreSQL with {setting} = off")
