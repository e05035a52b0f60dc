"""The electoral roll: who is on it, and why somebody casts no ballot."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.votes.votes import RollEntry as RollEntryRow
from models.votes.votes import Vote as VoteRow
from resolvers.register.loaders import RegisterLoaders
from resolvers.votes.visibility import hands_of
from rules.votes.roll import LeftOut, RollNotes
from schema.live.extension import Info
from schema.register.member import Member
from schema.votes.hands import CountedHand

strawberry.enum(LeftOut, description="Why a member of the branch casts no ballot.")


@strawberry.type(description="A member of the branch when the vote opened, or added since.")
class RollLine:
    row: strawberry.Private[RollEntryRow]
    vote: strawberry.Private[VoteRow]
    notes: strawberry.Private[RollNotes]
    sees_reason: strawberry.Private[bool]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(
            row=await info.context.loaders(RegisterLoaders).member.load(self.row.member_id)
        )

    @strawberry.field(description="Whether they cast a ballot in this vote.")
    def is_entitled(self) -> bool:
        is_suspended = self.row.member_id in self.notes.suspended_at
        return self.row.left_out is None and not is_suspended

    @strawberry.field(
        description="Null for who is entitled, and for all but the officers of the branch, because"
        " it tells of members' standings. One's own is in `myRollLine`."
    )
    def left_out(self) -> LeftOut | None:
        return self.row.left_out if self.sees_reason else None

    @strawberry.field
    def weight(self) -> int:
        return self.row.weight

    @strawberry.field(description="When the chair put a late-comer on the roll.")
    def amended_at(self) -> datetime | None:
        return self.row.amended_at

    @strawberry.field(
        description="Who casts for this member: the holder of their proxy when the vote opened,"
        " whose `weight` has this member's vote. Null for everybody else."
    )
    async def represented_by(self, info: Info) -> Member | None:
        holder = self.notes.represented_by.get(self.row.member_id)
        return (
            Member(row=await info.context.loaders(RegisterLoaders).member.load(holder))
            if holder
            else None
        )

    @strawberry.field(
        description="Since when the member is suspended, where that came while the vote was open:"
        " they cast no more, and what they cast counts. Shown to whom `leftOut` is."
    )
    def suspended_at(self) -> datetime | None:
        return self.notes.suspended_at.get(self.row.member_id) if self.sees_reason else None

    @strawberry.field(
        description="The member's hand as it was counted in the room; null for who raised none,"
        " and in a vote that is not OPEN."
    )
    async def hand(self, info: Info) -> CountedHand | None:
        hands = await hands_of(info.context, self.vote)
        own = [row for row in hands if row.member_id == self.row.member_id]
        return CountedHand(row=own[0]) if own else None
