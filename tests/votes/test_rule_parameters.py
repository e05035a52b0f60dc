"""Every value of every parameter of a rule set does what the design says of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.ballots import (
    Judged,
    Option,
    OptionKind,
    Tallies,
    Validity,
    check_options,
    count_ballots,
    judge_ballot,
)
from rules.votes.bases import LeftOutOfBase, NotInBase, voter_at_closing
from rules.votes.elections import Nomination, candidates_of, check_candidates, most_candidates
from rules.votes.explain.sentences import Language, explain
from rules.votes.outcome import Outcome, Verdict, decide
from rules.votes.presets import (
    PRESETS,
    SHIPPED,
    Assignment,
    Matter,
    assign_preset,
    rule_in_force,
    rules_in_force,
)
from rules.votes.quorum import Turnout, check_online_meeting, check_quorum, count_turnout
from rules.votes.roll import Elector, LeftOut, RollEntry, check_entitled, electoral_roll, roll_hash
from rules.votes.rule_sets import (
    Base,
    Change,
    Comparison,
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
    TieRule,
    Treatment,
    for_seats,
    read_rule,
)
from rules.votes.secrecy import is_small_group, may_see_counts
from rules.votes.ties import NO_TIE_BREAKERS, NextStep, TieBreakers, break_tie, draw_lot
from tests.support.papers import (
    ABSTAIN,
    AGAINST,
    FOR,
    MOTION,
    a_rule,
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

AN, BINH, CHI, DUNG = map(person, range(1, 5))

IGNORE_ALL = {
    "abstentions": Treatment.IGNORED,
    "blanks": Treatment.IGNORED,
    "invalid": Treatment.IGNORED,
}


# Who may vote


@pytest.mark.parametrize(
    ("elector", "left_out"),
    [
        (Elector(AN, Standing.FULL), None),
        (Elector(AN, Standing.EXEMPT), None),
        (Elector(AN, Standing.PROBATIONARY), LeftOut.PROBATIONARY),
        (Elector(AN, Standing.SUSPENDED), LeftOut.SUSPENDED),
        (Elector(AN, Standing.FULL, is_guest=True), LeftOut.TEMPORARY_ATTACHMENT),
        (Elector(AN, Standing.FULL, is_elsewhere=True), None),
        (Elector(AN, Standing.FULL, is_recused=True), LeftOut.RECUSED),
    ],
)
def test_the_roll_says_who_is_left_out_and_why(elector: Elector, left_out: LeftOut | None) -> None:
    (entry,) = electoral_roll(a_rule(), [elector])
    assert entry.left_out is left_out
    assert entry.is_entitled is (left_out is None)


def test_guests_vote_where_the_rule_lets_them() -> None:
    (entry,) = electoral_roll(a_rule(guests_vote=True), [Elector(AN, Standing.FULL, is_guest=True)])
    check_entitled(entry)


def test_whoever_is_not_on_the_roll_is_not_entitled() -> None:
    with pytest.raises(Refusal) as caught:
        check_entitled(None)
    assert caught.value.reason is Reason.NOT_ENTITLED
    assert caught.value.details == {"leftOut": None}


def weights(rule: RuleSet, *electors: Elector) -> list[tuple[int, LeftOut | None]]:
    return [(entry.weight, entry.left_out) for entry in electoral_roll(rule, electors)]


def test_votes_weigh_one_unless_the_rule_weighs_them() -> None:
    heavy = Elector(AN, Standing.FULL, weight=7)
    assert weights(a_rule(), heavy) == [(1, None)]
    assert weights(a_rule(weights=True), heavy) == [(7, None)]


def test_a_proxy_holder_votes_for_those_absent_and_these_do_not() -> None:
    absent = [Elector(one, Standing.FULL, proxy_to=AN, weight=2) for one in (BINH, CHI)]
    holder = Elector(AN, Standing.FULL, weight=3)
    gone = (0, LeftOut.REPRESENTED)
    assert weights(a_rule(proxies=2), holder, *absent) == [(3, None), gone, gone]
    assert weights(a_rule(proxies=2, weights=True), holder, *absent) == [(7, None), gone, gone]


def test_a_holder_carries_at_most_as_many_proxies_as_the_rule_says() -> None:
    absent = [Elector(one, Standing.FULL, proxy_to=AN) for one in (DUNG, CHI, BINH)]
    roll = electoral_roll(a_rule(proxies=1), [Elector(AN, Standing.FULL), *absent])
    assert [(entry.member_id, entry.weight) for entry in roll] == [
        (AN, 2),
        (DUNG, 1),
        (CHI, 1),
        (BINH, 0),
    ]


@pytest.mark.parametrize(
    "electors",
    [
        pytest.param(
            [Elector(AN, Standing.FULL), Elector(BINH, Standing.FULL, proxy_to=AN)],
            id="no proxies in the rule",
        ),
        pytest.param(
            [
                Elector(AN, Standing.FULL),
                Elector(BINH, Standing.FULL, is_present=True, proxy_to=AN),
            ],
            id="giver present",
        ),
        pytest.param([Elector(AN, Standing.FULL, proxy_to=AN)], id="to oneself"),
        pytest.param(
            [Elector(AN, Standing.FULL, proxy_to=BINH), Elector(BINH, Standing.FULL, proxy_to=AN)],
            id="to each other",
        ),
        pytest.param([Elector(AN, Standing.FULL, proxy_to=DUNG)], id="to a stranger"),
        pytest.param(
            [
                Elector(AN, Standing.FULL, proxy_to=BINH),
                Elector(BINH, Standing.FULL, is_recused=True),
            ],
            id="to somebody who may not vote",
        ),
    ],
)
def test_a_proxy_that_is_not_in_force_changes_nothing(
    electors: list[Elector], request: pytest.FixtureRequest
) -> None:
    is_without = "no proxies" in request.node.callspec.id
    rule = a_rule(proxies=None if is_without else 3)
    assert all(entry.weight == 1 for entry in electoral_roll(rule, electors))


def test_a_proxy_is_not_passed_on() -> None:
    chain = [
        Elector(AN, Standing.FULL, proxy_to=BINH),
        Elector(BINH, Standing.FULL, proxy_to=CHI),
        Elector(CHI, Standing.FULL),
    ]
    assert weights(a_rule(proxies=3), *chain) == [
        (1, None),
        (0, LeftOut.REPRESENTED),
        (2, None),
    ]


def test_the_hash_of_the_roll_fixes_members_weights_and_reasons() -> None:
    def entry(member: UUID, weight: int = 1, left_out: LeftOut | None = None) -> RollEntry:
        return RollEntry(Elector(member, Standing.FULL), left_out, weight)

    roll = [entry(AN), entry(BINH, left_out=LeftOut.RECUSED)]
    written = f'[["{AN}",1,null],["{BINH}",1,"RECUSED"]]'
    assert roll_hash(roll) == hashlib.sha256(written.encode()).hexdigest()
    assert roll_hash(roll[::-1]) == roll_hash(roll)
    others = [
        [entry(AN)],
        [entry(AN), entry(CHI, left_out=LeftOut.RECUSED)],
        [entry(AN, weight=2), entry(BINH, left_out=LeftOut.RECUSED)],
        [entry(AN), entry(BINH)],
    ]
    assert roll_hash(roll) not in set(map(roll_hash, others))


# The base


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (Base.ENTITLED, 7),
        (Base.SUMMONED, 6),
        (Base.PRESENT_AT_OPENING, 3),
        (Base.PRESENT, 4),
    ],
)
def test_a_base_of_persons_counts_who_belongs_to_it(base: Base, expected: int) -> None:
    body = [
        *members(2, was_present_at_opening=True),
        *members(1, first=3, was_present_at_opening=True, is_present=False),
        *members(2, first=4),
        *members(1, first=6, is_present=False),
        *members(1, first=7, is_present=False, is_summoned=False),
        *members(3, first=8, left_out=LeftOut.PROBATIONARY),
    ]
    assert vote(a_rule(base=base), MOTION, body, tally(votes_for=2)).base == expected


@pytest.mark.parametrize(
    ("base", "treatments", "expected"),
    [
        (Base.BALLOTS_CAST, {}, 23),
        (Base.BALLOTS_CAST, IGNORE_ALL, 16),
        (Base.BALLOTS_CAST, {"abstentions": Treatment.IGNORED}, 19),
        (Base.BALLOTS_CAST, {"blanks": Treatment.IGNORED}, 21),
        (Base.BALLOTS_CAST, {"invalid": Treatment.IGNORED}, 22),
        (Base.VALID_BALLOTS, {"invalid": Treatment.IGNORED}, 22),
        (Base.FOR_AND_AGAINST, IGNORE_ALL, 16),
        (Base.FOR_AND_AGAINST, {**IGNORE_ALL, "blanks": Treatment.AGAINST}, 18),
    ],
)
def test_a_base_of_ballots_counts_what_the_rule_keeps(
    base: Base, treatments: dict[str, Treatment], expected: int
) -> None:
    cast = tally(votes_for=12, votes_against=4, abstain=4, blank=2, invalid=1)
    outcome = vote(a_rule(base=base, **treatments), MOTION, members(40), cast)
    assert outcome.base == expected
    assert (outcome.abstentions, outcome.blanks, outcome.invalid) == (4, 2, 1)


@pytest.mark.parametrize("name", ["abstentions", "blanks", "invalid"])
def test_what_counts_as_against_is_against(name: str) -> None:
    cast = tally(votes_for=5, votes_against=4, abstain=1, blank=1, invalid=1)
    rule = a_rule(threshold=Comparison.MORE_FOR_THAN_AGAINST, **{name: Treatment.AGAINST})
    outcome = vote(rule, MOTION, members(20), cast)
    assert (outcome.verdict, outcome.votes_against) == (Verdict.NOT_CARRIED, 5)
    rule = a_rule(threshold=Comparison.MORE_FOR_THAN_AGAINST)
    outcome = vote(rule, MOTION, members(20), cast)
    assert (outcome.verdict, outcome.votes_against) == (Verdict.CARRIED, 4)


@pytest.mark.parametrize(
    ("exclusion", "facts"),
    [
        (Exclusion.TEMPORARILY_ELSEWHERE, {"is_elsewhere": True}),
        (Exclusion.EXEMPT_ABSENT, {"standing": Standing.EXEMPT, "is_present": False}),
        (Exclusion.SUSPENDED, {"standing": Standing.SUSPENDED, "left_out": LeftOut.SUSPENDED}),
        (Exclusion.EXCUSED_WHOLE_MEETING, {"is_excused": True, "is_present": False}),
        (Exclusion.RECUSED, {"left_out": LeftOut.RECUSED}),
    ],
)
def test_an_exclusion_leaves_out_of_the_base_and_says_whom(
    exclusion: Exclusion, facts: dict[str, Any]
) -> None:
    body = [*members(9, first=2), *members(1, **facts)]
    without = a_rule(base_exclusions=frozenset(Exclusion) - {exclusion})
    assert vote(without, MOTION, body, tally(votes_for=6)).base == 10
    outcome = vote(a_rule(base_exclusions=frozenset({exclusion})), MOTION, body, tally(votes_for=6))
    assert outcome.base == 9
    assert outcome.left_out_of_base == (LeftOutOfBase(AN, NotInBase(exclusion.value)),)


def test_the_absent_are_left_out_of_a_base_of_those_present_by_name() -> None:
    body = [
        *members(2),
        *members(1, first=3, is_present=False),
        *members(1, first=4, is_present=False, left_out=LeftOut.PROBATIONARY),
    ]
    outcome = vote(a_rule(base=Base.PRESENT), MOTION, body, tally(votes_for=2))
    assert outcome.left_out_of_base == (LeftOutOfBase(CHI, NotInBase.NOT_PRESENT),)


def test_whoever_cast_a_ballot_belongs_to_the_base() -> None:
    rule = a_rule(base=Base.PRESENT, base_exclusions=frozenset(Exclusion))
    body = members(2, is_present=False, is_elsewhere=True, is_excused=True)
    outcome = vote(rule, MOTION, body, tally(votes_for=1))
    assert (outcome.base, len(outcome.left_out_of_base)) == (1, 1)


def test_a_ballot_that_stands_keeps_its_voter_in_the_base_even_if_struck_from_the_roll() -> None:
    body = [*members(2), *members(1, first=3, left_out=LeftOut.TEMPORARY_ATTACHMENT)]
    assert vote(a_rule(), MOTION, body, tally(votes_for=3)).base == 3
    assert vote(a_rule(), MOTION, body, tally(votes_for=2)).base == 2


def test_a_base_of_persons_weighs_what_their_ballots_weigh() -> None:
    rule = a_rule(weights=True)
    electors = [Elector(AN, Standing.FULL, weight=6), Elector(BINH, Standing.FULL, weight=5)]
    voters = [
        voter_at_closing(entry, has_cast=entry.member_id == AN, is_present=True)
        for entry in electoral_roll(rule, electors)
    ]
    cast = count_ballots([(judge_ballot(rule, MOTION, [FOR]), 6)])
    outcome = decide(rule, MOTION, voters, cast)
    assert (outcome.verdict, outcome.base, outcome.votes_for) == (Verdict.CARRIED, 11, 6)
    assert (outcome.entitled, outcome.cast) == (2, 1)
    assert explain(outcome, Language.EN).startswith(
        "Carried: 6 of 11 votes of entitled members for"
    )


# The threshold


@pytest.mark.parametrize(
    ("threshold", "votes_for", "votes_against", "verdict", "needed"),
    [
        (Share(1, 2, strict=True), 10, 0, Verdict.NOT_CARRIED, 11),
        (Share(1, 2, strict=False), 10, 0, Verdict.CARRIED, 10),
        (Share(1, 1, strict=False), 19, 0, Verdict.NOT_CARRIED, 20),
        (Comparison.MORE_FOR_THAN_AGAINST, 3, 2, Verdict.CARRIED, 3),
        (Comparison.MORE_FOR_THAN_AGAINST, 2, 2, Verdict.NOT_CARRIED, 3),
        (Comparison.MORE_FOR_THAN_AGAINST, 0, 0, Verdict.NOT_CARRIED, 1),
    ],
)
def test_a_threshold_is_reached_or_not(
    threshold: Share | Comparison,
    votes_for: int,
    votes_against: int,
    verdict: Verdict,
    needed: int,
) -> None:
    cast = tally(votes_for=votes_for, votes_against=votes_against)
    outcome = vote(a_rule(threshold=threshold), MOTION, members(20), cast)
    assert (outcome.verdict, outcome.needed) == (verdict, needed)


def test_nothing_is_carried_by_nobody() -> None:
    rule = a_rule(base=Base.BALLOTS_CAST, threshold=Share(1, 2, strict=False))
    assert not vote(rule, MOTION, [], Tallies()).is_carried


def test_figures_that_contradict_each_other_are_a_fault() -> None:
    with pytest.raises(ValueError, match="not on the paper"):
        vote(a_rule(), MOTION, members(5), tally_of({choice(1): 1}))
    with pytest.raises(ValueError, match="2 votes of 1"):
        decide(a_rule(), MOTION, members(1, has_cast=True), tally(votes_for=2))
    with pytest.raises(ValueError, match="1 marks on 2"):
        vote(a_rule(), MOTION, members(5), Tallies(valid=heads(2), options={FOR: heads(1)}))
    choosing = a_rule(method=Method.CHOOSE_UP_TO)
    cast = Tallies(valid=heads(1), options={choice(1): heads(2)})
    with pytest.raises(ValueError, match="more votes for an option"):
        vote(choosing, choices(1), members(5), cast)


# Ties


def tied_motion(tie: TieRule, breakers: TieBreakers = NO_TIE_BREAKERS) -> Outcome:
    cast = tally(votes_for=10, votes_against=10)
    return vote(a_rule(tie=tie), MOTION, members(20), cast, breakers)


@pytest.mark.parametrize(
    ("tie", "breakers", "verdict", "next_step"),
    [
        (TieRule.LOST, TieBreakers(), Verdict.NOT_CARRIED, None),
        (TieRule.CHAIR_CASTS, TieBreakers(), Verdict.UNDECIDED, NextStep.CHAIR_MUST_CAST),
        (TieRule.CHAIR_CASTS, TieBreakers(chosen=(FOR,)), Verdict.CARRIED, None),
        (TieRule.CHAIR_CASTS, TieBreakers(chosen=(AGAINST,)), Verdict.NOT_CARRIED, None),
        (TieRule.REVOTE_TIED, TieBreakers(), Verdict.UNDECIDED, NextStep.REVOTE),
        (TieRule.LOT, TieBreakers(), Verdict.UNDECIDED, NextStep.LOT),
        (TieRule.BODY_DECIDES, TieBreakers(), Verdict.UNDECIDED, NextStep.BODY_DECIDES),
        (TieRule.BODY_DECIDES, TieBreakers(chosen=(FOR,)), Verdict.CARRIED, None),
    ],
)
def test_a_tied_motion_goes_as_the_rule_says(
    tie: TieRule, breakers: TieBreakers, verdict: Verdict, next_step: NextStep | None
) -> None:
    outcome = tied_motion(tie, breakers)
    assert (outcome.verdict, outcome.next_step) == (verdict, next_step)
    assert outcome.next_options == ((FOR, AGAINST) if next_step else ())


def test_a_lot_decides_a_tied_motion_by_its_seed() -> None:
    outcome = tied_motion(TieRule.LOT, TieBreakers(seed="2024-03-01 06 17 23"))
    assert outcome.tie is not None
    assert outcome.tie.chosen == draw_lot("2024-03-01 06 17 23", [FOR, AGAINST])[:1]
    assert outcome.is_carried is (outcome.tie.chosen == (FOR,))
    assert "2024-03-01 06 17 23" in explain(outcome, Language.EN)


@pytest.mark.parametrize("chosen", [(ABSTAIN,), (FOR, AGAINST), (FOR, FOR), (choice(1),)])
def test_the_chair_casts_for_one_of_the_tied(chosen: tuple[UUID, ...]) -> None:
    with pytest.raises(Refusal) as caught:
        tied_motion(TieRule.CHAIR_CASTS, TieBreakers(chosen=chosen))
    assert caught.value.reason is Reason.INVALID_CHOICE


def test_equal_votes_far_below_the_threshold_are_no_tie() -> None:
    cast = tally(votes_for=5, votes_against=5)
    outcome = vote(a_rule(tie=TieRule.CHAIR_CASTS), MOTION, members(20), cast)
    assert (outcome.verdict, outcome.tie) == (Verdict.NOT_CARRIED, None)


def test_a_vote_without_ballots_is_no_tie() -> None:
    outcome = vote(a_rule(tie=TieRule.CHAIR_CASTS), MOTION, members(1), Tallies())
    assert (outcome.verdict, outcome.tie) == (Verdict.NOT_CARRIED, None)


def test_a_casting_vote_cannot_make_three_quarters_of_a_half() -> None:
    rule = a_rule(
        base=Base.BALLOTS_CAST, threshold=Share(3, 4, strict=False), tie=TieRule.CHAIR_CASTS
    )
    outcome = vote(rule, MOTION, members(20), tally(votes_for=1, votes_against=1))
    assert outcome.verdict is Verdict.NOT_CARRIED


def test_seniority_needs_the_order_of_all_who_are_tied() -> None:
    tied = (choice(1), choice(2), choice(3))
    part = break_tie(TieRule.SENIORITY, tied, 2, TieBreakers(seniority=(choice(2),)))
    assert (part.chosen, part.next_step) == ((), NextStep.SENIORITY)
    order = (choice(4), choice(3), choice(1), choice(2))
    assert break_tie(TieRule.SENIORITY, tied, 2, TieBreakers(seniority=order)).chosen == (
        choice(3),
        choice(1),
    )


# Ballots


@pytest.mark.parametrize(
    ("rule", "marks", "expected"),
    [
        (a_rule(), [FOR], Judged(Validity.VALID, (FOR,))),
        (a_rule(), [ABSTAIN], Judged(Validity.VALID, (ABSTAIN,))),
        (a_rule(), [], Judged(Validity.BLANK)),
        (a_rule(empty=Empty.INVALID), [], Judged(Validity.INVALID)),
        (a_rule(), [FOR, AGAINST], Judged(Validity.INVALID)),
    ],
)
def test_a_ballot_is_judged(rule: RuleSet, marks: list[UUID], expected: Judged) -> None:
    assert judge_ballot(rule, MOTION, marks) == expected


@pytest.mark.parametrize(
    ("rule", "marks", "details"),
    [
        (a_rule(empty=Empty.REFUSED), [], {"chosen": 0, "allowed": 1}),
        (a_rule(overvote=Overvote.REFUSED), [FOR, AGAINST], {"chosen": 2, "allowed": 1}),
        (a_rule(), [choice(1)], {}),
        (a_rule(), [FOR, FOR], {}),
    ],
)
def test_a_ballot_is_refused(rule: RuleSet, marks: list[UUID], details: dict[str, int]) -> None:
    with pytest.raises(Refusal) as caught:
        judge_ballot(rule, MOTION, marks)
    assert caught.value.reason is Reason.INVALID_CHOICE
    assert caught.value.details == details


def test_a_ballot_chooses_as_many_as_there_are_seats_unless_the_rule_says_more() -> None:
    rule = a_rule(method=Method.CHOOSE_UP_TO, seats=2)
    three = [choice(3), choice(1), choice(2)]
    assert judge_ballot(rule, choices(3), three).validity is Validity.INVALID
    more = replace(rule, max_choices=3)
    assert judge_ballot(more, choices(3), three).choices == (choice(1), choice(2), choice(3))


def test_yes_boxes_over_the_seats_spoil_a_ballot_and_no_boxes_do_not() -> None:
    rule, paper = a_rule(method=Method.YES_NO_PER_CANDIDATE), boxes(3)
    assert judge_ballot(rule, paper, [choice(1), choice(2)]).validity is Validity.INVALID
    marks = [choice(1), against(2), against(3)]
    assert judge_ballot(rule, paper, marks).validity is Validity.VALID
    both = [choice(1), against(1), choice(2)]
    assert judge_ballot(rule, paper, both) == Judged(Validity.VALID, (choice(2),))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        (Method.FOR_AGAINST_ABSTAIN, MOTION[:1]),
        (Method.FOR_AGAINST_ABSTAIN, choices(2)),
        (Method.FOR_AGAINST_ABSTAIN, [*MOTION, *choices(1)]),
        (Method.YES_NO_PER_CANDIDATE, []),
        (Method.YES_NO_PER_CANDIDATE, boxes(2)[:3]),
        (Method.YES_NO_PER_CANDIDATE, MOTION[:2]),
        (Method.CHOOSE_UP_TO, []),
        (Method.CHOOSE_UP_TO, [*choices(1), *choices(1)]),
        (Method.CHOOSE_UP_TO, [Option(FOR, OptionKind.CHOICE, 1, AN), *choices(1)]),
        (Method.ORDERED_CUMULATIVE, measures(0)),
        (Method.ORDERED_CUMULATIVE, [*measures(1), Option(FOR, OptionKind.ABSTAIN, 9)]),
    ],
)
def test_options_that_make_no_paper_are_refused(method: Method, options: list[Option]) -> None:
    with pytest.raises(Refusal) as caught:
        check_options(a_rule(method=method), options)
    assert caught.value.reason is Reason.INVALID_RULE


def test_a_motion_needs_no_box_to_abstain() -> None:
    check_options(a_rule(), MOTION[:2])


# Elections


def election(seats: int, ballots: list[list[int]], **changes: Any) -> Outcome:
    """Ballots name candidates 1 to 4 of whom to choose."""
    breakers = changes.pop("breakers", TieBreakers())
    rule = a_rule(
        **{"method": Method.CHOOSE_UP_TO, "base": Base.BALLOTS_CAST, "seats": seats, **changes}
    )
    paper = choices(4)
    cast = count(rule, paper, [[choice(one) for one in marks] for marks in ballots])
    return vote(rule, paper, members(len(ballots)), cast, breakers)


def test_elected_are_those_with_the_most_votes_of_those_who_reached_the_threshold() -> None:
    outcome = election(2, [[1, 2]] * 4 + [[1, 3]] * 3 + [[2, 3]] * 2)
    assert outcome.elected == (choice(1), choice(2))
    assert (outcome.verdict, outcome.next_step, outcome.needed) == (Verdict.CARRIED, None, 5)
    assert [(one.votes, one.rank, one.has_reached) for one in outcome.candidates] == [
        (7, 1, True),
        (6, 2, True),
        (5, 3, True),
        (0, 4, False),
    ]


def test_seats_that_stay_open_need_a_further_round_among_the_others() -> None:
    outcome = election(2, [[1, 2]] * 5 + [[1, 3]] * 4 + [[1]])
    assert outcome.elected == (choice(1),)
    assert (outcome.verdict, outcome.next_step) == (Verdict.UNDECIDED, NextStep.FURTHER_ROUND)
    assert outcome.next_options == (choice(2), choice(3), choice(4))
    assert outcome.next_seats == 1


LEVEL = [[1, 2], [1, 3], [1, 2], [1, 3]]


def test_a_tie_that_takes_no_seat_from_anybody_is_none() -> None:
    outcome = election(3, LEVEL, threshold=Comparison.PLURALITY)
    assert (outcome.tie, outcome.elected) == (None, (choice(1), choice(2), choice(3)))


@pytest.mark.parametrize(
    ("tie", "breakers", "second", "next_step"),
    [
        (TieRule.REVOTE_TIED, TieBreakers(), None, NextStep.REVOTE),
        (TieRule.LOST, TieBreakers(), None, NextStep.FURTHER_ROUND),
        (TieRule.CHAIR_CASTS, TieBreakers(), None, NextStep.CHAIR_MUST_CAST),
        (TieRule.CHAIR_CASTS, TieBreakers(chosen=(choice(3),)), choice(3), None),
        (TieRule.SENIORITY, TieBreakers(), None, NextStep.SENIORITY),
        (TieRule.SENIORITY, TieBreakers(seniority=(choice(3), choice(2))), choice(3), None),
        (TieRule.LOT, TieBreakers(), None, NextStep.LOT),
        (
            TieRule.LOT,
            TieBreakers(seed="seed"),
            draw_lot("seed", [choice(2), choice(3)])[0],
            None,
        ),
        (TieRule.BODY_DECIDES, TieBreakers(), None, NextStep.BODY_DECIDES),
    ],
)
def test_a_tie_at_the_last_seat_goes_as_the_rule_says(
    tie: TieRule, breakers: TieBreakers, second: UUID | None, next_step: NextStep | None
) -> None:
    outcome = election(2, LEVEL, threshold=Comparison.PLURALITY, tie=tie, breakers=breakers)
    assert outcome.elected == ((choice(1), second) if second else (choice(1),))
    assert outcome.next_step is next_step
    assert outcome.next_seats == (0 if second else 1)
    assert outcome.tie is not None
    assert outcome.tie.tied == (choice(2), choice(3))


def test_a_candidate_who_is_not_voted_on_is_abstained_on() -> None:
    rule = a_rule(
        method=Method.YES_NO_PER_CANDIDATE, base=Base.FOR_AND_AGAINST, seats=2, **IGNORE_ALL
    )
    paper = boxes(2)
    ballots = [[choice(1), against(2)], [choice(1)], [against(1), choice(2)]]
    outcome = vote(rule, paper, members(3), count(rule, paper, ballots))
    assert [(one.votes, one.against, one.base) for one in outcome.candidates] == [
        (2, 1, 3),
        (1, 1, 2),
    ]
    assert outcome.elected == (choice(1),)


def test_nobody_is_nominated_twice_or_against_their_will() -> None:
    nominations = [
        Nomination(BINH, proposer_id=AN),
        Nomination(CHI, proposer_id=AN),
        Nomination(BINH, proposer_id=DUNG),
        Nomination(CHI, proposer_id=CHI, is_withdrawn=True),
        Nomination(AN, proposer_id=BINH),
    ]
    assert candidates_of(nominations) == (BINH, AN)


@pytest.mark.parametrize(
    ("seats", "most"), [(1, 1), (3, 3), (4, 5), (7, 9), (10, 13)], ids=lambda value: str(value)
)
def test_the_surplus_is_at_most_thirty_per_cent_of_the_seats(seats: int, most: int) -> None:
    rule = for_seats(PRESETS["vi-party"][Matter.ELECTION], seats)
    assert most_candidates(rule) == most
    check_candidates(rule, seats)
    check_candidates(rule, most)
    for candidates, reason in (
        (seats - 1, Reason.TOO_FEW_CANDIDATES),
        (most + 1, Reason.TOO_MANY_CANDIDATES),
    ):
        with pytest.raises(Refusal) as caught:
            check_candidates(rule, candidates)
        assert caught.value.reason is reason


def test_without_a_surplus_limit_anybody_may_stand() -> None:
    check_candidates(a_rule(method=Method.CHOOSE_UP_TO), 1000)


# Measures


def test_the_measure_of_everybody_is_none_if_too_few_want_any() -> None:
    rule = PRESETS["vi-party"][Matter.DISCIPLINE]
    cast = tally_of({choice(1): 6, choice(2): 4, ABSTAIN: 10})
    outcome = vote(rule, measures(2), members(20), cast)
    assert (outcome.verdict, outcome.measure) == (Verdict.NOT_CARRIED, None)
    assert (outcome.votes_for, outcome.needed, outcome.abstentions) == (10, 11, 10)


def test_the_heaviest_measure_that_reaches_its_own_threshold_is_chosen() -> None:
    rule = PRESETS["vi-party"][Matter.DISCIPLINE]
    outcome = vote(rule, measures(2), members(20), tally_of({choice(1): 13, choice(2): 1}))
    assert outcome.measure == choice(2)
    outcome = vote(rule, measures(2), members(20), tally_of({choice(1): 14}))
    assert outcome.measure == choice(1)
    assert outcome.threshold == Share(2, 3, strict=False)


# Quorum, meeting online


QUORATE = Quorum(Share(2, 3, strict=False), Base.SUMMONED, QuorumCheck.AT_EACH_VOTE)


def test_a_quorum_counts_those_present_of_those_summoned() -> None:
    body = [
        *members(4),
        *members(2, first=5, is_present=False),
        *members(1, first=7, is_summoned=False, is_present=False),
        *members(2, first=8, is_elsewhere=True, is_present=False),
        *members(1, first=10, left_out=LeftOut.PROBATIONARY),
    ]
    exclusions = frozenset({Exclusion.TEMPORARILY_ELSEWHERE})
    rule = a_rule(quorum=QUORATE, base_exclusions=exclusions)
    assert count_turnout(rule, body) == Turnout(present=4, of=6)
    everybody = replace(rule, quorum=replace(QUORATE, base=Base.ENTITLED))
    assert count_turnout(everybody, body) == Turnout(present=4, of=7)
    assert count_turnout(a_rule(), body) == Turnout(0, 0)


def test_a_quorum_is_checked_when_the_rule_says() -> None:
    rule = a_rule(quorum=QUORATE)
    check_quorum(rule, QuorumCheck.AT_OPENING, Turnout(1, 100))
    check_quorum(rule, QuorumCheck.AT_EACH_VOTE, Turnout(67, 100))
    with pytest.raises(Refusal) as caught:
        check_quorum(rule, QuorumCheck.AT_EACH_VOTE, Turnout(66, 100))
    assert caught.value.reason is Reason.NO_QUORUM
    check_quorum(a_rule(), QuorumCheck.AT_EACH_VOTE, Turnout(0, 100))


def test_meeting_online_needs_more_than_half_who_cannot_come() -> None:
    check_online_meeting(members=20, unable=11)
    with pytest.raises(Refusal) as caught:
        check_online_meeting(members=20, unable=10)
    assert caught.value.reason is Reason.ONLINE_NOT_ALLOWED


# Secrecy and what is shown


def test_a_small_group_is_one_in_which_a_unanimous_result_tells_all() -> None:
    rule = a_rule(secrecy=Secrecy.UNATTRIBUTED, live_tally=LiveTally.AFTER_CLOSE)
    assert is_small_group(rule, 4)
    assert not is_small_group(rule, 5)
    assert not is_small_group(replace(rule, min_voters_for_secret=3), 3)
    assert not is_small_group(a_rule(), 1)


@pytest.mark.parametrize(
    ("live_tally", "member", "chair"),
    [
        (LiveTally.ALWAYS, True, True),
        (LiveTally.CHAIR, False, True),
        (LiveTally.AFTER_CLOSE, False, False),
    ],
)
def test_figures_are_shown_to_whom_the_rule_says(
    live_tally: LiveTally, member: bool, chair: bool
) -> None:
    rule = a_rule(live_tally=live_tally)
    assert may_see_counts(rule, is_closed=False, is_chair=False) is member
    assert may_see_counts(rule, is_closed=False, is_chair=True) is chair
    assert may_see_counts(rule, is_closed=True, is_chair=False)


# Rule sets as data


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unheard": 1}, "RuleSet: 'unheard' is unknown"),
        ({"seats": "3"}, "RuleSet.seats: a whole number is needed, not '3'"),
        ({"seats": True}, "RuleSet.seats: a whole number is needed, not True"),
        ({"weights": 1}, "RuleSet.weights: true or false is needed, not 1"),
        ({"name": None}, "RuleSet.name: text is needed, not None"),
        ({"name": " "}, "a rule has a name"),
        ({"version": 0}, "version is 1 or more"),
        ({"valid_from": "20240101"}, "RuleSet.valid_from: '20240101' is no date"),
        ({"base": "EVERYBODY"}, "RuleSet.base: 'EVERYBODY' is no Base"),
        ({"eligibility": []}, "somebody must be eligible"),
        ({"eligibility": ["FULL", "FULL"]}, "RuleSet.eligibility: something is named twice"),
        ({"eligibility": "FULL"}, "RuleSet.eligibility: a list is needed"),
        ({"threshold": "MOST"}, "RuleSet.threshold: 'MOST' is no Comparison"),
        ({"threshold": {"numerator": 1, "denominator": 2}}, "threshold: 'strict' is missing"),
        (
            {"threshold": {"numerator": 3, "denominator": 2, "strict": False}},
            "RuleSet.threshold: a share lies between 0 and 1",
        ),
        (
            {"threshold": {"numerator": 2, "denominator": 2, "strict": True}},
            "nothing can be more than the whole",
        ),
        ({"quorum": 5}, "RuleSet.quorum: an object is needed, not 5"),
        (
            {
                "quorum": {
                    "share": {"numerator": 1, "denominator": 2, "strict": True},
                    "base": "PRESENT",
                    "checked": "AT_OPENING",
                }
            },
            "a quorum is measured against",
        ),
        ({"threshold": "PLURALITY"}, "PLURALITY is for choosing"),
        ({"method": "CHOOSE_UP_TO", "base": "FOR_AND_AGAINST"}, "need a method that has votes"),
        (
            {"method": "ORDERED_CUMULATIVE", "threshold": "MORE_FOR_THAN_AGAINST"},
            "need a method that has votes against",
        ),
        ({"method": "ORDERED_CUMULATIVE", "tie": "LOT"}, "cumulated measures never tie"),
        ({"seats": 2}, "only elections have seats"),
        ({"max_choices": 2}, "only elections have max_choices"),
        ({"max_surplus": {"numerator": 3, "denominator": 10}}, "only elections have a surplus"),
        ({"tie": "SENIORITY"}, "only candidates have seniority"),
        ({"blanks": "IGNORED"}, "nothing is IGNORED"),
        ({"base": "FOR_AND_AGAINST"}, "nothing else IN_BASE"),
        ({"base": "VALID_BALLOTS"}, "invalid ballots are IGNORED"),
        ({"secrecy": "SECRET"}, "'SECRET' is no Secrecy"),
        ({"secrecy": "UNATTRIBUTED"}, "live figures would show"),
        (
            {"secrecy": "UNATTRIBUTED", "live_tally": "AFTER_CLOSE", "weights": True},
            "weights and proxies would show",
        ),
        (
            {"secrecy": "UNATTRIBUTED", "live_tally": "AFTER_CLOSE", "change": "LAST_COUNTS"},
            "cannot change",
        ),
        ({"proxies": 0}, "proxies is 1 or more"),
        ({"duration_seconds": 0}, "duration_seconds is 1 or more"),
    ],
)
def test_a_wrong_rule_set_says_what_is_wrong(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(")):
        RuleSet.from_data({**a_rule().to_data(), **changes})
    with pytest.raises(Refusal) as caught:
        read_rule({**a_rule().to_data(), **changes})
    assert caught.value.reason is Reason.INVALID_RULE


def test_only_measures_have_thresholds_each() -> None:
    with pytest.raises(ValueError, match="only measures"):
        a_rule(measure_thresholds=(Share(2, 3, strict=False),))


def test_a_parameter_that_is_not_stored_has_its_default() -> None:
    data = a_rule().to_data()
    del data["closes_when_all_voted"]
    assert RuleSet.from_data(data) == a_rule()
    del data["base"]
    with pytest.raises(ValueError, match="'base' is missing"):
        RuleSet.from_data(data)


def test_an_election_has_at_least_one_seat() -> None:
    with pytest.raises(Refusal) as caught:
        for_seats(a_rule(method=Method.CHOOSE_UP_TO), 0)
    assert caught.value.reason is Reason.INVALID_RULE


def test_a_ballot_is_final_and_an_online_vote_binding_unless_the_rule_says_otherwise() -> None:
    rule = a_rule()
    assert (rule.change, rule.online_binding) == (Change.FINAL, True)
    assert (rule.duration_seconds, rule.closes_when_all_voted) == (None, False)


# Presets, and which rule is in force


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_data(preset: str) -> None:
    rules = PRESETS[preset]
    assert {Matter.ORDINARY, Matter.ELECTION} <= set(rules)
    for matter, rule in rules.items():
        assert RuleSet.from_data(rule.to_data()) == rule
        assert rule.name == f"{preset}.{matter.value.lower().replace('_', '-')}"
        assert (rule.version, rule.valid_from) == (1, SHIPPED)


CITY, WARD, BRANCH, ELSEWHERE = map(person, range(101, 105))
PATH = (BRANCH, WARD, CITY)


def its_rule(unit: UUID, name: str, valid_from: date, valid_to: date | None = None) -> Assignment:
    return Assignment(unit, Matter.ORDINARY, a_rule(name=name, valid_from=valid_from), valid_to)


@pytest.mark.parametrize(
    ("on", "name"),
    [
        (date(2023, 12, 31), None),
        (date(2024, 1, 1), "city 2024"),
        (date(2024, 6, 30), "city 2024"),
        (date(2024, 7, 1), "ward"),
        (date(2024, 9, 30), "ward"),
        (date(2024, 10, 1), "city 2024"),
        (date(2025, 1, 1), "city 2025"),
    ],
)
def test_the_nearest_units_latest_rule_is_in_force(on: date, name: str | None) -> None:
    assignments = [
        its_rule(CITY, "city 2025", date(2025, 1, 1)),
        its_rule(CITY, "city 2024", date(2024, 1, 1)),
        its_rule(WARD, "ward", date(2024, 7, 1), valid_to=date(2024, 10, 1)),
        its_rule(ELSEWHERE, "elsewhere", date(2020, 1, 1)),
    ]
    rule = rule_in_force(assignments, PATH, Matter.ORDINARY, on)
    assert (rule.name if rule else None) == name
    assert rule_in_force(assignments, PATH, Matter.BYLAWS, on) is None


def test_a_unit_changes_one_rule_and_inherits_the_others() -> None:
    day = date(2024, 1, 1)
    assignments = [*assign_preset(CITY, "vi-party", day), its_rule(BRANCH, "ours", day)]
    rules = rules_in_force(assignments, PATH, day)
    assert rules[Matter.ORDINARY].name == "ours"
    assert rules[Matter.DISCIPLINE].name == "vi-party.discipline"
    assert set(rules) == set(PRESETS["vi-party"])


# Sentences


def test_a_simple_vote_is_told_as_the_design_says() -> None:
    cast = tally(votes_for=12, votes_against=4)
    outcome = vote(a_rule(), MOTION, members(20), cast)
    assert explain(outcome, Language.EN) == (
        "Carried: 12 of 20 entitled members for (60.00 %); more than 1/2 needed, that is 11."
    )
    assert explain(outcome, Language.VI) == (
        "Được thông qua: 12/20 người có quyền biểu quyết tán thành (60,00 %);"
        " cần quá 1/2, tức là 11."
    )


LABELS = {choice(1): "Lan", choice(2): "Minh"}


@pytest.mark.parametrize(
    ("outcome", "english", "vietnamese"),
    [
        (
            tied_motion(TieRule.CHAIR_CASTS),
            "Tied: 10 of 20 entitled members for (50.00 %); more than 1/2 needed, that is 11;"
            " the chair must cast the deciding vote.",
            "Ngang phiếu: 10/20 người có quyền biểu quyết tán thành (50,00 %); cần quá 1/2,"
            " tức là 11; người chủ trì phải bỏ phiếu quyết định.",
        ),
        (
            vote(
                a_rule(threshold=Comparison.MORE_FOR_THAN_AGAINST),
                MOTION,
                members(20),
                tally(votes_for=10, votes_against=4),
            ),
            "Carried: 10 for and 4 against (50.00 % of 20 entitled members);"
            " more for than against needed, that is 5.",
            "Được thông qua: 10 tán thành, 4 không tán thành (50,00 % của 20 người có quyền biểu"
            " quyết); cần nhiều phiếu tán thành hơn không tán thành, tức là 5.",
        ),
        (
            election(2, [[1, 2]] * 5 + [[1, 3]] * 4 + [[1]]),
            "Elected 1 of 2: Lan (10 of 10, 100.00 %); more than 1/2 of the ballots cast needed,"
            " that is 6; a further round is needed for 1 more.",
            "Trúng cử 1/2: Lan (10/10, 100,00 %); cần quá 1/2 số phiếu đã bỏ, tức là 6;"
            " cần bầu tiếp 1 vị trí.",
        ),
        (
            election(2, LEVEL, threshold=Comparison.PLURALITY, tie=TieRule.REVOTE_TIED),
            "Elected 1 of 2: Lan (4 of 4, 100.00 %); the most votes win; tied for 1 more: Minh,"
            " option 3; the tied must be voted on again.",
            "Trúng cử 1/2: Lan (4/4, 100,00 %); nhiều phiếu nhất thì được chọn; ngang phiếu khi"
            " còn 1 vị trí: Minh, phương án 3; phải bỏ phiếu lại giữa những lựa chọn ngang phiếu.",
        ),
        (
            vote(
                PRESETS["vi-party"][Matter.DISCIPLINE],
                measures(3),
                members(20),
                tally_of({choice(1): 6, choice(2): 3, choice(3): 4}),
            ),
            "Decided: option 3, with 13 of 20 entitled members summoned for it or a heavier"
            " measure (65.00 %); more than 1/2 needed, that is 11; heavier ones fell short:"
            " Lan (6, 14 needed), Minh (9, 11 needed).",
            "Quyết định: phương án 3, với 13/20 người có quyền biểu quyết được triệu tập tán thành"
            " mức này hoặc mức nặng hơn (65,00 %); cần quá 1/2, tức là 11; các mức nặng hơn không"
            " đủ: Lan (6, cần 14), Minh (9, cần 11).",
        ),
    ],
)
def test_an_outcome_is_told_in_both_languages(
    outcome: Outcome, english: str, vietnamese: str
) -> None:
    assert explain(outcome, Language.EN, LABELS) == english
    assert explain(outcome, Language.VI, LABELS) == vietnamese
