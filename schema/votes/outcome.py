"""What a closed vote decided, with every figure that the verdict rests on."""

from __future__ import annotations

from uuid import UUID

import strawberry

from resolvers.register.loaders import RegisterLoaders
from resolvers.votes.loaders import VoteLoaders
from resolvers.votes.votes import labels_of
from rules.votes.bases import LeftOutOfBase as LeftOutOfBaseValue
from rules.votes.bases import NotInBase
from rules.votes.elections import CandidateResult as CandidateValue
from rules.votes.explain.sentences import Language, explain
from rules.votes.outcome import MeasureResult as MeasureValue
from rules.votes.outcome import Outcome as OutcomeValue
from rules.votes.outcome import Verdict
from rules.votes.rule_sets import Base, TieRule
from rules.votes.ties import NextStep
from rules.votes.ties import Tie as TieValue
from schema.live.extension import Info
from schema.register.member import Member

strawberry.enum(Base, description="What the votes in favour are measured against.")
strawberry.enum(Language)
strawberry.enum(NextStep, description="What still has to happen before a result stands.")
strawberry.enum(NotInBase, description="Why a member is not in a base of persons.")
strawberry.enum(TieRule)
strawberry.enum(Verdict)


def _percent(hundredths: int) -> float:
    return hundredths / 100


def _ids(ids: tuple[UUID, ...]) -> list[strawberry.ID]:
    return [strawberry.ID(str(one)) for one in ids]


@strawberry.type(description="A member who is not in the base, and why.")
class LeftOutOfBase:
    value: strawberry.Private[LeftOutOfBaseValue]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(
            row=await info.context.loaders(RegisterLoaders).member.load(self.value.member_id)
        )

    @strawberry.field
    def why(self) -> NotInBase:
        return self.value.why


@strawberry.type(description="What a candidate or an answer got, by rank.")
class CandidateResult:
    option_id: strawberry.ID = strawberry.field(description="The FOR box, or the CHOICE.")
    votes: int
    against: int
    needed: int
    percent: float = strawberry.field(description="Of the base.")
    has_reached: bool
    is_elected: bool
    rank: int

    @classmethod
    def of(cls, value: CandidateValue) -> CandidateResult:
        return cls(
            option_id=strawberry.ID(str(value.option_id)),
            votes=value.votes,
            against=value.against,
            needed=value.needed,
            percent=_percent(value.hundredths),
            has_reached=value.has_reached,
            is_elected=value.is_elected,
            rank=value.rank,
        )


@strawberry.type(description="What one of several measures got, those for heavier ones included.")
class MeasureResult:
    option_id: strawberry.ID
    votes: int
    cumulative: int
    needed: int
    percent: float = strawberry.field(description="The cumulated votes in the base.")
    has_reached: bool

    @classmethod
    def of(cls, value: MeasureValue) -> MeasureResult:
        return cls(
            option_id=strawberry.ID(str(value.option_id)),
            votes=value.votes,
            cumulative=value.cumulative,
            needed=value.needed,
            percent=_percent(value.hundredths),
            has_reached=value.has_reached,
        )


@strawberry.type(description="Options with equal votes for fewer places than they are.")
class Tie:
    tied: list[strawberry.ID]
    places: int
    rule: TieRule
    chosen: list[strawberry.ID]
    seed: str | None = strawberry.field(
        description="Of the lot, if one was drawn; anybody can draw it again."
    )

    secret: str | None = strawberry.field(
        description="What the seed was made of besides the ballots' keys, in hex; fixed at opening."
    )

    @classmethod
    def of(cls, value: TieValue) -> Tie:
        return cls(
            tied=_ids(value.tied),
            places=value.places,
            rule=value.rule,
            chosen=_ids(value.chosen),
            seed=value.seed,
            secret=value.secret,
        )


@strawberry.type(description="What a closed vote decided.")
class Outcome:
    value: strawberry.Private[OutcomeValue]
    vote_id: strawberry.Private[UUID]
    sees_reasons: strawberry.Private[bool]

    @strawberry.field
    def carried(self) -> bool:
        return self.value.is_carried

    @strawberry.field
    def verdict(self) -> Verdict:
        return self.value.verdict

    @strawberry.field(
        description="The fewest votes in favour that reach the threshold; of TOO_FEW_BALLOTS the"
        " fewest ballots with which figures are shown."
    )
    def needed(self) -> int:
        return self.value.needed

    @strawberry.field(description="How many the votes in favour are measured against.")
    def base(self) -> int:
        return self.value.base

    @strawberry.field
    def base_kind(self) -> Base:
        return self.value.base_kind

    @strawberry.field(
        description="Empty for all but the officers of the branch, because it tells of members'"
        " standings; `leftOutOfBaseCount` says how many they are."
    )
    def left_out_of_base(self) -> list[LeftOutOfBase]:
        if not self.sees_reasons:
            return []
        return [LeftOutOfBase(value=one) for one in self.value.left_out_of_base]

    @strawberry.field(description="Members of the branch whom the base does not count.")
    def left_out_of_base_count(self) -> int:
        return len(self.value.left_out_of_base)

    @strawberry.field
    def votes_for(self) -> int:
        return self.value.votes_for

    @strawberry.field
    def votes_against(self) -> int:
        return self.value.votes_against

    @strawberry.field
    def abstentions(self) -> int:
        return self.value.abstentions

    @strawberry.field(description="The votes in favour in the base, with two decimals.")
    def percent(self) -> float:
        return _percent(self.value.hundredths)

    @strawberry.field(description="Of an election, by rank.")
    def candidates(self) -> list[CandidateResult]:
        return [CandidateResult.of(one) for one in self.value.candidates]

    @strawberry.field(description="From the heaviest.")
    def measures(self) -> list[MeasureResult]:
        return [MeasureResult.of(one) for one in self.value.measures]

    @strawberry.field(description="The option of the measure chosen.")
    def measure(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.value.measure)) if self.value.measure else None

    @strawberry.field
    def tie(self) -> Tie | None:
        return Tie.of(self.value.tie) if self.value.tie else None

    @strawberry.field
    def next_step(self) -> NextStep | None:
        return self.value.next_step

    @strawberry.field(description="The options that the next step is about.")
    def next_options(self) -> list[strawberry.ID]:
        return _ids(self.value.next_options)

    @strawberry.field(description="The outcome with its figures, to read out.")
    async def sentence(self, info: Info, language: Language = Language.EN) -> str:
        options = await info.context.loaders(VoteLoaders).options.load(self.vote_id)
        return explain(self.value, language, labels_of(options))
