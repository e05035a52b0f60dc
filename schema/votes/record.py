"""Who voted how, in a closed vote that is OPEN."""

from __future__ import annotations

import strawberry

from models.votes.counting import RecordedBallot as RecordedBallotRow
from resolvers.register.loaders import RegisterLoaders
from rules.votes.ballots import Validity
from schema.live.extension import Info
from schema.register.member import Member
from schema.votes.ballot import tracker_of

strawberry.enum(Validity)


@strawberry.type(description="A ballot of a closed OPEN vote, by name.")
class RecordedBallot:
    row: strawberry.Private[RecordedBallotRow]

    @strawberry.field
    def tracker(self) -> str:
        return tracker_of(str(self.row.id))

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(
            row=await info.context.loaders(RegisterLoaders).member.load(self.row.member_id)
        )

    @strawberry.field
    def validity(self) -> Validity:
        return self.row.validity

    @strawberry.field
    def choices(self) -> list[strawberry.ID]:
        return [strawberry.ID(str(choice)) for choice in self.row.choices]
