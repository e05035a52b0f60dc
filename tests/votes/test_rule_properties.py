"""What holds for every rule, roll and box, searched for counter-examples."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.ballots import (
    Judged,
    Option,
    Tallies,
    Validity,
    check_options,
    count_ballots,
    judge_ballot,
)
from rules.votes.bases import Persons, Voter
from rules.votes.explain.sentences import Language, explain
from rules.votes.outcome import Outcome, Verdict, decide, decide_counted
from rules.votes.roll import LeftOut
from rules.votes.rule_sets import (
    BASES_OF_PERSONS,
    ELECTIONS,
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
    Surplus,
    TieRule,
    Treatment,
)
from rules.votes.ties import TieBreakers, draw_lot
from tests.support.papers import (
    ABSTAIN,
    AGAINST,
    FOR,
    MOTION,
    boxes,
    choices,
    measures,
    person,
    tally,
)

MILLION = 1_000_000

# The machine may be busy; what is tested here does not depend on time.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)


@st.composite
def shares(draw: st.DrawFn) -> Share:
    denominator = draw(st.integers(1, 1000))
    numerator = draw(st.integers(1, denominator))
    return Share(numerator, denominator, strict=numerator < denominator and draw(st.booleans()))


@st.composite
def rule_sets(draw: st.DrawFn, methods: Sequence[Method] = tuple(Method)) -> RuleSet:
    """Any rule set that does not contradict itself."""
    method = draw(st.sampled_from(methods))
    has_against = method in {Method.FOR_AGAINST_ABSTAIN, Method.YES_NO_PER_CANDIDATE}
    base = draw(
        st.sampled_from([base for base in Base if has_against or base is not Base.FOR_AND_AGAINST])
    )
    secrecy = draw(st.sampled_from(Secrecy))
    is_open = secrecy is Secrecy.OPEN
    return RuleSet(
        name=draw(st.text(min_size=1).filter(str.strip)),
        version=draw(st.integers(1, 99)),
        valid_from=draw(st.dates()),
        method=method,
        eligibility=draw(st.frozensets(st.sampled_from(Standing), min_size=1)),
        base=base,
        threshold=draw(_thresholds(method)),
        guests_vote=draw(st.booleans()),
        base_exclusions=draw(st.frozensets(st.sampled_from(Exclusion))),
        **draw(_treatments(base)),
        **draw(_particulars(method)),
        quorum=draw(st.none() | st.builds(Quorum, shares(), _quorum_bases(), _quorum_checks())),
        secrecy=secrecy,
        min_voters_for_secret=draw(st.integers(1, 20)),
        overvote=draw(st.sampled_from(Overvote)),
        empty=draw(st.sampled_from(Empty)),
        weights=is_open and draw(st.booleans()),
        proxies=draw(st.none() | st.integers(1, 3)) if is_open else None,
        change=draw(st.sampled_from(Change)) if is_open else Change.FINAL,
        live_tally=draw(st.sampled_from(LiveTally)) if is_open else LiveTally.AFTER_CLOSE,
        duration_seconds=draw(st.none() | st.integers(1, 86_400)),
        closes_when_all_voted=draw(st.booleans()),
        online_binding=draw(st.booleans()),
    )


def _quorum_bases() -> st.SearchStrategy[Base]:
    return st.sampled_from([Base.ENTITLED, Base.SUMMONED])


def _quorum_checks() -> st.SearchStrategy[QuorumCheck]:
    return st.sampled_from(QuorumCheck)


def _thresholds(method: Method) -> st.SearchStrategy[Share | Comparison]:
    comparisons = {
        Method.FOR_AGAINST_ABSTAIN: [Comparison.MORE_FOR_THAN_AGAINST],
        Method.CHOOSE_UP_TO: [Comparison.PLURALITY],
        Method.YES_NO_PER_CANDIDATE: list(Comparison),
        Method.ORDERED_CUMULATIVE: [],
    }[method]
    return st.one_of(shares(), *map(st.just, comparisons))


@st.composite
def _treatments(draw: st.DrawFn, base: Base) -> dict[str, Any]:
    allowed = set(Treatment)
    if base in BASES_OF_PERSONS:
        allowed.remove(Treatment.IGNORED)
    if base is Base.FOR_AND_AGAINST:
        allowed.remove(Treatment.IN_BASE)
    one = st.sampled_from(sorted(allowed, key=lambda treatment: treatment.value))
    treatments = {name: draw(one) for name in ("abstentions", "blanks", "invalid")}
    if base is Base.VALID_BALLOTS:
        treatments["invalid"] = Treatment.IGNORED
    return treatments


@st.composite
def _particulars(draw: st.DrawFn, method: Method) -> dict[str, Any]:
    """What only some methods know."""
    if method is Method.ORDERED_CUMULATIVE:
        return {"measure_thresholds": tuple(draw(st.lists(shares(), max_size=3)))}
    if method is Method.FOR_AGAINST_ABSTAIN:
        ties = [tie for tie in TieRule if tie is not TieRule.SENIORITY]
        return {"tie": draw(st.sampled_from(ties))}
    return {
        "tie": draw(st.sampled_from(TieRule)),
        "seats": draw(st.integers(1, 5)),
        "max_choices": draw(st.none() | st.integers(1, 5)),
        "max_surplus": draw(
            st.none() | st.builds(Surplus, st.integers(0, 100), st.integers(1, 100))
        ),
    }


def paper(rule: RuleSet) -> list[Option]:
    match rule.method:
        case Method.FOR_AGAINST_ABSTAIN:
            return list(MOTION)
        case Method.CHOOSE_UP_TO:
            return choices(5)
        case Method.YES_NO_PER_CANDIDATE:
            return boxes(5)
        case Method.ORDERED_CUMULATIVE:
            return measures(4)


Box = list[tuple[Voter, Judged]]


@st.composite
def voters_and_ballots(draw: st.DrawFn, rule: RuleSet) -> tuple[list[Voter], Box]:
    """A roll, and the ballots of the entitled members who cast one."""
    facts = st.lists(st.tuples(*[st.booleans()] * 6), max_size=12)
    voters: list[Voter] = []
    box: Box = []
    for number, (casts, *flags) in enumerate(draw(facts)):
        voter = _voter(draw, rule, number, flags)
        ballot = draw(_judged(rule)) if casts and voter.left_out is None else None
        if ballot is not None:
            voter = replace(voter, has_cast=True)
            box.append((voter, ballot))
        voters.append(voter)
    return voters, box


def _voter(draw: st.DrawFn, rule: RuleSet, number: int, flags: Sequence[bool]) -> Voter:
    return Voter(
        member_id=person(number),
        standing=draw(st.sampled_from(Standing)),
        left_out=draw(st.none() | st.sampled_from(LeftOut)),
        weight=draw(st.integers(1, 9)) if rule.is_weighted else 1,
        is_elsewhere=flags[0],
        is_summoned=flags[1],
        is_excused=flags[2],
        was_present_at_opening=flags[3],
        is_present=flags[4],
    )


@st.composite
def _judged(draw: st.DrawFn, rule: RuleSet) -> Judged | None:
    """A ballot that the rule takes."""
    options = paper(rule)
    marks = draw(st.lists(st.sampled_from([option.id for option in options]), unique=True))
    judged = judge_or_refuse(rule, options, marks)
    return judged if isinstance(judged, Judged) else None


def judge_or_refuse(
    rule: RuleSet, options: Sequence[Option], marks: Sequence[UUID]
) -> Judged | Reason:
    try:
        return judge_ballot(rule, options, marks)
    except Refusal as refusal:
        return refusal.reason


def tallied(box: Box) -> Tallies:
    return count_ballots((ballot, voter.weight) for voter, ballot in box)


@st.composite
def breakers_for(draw: st.DrawFn, options: Sequence[Option]) -> TieBreakers:
    ids = [option.id for option in options]
    return TieBreakers(
        seniority=tuple(draw(st.permutations(ids))), seed=draw(st.none() | st.text())
    )


@st.composite
def decided(draw: st.DrawFn, methods: Sequence[Method] = tuple(Method)) -> tuple[Any, ...]:
    rule = draw(rule_sets(methods))
    voters, box = draw(voters_and_ballots(rule))
    breakers = draw(breakers_for(paper(rule)))
    return rule, voters, box, breakers, decide(rule, paper(rule), voters, tallied(box), breakers)


def through_json(data: Any) -> Any:
    return json.loads(json.dumps(data))


@patient
@given(rule_sets())
def test_a_rule_set_survives_its_way_through_json(rule: RuleSet) -> None:
    assert RuleSet.from_data(through_json(rule.to_data())) == rule


@patient
@given(decided())
def test_an_outcome_survives_its_way_through_json(vote: tuple[Any, ...]) -> None:
    *_, outcome = vote
    assert Outcome.from_data(through_json(outcome.to_data())) == outcome


@patient
@given(rule_sets(), st.data())
def test_a_mangled_rule_set_is_a_value_error_or_another_rule(
    rule: RuleSet, data: st.DataObject
) -> None:
    mangled = rule.to_data()
    json_values = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=4,
    )
    mangled[data.draw(st.sampled_from(sorted(mangled)))] = data.draw(json_values)
    try:
        read = RuleSet.from_data(mangled)
    except ValueError:
        return
    assert read.to_data() == mangled


@patient
@given(rule_sets(), st.data())
def test_judging_a_ballot_gives_a_judgement_or_a_refusal(
    rule: RuleSet, data: st.DataObject
) -> None:
    options = paper(rule)
    check_options(rule, options)
    known = st.sampled_from([option.id for option in options])
    marks = data.draw(st.lists(known | st.uuids(), max_size=12))
    judged = judge_or_refuse(rule, options, marks)
    if isinstance(judged, Judged):
        assert set(judged.choices) <= set(marks)
        assert judged.validity is Validity.VALID or not judged.choices
    else:
        assert judged is Reason.INVALID_CHOICE


@patient
@given(decided(), st.randoms(use_true_random=False))
def test_the_order_of_voters_and_ballots_does_not_matter(
    vote: tuple[Any, ...], random: Random
) -> None:
    rule, voters, box, breakers, outcome = vote
    random.shuffle(voters)
    random.shuffle(box)
    options = paper(rule)
    random.shuffle(options)
    assert decide(rule, options, voters, tallied(box), breakers) == outcome


@patient
@given(decided())
def test_votes_in_favour_never_exceed_the_base(vote: tuple[Any, ...]) -> None:
    *_, outcome = vote
    assert 0 <= outcome.votes_for <= outcome.base
    assert all(one.votes <= one.base for one in outcome.candidates)
    assert all(one.cumulative <= outcome.base for one in outcome.measures)
    assert outcome.hundredths <= 10_000


@patient
@given(decided())
def test_every_outcome_explains_itself(vote: tuple[Any, ...]) -> None:
    *_, outcome = vote
    for language in Language:
        sentence = explain(outcome, language)
        assert sentence.endswith(".")
        assert "\n" not in sentence


@st.composite
def assenting(draw: st.DrawFn, rule: RuleSet) -> tuple[list[Voter], Box]:
    """A roll and a box that carry most motions."""
    voters: list[Voter] = []
    box: Box = []
    marks = [FOR, FOR, FOR, FOR, AGAINST, ABSTAIN, None]
    for number, mark in enumerate(draw(st.lists(st.sampled_from(marks), min_size=1, max_size=9))):
        flags = [draw(st.booleans())] * 5
        voter = replace(_voter(draw, rule, number, flags), left_out=None)
        voters.append(replace(voter, has_cast=mark is not None))
        if mark is not None:
            box.append((voters[-1], Judged(Validity.VALID, (mark,))))
    return voters, box


def is_carried(rule: RuleSet, voters: Sequence[Voter], box: Box, seed: str | None = None) -> bool:
    breakers = TieBreakers(chosen=(FOR,), seed=seed)
    return decide(rule, MOTION, voters, tallied(box), breakers).is_carried


@patient
@given(rule_sets([Method.FOR_AGAINST_ABSTAIN]), st.data())
def test_one_more_vote_in_favour_never_defeats_what_was_carried(
    rule: RuleSet, data: st.DataObject
) -> None:
    # Without tie-breakers: a tie that the chair decides is no tie any more with one vote more.
    rule = replace(rule, tie=TieRule.LOST)
    voters, box = data.draw(assenting(rule))
    idle = [voter for voter in voters if not voter.has_cast]
    late = Voter(person(99), Standing.FULL, is_present=True)
    newcomer = replace(data.draw(st.sampled_from([late, *idle])), has_cast=True)
    others = [voter for voter in voters if voter.member_id != newcomer.member_id]
    more = [*box, (newcomer, Judged(Validity.VALID, (FOR,)))]
    assert is_carried(rule, [*others, newcomer], more) or not is_carried(rule, voters, box)


@patient
@given(rule_sets([Method.FOR_AGAINST_ABSTAIN]), st.data())
def test_changing_ones_mind_in_favour_never_defeats_what_was_carried(
    rule: RuleSet, data: st.DataObject
) -> None:
    voters, box = data.draw(assenting(rule))
    changed = [(voter, Judged(Validity.VALID, (FOR,))) for voter, _ in box[:1]] + box[1:]
    seed = data.draw(st.none() | st.text())
    assert is_carried(rule, voters, changed, seed) or not is_carried(rule, voters, box, seed)


@patient
@given(decided(sorted(ELECTIONS, key=lambda method: method.value)))
def test_an_election_fills_no_more_than_its_seats_and_only_over_the_threshold(
    vote: tuple[Any, ...],
) -> None:
    rule, *_, outcome = vote
    elected = [one for one in outcome.candidates if one.is_elected]
    assert len(elected) <= rule.seats
    assert all(one.has_reached for one in elected)
    assert (len(elected) == rule.seats) is (outcome.verdict is Verdict.CARRIED)
    assert outcome.next_seats == 0 or outcome.next_seats <= rule.seats - len(elected)
    worst = min((one.votes for one in elected), default=0)
    left = [one.votes for one in outcome.candidates if one.has_reached and not one.is_elected]
    assert not elected or all(votes <= worst for votes in left)


@patient
@given(
    rule_sets([Method.FOR_AGAINST_ABSTAIN]),
    shares(),
    st.lists(st.integers(0, MILLION), min_size=5, max_size=5),
    st.integers(0, MILLION),
)
def test_a_million_votes_are_measured_exactly(
    rule: RuleSet, share: Share, ballots: list[int], silent: int
) -> None:
    rule = replace(rule, threshold=share, tie=TieRule.LOST)
    votes_for, votes_against, abstain, blank, invalid = ballots
    cast = tally(
        votes_for=votes_for,
        votes_against=votes_against,
        abstain=abstain,
        blank=blank,
        invalid=invalid,
    )
    everybody = sum(ballots) + silent
    persons = Persons(everybody, sum(ballots), everybody if rule.counts_persons else 0, ())
    outcome = decide_counted(rule, MOTION, persons, cast)
    left = outcome.votes_for * share.denominator
    right = share.numerator * outcome.base
    reached = left > right if share.strict else left >= right
    assert outcome.is_carried is (reached and votes_for > 0)
    assert sum(one.heads for one in outcome.counts) == votes_for + votes_against + abstain


@patient
@given(shares(), st.integers(0, MILLION))
def test_fewest_is_the_least_number_that_reaches_the_share(share: Share, base: int) -> None:
    def reaches(votes: int) -> bool:
        left, right = votes * share.denominator, share.numerator * base
        return votes > 0 and (left > right if share.strict else left >= right)

    fewest = share.fewest(base)
    assert reaches(fewest)
    assert not reaches(fewest - 1)
    assert fewest <= max(base, 1)


@patient
@given(decided())
def test_everybody_on_the_roll_is_in_the_base_or_left_out_with_a_reason(
    vote: tuple[Any, ...],
) -> None:
    rule, voters, box, _, outcome = vote
    if not rule.counts_persons or outcome.verdict is Verdict.TOO_FEW_BALLOTS:
        assert outcome.left_out_of_base == ()
        return
    left_out = {one.member_id for one in outcome.left_out_of_base}
    asked = {None, LeftOut.SUSPENDED, LeftOut.RECUSED}
    inside = [
        voter for voter in voters if voter.left_out in asked and voter.member_id not in left_out
    ]
    assert sum(voter.weight for voter in inside) == outcome.base
    assert {voter.member_id for voter, _ in box} <= {voter.member_id for voter in inside}


@patient
@given(st.text(), st.lists(st.uuids(), unique=True, max_size=30), st.randoms())
def test_a_lot_is_a_permutation_that_anybody_draws_again(
    seed: str, options: list[UUID], random: Random
) -> None:
    drawn = draw_lot(seed, options)
    assert sorted(drawn) == sorted(options)
    random.shuffle(options)
    assert draw_lot(seed, options) == drawn


def test_a_lot_gives_everybody_a_chance() -> None:
    first = [draw_lot(f"seed {number}", (FOR, AGAINST, ABSTAIN))[0] for number in range(300)]
    assert all(80 <= first.count(option) <= 120 for option in (FOR, AGAINST, ABSTAIN))
