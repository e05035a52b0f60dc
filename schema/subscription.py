"""Queries that stay true: the whole selection at once, and again after each change.

Each field yields the state as it is now, once. `schema/live/run.py` runs it again when a hint says
that something changed, once for all subscribers who see the same.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

import strawberry

from resolvers.access.audiences import Audiences, Followed
from resolvers.access.logins import Access
from resolvers.access.permit import read_meeting, read_vote
from resolvers.context import Context
from resolvers.register.units import read_unit_live
from rules.permissions import Act
from schema.live.extension import Info
from schema.meetings.meeting import Meeting
from schema.votes.unit_live import UnitLive
from schema.votes.vote import Vote


async def load_meeting(context: Context, id: str) -> Meeting:
    return Meeting(row=await read_meeting(context, id, Act.VIEW_MEETING))


async def load_vote(context: Context, id: str) -> Vote:
    return Vote(row=await read_vote(context, id, Act.VIEW_MEETING))


@dataclass(frozen=True)
class LiveField:
    """Of one field: what its subscribers follow and may see, and how its value is loaded."""

    follow: Callable[[Audiences, Access, str], Awaitable[Followed]]
    load: Callable[[Context, str], Awaitable[object]]


async def load_unit_live(context: Context, id: str) -> UnitLive:
    return UnitLive.of(*await read_unit_live(context, id))


LIVE = {
    "meeting": LiveField(Audiences.of_meeting, load_meeting),
    "vote": LiveField(Audiences.of_vote, load_vote),
    "unitLive": LiveField(Audiences.of_unit, load_unit_live),
}


@strawberry.type
class Subscription:
    @strawberry.subscription
    async def meeting(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Meeting, None]:
        yield await load_meeting(info.context, id)

    @strawberry.subscription
    async def vote(self, info: Info, id: strawberry.ID) -> AsyncGenerator[Vote, None]:
        yield await load_vote(info.context, id)

    @strawberry.subscription
    async def unit_live(self, info: Info, id: strawberry.ID) -> AsyncGenerator[UnitLive, None]:
        yield await load_unit_live(info.context, id)
