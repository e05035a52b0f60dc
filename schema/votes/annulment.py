"""What is proposed about a result that hides who chose what, and waits for a second officer."""

from __future__ import annotations

from datetime import datetime

import strawberry

from resolvers.votes.annul import Annulment as AnnulmentValue
from resolvers.votes.annul import AnnulmentState, vote_of
from schema.live.extension import Info
from schema.votes.vote import Vote

strawberry.enum(AnnulmentState)


@strawberry.type(
    description="That an officer would annul a vote which is not OPEN. It shows no figure of it, so"
    " an officer of a unit above may know of it, too."
)
class Annulment:
    value: strawberry.Private[AnnulmentValue]

    @strawberry.field(description="The vote that would be annulled.")
    def vote_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.value.vote_id))

    @strawberry.field(description="The name of the unit that voted.")
    def unit(self) -> str:
        return self.value.unit

    @strawberry.field(description="What was asked.")
    def question(self) -> str:
        return self.value.question

    @strawberry.field(description="The reason that the proposer gave.")
    def why(self) -> str:
        return self.value.reason

    @strawberry.field(description="The name of the officer who proposed it.")
    def proposed_by(self) -> str:
        return self.value.proposed_by

    @strawberry.field(description="When the first officer proposed it.")
    def proposed_at(self) -> datetime:
        return self.value.proposed_at

    @strawberry.field(
        description="Whether a second officer is awaited, has agreed, or it was withdrawn."
    )
    def state(self) -> AnnulmentState:
        return self.value.state

    @strawberry.field(description="Null for who may not see the meeting.")
    async def vote(self, info: Info) -> Vote | None:
        row = await vote_of(info.context, self.value)
        return Vote(row=row) if row else None
