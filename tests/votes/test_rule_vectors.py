"""The seventeen test vectors of the rule engine's design."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from rules.meetings.meetings import check_full_members
from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.ballots import Option, Validity, judge_ballot
from rules.votes.bases import Voter
from rules.votes.outcome import Outcome, Verdict
from rules.votes.presets import PRESETS, Matter
from rules.votes.quorum import Turnout, check_quorum, may_meet_online
from rules.votes.roll import Elector, LeftOut, check_entitled, electoral_roll
from rules.votes.rule_sets import QuorumCheck
from tests.support.papers import (
    MOTION,
    against,
    boxes,
    choice,
    choices,
    count,
    heads,
    measures,
    members,
    person,
    tally,
    tally_of,
    vote,
)

PARTY = PRESETS["vi-party"]
UNION = PRESETS["vi-union"]
COOPERATIVE = PRESETS["vi-cooperative"]
VEREIN = PRESETS["de-verein"]
ROBERT = PRESETS["roberts-rules"]

CARRIED, NOT_CARRIED = Verdict.CARRIED, Verdict.NOT_CARRIED


def branch() -> list[Voter]:
    """20 full members of whom 3 are absent, and 2 probationary members of whom 1 is."""
    out = LeftOut.PROBATIONARY
    return [
        *members(17),
        *members(3, first=18, is_present=False),
        *members(1, first=21, standing=Standing.PROBATIONARY, left_out=out),
        *members(1, first=22, standing=Standing.PROBATIONARY, left_out=out, is_present=False),
    ]


def figures(outcome: Outcome) -> tuple[Verdict, int, int]:
    return outcome.verdict, outcome.base, outcome.needed


def party(votes_for: int, votes_against: int, matter: Matter = Matter.ORDINARY) -> Any:
    cast = tally(votes_for=votes_for, votes_against=votes_against)
    return figures(vote(PARTY[matter], MOTION, branch(), cast))


def party_of_21(votes_for: int) -> Any:
    cast = tally(votes_for=votes_for)
    return figures(vote(PARTY[Matter.TWO_THIRDS], MOTION, members(21), cast))


def exempt(*, is_present: bool) -> Any:
    """20 full members, one of whom is exempt."""
    one = members(1, standing=Standing.EXEMPT, is_present=is_present, has_cast=is_present)
    cast = tally(votes_for=int(is_present))
    return vote(PARTY[Matter.ORDINARY], MOTION, [*one, *members(19, first=2)], cast).base


def elsewhere() -> Any:
    body = [*members(18), *members(2, first=19, is_elsewhere=True)]
    return vote(PARTY[Matter.ORDINARY], MOTION, body, tally(votes_for=11)).base


def probationary_on_the_roll() -> Any:
    (entry,) = electoral_roll(
        PARTY[Matter.ORDINARY], [Elector(person(1), Standing.PROBATIONARY, is_present=True)]
    )
    return refusal_of(lambda: check_entitled(entry))


def discipline() -> Any:
    """Expel 6, dismiss 3, warn 4, reprimand 7."""
    cast = tally_of({choice(place + 1): votes for place, votes in enumerate((6, 3, 4, 7))})
    outcome = vote(PARTY[Matter.DISCIPLINE], measures(4), members(20), cast)
    told = [(one.cumulative, one.needed, one.has_reached) for one in outcome.measures[:3]]
    return told, outcome.measure


def both_boxes() -> Any:
    rule, paper = replace(PARTY[Matter.ELECTION], seats=2, min_voters_for_secret=1), boxes(2)
    marks = [choice(1), against(1), choice(2)]
    outcome = vote(rule, paper, members(20), count(rule, paper, [marks]))
    votes = {one.candidate_id: (one.votes, one.against) for one in outcome.candidates}
    return judge_ballot(rule, paper, marks).validity, votes[person(1)], votes[person(2)]


def eighty_five_papers() -> Any:
    cast = tally(votes_for=41, votes_against=30, blank=4, invalid=10)
    return figures(vote(ROBERT[Matter.ORDINARY], MOTION, members(100), cast))


def equal_votes() -> Any:
    cast = tally(votes_for=40, votes_against=40)
    outcome = vote(ROBERT[Matter.ORDINARY], MOTION, members(100), cast)
    return outcome.verdict, outcome.next_step


def three_quarters(rules: Any) -> Any:
    cast = tally(votes_for=80, votes_against=20, abstain=50)
    outcome = vote(rules[Matter.BYLAWS], MOTION, members(150), cast)
    return outcome.verdict, outcome.base, outcome.hundredths


def refusal_of(act: Callable[[], object]) -> Any:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.reason, caught.value.details


def union_opens() -> None:
    check_quorum(UNION[Matter.ORDINARY], QuorumCheck.AT_OPENING, Turnout(present=55, of=100))


def too_many_marks() -> Any:
    rule: Any = replace(UNION[Matter.ELECTION], seats=2, min_voters_for_secret=1)
    paper: list[Option] = choices(3)
    cast = count(rule, paper, [[choice(1), choice(2), choice(3)], [choice(1)]])
    validity = judge_ballot(rule, paper, [choice(1), choice(2), choice(3)]).validity
    return validity, cast.invalid, vote(rule, paper, members(2), cast).base


VECTORS: list[tuple[str, Callable[[], Any], Any]] = [
    ("1 party ordinary, 11 of 20 for", lambda: party(11, 5), (CARRIED, 20, 11)),
    ("2 party ordinary, 10 of the 17 present", lambda: party(10, 7), (NOT_CARRIED, 20, 11)),
    (
        "3 party two thirds of 20, 13 for",
        lambda: party(13, 4, Matter.TWO_THIRDS),
        (NOT_CARRIED, 20, 14),
    ),
    (
        "3 party two thirds of 20, 14 for",
        lambda: party(14, 3, Matter.TWO_THIRDS),
        (CARRIED, 20, 14),
    ),
    ("4 two thirds of 21, 14 for", lambda: party_of_21(14), (CARRIED, 21, 14)),
    ("5 exempt and absent", lambda: exempt(is_present=False), 19),
    ("5 exempt, present and voting", lambda: exempt(is_present=True), 20),
    ("6 two members temporarily elsewhere", elsewhere, 18),
    (
        "7 probationary member casts",
        probationary_on_the_roll,
        (Reason.NOT_ENTITLED, {"leftOut": "PROBATIONARY"}),
    ),
    (
        "8 discipline, cumulative from the heaviest",
        discipline,
        ([(6, 14, False), (9, 11, False), (13, 11, True)], choice(3)),
    ),
    ("9 both boxes marked", both_boxes, (Validity.VALID, (0, 0), (1, 0))),
    ("10 illegal in the base, blanks out", eighty_five_papers, (CARRIED, 81, 41)),
    ("11 Robert's Rules, 40 : 40", equal_votes, (NOT_CARRIED, None)),
    ("12 BGB § 33, 3/4 of the votes cast", lambda: three_quarters(VEREIN), (CARRIED, 100, 8000)),
    (
        "13 co-operative, 3/4 of those present",
        lambda: three_quarters(COOPERATIVE),
        (NOT_CARRIED, 150, 5333),
    ),
    (
        "14 union, 55 of 100 summoned",
        lambda: refusal_of(union_opens),
        (Reason.NO_QUORUM, {"present": 55, "of": 100, "needed": 67}),
    ),
    (
        "15 two full members",
        lambda: refusal_of(lambda: check_full_members(2)),
        (Reason.TOO_FEW_FULL_MEMBERS, {"fullMembers": 2, "needed": 3}),
    ),
    ("16 more marks than seats", too_many_marks, (Validity.INVALID, heads(1), 2)),
    ("17 meeting online, 10 of 20 unable", lambda: may_meet_online(20, 10), False),
    ("17 meeting online, 11 of 20 unable", lambda: may_meet_online(20, 11), True),
]


@pytest.mark.parametrize(
    ("ask", "expected"),
    [(ask, expected) for _, ask, expected in VECTORS],
    ids=[name for name, _, _ in VECTORS],
)
def test_vector(ask: Callable[[], Any], expected: Any) -> None:
    assert ask() == expected
