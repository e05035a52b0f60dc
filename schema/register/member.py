"""People: members, their appointments, and the viewer."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.register.units import Appointment as AppointmentRow
from models.register.units import Member as MemberRow
from resolvers.accounts.own_sessions import list_sessions
from resolvers.context import Viewer as ViewerValue
from resolvers.register.loaders import RegisterLoaders
from rules.register.members import Role, Standing
from schema.accounts.session import Session
from schema.live.extension import Info
from schema.register.unit import Unit

strawberry.enum(Role)
strawberry.enum(Standing)


@strawberry.type(description="A role in a unit, held today.")
class Appointment:
    row: strawberry.Private[AppointmentRow]

    @strawberry.field
    def role(self) -> Role:
        return self.row.role

    @strawberry.field
    async def unit(self, info: Info) -> Unit:
        return Unit(row=await info.context.loaders(RegisterLoaders).unit.load(self.row.unit_id))


@strawberry.type(description="A member. Fellow members see the name and the appointments only.")
class Member:
    row: strawberry.Private[MemberRow]
    sees_record: strawberry.Private[bool] = False

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field
    def name(self) -> str:
        return self.row.name

    @strawberry.field(description="Null where the viewer may not see the member's record.")
    def standing(self) -> Standing | None:
        return self.row.standing if self.sees_record else None

    @strawberry.field(description="The regular branch; null where the viewer may not see it.")
    async def unit(self, info: Info) -> Unit | None:
        if not self.sees_record:
            return None
        row = await info.context.loaders(RegisterLoaders).regular_unit.load(self.row.id)
        return Unit(row=row) if row else None

    @strawberry.field
    async def appointments(self, info: Info) -> list[Appointment]:
        rows = await info.context.loaders(RegisterLoaders).appointments.load(self.row.id)
        return [Appointment(row=row) for row in rows]


@strawberry.type(description="Whoever is signed in.")
class Viewer:
    value: strawberry.Private[ViewerValue]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        row = await info.context.loaders(RegisterLoaders).member.load(self.value.member_id)
        return Member(row=row, sees_record=True)

    @strawberry.field
    def session_expires_at(self) -> datetime:
        return self.value.session_expires_at

    @strawberry.field(description="Where the viewer is signed in, the newest first; at most 100.")
    async def sessions(self, info: Info) -> list[Session]:
        return [Session.of(value) for value in await list_sessions(info.context)]
