"""Organisational units."""

from __future__ import annotations

import strawberry

from models.register.units import Unit as UnitRow
from resolvers.meetings.loaders import MeetingLoaders
from resolvers.register.loaders import RegisterLoaders
from rules.register.members import UnitKind
from schema.live.extension import Info

strawberry.enum(UnitKind)


@strawberry.type(description="An organisational unit, with today's place in the tree.")
class Unit:
    row: strawberry.Private[UnitRow]
    sees_subtree: strawberry.Private[bool] = False

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field
    def kind(self) -> UnitKind:
        return self.row.kind

    @strawberry.field
    def name(self) -> str:
        return self.row.name

    @strawberry.field
    async def parent(self, info: Info) -> Unit | None:
        row = await info.context.loaders(RegisterLoaders).parent.load(self.row.id)
        return Unit(row=row) if row else None

    @strawberry.field(description="Null where the viewer may not see the subtree.")
    async def children(self, info: Info) -> list[Unit] | None:
        if not self.sees_subtree:
            return None
        rows = await info.context.loaders(RegisterLoaders).children.load(self.row.id)
        return [Unit(row=row, sees_subtree=True) for row in rows]

    @strawberry.field(
        description="Members who regularly belong to this unit or below it; null where the"
        " viewer may not see the subtree."
    )
    async def member_count(self, info: Info) -> int | None:
        if not self.sees_subtree:
            return None
        return await info.context.loaders(RegisterLoaders).member_count.load(self.row.id)

    @strawberry.field(
        description="Meetings in session in this unit or below it; null where the viewer may not"
        " see the subtree."
    )
    async def meetings_in_session(self, info: Info) -> int | None:
        if not self.sees_subtree:
            return None
        return await info.context.loaders(MeetingLoaders).meetings_in_session.load(self.row.id)
