"""Who may vote, what carries, and how it is told; the vectors are those of the voting design."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import repeat
from random import Random
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.members import Standing
from rules.refusals import Reason, Refusal
from rules.sentences import Language, outcome_sentence
from rules.voting import (
    PARTY_ORDINARY,
    PARTY_TWO_THIRDS,
    Base,
    Elector,
    Exclusion,
    LeftOut,
    OptionKind,
    Outcome,
    RuleSet,
    Voter,
    check_choices,
    decide,
    electoral_roll,
    votes_needed,
)

BASES_OF_PERSONS = (Base.ENTITLED, Base.SUMMONED, Base.PRESENT_AT_OPENING, Base.PRESENT)
BASES_OF_BALLOTS = (Base.BALLOTS_CAST, Base.VALID_BALLOTS, Base.FOR_AND_AGAINST)

FULL = Voter(Standing.FULL, has_cast=False)
CAST = Voter(Standing.FULL, has_cast=True)
ELSEWHERE = Voter(Standing.FULL, has_cast=False, is_elsewhere=True)
EXEMPT_ABSENT = Voter(Standing.EXEMPT, has_cast=False)
EXEMPT_CAST = Voter(Standing.EXEMPT, has_cast=True, is_present=True)


@dataclass(frozen=True)
class Vector:
    """One row of the design's table: who is entitled, how they vote, what follows."""

    name: str
    rule: RuleSet
    voters: list[Voter]
    votes_for: int
    carried: bool
    base: int
    needed: int
    left_out: dict[str, int] = field(default_factory=dict)


VECTORS = [
    Vector("1: 11 of 20 full members", PARTY_ORDINARY, [FULL] * 20, 11, True, 20, 11),
    Vector("2: 10 of 20, though 17 came", PARTY_ORDINARY, [FULL] * 20, 10, False, 20, 11),
    Vector("3: two thirds of 20, for 13", PARTY_TWO_THIRDS, [FULL] * 20, 13, False, 20, 14),
    Vector("3: two thirds of 20, for 14", PARTY_TWO_THIRDS, [FULL] * 20, 14, True, 20, 14),
    Vector("4: two thirds of 21, for 14", PARTY_TWO_THIRDS, [FULL] * 21, 14, True, 21, 14),
    Vector(
        "5: the exempt member is absent",
        PARTY_ORDINARY,
        [FULL] * 19 + [EXEMPT_ABSENT],
        10,
        True,
        19,
        10,
        {"EXEMPT_ABSENT": 1},
    ),
    Vector(
        "5: the exempt member votes",
        PARTY_ORDINARY,
        [FULL] * 19 + [EXEMPT_CAST],
        10,
        False,
        20,
        11,
    ),
    Vector(
        "6: two are temporarily elsewhere",
        PARTY_ORDINARY,
        [FULL] * 18 + [ELSEWHERE] * 2,
        10,
        True,
        18,
        10,
        {"TEMPORARILY_ELSEWHERE": 2},
    ),
]


@pytest.mark.parametrize("vector", VECTORS, ids=[vector.name for vector in VECTORS])
def test_the_design_s_vectors_come_out_as_written(vector: Vector) -> None:
    outcome = decide(vector.rule, vector.voters, {OptionKind.FOR: vector.votes_for})
    assert (outcome.carried, outcome.base, outcome.needed) == (
        vector.carried,
        vector.base,
        vector.needed,
    )
    assert outcome.left_out_of_base == vector.left_out


def test_vector_7_probationary_members_are_on_the_roll_but_not_entitled() -> None:
    electors = [elector(Standing.FULL) for _ in range(20)]
    electors += [elector(Standing.PROBATIONARY) for _ in range(2)]
    roll = electoral_roll(PARTY_ORDINARY, electors)
    assert [entry.elector for entry in roll] == electors
    assert sum(entry.is_entitled for entry in roll) == 20
    assert [entry.left_out for entry in roll[20:]] == [LeftOut.PROBATIONARY] * 2


# --- The roll -----------------------------------------------------------------------------------


def elector(standing: Standing, is_guest: bool = False, is_elsewhere: bool = False) -> Elector:
    return Elector(uuid4(), standing, is_guest=is_guest, is_elsewhere=is_elsewhere)


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (elector(Standing.FULL), None),
        (elector(Standing.EXEMPT), None),
        (elector(Standing.FULL, is_elsewhere=True), None),
        (elector(Standing.PROBATIONARY), LeftOut.PROBATIONARY),
        (elector(Standing.SUSPENDED), LeftOut.SUSPENDED),
        (elector(Standing.FULL, is_guest=True), LeftOut.TEMPORARY_ATTACHMENT),
        (elector(Standing.PROBATIONARY, is_guest=True), LeftOut.TEMPORARY_ATTACHMENT),
    ],
)
def test_the_roll_says_why_somebody_is_left_out(who: Elector, reason: LeftOut | None) -> None:
    (entry,) = electoral_roll(PARTY_ORDINARY, [who])
    assert entry.left_out is reason
    assert entry.is_entitled is (reason is None)


@pytest.mark.parametrize("standing", Standing)
def test_whatever_standing_a_rule_leaves_out_the_roll_has_a_reason_for(standing: Standing) -> None:
    rule = replace(PARTY_ORDINARY, eligibility=frozenset(Standing) - {standing})
    (entry,) = electoral_roll(rule, [elector(standing)])
    assert entry.left_out is LeftOut[standing.name]


# --- The base -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (Base.ENTITLED, 6),
        (Base.SUMMONED, 5),
        (Base.PRESENT_AT_OPENING, 3),
        (Base.PRESENT, 4),
        (Base.BALLOTS_CAST, 3),
        (Base.VALID_BALLOTS, 3),
        (Base.FOR_AND_AGAINST, 2),
    ],
)
def test_each_base_counts_what_its_name_says(base: Base, expected: int) -> None:
    voters = [
        Voter(Standing.FULL, has_cast=True, was_present_at_opening=True, is_present=True),
        Voter(Standing.FULL, has_cast=True, is_present=True),
        Voter(Standing.FULL, has_cast=False, was_present_at_opening=True, is_present=True),
        Voter(Standing.FULL, has_cast=False, is_present=True),
        Voter(Standing.FULL, has_cast=False, is_summoned=False),
        Voter(Standing.FULL, has_cast=False),
    ]
    counts = {OptionKind.FOR: 1, OptionKind.AGAINST: 1, OptionKind.ABSTAIN: 1}
    assert decide(replace(PARTY_ORDINARY, base=base), voters, counts).base == expected


def test_who_is_elsewhere_and_votes_belongs_to_the_base() -> None:
    voters = [FULL] * 3 + [replace(ELSEWHERE, has_cast=True)]
    assert decide(PARTY_ORDINARY, voters, {OptionKind.FOR: 1}).base == 4


def test_an_exempt_member_who_is_present_belongs_to_the_base_without_voting() -> None:
    voters = [FULL] * 3 + [replace(EXEMPT_ABSENT, is_present=True)]
    assert decide(PARTY_ORDINARY, voters, {}).base == 4


def test_without_exclusions_everybody_summoned_is_the_base() -> None:
    rule = replace(PARTY_ORDINARY, base_exclusions=frozenset())
    assert decide(rule, [FULL, ELSEWHERE, EXEMPT_ABSENT], {}).base == 3


# --- How many are needed ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numerator", "denominator", "strict", "base", "needed"),
    [
        (1, 2, True, 0, 1),
        (1, 2, False, 0, 1),
        (1, 2, True, 1, 1),
        (1, 2, False, 1, 1),
        (1, 2, True, 2, 2),
        (1, 2, False, 2, 1),
        (1, 2, True, 21, 11),
        (1, 2, False, 21, 11),
        (2, 3, False, 20, 14),
        (2, 3, False, 21, 14),
        (2, 3, True, 21, 15),
        (3, 4, False, 100, 75),
        (1, 1, False, 7, 7),
        (1, 3, True, 1_000_000, 333_334),
        (2, 3, False, 1_000_000, 666_667),
    ],
)
def test_votes_needed_are_exact_at_the_edges(
    numerator: int, denominator: int, strict: bool, base: int, needed: int
) -> None:
    rule = replace(PARTY_ORDINARY, numerator=numerator, denominator=denominator, strict=strict)
    assert votes_needed(rule, base) == needed


@pytest.mark.parametrize("base", Base)
def test_nothing_is_carried_by_nobody(base: Base) -> None:
    for strict in (True, False):
        outcome = decide(replace(PARTY_ORDINARY, base=base, strict=strict), [], {})
        assert (outcome.carried, outcome.needed) == (False, 1)


@pytest.mark.parametrize(
    ("numerator", "denominator", "strict"), [(0, 2, False), (3, 2, False), (2, 2, True), (1, 0, 0)]
)
def test_a_threshold_that_makes_no_sense_is_no_rule(
    numerator: int, denominator: int, strict: bool
) -> None:
    with pytest.raises(ValueError, match=r"fraction|whole"):
        replace(PARTY_ORDINARY, numerator=numerator, denominator=denominator, strict=strict)


# --- The choice ---------------------------------------------------------------------------------

FOR, AGAINST, ABSTAIN, FOREIGN = (uuid4() for _ in range(4))


def test_a_ballot_names_exactly_one_option_of_its_vote() -> None:
    assert check_choices([AGAINST], [FOR, AGAINST, ABSTAIN]) == AGAINST


@pytest.mark.parametrize("choices", [[], [FOR, AGAINST], [FOR, FOR], [FOREIGN]])
def test_any_other_ballot_is_refused(choices: list[UUID]) -> None:
    with pytest.raises(Refusal) as refused:
        check_choices(choices, [FOR, AGAINST, ABSTAIN])
    assert refused.value.reason is Reason.INVALID_CHOICE


# --- The sentence -------------------------------------------------------------------------------


def told(rule: RuleSet, base: int, votes_for: int) -> tuple[str, str]:
    outcome = decide(rule, [FULL] * base, {OptionKind.FOR: votes_for})
    return outcome_sentence(outcome, Language.EN), outcome_sentence(outcome, Language.VI)


def test_the_outcome_is_told_in_one_sentence_in_both_languages() -> None:
    english, vietnamese = told(replace(PARTY_ORDINARY, base=Base.ENTITLED), 20, 12)
    assert english == (
        "Carried: 12 of 20 entitled members for (60.00 %); more than 1/2 needed, that is 11."
    )
    assert vietnamese == (
        "Được thông qua: 12/20 người có quyền biểu quyết tán thành (60,00 %);"
        " cần quá 1/2, tức là 11."
    )


def test_a_threshold_that_may_be_just_met_is_told_as_at_least() -> None:
    english, vietnamese = told(PARTY_TWO_THIRDS, 20, 13)
    assert english == (
        "Not carried: 13 of 20 entitled members summoned for (65.00 %);"
        " at least 2/3 needed, that is 14."
    )
    assert vietnamese == (
        "Không được thông qua: 13/20 người có quyền biểu quyết được triệu tập tán thành (65,00 %);"
        " cần ít nhất 2/3, tức là 14."
    )


@pytest.mark.parametrize(
    ("votes_for", "base", "english", "vietnamese"),
    [
        (0, 0, "0.00 %", "0,00 %"),
        (1, 3, "33.33 %", "33,33 %"),
        (2, 3, "66.67 %", "66,67 %"),
        (1, 8, "12.50 %", "12,50 %"),
        (1, 800, "0.13 %", "0,13 %"),  # 0.125 is half way, and goes up
        (1, 801, "0.12 %", "0,12 %"),
        (19_999, 20_000, "100.00 %", "100,00 %"),
        (7, 7, "100.00 %", "100,00 %"),
    ],
)
def test_percentages_are_rounded_half_up_without_floating_point(
    votes_for: int, base: int, english: str, vietnamese: str
) -> None:
    sentences = told(PARTY_ORDINARY, base, votes_for)
    assert f"({english})" in sentences[0]
    assert f"({vietnamese})" in sentences[1]


@pytest.mark.parametrize("base", Base)
@pytest.mark.parametrize("language", Language)
def test_every_base_has_words_in_every_language(base: Base, language: Language) -> None:
    outcome = decide(replace(PARTY_ORDINARY, base=base), [CAST], {OptionKind.FOR: 1})
    assert "1" in outcome_sentence(outcome, language)


# --- Properties ---------------------------------------------------------------------------------


@st.composite
def rules(draw: st.DrawFn, bases: tuple[Base, ...] = tuple(Base)) -> RuleSet:
    denominator = draw(st.integers(1, 1_000_000))
    numerator = draw(st.integers(1, denominator))
    return RuleSet(
        name=draw(st.text()),
        eligibility=draw(st.frozensets(st.sampled_from(Standing))),
        base=draw(st.sampled_from(bases)),
        base_exclusions=draw(st.frozensets(st.sampled_from(Exclusion))),
        numerator=numerator,
        denominator=denominator,
        strict=draw(st.booleans()) if numerator < denominator else False,
    )


VOTERS = st.lists(
    st.builds(
        Voter,
        standing=st.sampled_from(Standing),
        has_cast=st.booleans(),
        is_elsewhere=st.booleans(),
        is_summoned=st.booleans(),
        was_present_at_opening=st.booleans(),
        is_present=st.booleans(),
    ),
    max_size=60,
)


@st.composite
def counted_votes(draw: st.DrawFn) -> tuple[list[Voter], dict[OptionKind, int]]:
    """Voters, and a choice for each of them who has cast."""
    voters = draw(VOTERS)
    ballots = [draw(st.sampled_from(OptionKind)) for voter in voters if voter.has_cast]
    return voters, {kind: ballots.count(kind) for kind in OptionKind}


@given(rules(), counted_votes(), st.randoms(use_true_random=False))
def test_the_outcome_does_not_depend_on_the_order_of_voters(
    rule: RuleSet, counted: tuple[list[Voter], dict[OptionKind, int]], random: Random
) -> None:
    voters, counts = counted
    shuffled = list(voters)
    random.shuffle(shuffled)
    assert decide(rule, shuffled, counts) == decide(rule, voters, counts)


@given(rules(), counted_votes(), st.sampled_from([OptionKind.AGAINST, OptionKind.ABSTAIN, None]))
def test_one_more_vote_for_never_turns_carried_into_not_carried(
    rule: RuleSet, counted: tuple[list[Voter], dict[OptionKind, int]], before: OptionKind | None
) -> None:
    """Whether somebody votes for instead of something else, or instead of not at all."""
    voters, counts = counted
    changed, more = list(voters), dict(counts)
    silent = [place for place, voter in enumerate(voters) if not voter.has_cast]
    if before is not None and counts[before]:
        more[before] -= 1
    elif silent:
        changed[silent[0]] = replace(voters[silent[0]], has_cast=True)
    else:
        return
    more[OptionKind.FOR] += 1
    if decide(rule, voters, counts).carried:
        assert decide(rule, changed, more).carried


@given(rules(), counted_votes())
def test_for_never_exceeds_the_base(
    rule: RuleSet, counted: tuple[list[Voter], dict[OptionKind, int]]
) -> None:
    voters, counts = counted
    outcome = decide(rule, voters, counts)
    assert outcome.votes_for <= outcome.base
    if rule.base in BASES_OF_PERSONS:
        assert outcome.base + sum(outcome.left_out_of_base.values()) <= len(voters)


@given(rules(), st.integers(0, 1_000_000))
def test_votes_needed_are_the_fewest_that_pass_the_threshold(rule: RuleSet, base: int) -> None:
    def passes(votes: int) -> bool:
        over, whole = votes * rule.denominator, rule.numerator * base
        return votes > 0 and (over > whole if rule.strict else over >= whole)

    needed = votes_needed(rule, base)
    assert passes(needed)
    assert not passes(needed - 1)
    assert needed <= max(base, 1)


@given(
    rules(BASES_OF_BALLOTS),
    st.integers(0, 1_000_000),
    st.integers(0, 1_000_000),
    st.integers(0, 1_000_000),
)
def test_a_million_ballots_are_counted_exactly(
    rule: RuleSet, votes_for: int, votes_against: int, abstentions: int
) -> None:
    counts = {
        OptionKind.FOR: votes_for,
        OptionKind.AGAINST: votes_against,
        OptionKind.ABSTAIN: abstentions,
    }
    outcome = decide(rule, [], counts)
    cast = votes_for + votes_against
    assert outcome.base == cast + (0 if rule.base is Base.FOR_AND_AGAINST else abstentions)
    over, whole = votes_for * rule.denominator, rule.numerator * outcome.base
    assert outcome.carried == (votes_for > 0 and (over > whole if rule.strict else over >= whole))


def test_a_million_members_are_counted_exactly() -> None:
    voters: Iterator[Voter] = repeat(CAST, 1_000_000)
    outcome = decide(PARTY_ORDINARY, list(voters), {OptionKind.FOR: 500_000})
    assert (outcome.carried, outcome.base, outcome.needed) == (False, 1_000_000, 500_001)


@given(rules())
def test_a_rule_set_survives_json(rule: RuleSet) -> None:
    assert RuleSet.from_data(json.loads(json.dumps(rule.to_data()))) == rule


@given(rules(), counted_votes())
def test_an_outcome_survives_json(
    rule: RuleSet, counted: tuple[list[Voter], dict[OptionKind, int]]
) -> None:
    outcome = decide(rule, *counted)
    assert Outcome.from_data(json.loads(json.dumps(outcome.to_data()))) == outcome
    for language in Language:
        assert outcome_sentence(outcome, language)
