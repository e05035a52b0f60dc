"""The paper of a vote: what a ballot can mark."""

from __future__ import annotations

import strawberry

from models.votes.votes import VoteOption as VoteOptionRow
from rules.votes.ballots import OptionKind

strawberry.enum(OptionKind)


@strawberry.type(description="What a ballot can mark.")
class VoteOption:
    row: strawberry.Private[VoteOptionRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field
    def kind(self) -> OptionKind:
        return self.row.kind

    @strawberry.field(
        description="As written by the chair; clients translate FOR, AGAINST and ABSTAIN of a"
        " motion. The two boxes of a candidate both carry the candidate's name."
    )
    def label(self) -> str:
        return self.row.label

    @strawberry.field(description="The same for the FOR and AGAINST boxes of one candidate.")
    def candidate_id(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.candidate_id)) if self.row.candidate_id else None
