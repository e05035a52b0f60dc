"""Hands raised in the room."""

from __future__ import annotations

import strawberry

from models.votes.votes import CountedHand as CountedHandRow
from resolvers.register.loaders import RegisterLoaders
from schema.live.extension import Info
from schema.register.member import Member


@strawberry.type(description="A hand raised in the room, as the chair counted it.")
class CountedHand:
    row: strawberry.Private[CountedHandRow]

    @strawberry.field(description="Whose hand it was.")
    async def member(self, info: Info) -> Member:
        return Member(
            row=await info.context.loaders(RegisterLoaders).member.load(self.row.member_id)
        )

    @strawberry.field(description="Null where it was counted before each hand kept its option.")
    def option_id(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.option_id)) if self.row.option_id else None
