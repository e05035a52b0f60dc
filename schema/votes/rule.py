"""The rule that a vote is held under."""

from __future__ import annotations

import strawberry

from rules.votes.rule_sets import (
    Base,
    Change,
    Comparison,
    Empty,
    LiveTally,
    Method,
    Overvote,
    RuleSet,
    Secrecy,
)
from rules.votes.rule_sets import Share as ShareValue
from rules.votes.rule_sets import Surplus as SurplusValue

strawberry.enum(Change, description="Whether a ballot may be changed until the vote closes.")
strawberry.enum(Comparison, description="Thresholds that compare votes with votes.")
strawberry.enum(Empty, description="What no mark at all makes of a ballot.")
strawberry.enum(LiveTally, description="Who sees the figures of the options before the result.")
strawberry.enum(Method, description="What a ballot looks like, and how the marks are counted.")
strawberry.enum(Overvote, description="What more marks than allowed make of a ballot.")
strawberry.enum(
    Secrecy,
    description="OPEN: the named choice of each member is part of the record. UNATTRIBUTED: the"
    " result does not show who voted how; operators of the database technically could find out.",
)


@strawberry.type(description="More than (strict), or at least, numerator / denominator of a base.")
class Share:
    numerator: int
    denominator: int
    strict: bool

    @classmethod
    def of(cls, value: ShareValue) -> Share:
        return cls(numerator=value.numerator, denominator=value.denominator, strict=value.strict)


@strawberry.type(
    description="At most numerator / denominator of the seats, rounded down, as candidates beyond"
    " them."
)
class Surplus:
    numerator: int
    denominator: int

    @classmethod
    def of(cls, value: SurplusValue) -> Surplus:
        return cls(numerator=value.numerator, denominator=value.denominator)


@strawberry.type(
    description="Carried when for / base is over (strict) or at least numerator / denominator, or"
    " by comparison where there is no such share."
)
class VoteRule:
    value: strawberry.Private[RuleSet]

    @strawberry.field
    def name(self) -> str:
        return self.value.name

    @strawberry.field
    def version(self) -> int:
        return self.value.version

    @strawberry.field
    def method(self) -> Method:
        return self.value.method

    @strawberry.field
    def base(self) -> Base:
        return self.value.base

    @strawberry.field
    def numerator(self) -> int | None:
        return (
            self.value.threshold.numerator if isinstance(self.value.threshold, ShareValue) else None
        )

    @strawberry.field
    def denominator(self) -> int | None:
        return (
            self.value.threshold.denominator
            if isinstance(self.value.threshold, ShareValue)
            else None
        )

    @strawberry.field
    def strict(self) -> bool | None:
        return self.value.threshold.strict if isinstance(self.value.threshold, ShareValue) else None

    @strawberry.field
    def comparison(self) -> Comparison | None:
        return self.value.threshold if isinstance(self.value.threshold, Comparison) else None

    @strawberry.field(
        description="What the measures need, from the heaviest on; those after the list need what"
        " `numerator`, `denominator` and `strict` say."
    )
    def measure_thresholds(self) -> list[Share]:
        return [Share.of(value) for value in self.value.measure_thresholds]

    @strawberry.field
    def seats(self) -> int:
        return self.value.seats

    @strawberry.field(description="Null: as many candidates may stand as are nominated.")
    def max_surplus(self) -> Surplus | None:
        return Surplus.of(self.value.max_surplus) if self.value.max_surplus else None

    @strawberry.field(
        description="The most options, or candidates marked yes, on a valid ballot; `overvote` says"
        " what more make of it."
    )
    def most_choices(self) -> int:
        return self.value.most_choices

    @strawberry.field(description="The same as the rule has it; null: as many as `seats`.")
    def max_choices(self) -> int | None:
        return self.value.max_choices

    @strawberry.field
    def overvote(self) -> Overvote:
        return self.value.overvote

    @strawberry.field
    def empty(self) -> Empty:
        return self.value.empty

    @strawberry.field(
        description="Whether a ballot without a mark is taken; `empty` says whether as a blank or"
        " as an invalid one."
    )
    def takes_blank(self) -> bool:
        return self.value.empty is not Empty.REFUSED

    @strawberry.field(
        description="The most absent members that one member may vote for; null: the rule knows no"
        " proxies."
    )
    def proxies(self) -> int | None:
        return self.value.proxies

    @strawberry.field
    def secrecy(self) -> Secrecy:
        return self.value.secrecy

    @strawberry.field
    def change(self) -> Change:
        return self.value.change

    @strawberry.field
    def live_tally(self) -> LiveTally:
        return self.value.live_tally

    @strawberry.field(description="Seconds that the vote stays open; null: until it is closed.")
    def duration(self) -> int | None:
        return self.value.duration_seconds
