"""Who may vote, what a well-formed ballot is, and what the ballots decide.

Pure functions over integers; the parameters of a matter are data (`RuleSet`), stored with
every vote, so that a result can be computed again under the rule it was decided by.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from rules.members import Standing
from rules.refusals import Reason, Refusal


class Base(Enum):
    """What the votes in favour are measured against."""

    ENTITLED = "ENTITLED"
    SUMMONED = "SUMMONED"
    PRESENT_AT_OPENING = "PRESENT_AT_OPENING"
    PRESENT = "PRESENT"
    BALLOTS_CAST = "BALLOTS_CAST"
    VALID_BALLOTS = "VALID_BALLOTS"
    FOR_AND_AGAINST = "FOR_AND_AGAINST"


class Exclusion(Enum):
    """Who is left out of a base of persons, unless they cast a ballot all the same."""

    EXEMPT_ABSENT = "EXEMPT_ABSENT"
    TEMPORARILY_ELSEWHERE = "TEMPORARILY_ELSEWHERE"


class OptionKind(Enum):
    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"


class LeftOut(Enum):
    """Why a member of the branch is not entitled to vote."""

    PROBATIONARY = "PROBATIONARY"
    SUSPENDED = "SUSPENDED"
    EXEMPT = "EXEMPT"
    FULL = "FULL"
    TEMPORARY_ATTACHMENT = "TEMPORARY_ATTACHMENT"


@dataclass(frozen=True)
class RuleSet:
    """The parameters of one matter. Carried when for / base is over (strict) or at least n / d."""

    name: str
    eligibility: frozenset[Standing]
    base: Base
    base_exclusions: frozenset[Exclusion]
    numerator: int
    denominator: int
    strict: bool

    def __post_init__(self) -> None:
        if not 0 < self.numerator <= self.denominator:
            raise ValueError("a threshold is a fraction between 0 and 1")
        if self.strict and self.numerator == self.denominator:
            raise ValueError("nothing can be more than the whole")

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values, the same for equal rule sets."""
        return {
            "name": self.name,
            "eligibility": sorted(standing.value for standing in self.eligibility),
            "base": self.base.value,
            "base_exclusions": sorted(exclusion.value for exclusion in self.base_exclusions),
            "numerator": self.numerator,
            "denominator": self.denominator,
            "strict": self.strict,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "RuleSet":
        return cls(
            name=data["name"],
            eligibility=frozenset(Standing(value) for value in data["eligibility"]),
            base=Base(data["base"]),
            base_exclusions=frozenset(Exclusion(value) for value in data["base_exclusions"]),
            numerator=data["numerator"],
            denominator=data["denominator"],
            strict=data["strict"],
        )


PARTY_ORDINARY = RuleSet(
    name="vi-party.ordinary",
    eligibility=frozenset({Standing.FULL, Standing.EXEMPT}),
    base=Base.SUMMONED,
    base_exclusions=frozenset({Exclusion.EXEMPT_ABSENT, Exclusion.TEMPORARILY_ELSEWHERE}),
    numerator=1,
    denominator=2,
    strict=True,
)

PARTY_TWO_THIRDS = RuleSet(
    name="vi-party.two-thirds",
    eligibility=PARTY_ORDINARY.eligibility,
    base=Base.SUMMONED,
    base_exclusions=PARTY_ORDINARY.base_exclusions,
    numerator=2,
    denominator=3,
    strict=False,
)


@dataclass(frozen=True)
class Elector:
    """A member of the branch as the roll sees them when the vote opens."""

    member_id: UUID
    standing: Standing
    is_guest: bool = False
    """Temporarily attached here; their regular branch is another."""
    is_elsewhere: bool = False
    """Belongs here, temporarily attached to another branch."""
    is_summoned: bool = True
    is_present: bool = False


@dataclass(frozen=True)
class RollEntry:
    elector: Elector
    left_out: LeftOut | None

    @property
    def is_entitled(self) -> bool:
        return self.left_out is None


def electoral_roll(rule: RuleSet, electors: Iterable[Elector]) -> list[RollEntry]:
    """Say for everyone in the branch whether they may vote, and if not, why."""
    return [RollEntry(elector, _left_out(rule, elector)) for elector in electors]


def _left_out(rule: RuleSet, elector: Elector) -> LeftOut | None:
    if elector.is_guest:
        return LeftOut.TEMPORARY_ATTACHMENT
    if elector.standing not in rule.eligibility:
        return LeftOut(elector.standing.value)
    return None


def check_choices(choices: Collection[UUID], options: Collection[UUID]) -> UUID:
    """Return the one option a for / against / abstain ballot names. Raises INVALID_CHOICE."""
    if len(choices) != 1:
        raise Refusal(
            Reason.INVALID_CHOICE,
            "Choose exactly one option.",
            chosen=len(choices),
            allowed=1,
        )
    (choice,) = choices
    if choice not in options:
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.")
    return choice


@dataclass(frozen=True)
class Voter:
    """An entitled member as the closing sees them."""

    standing: Standing
    has_cast: bool
    is_elsewhere: bool = False
    is_summoned: bool = True
    was_present_at_opening: bool = False
    is_present: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a closed vote decided, with every figure that the verdict rests on."""

    carried: bool
    base: int
    needed: int
    votes_for: int
    votes_against: int
    abstentions: int
    base_kind: Base
    left_out_of_base: dict[str, int]
    numerator: int
    denominator: int
    strict: bool

    def to_data(self) -> dict[str, Any]:
        return {**self.__dict__, "base_kind": self.base_kind.value}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Outcome":
        return cls(**{**data, "base_kind": Base(data["base_kind"])})


def decide(rule: RuleSet, voters: Collection[Voter], counts: Mapping[OptionKind, int]) -> Outcome:
    """Compute the outcome of a for / against / abstain vote.

    `voters` are all the entitled members, `counts` the ballots per option. Integers only: the
    verdict never depends on rounding.
    """
    base, left_out = _base(rule, voters, counts)
    needed = votes_needed(rule, base)
    votes_for = counts.get(OptionKind.FOR, 0)
    return Outcome(
        carried=votes_for >= needed,
        base=base,
        needed=needed,
        votes_for=votes_for,
        votes_against=counts.get(OptionKind.AGAINST, 0),
        abstentions=counts.get(OptionKind.ABSTAIN, 0),
        base_kind=rule.base,
        left_out_of_base=left_out,
        numerator=rule.numerator,
        denominator=rule.denominator,
        strict=rule.strict,
    )


def votes_needed(rule: RuleSet, base: int) -> int:
    """The fewest votes in favour that carry. At least one: nothing is carried by nobody."""
    product = rule.numerator * base
    if rule.strict:
        return product // rule.denominator + 1
    return max(1, -(-product // rule.denominator))


def _base(
    rule: RuleSet, voters: Collection[Voter], counts: Mapping[OptionKind, int]
) -> tuple[int, dict[str, int]]:
    match rule.base:
        case Base.BALLOTS_CAST | Base.VALID_BALLOTS:
            return sum(counts.values()), {}
        case Base.FOR_AND_AGAINST:
            return counts.get(OptionKind.FOR, 0) + counts.get(OptionKind.AGAINST, 0), {}
        case _:
            return _base_of_persons(rule, voters)


def _base_of_persons(rule: RuleSet, voters: Collection[Voter]) -> tuple[int, dict[str, int]]:
    """Count persons. Whoever cast a ballot belongs to the base, so for never exceeds it."""
    base = 0
    left_out: dict[str, int] = {}
    for voter in voters:
        exclusion = _exclusion(rule, voter)
        if voter.has_cast or (exclusion is None and _belongs(rule.base, voter)):
            base += 1
        elif exclusion is not None:
            left_out[exclusion.value] = left_out.get(exclusion.value, 0) + 1
    return base, left_out


def _exclusion(rule: RuleSet, voter: Voter) -> Exclusion | None:
    if voter.is_elsewhere and Exclusion.TEMPORARILY_ELSEWHERE in rule.base_exclusions:
        return Exclusion.TEMPORARILY_ELSEWHERE
    is_exempt_absent = voter.standing is Standing.EXEMPT and not voter.is_present
    if is_exempt_absent and Exclusion.EXEMPT_ABSENT in rule.base_exclusions:
        return Exclusion.EXEMPT_ABSENT
    return None


def _belongs(base: Base, voter: Voter) -> bool:
    match base:
        case Base.ENTITLED:
            return True
        case Base.SUMMONED:
            return voter.is_summoned
        case Base.PRESENT_AT_OPENING:
            return voter.was_present_at_opening
        case Base.PRESENT:
            return voter.is_present
        case _:
            raise ValueError(f"{base} counts ballots, not persons")
