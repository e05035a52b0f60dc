"""Votes: question, options, tally, outcome, and the viewer's own ballot."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.ballot_box import CastBallot
from models.votes import Vote as VoteRow
from models.votes import VoteOption as VoteOptionRow
from resolvers.votes import acts_on_vote
from rules.meetings import VoteState
from rules.permissions import Act
from rules.sentences import Language, outcome_sentence
from rules.voting import Base, OptionKind, RuleSet
from rules.voting import Outcome as OutcomeValue
from schema.operation import Info

strawberry.enum(Act, description="What a person may ask for.")
strawberry.enum(Base, description="What the votes in favour are measured against.")
strawberry.enum(Language)
strawberry.enum(OptionKind)
strawberry.enum(VoteState)


@strawberry.type
class VoteOption:
    row: strawberry.Private[VoteOptionRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field
    def kind(self) -> OptionKind:
        return self.row.kind

    @strawberry.field(
        description="As written by the chair; clients translate FOR, AGAINST and ABSTAIN."
    )
    def label(self) -> str:
        return self.row.label


@strawberry.type(
    description="Carried when for / base is over (strict) or at least numerator / denominator."
)
class VoteRule:
    name: str
    base: Base
    numerator: int
    denominator: int
    strict: bool


@strawberry.type
class OptionCount:
    option_id: strawberry.ID
    count: int


@strawberry.type(description="Counted from the ballots for this very answer.")
class Tally:
    cast: int
    eligible: int = strawberry.field(
        description="Entitled members on the roll; 0 until the vote opens and the roll is frozen."
    )
    options: list[OptionCount]


@strawberry.type(description="What a closed vote decided.")
class Outcome:
    value: strawberry.Private[OutcomeValue]

    @strawberry.field
    def carried(self) -> bool:
        return self.value.carried

    @strawberry.field(description="The fewest votes in favour that carry.")
    def needed(self) -> int:
        return self.value.needed

    @strawberry.field(description="How many the votes in favour are measured against.")
    def base(self) -> int:
        return self.value.base

    @strawberry.field(description="The outcome with its figures, to read out.")
    def sentence(self, language: Language = Language.EN) -> str:
        return outcome_sentence(self.value, language)


@strawberry.type(description="The server's word that a ballot is recorded.")
class Receipt:
    ballot: strawberry.Private[CastBallot]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.id))

    @strawberry.field
    def vote_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.vote_id))

    @strawberry.field(description="The key that the ballot was cast with.")
    def key(self) -> strawberry.ID:
        return strawberry.ID(self.ballot.key)

    @strawberry.field
    def choices(self) -> list[strawberry.ID]:
        return [strawberry.ID(str(choice)) for choice in self.ballot.choices]

    @strawberry.field(description="By the database's clock.")
    def cast_at(self) -> datetime:
        return self.ballot.cast_at


@strawberry.type
class Vote:
    row: strawberry.Private[VoteRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(description="Grows with every change; keep the state with the highest.")
    def version(self) -> int:
        return self.row.version

    @strawberry.field
    def meeting_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.meeting_id))

    @strawberry.field
    def item_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.item_id))

    @strawberry.field
    def state(self) -> VoteState:
        return self.row.state

    @strawberry.field
    def question(self) -> str:
        return self.row.question

    @strawberry.field
    async def options(self, info: Info) -> list[VoteOption]:
        rows = await info.context.loaders.options.load(self.row.id)
        return [VoteOption(row=row) for row in rows]

    @strawberry.field
    def opened_at(self) -> datetime | None:
        return self.row.opened_at

    @strawberry.field
    def closed_at(self) -> datetime | None:
        return self.row.closed_at

    @strawberry.field
    def rule(self) -> VoteRule:
        rule = RuleSet.from_data(self.row.rule)
        return VoteRule(
            name=rule.name,
            base=rule.base,
            numerator=rule.numerator,
            denominator=rule.denominator,
            strict=rule.strict,
        )

    @strawberry.field
    async def tally(self, info: Info) -> Tally:
        counts = await info.context.loaders.option_counts.load(self.row.id)
        return Tally(
            cast=sum(count for _, count in counts),
            eligible=await info.context.loaders.eligible.load(self.row.id),
            options=[
                OptionCount(option_id=strawberry.ID(str(option_id)), count=count)
                for option_id, count in counts
            ],
        )

    @strawberry.field(description="Null until the vote is closed.")
    def outcome(self) -> Outcome | None:
        if self.row.outcome is None:
            return None
        return Outcome(value=OutcomeValue.from_data(self.row.outcome))

    @strawberry.field(description="Depends on the viewer: their own, null until they cast.")
    async def my_receipt(self, info: Info) -> Receipt | None:
        member_id = info.context.signed_in().member_id
        ballot = await info.context.loaders.ballot.load((self.row.id, member_id))
        return Receipt(ballot=ballot) if ballot else None

    @strawberry.field(
        description="Depends on the viewer: CAST_BALLOT while the vote is open, they are entitled"
        " and have not cast; OPEN_VOTE and CLOSE_VOTE for whoever chairs, in the state for it."
    )
    async def viewer_may(self, info: Info) -> list[Act]:
        return await acts_on_vote(info.context, self.row)
