"""From nominations to those elected (design: Elections; test vectors 9 and 16)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from rules.refusals import Reason, Refusal
from rules.votes.ballots import Option, OptionKind, Tallies, in_order, pair_boxes
from rules.votes.bases import Figures, Persons, hundredths, measure
from rules.votes.rule_sets import Method, RuleSet
from rules.votes.ties import NO_TIE_BREAKERS, Tie, TieBreakers, break_tie


@dataclass(frozen=True)
class Nomination:
    candidate_id: UUID
    proposer_id: UUID
    is_withdrawn: bool = False
    """The nominee declined, or the body let them withdraw."""


@dataclass(frozen=True)
class CandidateResult:
    """What a candidate, or an answer, got. `option_id` is the FOR box or the CHOICE."""

    option_id: UUID
    candidate_id: UUID | None
    position: int
    votes: int
    against: int
    base: int
    needed: int
    hundredths: int
    """Of the base: 6000 is 60.00 %."""
    has_reached: bool
    is_elected: bool
    rank: int
    """1 for the most votes; equal votes share a rank."""


@dataclass(frozen=True)
class Election:
    candidates: tuple[CandidateResult, ...]
    """By rank, then in the order of the paper."""
    tie: Tie | None
    open_seats: int

    @property
    def elected(self) -> tuple[UUID, ...]:
        return tuple(result.option_id for result in self.candidates if result.is_elected)


def candidates_of(nominations: Iterable[Nomination]) -> tuple[UUID, ...]:
    """Everyone nominated who stands, once, in the order of the first nomination."""
    nominations = list(nominations)
    withdrawn = {one.candidate_id for one in nominations if one.is_withdrawn}
    named = dict.fromkeys(one.candidate_id for one in nominations)
    return tuple(candidate for candidate in named if candidate not in withdrawn)


def most_candidates(rule: RuleSet) -> int | None:
    """As many as there are seats, and the surplus, rounded down. None: as many as there are."""
    if rule.max_surplus is None:
        return None
    return rule.seats + rule.seats * rule.max_surplus.numerator // rule.max_surplus.denominator


def check_candidates(rule: RuleSet, candidates: int) -> None:
    """Raises TOO_FEW_CANDIDATES below the seats, TOO_MANY_CANDIDATES over seats and surplus."""
    if candidates < rule.seats:
        raise Refusal(
            Reason.TOO_FEW_CANDIDATES,
            f"{candidates} candidates for {rule.seats} seats.",
            candidates=candidates,
            seats=rule.seats,
        )
    most = most_candidates(rule)
    if most is not None and candidates > most:
        raise Refusal(
            Reason.TOO_MANY_CANDIDATES,
            f"{candidates} candidates for {rule.seats} seats; at most {most} may stand.",
            candidates=candidates,
            seats=rule.seats,
            allowed=most,
        )


def count_election(
    rule: RuleSet,
    options: Collection[Option],
    persons: Persons,
    tallies: Tallies,
    breakers: TieBreakers = NO_TIE_BREAKERS,
) -> Election:
    """Elected are those with the most votes among those who reached the threshold, up to the seats.

    If fewer reached it than there are seats, the others stay open for a further round.
    """
    results = _rank(_results(rule, options, persons, tallies))
    reached = [result for result in results if result.has_reached]
    elected, tie = _fill_seats(rule, reached, breakers)
    marked = [replace(result, is_elected=result.option_id in elected) for result in results]
    return Election(tuple(marked), tie, rule.seats - len(elected))


def _results(
    rule: RuleSet, options: Collection[Option], persons: Persons, tallies: Tallies
) -> list[CandidateResult]:
    if rule.method is Method.CHOOSE_UP_TO:
        return [
            _result(option, _measure_choice(rule, option, persons, tallies))
            for option in in_order(options, OptionKind.CHOICE)
        ]
    return [
        _result(box_for, _measure_boxes(rule, box_for, box_against, persons, tallies))
        for box_for, box_against in pair_boxes(options)
    ]


def _measure_choice(rule: RuleSet, option: Option, persons: Persons, tallies: Tallies) -> Figures:
    return measure(rule, rule.threshold, persons, tallies, votes_for=tallies.of(option.id))


def _measure_boxes(
    rule: RuleSet, box_for: Option, box_against: Option, persons: Persons, tallies: Tallies
) -> Figures:
    """A valid ballot with no vote for the candidate, or with both boxes marked, abstains."""
    votes_for, votes_against = tallies.of(box_for.id), tallies.of(box_against.id)
    return measure(
        rule,
        rule.threshold,
        persons,
        tallies,
        votes_for=votes_for,
        votes_against=votes_against,
        abstentions=tallies.valid - votes_for - votes_against,
    )


def _result(option: Option, figures: Figures) -> CandidateResult:
    return CandidateResult(
        option_id=option.id,
        candidate_id=option.candidate_id,
        position=option.position,
        votes=figures.votes_for,
        against=figures.votes_against,
        base=figures.base,
        needed=figures.needed,
        hundredths=hundredths(figures.votes_for, figures.base),
        has_reached=figures.has_reached,
        is_elected=False,
        rank=0,
    )


def _rank(results: Sequence[CandidateResult]) -> list[CandidateResult]:
    ordered = sorted(results, key=lambda result: (-result.votes, result.position))
    votes = [result.votes for result in ordered]
    return [replace(result, rank=votes.index(result.votes) + 1) for result in ordered]


def _fill_seats(
    rule: RuleSet, reached: Sequence[CandidateResult], breakers: TieBreakers
) -> tuple[set[UUID], Tie | None]:
    """Those who have a seat, and the tie for the last seats if there is one; `reached` by rank."""
    if len(reached) <= rule.seats:
        return {result.option_id for result in reached}, None
    last = reached[rule.seats - 1].votes
    ahead = {result.option_id for result in reached if result.votes > last}
    level = [result.option_id for result in reached if result.votes == last]
    places = rule.seats - len(ahead)
    if len(level) == places:
        return ahead | set(level), None
    tie = break_tie(rule.tie, level, places, breakers)
    return ahead | set(tie.chosen), tie
