"""Meetings: agenda, votes, attendance."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.meetings.meetings import AgendaItem as AgendaItemRow
from models.meetings.meetings import Attendance as AttendanceRow
from models.meetings.meetings import Meeting as MeetingRow
from resolvers.meetings.listing import MeetingPage, cursor_of
from resolvers.meetings.loaders import MeetingLoaders
from resolvers.meetings.meetings import acts_on_meeting
from resolvers.register.loaders import RegisterLoaders
from resolvers.votes.loaders import VoteLoaders
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    MeetingKind,
    MeetingMode,
    MeetingState,
)
from rules.permissions import Act
from schema.live.extension import Info
from schema.live.marks import Counted, Personal
from schema.register.member import Member
from schema.register.unit import Unit
from schema.votes.vote import Vote

strawberry.enum(AttendanceStatus)
strawberry.enum(ItemState)
strawberry.enum(MeetingKind)
strawberry.enum(MeetingMode)
strawberry.enum(MeetingState)


@strawberry.type
class AgendaItem:
    row: strawberry.Private[AgendaItemRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="From 1.")
    def position(self) -> int:
        return self.row.position

    @strawberry.field
    def title(self) -> str:
        return self.row.title

    @strawberry.field
    def state(self) -> ItemState:
        return self.row.state

    @strawberry.field
    async def votes(self, info: Info) -> list[Vote]:
        rows = await info.context.loaders(VoteLoaders).votes_of_item.load(self.row.id)
        return [Vote(row=row) for row in rows]


@strawberry.type
class Attendance:
    row: strawberry.Private[AttendanceRow]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(
            row=await info.context.loaders(RegisterLoaders).member.load(self.row.member_id)
        )

    @strawberry.field
    def status(self) -> AttendanceStatus:
        return self.row.status

    @strawberry.field
    def checked_in_at(self) -> datetime | None:
        return self.row.checked_in_at

    @strawberry.field(description="When the chair saw the member in the room; null if not yet.")
    def confirmed_at(self) -> datetime | None:
        return self.row.confirmed_at


@strawberry.type(description="How many were summoned, and how many of all members are there.")
class Turnout:
    summoned: int
    present: int = strawberry.field(description="Checked in; what quorum and majorities go by.")
    confirmed: int = strawberry.field(description="Seen in the room by the chair.")
    connected: int = strawberry.field(
        description="Connected now, roughly: a hint. It is no part of the meeting's version."
    )


@strawberry.type
class Meeting:
    row: strawberry.Private[MeetingRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(
        description="Grows with every change of the meeting, its attendance, votes and ballots;"
        " keep the state with the highest.",
        directives=[Counted()],
    )
    def version(self) -> int:
        return self.row.version

    @strawberry.field
    def state(self) -> MeetingState:
        return self.row.state

    @strawberry.field
    def kind(self) -> MeetingKind:
        return self.row.kind

    @strawberry.field
    def mode(self) -> MeetingMode:
        return self.row.mode

    @strawberry.field
    def title(self) -> str:
        return self.row.title

    @strawberry.field
    def starts_at(self) -> datetime:
        return self.row.starts_at

    @strawberry.field
    def opened_at(self) -> datetime | None:
        return self.row.opened_at

    @strawberry.field
    def closed_at(self) -> datetime | None:
        return self.row.closed_at

    @strawberry.field
    async def unit(self, info: Info) -> Unit:
        return Unit(row=await info.context.loaders(RegisterLoaders).unit.load(self.row.unit_id))

    @strawberry.field
    async def current_item(self, info: Info) -> AgendaItem | None:
        for row in await info.context.loaders(MeetingLoaders).agenda.load(self.row.id):
            if row.state is ItemState.CURRENT:
                return AgendaItem(row=row)
        return None

    @strawberry.field
    async def agenda(self, info: Info) -> list[AgendaItem]:
        rows = await info.context.loaders(MeetingLoaders).agenda.load(self.row.id)
        return [AgendaItem(row=row) for row in rows]

    @strawberry.field
    async def votes(self, info: Info) -> list[Vote]:
        rows = await info.context.loaders(VoteLoaders).votes_of_meeting.load(self.row.id)
        return [Vote(row=row) for row in rows]

    @strawberry.field(
        description="Everyone summoned, and whoever else came.", directives=[Counted()]
    )
    async def attendance(self, info: Info) -> list[Attendance]:
        rows = await info.context.loaders(MeetingLoaders).attendance.load(self.row.id)
        return [Attendance(row=row) for row in rows]

    @strawberry.field(directives=[Counted()])
    async def turnout(self, info: Info) -> Turnout:
        rows = await info.context.loaders(MeetingLoaders).attendance.load(self.row.id)
        return Turnout(
            summoned=sum(row.is_summoned for row in rows),
            present=sum(row.status is AttendanceStatus.PRESENT for row in rows),
            confirmed=sum(row.confirmed_at is not None for row in rows),
            connected=info.context.presence.connected(self.row.id),
        )

    @strawberry.field(
        description="The viewer's own; null for who has none.", directives=[Personal()]
    )
    async def my_attendance(self, info: Info) -> Attendance | None:
        member_id = info.context.viewer_id()
        for row in await info.context.loaders(MeetingLoaders).attendance.load(self.row.id):
            if row.member_id == member_id:
                return Attendance(row=row)
        return None

    @strawberry.field(description="The acts open to the viewer's roles, in any state.")
    async def viewer_may(self, info: Info) -> list[Act]:
        return await acts_on_meeting(info.context, self.row.unit_id)


@strawberry.type
class MeetingEdge:
    cursor: str
    node: Meeting


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class MeetingConnection:
    edges: list[MeetingEdge]
    page_info: PageInfo

    @classmethod
    def of(cls, page: MeetingPage) -> MeetingConnection:
        edges = [MeetingEdge(cursor=cursor_of(row), node=Meeting(row=row)) for row in page.meetings]
        end = edges[-1].cursor if edges else None
        return cls(edges=edges, page_info=PageInfo(has_next_page=page.has_next, end_cursor=end))
