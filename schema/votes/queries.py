"""Votes, the rules that they are held under, and what would annul one."""

import strawberry

from resolvers.access.permit import read_vote
from resolvers.register.unit_rules import list_rules
from resolvers.votes.annul import list_annulments
from rules.permissions import Act
from rules.votes.presets import Matter
from schema.live.extension import Info
from schema.votes.annulment import Annulment
from schema.votes.rule import VoteRule
from schema.votes.vote import Vote


@strawberry.type(description="The rule in force for a matter.")
class MatterRule:
    matter: Matter
    rule: VoteRule


@strawberry.type
class VoteQueries:
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
