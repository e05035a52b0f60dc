"""Rules shipped as data, and which of them is in force where and when.

A preset is a beginning that an organisation adopts, by date, for a unit and all below it. `SHIPPED`
is the day from which this product offers them, not the day of a law. What the specification does
not state is a cautious assumption, and said to be one: the organisation confirms it or changes it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from rules.register.members import Standing
from rules.votes.rule_sets import (
    Base,
    Empty,
    Exclusion,
    LiveTally,
    Method,
    Overvote,
    Quorum,
    QuorumCheck,
    RuleSet,
    Secrecy,
    Share,
    Surplus,
    TieRule,
    Treatment,
)


class Matter(Enum):
    """What is voted on, as far as it needs a rule of its own."""

    ORDINARY = "ORDINARY"
    TWO_THIRDS = "TWO_THIRDS"
    ADMISSION = "ADMISSION"
    DISCIPLINE = "DISCIPLINE"
    ELECTION = "ELECTION"
    BYLAWS = "BYLAWS"
    PURPOSE = "PURPOSE"
    DISSOLUTION = "DISSOLUTION"


SHIPPED = date(2020, 1, 1)

MORE_THAN_HALF = Share(1, 2, strict=True)
TWO_THIRDS = Share(2, 3, strict=False)
THREE_QUARTERS = Share(3, 4, strict=False)
ALL = Share(1, 1, strict=False)

_MEMBERS = frozenset({Standing.FULL})


def _rules(preset: str, ordinary: RuleSet, **others: Mapping[str, Any]) -> dict[Matter, RuleSet]:
    """The ordinary rule, and for each other matter what differs from it."""
    rules = {Matter.ORDINARY: ordinary}
    for matter, changes in others.items():
        name = f"{preset}.{matter.lower().replace('_', '-')}"
        rules[Matter[matter]] = replace(ordinary, name=name, **changes)
    return rules


def _hidden() -> dict[str, Any]:
    """The result does not show who voted how."""
    return {"secrecy": Secrecy.UNATTRIBUTED, "live_tally": LiveTally.AFTER_CLOSE}


def _on_paper() -> dict[str, Any]:
    """A ballot is taken as it is marked, and too many marks spoil it (test vector 16)."""
    return {"overvote": Overvote.INVALID, "empty": Empty.BLANK}


def _vi_party() -> dict[Matter, RuleSet]:
    """A party branch.

    - Ordinary: more than 1/2 of the full members summoned (vectors 1, 2); probationary members
      speak and do not vote (vector 7); exempt members count only if present or voting (vector 5),
      members temporarily elsewhere not (vector 6).
    - ≥ 2/3: vectors 3 and 4. That admissions need it is an assumption.
    - Discipline: measures from the heaviest, cumulative; the heaviest (expulsion) needs ≥ 2/3, the
      others > 1/2 (vector 8). That recused members stay in the base is an assumption.
    - Election: yes or no for each candidate (vector 9), > 1/2 of the base, surplus ≤ 30 % (design:
      Elections). That members excused for the whole meeting leave its base, and that the body
      decides a tie by voting again, are assumptions.
    """
    ordinary = RuleSet(
        name="vi-party.ordinary",
        version=1,
        valid_from=SHIPPED,
        method=Method.FOR_AGAINST_ABSTAIN,
        eligibility=frozenset({Standing.FULL, Standing.EXEMPT}),
        base=Base.SUMMONED,
        base_exclusions=frozenset(
            {Exclusion.EXEMPT_ABSENT, Exclusion.TEMPORARILY_ELSEWHERE, Exclusion.SUSPENDED}
        ),
        threshold=MORE_THAN_HALF,
        overvote=Overvote.REFUSED,
        empty=Empty.REFUSED,
    )
    return _rules(
        "vi-party",
        ordinary,
        TWO_THIRDS={"threshold": TWO_THIRDS},
        ADMISSION={"threshold": TWO_THIRDS},
        DISCIPLINE={
            "method": Method.ORDERED_CUMULATIVE,
            "measure_thresholds": (TWO_THIRDS,),
            **_on_paper(),
            **_hidden(),
        },
        ELECTION={
            "method": Method.YES_NO_PER_CANDIDATE,
            "base_exclusions": ordinary.base_exclusions | {Exclusion.EXCUSED_WHOLE_MEETING},
            "max_surplus": Surplus(30, 100),
            "tie": TieRule.REVOTE_TIED,
            **_on_paper(),
            **_hidden(),
        },
    )


def _vi_union() -> dict[Matter, RuleSet]:
    """A trade union.

    - Quorum: 2/3 of those summoned, when the meeting opens (vector 14).
    - Elections: > 1/2 of the base, surplus ≤ 30 % (design: Elections).
    - That > 1/2 of those present decide ordinary matters, and that the base of an election are the
      ballots cast, are assumptions.
    """
    ordinary = RuleSet(
        name="vi-union.ordinary",
        version=1,
        valid_from=SHIPPED,
        method=Method.FOR_AGAINST_ABSTAIN,
        eligibility=_MEMBERS,
        base=Base.PRESENT,
        threshold=MORE_THAN_HALF,
        quorum=Quorum(TWO_THIRDS, Base.SUMMONED, QuorumCheck.AT_OPENING),
        overvote=Overvote.REFUSED,
        empty=Empty.REFUSED,
    )
    return _rules(
        "vi-union",
        ordinary,
        TWO_THIRDS={"threshold": TWO_THIRDS},
        ELECTION={
            "method": Method.CHOOSE_UP_TO,
            "base": Base.BALLOTS_CAST,
            "max_surplus": Surplus(30, 100),
            "tie": TieRule.REVOTE_TIED,
            **_on_paper(),
            **_hidden(),
        },
    )


def _vi_cooperative() -> dict[Matter, RuleSet]:
    """A co-operative.

    - By-laws: 3/4 of those present (vector 13); dissolution the same, an assumption.
    - That > 1/2 of those present decide other matters and elections is an assumption.
    """
    ordinary = RuleSet(
        name="vi-cooperative.ordinary",
        version=1,
        valid_from=SHIPPED,
        method=Method.FOR_AGAINST_ABSTAIN,
        eligibility=_MEMBERS,
        base=Base.PRESENT,
        threshold=MORE_THAN_HALF,
        overvote=Overvote.REFUSED,
        empty=Empty.REFUSED,
    )
    return _rules(
        "vi-cooperative",
        ordinary,
        BYLAWS={"threshold": THREE_QUARTERS},
        DISSOLUTION={"threshold": THREE_QUARTERS},
        ELECTION={
            "method": Method.CHOOSE_UP_TO,
            "tie": TieRule.REVOTE_TIED,
            **_on_paper(),
            **_hidden(),
        },
    )


def _de_verein() -> dict[Matter, RuleSet]:
    """A registered association in Germany, where its by-laws say nothing else.

    - Ordinary and elections: the majority of the votes cast, BGB § 32 (1). Abstentions, blank and
      invalid ballots are no votes cast.
    - By-laws: 3/4 of the votes cast, BGB § 33 (1) sentence 1 (vector 12).
    - Purpose: the consent of all members, BGB § 33 (1) sentence 2.
    - Dissolution: 3/4 of the votes cast, BGB § 41.
    """
    ignored = Treatment.IGNORED
    ordinary = RuleSet(
        name="de-verein.ordinary",
        version=1,
        valid_from=SHIPPED,
        method=Method.FOR_AGAINST_ABSTAIN,
        eligibility=_MEMBERS,
        base=Base.FOR_AND_AGAINST,
        threshold=MORE_THAN_HALF,
        abstentions=ignored,
        blanks=ignored,
        invalid=ignored,
        overvote=Overvote.REFUSED,
        empty=Empty.REFUSED,
    )
    in_base = Treatment.IN_BASE
    return _rules(
        "de-verein",
        ordinary,
        BYLAWS={"threshold": THREE_QUARTERS},
        PURPOSE={
            "base": Base.ENTITLED,
            "threshold": ALL,
            "abstentions": in_base,
            "blanks": in_base,
            "invalid": in_base,
        },
        DISSOLUTION={"threshold": THREE_QUARTERS},
        ELECTION={
            "method": Method.CHOOSE_UP_TO,
            "base": Base.VALID_BALLOTS,
            **_on_paper(),
            **_hidden(),
        },
    )


def _roberts_rules() -> dict[Matter, RuleSet]:
    """Robert's Rules of Order.

    - Ordinary: the majority of the votes cast; abstentions and blanks are none; a tie loses
      (vector 11). By ballot, illegal votes are in the base and blanks out of it (vector 10).
    - Two thirds of the votes cast, also for by-laws.
    - Elections: the majority of the votes cast, in as many rounds as it takes; nobody is dropped.
    - Quorum: a majority of all members, at each vote, where the by-laws say nothing else.
    """
    ordinary = RuleSet(
        name="roberts-rules.ordinary",
        version=1,
        valid_from=SHIPPED,
        method=Method.FOR_AGAINST_ABSTAIN,
        eligibility=_MEMBERS,
        base=Base.BALLOTS_CAST,
        threshold=MORE_THAN_HALF,
        abstentions=Treatment.IGNORED,
        blanks=Treatment.IGNORED,
        invalid=Treatment.IN_BASE,
        quorum=Quorum(MORE_THAN_HALF, Base.ENTITLED, QuorumCheck.AT_EACH_VOTE),
    )
    return _rules(
        "roberts-rules",
        ordinary,
        TWO_THIRDS={"threshold": TWO_THIRDS},
        BYLAWS={"threshold": TWO_THIRDS},
        ELECTION={"method": Method.CHOOSE_UP_TO, **_hidden()},
    )


PRESETS: Mapping[str, Mapping[Matter, RuleSet]] = {
    "vi-party": _vi_party(),
    "vi-union": _vi_union(),
    "vi-cooperative": _vi_cooperative(),
    "de-verein": _de_verein(),
    "roberts-rules": _roberts_rules(),
}


@dataclass(frozen=True)
class Assignment:
    """A unit's rule for a matter, from `rule.valid_from` on, for itself and the units below."""

    unit_id: UUID
    matter: Matter
    rule: RuleSet
    valid_to: date | None = None
    """The first day on which it holds no more."""

    def is_in_force(self, on: date) -> bool:
        return self.rule.valid_from <= on and (self.valid_to is None or on < self.valid_to)


def assign_preset(unit_id: UUID, preset: str, valid_from: date) -> list[Assignment]:
    """All rules of a preset, adopted by a unit from a day on."""
    return [
        Assignment(unit_id, matter, replace(rule, valid_from=valid_from))
        for matter, rule in PRESETS[preset].items()
    ]


def rule_in_force(
    assignments: Collection[Assignment], path: Sequence[UUID], matter: Matter, on: date
) -> RuleSet | None:
    """The rule of the nearest unit that has one on that day; of its rules the latest.

    `path` leads from the unit that votes up to the root, as the tree was on that day.
    """
    for unit_id in path:
        rules = [
            one.rule
            for one in assignments
            if one.unit_id == unit_id and one.matter is matter and one.is_in_force(on)
        ]
        if rules:
            return max(rules, key=lambda rule: (rule.valid_from, rule.version))
    return None


def rules_in_force(
    assignments: Collection[Assignment], path: Sequence[UUID], on: date
) -> dict[Matter, RuleSet]:
    """All rules that a unit votes by on that day, its own and the inherited ones."""
    found = {matter: rule_in_force(assignments, path, matter, on) for matter in Matter}
    return {matter: rule for matter, rule in found.items() if rule is not None}
