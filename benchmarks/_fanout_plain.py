"""Plain Strawberry: the peers' types on the stock ASGI view, with broadcaster in memory."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import strawberry
from broadcaster import Broadcast
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from strawberry.asgi import GraphQL


@strawberry.type
class OptionCount:
    option_id: strawberry.ID
    count: int | None


@strawberry.type
class Tally:
    cast: int
    eligible: int
    options: list[OptionCount]


@strawberry.type
class Vote:
    id: strawberry.ID
    version: int
    tally: Tally


VOTE = Vote(
    id=strawberry.ID(str(uuid4())),
    version=1,
    tally=Tally(
        cast=0,
        eligible=1000,
        options=[OptionCount(option_id=strawberry.ID(str(uuid4())), count=0) for _ in range(3)],
    ),
)
CHANNEL = "vote"

broadcast = Broadcast("memory://")


@strawberry.type
class Query:
    @strawberry.field
    def vote(self, id: strawberry.ID) -> Vote:  # noqa: A002
        return VOTE


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def cast_ballot(self, vote_id: strawberry.ID) -> Vote:
        VOTE.version += 1
        VOTE.tally.cast += 1
        VOTE.tally.options[0].count = VOTE.tally.cast
        await broadcast.publish(CHANNEL, "changed")
        return VOTE


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def vote(self, id: strawberry.ID) -> AsyncGenerator[Vote, None]:  # noqa: A002
        async with broadcast.subscribe(CHANNEL) as changes:
            yield VOTE
            while await changes.get():
                yield VOTE


@asynccontextmanager
async def connected(_: Starlette) -> AsyncIterator[None]:
    async with broadcast:
        yield


view = GraphQL[None, None](strawberry.Schema(Query, Mutation, Subscription))
app = Starlette(
    routes=[Route("/graphql", view), WebSocketRoute("/graphql", view)], lifespan=connected
)
