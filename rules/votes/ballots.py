"""What a ballot may mark, what its marks are worth, and how ballots are counted."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from uuid import UUID

from rules.refusals import Reason, Refusal
from rules.votes.rule_sets import Empty, Method, Overvote, RuleSet


class OptionKind(Enum):
    FOR = "FOR"
    AGAINST = "AGAINST"
    ABSTAIN = "ABSTAIN"
    CHOICE = "CHOICE"
    """A candidate or an answer to choose."""
    MEASURE = "MEASURE"
    """One of several measures; the first position is the heaviest."""


MOTION = (OptionKind.FOR, OptionKind.AGAINST, OptionKind.ABSTAIN)
"""The boxes of a motion, in the order of its paper."""


@dataclass(frozen=True)
class Option:
    """What a ballot can mark. A candidate has FOR and AGAINST, or one CHOICE."""

    id: UUID
    kind: OptionKind
    position: int
    candidate_id: UUID | None = None


class Validity(Enum):
    VALID = "VALID"
    BLANK = "BLANK"
    INVALID = "INVALID"


@dataclass(frozen=True)
class Judged:
    """A ballot as it counts. `choices` are the marks that count, in the options' order."""

    validity: Validity
    choices: tuple[UUID, ...] = ()


@dataclass(frozen=True)
class Count:
    """Ballots: what they weigh together, and how many they are."""

    weight: int = 0
    heads: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.weight + other.weight, self.heads + other.heads)

    def __sub__(self, other: "Count") -> "Count":
        return Count(self.weight - other.weight, self.heads - other.heads)


NO_BALLOTS = Count()


@dataclass(frozen=True)
class Tallies:
    """The ballots of a vote, counted. Options that are not named have none."""

    valid: Count = NO_BALLOTS
    blank: Count = NO_BALLOTS
    invalid: Count = NO_BALLOTS
    options: Mapping[UUID, Count] = field(default_factory=dict[UUID, Count])

    @property
    def cast(self) -> Count:
        return self.valid + self.blank + self.invalid

    def of(self, option_id: UUID) -> Count:
        return self.options.get(option_id, NO_BALLOTS)


def check_options(rule: RuleSet, options: Collection[Option]) -> None:
    """Raises INVALID_RULE unless the options make a paper for the rule's method.

    FOR_AGAINST_ABSTAIN: one FOR, one AGAINST, at most one ABSTAIN. YES_NO_PER_CANDIDATE: one FOR
    and one AGAINST for each candidate. CHOOSE_UP_TO: CHOICEs. ORDERED_CUMULATIVE: MEASUREs and at
    most one ABSTAIN. Ids, positions and a choice's candidates are different.
    """
    fits = _is_paper(rule.method, options)
    ids, positions = {option.id for option in options}, {option.position for option in options}
    if not fits or not len(ids) == len(positions) == len(options):
        raise Refusal(
            Reason.INVALID_RULE,
            f"These options make no paper for {rule.method.value}.",
            method=rule.method.value,
        )


def judge_ballot(rule: RuleSet, options: Collection[Option], choices: Sequence[UUID]) -> Judged:
    """What the marked options are worth. Raises INVALID_CHOICE, whatever the list holds.

    Refused are options of another vote, an option named twice, and too many or no marks where the
    rule says so. Both boxes marked for one candidate: the ballot is valid and has no vote for that
    candidate (test vector 9).
    """
    marks = _known_marks(options, choices)
    if not marks:
        return _judge_empty(rule)
    counted = _without_both_boxes(rule, marks)
    if _chosen(rule, counted) > rule.most_choices:
        return _judge_overvote(rule, len(marks))
    return Judged(Validity.VALID, tuple(mark.id for mark in counted))


def count_ballots(ballots: Iterable[tuple[Judged, int]]) -> Tallies:
    """Count judged ballots, each with what it weighs."""
    by_validity = dict.fromkeys(Validity, NO_BALLOTS)
    weights: Counter[UUID] = Counter()
    heads: Counter[UUID] = Counter()
    for ballot, weight in ballots:
        by_validity[ballot.validity] += Count(weight, 1)
        for choice in ballot.choices:
            weights[choice] += weight
            heads[choice] += 1
    return Tallies(
        valid=by_validity[Validity.VALID],
        blank=by_validity[Validity.BLANK],
        invalid=by_validity[Validity.INVALID],
        options={choice: Count(weights[choice], heads[choice]) for choice in heads},
    )


def in_order(options: Iterable[Option], *kinds: OptionKind) -> list[Option]:
    """The options of these kinds by position."""
    chosen = (option for option in options if option.kind in kinds)
    return sorted(chosen, key=lambda option: option.position)


def pair_boxes(options: Iterable[Option]) -> list[tuple[Option, Option]]:
    """Each candidate's FOR and AGAINST, in the order of the FOR boxes."""
    ordered = in_order(options, OptionKind.FOR, OptionKind.AGAINST)
    against = {box.candidate_id: box for box in ordered if box.kind is OptionKind.AGAINST}
    return [(box, against[box.candidate_id]) for box in ordered if box.kind is OptionKind.FOR]


def _is_paper(method: Method, options: Collection[Option]) -> bool:
    kinds = Counter(option.kind for option in options)
    match method:
        case Method.FOR_AGAINST_ABSTAIN:
            once = kinds[OptionKind.FOR] == kinds[OptionKind.AGAINST] == 1
            allowed = {OptionKind.FOR, OptionKind.AGAINST, OptionKind.ABSTAIN}
            return once and kinds[OptionKind.ABSTAIN] <= 1 and set(kinds) <= allowed
        case Method.YES_NO_PER_CANDIDATE:
            return _has_both_boxes_each(options)
        case Method.CHOOSE_UP_TO:
            named = [option.candidate_id for option in options if option.candidate_id is not None]
            return set(kinds) == {OptionKind.CHOICE} and len(set(named)) == len(named)
        case Method.ORDERED_CUMULATIVE:
            allowed = {OptionKind.MEASURE, OptionKind.ABSTAIN}
            is_known = set(kinds) <= allowed and kinds[OptionKind.ABSTAIN] <= 1
            return is_known and kinds[OptionKind.MEASURE] > 0


def _has_both_boxes_each(options: Collection[Option]) -> bool:
    boxes = Counter((option.candidate_id, option.kind) for option in options)
    candidates = {option.candidate_id for option in options}
    both = (OptionKind.FOR, OptionKind.AGAINST)
    wanted = Counter((candidate, kind) for candidate in candidates for kind in both)
    return bool(candidates) and None not in candidates and boxes == wanted


def _known_marks(options: Collection[Option], choices: Sequence[UUID]) -> list[Option]:
    marked = set(choices)
    if not marked <= {option.id for option in options}:
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.")
    if len(marked) < len(choices):
        raise Refusal(Reason.INVALID_CHOICE, "An option is marked twice.")
    return in_order((option for option in options if option.id in marked), *OptionKind)


def _judge_empty(rule: RuleSet) -> Judged:
    match rule.empty:
        case Empty.BLANK:
            return Judged(Validity.BLANK)
        case Empty.INVALID:
            return Judged(Validity.INVALID)
        case Empty.REFUSED:
            raise _wrong_number(rule, 0)


def _judge_overvote(rule: RuleSet, marks: int) -> Judged:
    if rule.overvote is Overvote.REFUSED:
        raise _wrong_number(rule, marks)
    return Judged(Validity.INVALID)


def _wrong_number(rule: RuleSet, marks: int) -> Refusal:
    allowed = rule.most_choices
    words = "exactly one option" if allowed == 1 else f"one to {allowed} options"
    return Refusal(Reason.INVALID_CHOICE, f"Choose {words}.", chosen=marks, allowed=allowed)


def _without_both_boxes(rule: RuleSet, marks: Sequence[Option]) -> list[Option]:
    if rule.method is not Method.YES_NO_PER_CANDIDATE:
        return list(marks)
    boxes = Counter(mark.candidate_id for mark in marks)
    return [mark for mark in marks if boxes[mark.candidate_id] == 1]


def _chosen(rule: RuleSet, marks: Sequence[Option]) -> int:
    if rule.method is Method.YES_NO_PER_CANDIDATE:
        return sum(mark.kind is OptionKind.FOR for mark in marks)
    return len(marks)
