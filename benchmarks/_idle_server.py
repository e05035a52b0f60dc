"""The server of `benchmarks.casting` whose `castBallot` does nothing: no sign-in, no database."""

from datetime import UTC, datetime
from uuid import UUID

import strawberry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket

from models.database import Database
from models.votes.ballot_box import CastBallot
from realtime.feed import Feed
from resolvers.context import Context
from resolvers.process import Process
from schema.live.execution import Execution
from schema.live.extension import Info, Operation
from schema.query import Query
from schema.schema import Schema
from schema.votes.ballot import Receipt
from schema.votes.mutations import CastBallotResult
from server.auth.credentials import ServerCredentials
from server.http.graphql import GraphQLView
from server.settings import Settings

NOBODY = UUID(int=0)


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def cast_ballot(
        self,
        info: Info,
        vote_id: strawberry.ID,
        choices: list[strawberry.ID],
        key: strawberry.ID,
    ) -> CastBallotResult:
        return Receipt(ballot=CastBallot(NOBODY, NOBODY, key, (NOBODY,), datetime.now(UTC)))


class IdleView(GraphQLView):
    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> Context:
        return CONTEXT.for_operation()


CONTEXT = Context(
    Process(
        Database("sqlite+aiosqlite://"), Feed.from_url("memory://"), ServerCredentials(Settings())
    )
)


def create_app() -> Starlette:
    """The same view, extensions and encoding as ours around a mutation that does nothing."""
    schema = Schema(
        query=Query,
        mutation=Mutation,
        execution_context_class=Execution,
        extensions=[Operation],
    )
    return Starlette(routes=[Route("/graphql", IdleView(schema, Settings()))])
