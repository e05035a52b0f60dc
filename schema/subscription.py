"""Queries that stay true: the whole selection at once, and again after each change."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from resolvers.meetings import watch_meeting
from resolvers.votes import watch_vote
from schema.meeting import Meeting
from schema.operation import Info
from schema.vote import Vote


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def meeting(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Meeting, None]:
        async with aclosing(watch_meeting(info.context, id)) as rows:
            async for row in rows:
                yield Meeting(row=row)

    @strawberry.subscription
    async def vote(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Vote, None]:
        async with aclosing(watch_vote(info.context, id)) as rows:
            async for row in rows:
                yield Vote(row=row)
