"""What can be asked. Each field unpacks, calls one resolver, wraps."""

import strawberry

from resolvers.access.permit import read_meeting, read_member, read_viewer, read_vote
from resolvers.meetings.meetings import list_meetings, read_proxies
from resolvers.register.unit_rules import list_rules
from resolvers.register.units import read_unit_live, view_unit
from resolvers.votes.annul import list_annulments
from rules.permissions import Act
from rules.votes.presets import Matter
from schema.live.extension import Info
from schema.meetings.meeting import Meeting, MeetingConnection
from schema.register.member import Member, Viewer
from schema.register.unit import Unit
from schema.votes.annulment import Annulment
from schema.votes.rule import VoteRule
from schema.votes.unit_live import UnitLive
from schema.votes.vote import Vote


@strawberry.type(description="The rule in force for a matter.")
class MatterRule:
    matter: Matter
    rule: VoteRule


@strawberry.type(description="Who votes for whom in a meeting, as far as it concerns the viewer.")
class Proxies:
    holder: Member | None = strawberry.field(
        description="Whom the viewer lets vote for them while absent."
    )
    givers: list[Member] = strawberry.field(description="Who lets the viewer vote for them.")


@strawberry.type
class Query:
    @strawberry.field(description="Null when nobody is signed in.")
    async def viewer(self, info: Info) -> Viewer | None:
        value = await read_viewer(info.context)
        return Viewer(value=value) if value else None

    @strawberry.field
    async def unit(self, info: Info, id: strawberry.ID) -> Unit | None:
        row, sees_subtree = await view_unit(info.context, id)
        return Unit(row=row, sees_subtree=sees_subtree)

    @strawberry.field(
        description="What happens in the meetings of a unit and of all below it, for its committee."
    )
    async def unit_live(self, info: Info, id: strawberry.ID) -> UnitLive | None:
        return UnitLive.of(*await read_unit_live(info.context, id))

    @strawberry.field
    async def member(self, info: Info, id: strawberry.ID) -> Member | None:
        row, sees_record = await read_member(info.context, id, Act.VIEW_MEMBER)
        return Member(row=row, sees_record=sees_record)

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

    @strawberry.field(description="The rules that a unit votes by today, its own and inherited.")
    async def rules(self, info: Info, unit_id: strawberry.ID) -> list[MatterRule] | None:
        found = await list_rules(info.context, unit_id)
        return [MatterRule(matter=m, rule=VoteRule(value=rule)) for m, rule in found.items()]

    @strawberry.field(
        description="What other officers would annul, and waits for the viewer to confirm it."
    )
    async def annulments(self, info: Info) -> list[Annulment] | None:
        return [Annulment(value=one) for one in await list_annulments(info.context)]

    @strawberry.field
    async def vote(self, info: Info, id: strawberry.ID) -> Vote | None:
        return Vote(row=await read_vote(info.context, id, Act.VIEW_MEETING))
