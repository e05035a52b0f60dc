"""What votes are measured against: persons on the roll, or ballots in the box."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from rules.register.members import Standing
from rules.votes.ballots import NO_BALLOTS, Count, Tallies
from rules.votes.roll import LeftOut, RollEntry
from rules.votes.rule_sets import (
    Base,
    Comparison,
    Exclusion,
    RuleSet,
    Share,
    Treatment,
)


@dataclass(frozen=True)
class Voter:
    """A member on the roll, entitled or not, as the closing sees them."""

    member_id: UUID
    standing: Standing
    left_out: LeftOut | None = None
    weight: int = 1
    has_cast: bool = False
    is_elsewhere: bool = False
    is_summoned: bool = True
    is_excused: bool = False
    """Excused for the whole meeting."""
    was_present_at_opening: bool = False
    is_present: bool = False


class NotInBase(Enum):
    """Why somebody who may vote, or only must not vote this time, is not in a base of persons."""

    TEMPORARILY_ELSEWHERE = "TEMPORARILY_ELSEWHERE"
    EXEMPT_ABSENT = "EXEMPT_ABSENT"
    SUSPENDED = "SUSPENDED"
    EXCUSED_WHOLE_MEETING = "EXCUSED_WHOLE_MEETING"
    RECUSED = "RECUSED"
    NOT_SUMMONED = "NOT_SUMMONED"
    NOT_PRESENT_AT_OPENING = "NOT_PRESENT_AT_OPENING"
    NOT_PRESENT = "NOT_PRESENT"


@dataclass(frozen=True)
class LeftOutOfBase:
    member_id: UUID
    why: NotInBase


@dataclass(frozen=True)
class Persons:
    """The roll at the closing: how many may vote and did, and the base that they make."""

    entitled: int
    """Members who may vote, counted by heads."""
    cast: int
    """What the ballots of those who cast one weigh."""
    base: int
    """What the votes of the members in the base weigh; 0 if the base is one of ballots."""
    left_out: tuple[LeftOutOfBase, ...]
    """In the order of their ids."""


@dataclass(frozen=True)
class Figures:
    """A question with its votes for and against, measured."""

    votes_for: int
    votes_against: int
    """With the abstentions, blank and invalid ballots that the rule counts as such."""
    base: int
    needed: int
    """The fewest votes in favour that reach the threshold."""

    @property
    def has_reached(self) -> bool:
        return self.votes_for >= self.needed


def voter_at_closing(
    entry: RollEntry, *, has_cast: bool, is_present: bool, is_excused: bool = False
) -> Voter:
    """The member of a roll entry, with what has become of them since the vote opened."""
    elector = entry.elector
    return Voter(
        member_id=elector.member_id,
        standing=elector.standing,
        left_out=entry.left_out,
        weight=entry.weight,
        has_cast=has_cast,
        is_elsewhere=elector.is_elsewhere,
        is_summoned=elector.is_summoned,
        is_excused=is_excused,
        was_present_at_opening=elector.is_present,
        is_present=is_present,
    )


def count_persons(
    base: Base, exclusions: Collection[Exclusion], voters: Iterable[Voter]
) -> Persons:
    """Count those on the roll. Whoever cast a ballot belongs to the base, so for never exceeds it.

    Members who are suspended or recused cast no ballot; they belong to the base all the same
    unless `exclusions` name them.
    """
    entitled = cast = counted = 0
    left_out: list[LeftOutOfBase] = []
    for voter in voters:
        entitled += voter.left_out is None
        cast += voter.weight if voter.has_cast else 0
        if voter.has_cast or not _is_outsider(voter):
            why = None if voter.has_cast else why_not_in_base(base, exclusions, voter)
            if why is None:
                counted += voter.weight
            else:
                left_out.append(LeftOutOfBase(voter.member_id, why))
    left_out.sort(key=lambda one: one.member_id)
    return Persons(entitled, cast, counted, tuple(left_out))


def why_not_in_base(
    base: Base, exclusions: Collection[Exclusion], voter: Voter
) -> NotInBase | None:
    """Why a base of persons is counted without this member, who cast no ballot."""
    for exclusion in Exclusion:
        if exclusion in exclusions and _applies(exclusion, voter):
            return NotInBase(exclusion.value)
    match base:
        case Base.SUMMONED if not voter.is_summoned:
            return NotInBase.NOT_SUMMONED
        case Base.PRESENT_AT_OPENING if not voter.was_present_at_opening:
            return NotInBase.NOT_PRESENT_AT_OPENING
        case Base.PRESENT if not voter.is_present:
            return NotInBase.NOT_PRESENT
        case _:
            return None


def measure(
    rule: RuleSet,
    threshold: Share | Comparison,
    persons: Persons,
    tallies: Tallies,
    *,
    votes_for: Count,
    votes_against: Count = NO_BALLOTS,
    abstentions: Count = NO_BALLOTS,
) -> Figures:
    """Measure one question. All three are parts of the valid ballots."""
    against = votes_against.weight + sum(
        count.weight
        for treatment, count in _treated(rule, tallies, abstentions)
        if treatment is Treatment.AGAINST
    )
    base = persons.base if rule.counts_persons else _base_of_ballots(rule, tallies, abstentions)
    match threshold:
        case Share():
            needed = threshold.fewest(base)
        case Comparison.MORE_FOR_THAN_AGAINST:
            needed = against + 1
        case Comparison.PLURALITY:
            needed = 1
    return Figures(votes_for.weight, against, base, needed)


def hundredths(votes: int, base: int) -> int:
    """Hundredths of a per cent (6000 is 60.00 %), rounded half up; of nobody it is 0."""
    whole = max(base, 1)
    return (votes * 20_000 + whole) // (2 * whole)


def _is_outsider(voter: Voter) -> bool:
    """Not a member whose vote the matter asks for, as opposed to one who must not cast it."""
    return voter.left_out not in {None, LeftOut.SUSPENDED, LeftOut.RECUSED}


def _applies(exclusion: Exclusion, voter: Voter) -> bool:
    match exclusion:
        case Exclusion.TEMPORARILY_ELSEWHERE:
            return voter.is_elsewhere
        case Exclusion.EXEMPT_ABSENT:
            return voter.standing is Standing.EXEMPT and not voter.is_present
        case Exclusion.SUSPENDED:
            return voter.standing is Standing.SUSPENDED
        case Exclusion.EXCUSED_WHOLE_MEETING:
            return voter.is_excused and not voter.is_present
        case Exclusion.RECUSED:
            return voter.left_out is LeftOut.RECUSED


def _base_of_ballots(rule: RuleSet, tallies: Tallies, abstentions: Count) -> int:
    """Valid ballots without abstentions, and of everything else what the rule keeps."""
    kept = sum(
        count.weight
        for treatment, count in _treated(rule, tallies, abstentions)
        if treatment is not Treatment.IGNORED
    )
    return (tallies.valid - abstentions).weight + kept


def _treated(
    rule: RuleSet, tallies: Tallies, abstentions: Count
) -> tuple[tuple[Treatment, Count], ...]:
    return (
        (rule.abstentions, abstentions),
        (rule.blanks, tallies.blank),
        (rule.invalid, tallies.invalid),
    )
