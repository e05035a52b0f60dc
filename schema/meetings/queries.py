"""Meetings, one and many, and who votes for whom in one."""

import strawberry

from resolvers.access.permit import read_meeting
from resolvers.meetings.listing import list_meetings
from resolvers.meetings.proxies import read_proxies
from rules.permissions import Act
from schema.live.extension import Info
from schema.meetings.meeting import Meeting, MeetingConnection
from schema.register.member import Member


@strawberry.type(description="Who votes for whom in a meeting, as far as it concerns the viewer.")
class Proxies:
    holder: Member | None = strawberry.field(
        description="Whom the viewer lets vote for them while absent."
    )
    givers: list[Member] = strawberry.field(description="Who lets the viewer vote for them.")


@strawberry.type
class MeetingQueries:
    @strawberry.field
    async def meeting(self, info: Info, id: strawberry.ID) -> Meeting | None:
        return Meeting(row=await read_meeting(info.context, id, Act.VIEW_MEETING))

    @strawberry.field(
        description="As they were given; a rule may know none, or let nobody vote for so many."
    )
    async def proxies(self, info: Info, meeting_id: strawberry.ID) -> Proxies | None:
        found = await read_proxies(info.context, meeting_id)
        return Proxies(
            holder=Member(row=found.holder) if found.holder else None,
            givers=[Member(row=row) for row in found.givers],
        )

    @strawberry.field(description="A unit's meetings, newest first; at most 100 at a time.")
    async def meetings(
        self, info: Info, unit_id: strawberry.ID, first: int = 20, after: str | None = None
    ) -> MeetingConnection | None:
        return MeetingConnection.of(await list_meetings(info.context, unit_id, first, after))
