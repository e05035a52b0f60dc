"""Units and members."""

import strawberry

from resolvers.access.permit import read_member
from resolvers.register.units import read_unit_live, view_unit
from rules.permissions import Act
from schema.live.extension import Info
from schema.register.member import Member
from schema.register.unit import Unit
from schema.votes.unit_live import UnitLive


@strawberry.type
class RegisterQueries:
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
