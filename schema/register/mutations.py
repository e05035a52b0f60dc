"""What the officers of a branch do to the standing of its members."""

from typing import Annotated

import strawberry

from resolvers.register import members
from schema.live.extension import Info
from schema.refusal import Refused
from schema.register.member import Member

MemberResult = Annotated[Member | Refused, strawberry.union("MemberResult")]


@strawberry.type
class RegisterMutations:
    @strawberry.mutation(
        description="Suspends a member of the viewer's branch: they see no meeting and cast no"
        " ballot from now on. What they cast stays."
    )
    async def suspend_member(
        self, info: Info, member_id: strawberry.ID, reason: str
    ) -> MemberResult:
        row = await members.suspend_member(info.context, member_id, reason)
        return Member(row=row, sees_record=True)

    @strawberry.mutation(description="Gives a suspended member the standing back that they had.")
    async def reinstate_member(self, info: Info, member_id: strawberry.ID) -> MemberResult:
        row = await members.reinstate_member(info.context, member_id)
        return Member(row=row, sees_record=True)
