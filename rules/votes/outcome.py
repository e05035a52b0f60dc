"""What the ballots of a closed vote decide, with every figure that the verdict rests on."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any
from uuid import UUID

from rules.json_codec import from_plain, to_plain
from rules.votes.ballots import NO_BALLOTS, Count, Option, OptionKind, Tallies, in_order
from rules.votes.bases import (
    Figures,
    LeftOutOfBase,
    Persons,
    Voter,
    count_persons,
    hundredths,
    measure,
)
from rules.votes.elections import CandidateResult, Election, count_election
from rules.votes.rule_sets import Base, Comparison, Method, RuleSet, Share
from rules.votes.secrecy import is_small_group
from rules.votes.ties import NO_TIE_BREAKERS, NextStep, Tie, TieBreakers, break_tie


class Verdict(Enum):
    CARRIED = "CARRIED"
    """In favour; or a measure was chosen; or every seat is filled."""
    NOT_CARRIED = "NOT_CARRIED"
    UNDECIDED = "UNDECIDED"
    """`next_step` says what is needed."""
    TOO_FEW_BALLOTS = "TOO_FEW_BALLOTS"
    """Figures would show how somebody voted: nobody ever sees any, and nothing is decided."""


@dataclass(frozen=True)
class OptionCount:
    option_id: UUID
    weight: int
    """The votes that its ballots weigh; the same as `heads` unless ballots are weighted."""
    heads: int
    hundredths: int
    """The weight in the base: 6000 is 60.00 %."""


@dataclass(frozen=True)
class MeasureResult:
    """What one of several measures got, with the votes of the heavier ones cumulated."""

    option_id: UUID
    position: int
    votes: int
    cumulative: int
    needed: int
    threshold: Share
    hundredths: int
    """The cumulated votes in the base."""
    has_reached: bool


@dataclass(frozen=True)
class Outcome:
    """What a closed vote decided. It can be told in a sentence (`explain`) and recounted."""

    rule_name: str
    rule_version: int
    method: Method
    verdict: Verdict
    threshold: Share | Comparison
    """Of the motion, of the candidates, or of the measure that `needed` is about."""
    base_kind: Base
    base: int
    """Of a candidate who was not voted on by everybody, see `candidates`."""
    left_out_of_base: tuple[LeftOutOfBase, ...]
    needed: int
    """The fewest votes in favour that reach the threshold; where there were too few ballots, the
    fewest ballots that a hidden vote must have."""
    votes_for: int
    """For the motion, or cumulated for the measure chosen (if none, for the lightest); 0 in an
    election."""
    votes_against: int
    """Against the motion, with whatever the rule counts as against."""
    hundredths: int
    """`votes_for` in the base: 6000 is 60.00 %."""
    abstentions: int
    blanks: int
    invalid: int
    entitled: int
    """Members on the roll who may vote, by heads."""
    cast: int
    """Ballots, by heads."""
    is_weighted: bool
    counts: tuple[OptionCount, ...]
    """In the order of the paper."""
    seats: int = 1
    candidates: tuple[CandidateResult, ...] = ()
    """By rank, in an election."""
    measures: tuple[MeasureResult, ...] = ()
    """From the heaviest."""
    measure: UUID | None = None
    """The option of the measure chosen."""
    tie: Tie | None = None
    next_step: NextStep | None = None
    next_options: tuple[UUID, ...] = ()
    """The options that the next step is about: those tied, or those who can stand again."""
    next_seats: int = 0

    @property
    def is_carried(self) -> bool:
        return self.verdict is Verdict.CARRIED

    @property
    def elected(self) -> tuple[UUID, ...]:
        """The options of those elected, by rank."""
        return tuple(result.option_id for result in self.candidates if result.is_elected)

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values, the same for equal outcomes."""
        data: dict[str, Any] = to_plain(self)
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "Outcome":
        """Raises ValueError for anything that `to_data` does not give."""
        return from_plain(cls, data)


def decide(
    rule: RuleSet,
    options: Collection[Option],
    voters: Iterable[Voter],
    tallies: Tallies,
    breakers: TieBreakers = NO_TIE_BREAKERS,
) -> Outcome:
    """Compute the outcome of a closed vote.

    `voters` are all on the roll, those left out included; `options` make a paper for the rule
    (`check_options`). If the outcome's next step names a tie-breaker, decide again with it.
    Raises ValueError if the figures contradict each other, and INVALID_CHOICE if the chair or the
    body chose something that is not tied.
    """
    persons = count_persons(rule.base, rule.base_exclusions, voters)
    return decide_counted(rule, options, persons, tallies, breakers)


def decide_counted(
    rule: RuleSet,
    options: Collection[Option],
    persons: Persons,
    tallies: Tallies,
    breakers: TieBreakers = NO_TIE_BREAKERS,
) -> Outcome:
    """As `decide`, with the persons counted already."""
    if is_small_group(rule, min(persons.entitled, tallies.cast.heads)):
        return _too_few_ballots(rule, persons)
    _check_figures(rule, options, persons, tallies)
    match rule.method:
        case Method.FOR_AGAINST_ABSTAIN:
            return _decide_motion(rule, options, persons, tallies, breakers)
        case Method.ORDERED_CUMULATIVE:
            return _decide_measure(rule, options, persons, tallies)
        case Method.CHOOSE_UP_TO | Method.YES_NO_PER_CANDIDATE:
            return _decide_election(rule, options, persons, tallies, breakers)


def _decide_motion(
    rule: RuleSet,
    options: Collection[Option],
    persons: Persons,
    tallies: Tallies,
    breakers: TieBreakers,
) -> Outcome:
    (box_for,) = in_order(options, OptionKind.FOR)
    (box_against,) = in_order(options, OptionKind.AGAINST)
    votes_for, votes_against = tallies.of(box_for.id), tallies.of(box_against.id)
    abstentions = tallies.valid - votes_for - votes_against
    figures = measure(
        rule,
        rule.threshold,
        persons,
        tallies,
        votes_for=votes_for,
        votes_against=votes_against,
        abstentions=abstentions,
    )
    tie = None
    if _is_tied(rule, figures):
        tie = break_tie(rule.tie, (box_for.id, box_against.id), 1, breakers)
    is_open = tie is not None and tie.next_step is not None
    return replace(
        _state(rule, options, persons, tallies, figures),
        verdict=_motion_verdict(figures, tie, box_for.id),
        votes_against=figures.votes_against,
        abstentions=abstentions.weight,
        tie=tie,
        next_step=tie.next_step if tie else None,
        next_options=tie.tied if tie and is_open else (),
        next_seats=1 if is_open else 0,
    )


def _is_tied(rule: RuleSet, figures: Figures) -> bool:
    """Equal votes decide a motion only where one vote more in favour would carry it.

    That vote belongs to a base of ballots, but is nobody more in a base of persons.
    """
    if figures.has_reached or figures.votes_for != figures.votes_against or not figures.votes_for:
        return False
    if not isinstance(rule.threshold, Share):
        return True
    base = figures.base if rule.counts_persons else figures.base + 1
    return figures.votes_for + 1 >= rule.threshold.fewest(base)


def _motion_verdict(figures: Figures, tie: Tie | None, box_for: UUID) -> Verdict:
    if tie is not None and tie.next_step is not None:
        return Verdict.UNDECIDED
    is_carried = figures.has_reached or (tie is not None and box_for in tie.chosen)
    return Verdict.CARRIED if is_carried else Verdict.NOT_CARRIED


def _decide_measure(
    rule: RuleSet, options: Collection[Option], persons: Persons, tallies: Tallies
) -> Outcome:
    """The first measure, from the heaviest, that its own and the heavier ones' votes carry.

    Test vector 8: expel 6 < 14, dismiss 6 + 3 < 11, warn 6 + 3 + 4 ≥ 11: warning.
    """
    abstentions = _sum(tallies.of(option.id) for option in in_order(options, OptionKind.ABSTAIN))
    measured: list[tuple[MeasureResult, Figures]] = []
    cumulative = NO_BALLOTS
    for place, option in enumerate(in_order(options, OptionKind.MEASURE)):
        cumulative += tallies.of(option.id)
        threshold = rule.measure_threshold(place)
        figures = measure(
            rule, threshold, persons, tallies, votes_for=cumulative, abstentions=abstentions
        )
        votes = tallies.of(option.id).weight
        measured.append((_measure_result(option, votes, threshold, figures), figures))
    reached = [(result, figures) for result, figures in measured if result.has_reached]
    told, figures = (reached or measured[-1:])[0]
    return replace(
        _state(rule, options, persons, tallies, figures),
        verdict=Verdict.CARRIED if reached else Verdict.NOT_CARRIED,
        threshold=told.threshold,
        abstentions=abstentions.weight,
        measures=tuple(result for result, _ in measured),
        measure=told.option_id if reached else None,
    )


def _measure_result(
    option: Option, votes: int, threshold: Share, figures: Figures
) -> MeasureResult:
    return MeasureResult(
        option_id=option.id,
        position=option.position,
        votes=votes,
        cumulative=figures.votes_for,
        needed=figures.needed,
        threshold=threshold,
        hundredths=hundredths(figures.votes_for, figures.base),
        has_reached=figures.has_reached,
    )


def _decide_election(
    rule: RuleSet,
    options: Collection[Option],
    persons: Persons,
    tallies: Tallies,
    breakers: TieBreakers,
) -> Outcome:
    election = count_election(rule, options, persons, tallies, breakers)
    next_step, next_options, next_seats = _after(election)
    figures = measure(rule, rule.threshold, persons, tallies, votes_for=NO_BALLOTS)
    return replace(
        _state(rule, options, persons, tallies, figures),
        verdict=Verdict.UNDECIDED if next_step else Verdict.CARRIED,
        candidates=election.candidates,
        tie=election.tie,
        next_step=next_step,
        next_options=next_options,
        next_seats=next_seats,
    )


def _after(election: Election) -> tuple[NextStep | None, tuple[UUID, ...], int]:
    """The next step, the options it is about, and for how many seats."""
    tie = election.tie
    if tie is not None and tie.next_step is not None:
        return tie.next_step, tie.tied, tie.places
    if not election.open_seats:
        return None, (), 0
    again = tuple(one.option_id for one in election.candidates if not one.is_elected)
    return NextStep.FURTHER_ROUND, again, election.open_seats


def _state(
    rule: RuleSet,
    options: Collection[Option],
    persons: Persons,
    tallies: Tallies,
    figures: Figures,
) -> Outcome:
    """What every method states in the same way, as long as nothing is decided."""
    return Outcome(
        rule_name=rule.name,
        rule_version=rule.version,
        method=rule.method,
        verdict=Verdict.NOT_CARRIED,
        threshold=rule.threshold,
        base_kind=rule.base,
        base=figures.base,
        left_out_of_base=persons.left_out if rule.counts_persons else (),
        needed=figures.needed,
        votes_for=figures.votes_for,
        votes_against=0,
        hundredths=hundredths(figures.votes_for, figures.base),
        abstentions=0,
        blanks=tallies.blank.weight,
        invalid=tallies.invalid.weight,
        entitled=persons.entitled,
        cast=tallies.cast.heads,
        is_weighted=rule.is_weighted,
        counts=_option_counts(options, tallies, figures.base),
        seats=rule.seats,
    )


def _too_few_ballots(rule: RuleSet, persons: Persons) -> Outcome:
    """No figure but the turnout, which everybody has seen; the ballots themselves are not asked.

    So a recount that is given none comes to the same.
    """
    told = _state(rule, (), persons, Tallies(), Figures(0, 0, 0, rule.min_voters_for_secret))
    return replace(
        told,
        verdict=Verdict.TOO_FEW_BALLOTS,
        left_out_of_base=(),
        cast=persons.cast,
        next_step=NextStep.VOTE_AGAIN,
    )


def _option_counts(
    options: Collection[Option], tallies: Tallies, base: int
) -> tuple[OptionCount, ...]:
    return tuple(
        OptionCount(option.id, count.weight, count.heads, hundredths(count.weight, base))
        for option in in_order(options, *OptionKind)
        for count in [tallies.of(option.id)]
    )


def _check_figures(
    rule: RuleSet, options: Collection[Option], persons: Persons, tallies: Tallies
) -> None:
    """A fault of the caller, never of a voter: fail loudly rather than publish it."""
    if not set(tallies.options) <= {option.id for option in options}:
        raise ValueError("votes for an option that is not on the paper")
    marked = _sum(tallies.options.values())
    is_single = rule.method in {Method.FOR_AGAINST_ABSTAIN, Method.ORDERED_CUMULATIVE}
    if is_single and marked != tallies.valid:
        raise ValueError(f"{marked.heads} marks on {tallies.valid.heads} valid ballots")
    if any(count.heads > tallies.valid.heads for count in tallies.options.values()):
        raise ValueError("more votes for an option than valid ballots")
    if rule.counts_persons and tallies.cast.weight > persons.cast:
        raise ValueError(f"{tallies.cast.weight} votes of {persons.cast} that were cast")


def _sum(counts: Iterable[Count]) -> Count:
    return sum(counts, NO_BALLOTS)
