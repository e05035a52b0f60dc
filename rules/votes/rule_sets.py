"""The parameters of one matter (design: Rule engine), as data with a version and a date.

Every vote stores the rule set that it is decided under, so that its result can be computed again
long after the rule has changed. Integers only: no verdict ever depends on rounding.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import Any

from rules.json_codec import from_plain, to_plain
from rules.refusals import Reason, Refusal
from rules.register.members import Standing

RULES_KEPT = 1_000


class Base(Enum):
    """What the votes in favour are measured against."""

    ENTITLED = "ENTITLED"
    SUMMONED = "SUMMONED"
    PRESENT_AT_OPENING = "PRESENT_AT_OPENING"
    PRESENT = "PRESENT"
    BALLOTS_CAST = "BALLOTS_CAST"
    VALID_BALLOTS = "VALID_BALLOTS"
    FOR_AND_AGAINST = "FOR_AND_AGAINST"


BASES_OF_PERSONS = frozenset({Base.ENTITLED, Base.SUMMONED, Base.PRESENT_AT_OPENING, Base.PRESENT})


class Exclusion(Enum):
    """Who is left out of a base of persons, unless they cast a ballot all the same."""

    TEMPORARILY_ELSEWHERE = "TEMPORARILY_ELSEWHERE"
    EXEMPT_ABSENT = "EXEMPT_ABSENT"
    SUSPENDED = "SUSPENDED"
    EXCUSED_WHOLE_MEETING = "EXCUSED_WHOLE_MEETING"
    RECUSED = "RECUSED"


class Method(Enum):
    """What a ballot looks like, and how the marks are counted."""

    FOR_AGAINST_ABSTAIN = "FOR_AGAINST_ABSTAIN"
    CHOOSE_UP_TO = "CHOOSE_UP_TO"
    YES_NO_PER_CANDIDATE = "YES_NO_PER_CANDIDATE"
    ORDERED_CUMULATIVE = "ORDERED_CUMULATIVE"
    """Measures from the heaviest: whoever wants a heavier one also supports the lighter ones."""


ELECTIONS = frozenset({Method.CHOOSE_UP_TO, Method.YES_NO_PER_CANDIDATE})


class Comparison(Enum):
    """Thresholds that compare votes with votes instead of with a base."""

    PLURALITY = "PLURALITY"
    """Whoever has the most votes, however few."""
    MORE_FOR_THAN_AGAINST = "MORE_FOR_THAN_AGAINST"


class Treatment(Enum):
    """What abstentions, blank and invalid ballots are to the result."""

    IN_BASE = "IN_BASE"
    IGNORED = "IGNORED"
    AGAINST = "AGAINST"
    """In the base, and a vote against."""


class TieRule(Enum):
    """What happens when votes are equal and the result depends on it."""

    LOST = "LOST"
    CHAIR_CASTS = "CHAIR_CASTS"
    REVOTE_TIED = "REVOTE_TIED"
    SENIORITY = "SENIORITY"
    LOT = "LOT"
    BODY_DECIDES = "BODY_DECIDES"


class Secrecy(Enum):
    OPEN = "OPEN"
    UNATTRIBUTED = "UNATTRIBUTED"


class Overvote(Enum):
    """What more marks than allowed make of a ballot."""

    INVALID = "INVALID"
    REFUSED = "REFUSED"


class Empty(Enum):
    """What no mark at all makes of a ballot."""

    BLANK = "BLANK"
    INVALID = "INVALID"
    REFUSED = "REFUSED"


class Change(Enum):
    """Whether a ballot may be changed until the vote closes (invariant I7)."""

    FINAL = "FINAL"
    LAST_COUNTS = "LAST_COUNTS"


class LiveTally(Enum):
    """Who sees the figures of the options while the vote is open."""

    ALWAYS = "ALWAYS"
    CHAIR = "CHAIR"
    AFTER_CLOSE = "AFTER_CLOSE"


class QuorumCheck(Enum):
    AT_OPENING = "AT_OPENING"
    """When the meeting opens."""
    AT_EACH_VOTE = "AT_EACH_VOTE"
    """When a vote opens."""


@dataclass(frozen=True)
class Share:
    """More than (strict), or at least, numerator / denominator of a base."""

    numerator: int
    denominator: int
    strict: bool

    def __post_init__(self) -> None:
        _demand(0 < self.numerator <= self.denominator, "a share lies between 0 and 1")
        _demand(
            not self.strict or self.numerator < self.denominator,
            "nothing can be more than the whole",
        )

    def fewest(self, base: int) -> int:
        """The fewest out of `base` that reach the share. At least one: nobody is no share."""
        product = self.numerator * base
        if self.strict:
            return product // self.denominator + 1
        return max(1, -(-product // self.denominator))


@dataclass(frozen=True)
class Surplus:
    """At most numerator / denominator of the seats, rounded down, as candidates beyond them."""

    numerator: int
    denominator: int

    def __post_init__(self) -> None:
        _demand(
            self.numerator >= 0 and self.denominator > 0, "a surplus is a fraction of 0 or more"
        )


@dataclass(frozen=True)
class Quorum:
    """The share of a base of persons that must be present."""

    share: Share
    base: Base
    checked: QuorumCheck

    def __post_init__(self) -> None:
        _demand(
            self.base in {Base.ENTITLED, Base.SUMMONED},
            "a quorum is measured against those ENTITLED or SUMMONED",
        )


@dataclass(frozen=True)
class RuleSet:
    """The parameters of one matter. Raises ValueError where they contradict each other."""

    name: str
    version: int
    valid_from: date
    method: Method
    eligibility: frozenset[Standing]
    base: Base
    threshold: Share | Comparison
    measure_thresholds: tuple[Share, ...] = ()
    """Of the measures from the heaviest on; the ones after them need `threshold`."""
    guests_vote: bool = False
    """Whether members temporarily attached to the branch vote here."""
    base_exclusions: frozenset[Exclusion] = frozenset({Exclusion.SUSPENDED, Exclusion.RECUSED})
    abstentions: Treatment = Treatment.IN_BASE
    blanks: Treatment = Treatment.IN_BASE
    invalid: Treatment = Treatment.IN_BASE
    quorum: Quorum | None = None
    tie: TieRule = TieRule.LOST
    secrecy: Secrecy = Secrecy.OPEN
    min_voters_for_secret: int = 5
    max_choices: int | None = None
    """The most options (or candidates marked yes) on a ballot; None: as many as seats."""
    overvote: Overvote = Overvote.INVALID
    empty: Empty = Empty.BLANK
    seats: int = 1
    max_surplus: Surplus | None = None
    weights: bool = False
    """Whether members' votes weigh what the roll says instead of one each."""
    proxies: int | None = None
    """The most absent members that one member may vote for; None: proxies do not exist."""
    change: Change = Change.FINAL
    live_tally: LiveTally = LiveTally.ALWAYS
    duration_seconds: int | None = None
    closes_when_all_voted: bool = False
    online_binding: bool = True
    """Whether what an online meeting votes is binding; otherwise it is an opinion."""

    def __post_init__(self) -> None:
        _demand(self.name.strip() != "", "a rule has a name")
        _demand(bool(self.eligibility), "somebody must be eligible to vote")
        for name in ("version", "min_voters_for_secret", "max_choices", "seats", "proxies"):
            _demand_positive(name, getattr(self, name))
        _demand_positive("duration_seconds", self.duration_seconds)
        _check_method(self)
        _check_treatments(self)
        _check_secrecy(self)

    @property
    def counts_persons(self) -> bool:
        """Whether the base is counted from the roll and the attendance, not from the ballots."""
        return self.base in BASES_OF_PERSONS

    @property
    def is_weighted(self) -> bool:
        """Whether a ballot may weigh more than one vote."""
        return self.weights or self.proxies is not None

    @property
    def most_choices(self) -> int:
        """The most options (or candidates marked yes) that a valid ballot marks."""
        if self.method not in ELECTIONS:
            return 1
        return self.max_choices or self.seats

    def measure_threshold(self, place: int) -> Share:
        """What the measure in this place needs, 0 being the heaviest."""
        if place < len(self.measure_thresholds):
            return self.measure_thresholds[place]
        if not isinstance(self.threshold, Share):
            raise ValueError("measures are chosen by a share of the base")
        return self.threshold

    def to_data(self) -> dict[str, Any]:
        """Plain JSON values, the same for equal rule sets."""
        data: dict[str, Any] = to_plain(self)
        return data

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> "RuleSet":
        """Raises ValueError for unknown keys, wrong values and contradictions."""
        try:
            known = json.dumps(data, sort_keys=True)
        except TypeError:  # no JSON, and so no rule; told as what is wrong with it
            return from_plain(cls, data)
        return _read(known)


@lru_cache(maxsize=RULES_KEPT)
def _read(data: str) -> RuleSet:
    """Thousands of votes have the same few rules; each is read and checked once."""
    return from_plain(RuleSet, json.loads(data))


def read_rule(data: Mapping[str, Any]) -> RuleSet:
    """A rule set that somebody has written. Raises INVALID_RULE, saying what is wrong."""
    try:
        return RuleSet.from_data(data)
    except ValueError as error:
        raise Refusal(Reason.INVALID_RULE, f"{error}.") from error


def for_seats(rule: RuleSet, seats: int) -> RuleSet:
    """The rule of an election for so many seats. Raises INVALID_RULE for fewer than one."""
    try:
        return replace(rule, seats=seats)
    except ValueError as error:
        raise Refusal(Reason.INVALID_RULE, f"{error}.") from error


def _check_method(rule: RuleSet) -> None:
    is_election = rule.method in ELECTIONS
    if rule.threshold is Comparison.PLURALITY:
        _demand(is_election, "PLURALITY is for choosing among candidates or answers")
    if rule.threshold is Comparison.MORE_FOR_THAN_AGAINST or rule.base is Base.FOR_AND_AGAINST:
        _demand(
            rule.method in {Method.FOR_AGAINST_ABSTAIN, Method.YES_NO_PER_CANDIDATE},
            "votes for and against need a method that has votes against",
        )
    if rule.measure_thresholds:
        _demand(rule.method is Method.ORDERED_CUMULATIVE, "only measures have thresholds each")
    if rule.method is Method.ORDERED_CUMULATIVE:
        _demand(rule.tie is TieRule.LOST, "cumulated measures never tie")
    if not is_election:
        _demand(rule.seats == 1, "only elections have seats")
        _demand(rule.max_choices is None, "only elections have max_choices")
        _demand(rule.max_surplus is None, "only elections have a surplus")
        _demand(rule.tie is not TieRule.SENIORITY, "only candidates have seniority")


def _check_treatments(rule: RuleSet) -> None:
    treatments = {rule.abstentions, rule.blanks, rule.invalid}
    if rule.counts_persons:
        _demand(
            Treatment.IGNORED not in treatments,
            "a base of persons keeps everyone who cast a ballot; nothing is IGNORED",
        )
    if rule.base is Base.FOR_AND_AGAINST:
        _demand(
            Treatment.IN_BASE not in treatments,
            "FOR_AND_AGAINST has nothing else IN_BASE",
        )
    if rule.base is Base.VALID_BALLOTS:
        _demand(
            rule.invalid is Treatment.IGNORED, "invalid ballots are IGNORED among VALID_BALLOTS"
        )


def _check_secrecy(rule: RuleSet) -> None:
    """Design, "Secrecy, said honestly": what would let a choice be traced to a member."""
    if rule.secrecy is Secrecy.OPEN:
        return
    _demand(not rule.is_weighted, "weights and proxies would show who voted how")
    _demand(rule.live_tally is LiveTally.AFTER_CLOSE, "live figures would show who voted how")
    _demand(rule.change is Change.FINAL, "a ballot that nobody can find again cannot change")


def _demand_positive(name: str, value: int | None) -> None:
    _demand(value is None or value >= 1, f"{name} is 1 or more")


def _demand(is_met: bool, otherwise: str) -> None:
    if not is_met:
        raise ValueError(otherwise)
