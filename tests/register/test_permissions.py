"""One table says who may do what; here it is written out a second time, act by relation."""

from __future__ import annotations

from itertools import product
from uuid import UUID, uuid4

import pytest

from rules.permissions import (
    MEETING_ACTS,
    PERMISSIONS,
    Act,
    Place,
    Relation,
    direct_relations,
    may,
    permit,
    tree_relations,
)
from rules.refusals import Reason, Refusal
from rules.register.members import Role, Standing

BRANCH, WARD, CITY, SUBGROUP, OTHER = (uuid4() for _ in range(5))

# One letter a relation, in the order SELF MEMBER OFFICER OVERSEER UPPER_OFFICER BELOW.
EXPECTED = {
    Act.VIEW_UNIT: "- M O V U B",
    Act.VIEW_SUBTREE: "- M O V U -",
    Act.VIEW_MEMBER: "S M O - - -",
    Act.VIEW_MEMBER_RECORD: "S - O - - -",
    Act.LIST_MEETINGS: "- M O V - -",
    Act.VIEW_MEETING: "- M O V - -",
    Act.CHECK_IN: "- M - - - -",
    Act.CAST_BALLOT: "- M - - - -",
    Act.START_MEETING: "- - O - - -",
    Act.PAUSE_MEETING: "- - O - - -",
    Act.CLOSE_MEETING: "- - O - - -",
    Act.MOVE_AGENDA: "- - O - - -",
    Act.OPEN_VOTE: "- - O - - -",
    Act.CLOSE_VOTE: "- - O - - -",
    Act.PREPARE_VOTE: "- - O - - -",
    Act.AMEND_ROLL: "- - O - - -",
    Act.EXTEND_VOTE: "- - O - - -",
    Act.RECORD_HANDS: "- - O - - -",
    Act.TAKE_BACK_HANDS: "- - O - - -",
    Act.CONTEST_HAND: "- M - - - -",
    Act.BREAK_TIE: "- - O - - -",
    Act.PUBLISH_VOTE: "- - O - - -",
    Act.ANNUL_VOTE: "- - O - - -",
    Act.CONFIRM_ANNULMENT: "- - O - U -",
    Act.WITHDRAW_ANNULMENT: "- - O - - -",
    Act.REPEAT_VOTE: "- - O - - -",
    Act.GIVE_PROXY: "- M - - - -",
    Act.CONFIRM_ATTENDANCE: "- - O - - -",
    Act.SUSPEND_MEMBER: "- - O - - -",
    Act.REINSTATE_MEMBER: "- - O - U -",
    Act.SUSPEND_OFFICER: "- - - - U -",
    Act.REINSTATE_OFFICER: "- - - - U -",
}

ACTS_ON_ONE_VOTE = {
    Act.AMEND_ROLL,
    Act.EXTEND_VOTE,
    Act.RECORD_HANDS,
    Act.TAKE_BACK_HANDS,
    Act.CONTEST_HAND,
    Act.BREAK_TIE,
    Act.PUBLISH_VOTE,
    Act.ANNUL_VOTE,
    Act.CONFIRM_ANNULMENT,
    Act.WITHDRAW_ANNULMENT,
    Act.REPEAT_VOTE,
}
"""Told of each vote by what state it is in, not of the meeting."""

ACTS_ON_A_MEMBER = {
    Act.SUSPEND_MEMBER,
    Act.REINSTATE_MEMBER,
    Act.SUSPEND_OFFICER,
    Act.REINSTATE_OFFICER,
}


def shown_by(act: Act) -> Act:
    """What somebody may see who is to know that there is what the act is about."""
    if act in ACTS_ON_A_MEMBER | {Act.VIEW_MEMBER, Act.VIEW_MEMBER_RECORD}:
        return Act.VIEW_MEMBER
    if act in {Act.VIEW_UNIT, Act.VIEW_SUBTREE, Act.LIST_MEETINGS}:
        return Act.VIEW_UNIT
    return Act.VIEW_MEETING


def test_every_act_has_an_entry_and_an_expectation() -> None:
    assert set(PERMISSIONS) == set(Act) == set(EXPECTED)


@pytest.mark.parametrize(("act", "relation"), list(product(Act, Relation)))
def test_an_act_is_open_to_the_relations_of_the_table(act: Act, relation: Relation) -> None:
    column = list(Relation).index(relation)
    is_expected = EXPECTED[act].split()[column] != "-"
    assert may(act, {relation}) is is_expected
    if is_expected:
        permit(act, {relation}, "thing")
        return
    with pytest.raises(Refusal) as refused:
        permit(act, {relation}, "thing")
    if EXPECTED[shown_by(act)].split()[column] != "-":
        assert refused.value.reason is Reason.NOT_ALLOWED
        assert refused.value.details == {"act": act.value}
    else:
        assert refused.value.reason is Reason.NOT_FOUND
        assert (refused.value.message, refused.value.details) == ("There is no such thing.", {})


@pytest.mark.parametrize("act", Act)
def test_who_has_no_relation_may_do_nothing(act: Act) -> None:
    assert not may(act, set())


def test_the_acts_on_a_meeting_change_something_and_the_others_only_look() -> None:
    others = ACTS_ON_ONE_VOTE | ACTS_ON_A_MEMBER
    assert not others & set(MEETING_ACTS)
    assert {act for act in Act if act not in MEETING_ACTS} - others == {
        act for act in Act if act.value.startswith(("VIEW", "LIST"))
    }


def place(
    standing: Standing = Standing.FULL,
    units: tuple[UUID, ...] = (),
    **roles: tuple[UUID, ...],
) -> Place:
    """Somebody with each of the roles (by its name) in the units given for it."""
    by_unit: dict[UUID, frozenset[Role]] = {}
    for role, places in roles.items():
        for unit in places:
            by_unit[unit] = by_unit.get(unit, frozenset()) | {Role[role]}
    return Place(uuid4(), standing, frozenset(units), by_unit)


@pytest.mark.parametrize(
    ("who", "relations"),
    [
        (place(units=(BRANCH,)), {Relation.MEMBER}),
        (place(units=(OTHER, BRANCH)), {Relation.MEMBER}),
        (place(units=(OTHER,)), set()),
        (place(SECRETARY=(BRANCH,)), {Relation.OFFICER}),
        (place(DEPUTY_SECRETARY=(BRANCH,)), {Relation.OFFICER}),
        (place(COMMITTEE_MEMBER=(BRANCH,)), set()),
        (place(OVERSEER=(BRANCH,)), {Relation.OVERSEER}),
        (place(SECRETARY=(WARD,)), set()),
        (
            place(units=(BRANCH,), SECRETARY=(BRANCH,), OVERSEER=(BRANCH,)),
            {Relation.MEMBER, Relation.OFFICER, Relation.OVERSEER},
        ),
        (place(Standing.PROBATIONARY, units=(BRANCH,)), {Relation.MEMBER}),
        (place(Standing.EXEMPT, units=(BRANCH,)), {Relation.MEMBER}),
    ],
)
def test_a_place_in_the_unit_makes_relations_to_it(who: Place, relations: set[Relation]) -> None:
    assert direct_relations(who, BRANCH) == relations


@pytest.mark.parametrize(
    ("who", "relations"),
    [
        (place(SECRETARY=(CITY,)), {Relation.UPPER_OFFICER}),
        (place(DEPUTY_SECRETARY=(WARD,)), {Relation.UPPER_OFFICER}),
        (place(COMMITTEE_MEMBER=(WARD,)), set()),
        (place(OVERSEER=(WARD,)), set()),
        (place(SECRETARY=(SUBGROUP,)), set()),
        (place(units=(SUBGROUP,)), {Relation.BELOW}),
        (place(units=(BRANCH,)), {Relation.BELOW}),
        (place(units=(OTHER,)), set()),
        (place(units=(WARD,)), set()),
    ],
)
def test_a_place_above_or_below_makes_relations_through_the_tree(
    who: Place, relations: set[Relation]
) -> None:
    assert tree_relations(who, above=[WARD, CITY], below=[BRANCH, SUBGROUP]) == relations


def test_a_suspended_member_has_no_relation_to_any_unit() -> None:
    son = place(Standing.SUSPENDED, (BRANCH,), SECRETARY=(BRANCH, WARD), OVERSEER=(BRANCH,))
    assert direct_relations(son, BRANCH) == frozenset()
    assert tree_relations(son, above=[WARD, CITY], below=[BRANCH]) == frozenset()
