"""The moves of a meeting, and what a vote and an agenda item wait for."""

from __future__ import annotations

from itertools import product

import pytest

from rules.meetings.meetings import (
    ItemState,
    MeetingState,
    Move,
    VoteState,
    check_closing,
    check_full_members,
    check_in_allowed,
    check_in_session,
    check_no_open_vote,
    check_open,
    check_opening,
    move_meeting,
)
from rules.refusals import Reason, Refusal

MOVES = {
    (MeetingState.SUMMONED, Move.START): MeetingState.IN_SESSION,
    (MeetingState.PAUSED, Move.START): MeetingState.IN_SESSION,
    (MeetingState.IN_SESSION, Move.PAUSE): MeetingState.PAUSED,
    (MeetingState.IN_SESSION, Move.CLOSE): MeetingState.CLOSED,
    (MeetingState.PAUSED, Move.CLOSE): MeetingState.CLOSED,
}


@pytest.mark.parametrize(("state", "move"), MOVES)
def test_a_meeting_moves_where_the_table_says(state: MeetingState, move: Move) -> None:
    assert move_meeting(state, move) is MOVES[state, move]


@pytest.mark.parametrize(
    ("state", "move"), [pair for pair in product(MeetingState, Move) if pair not in MOVES]
)
def test_a_meeting_makes_no_other_move(state: MeetingState, move: Move) -> None:
    with pytest.raises(Refusal) as refused:
        move_meeting(state, move)
    assert refused.value.reason is Reason.WRONG_STATE
    assert refused.value.details == {"state": state.value}


@pytest.mark.parametrize("state", MeetingState)
def test_only_a_meeting_in_session_is_in_session(state: MeetingState) -> None:
    if state is MeetingState.IN_SESSION:
        check_in_session(state)
        return
    with pytest.raises(Refusal) as refused:
        check_in_session(state)
    assert refused.value.reason is Reason.MEETING_NOT_IN_SESSION


@pytest.mark.parametrize("state", MeetingState)
def test_members_check_in_from_the_summons_until_the_closing(state: MeetingState) -> None:
    if state in {MeetingState.SUMMONED, MeetingState.IN_SESSION, MeetingState.PAUSED}:
        check_in_allowed(state)
        return
    with pytest.raises(Refusal) as refused:
        check_in_allowed(state)
    assert refused.value.reason is Reason.WRONG_STATE


def test_a_branch_meets_with_three_full_members() -> None:
    check_full_members(3)
    for too_few in (2, 0):
        with pytest.raises(Refusal) as refused:
            check_full_members(too_few)
        assert refused.value.reason is Reason.TOO_FEW_FULL_MEMBERS
        assert refused.value.details == {"fullMembers": too_few, "needed": 3}


def refusal_to_open(meeting: MeetingState, item: ItemState, vote: VoteState) -> Reason | None:
    match vote:
        case VoteState.CLOSED | VoteState.ANNULLED:
            return Reason.VOTE_CLOSED
        case VoteState.OPEN:
            return Reason.WRONG_STATE
    if meeting is not MeetingState.IN_SESSION:
        return Reason.MEETING_NOT_IN_SESSION
    return None if item is ItemState.CURRENT else Reason.ITEM_NOT_CURRENT


@pytest.mark.parametrize(
    ("meeting", "item", "vote"), list(product(MeetingState, ItemState, VoteState))
)
def test_a_vote_opens_once_in_session_and_at_its_item(
    meeting: MeetingState, item: ItemState, vote: VoteState
) -> None:
    reason = refusal_to_open(meeting, item, vote)
    if reason is None:
        check_opening(meeting, item, vote)
        return
    with pytest.raises(Refusal) as refused:
        check_opening(meeting, item, vote)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("vote", "reason"),
    [
        (VoteState.PREPARED, Reason.VOTE_NOT_OPEN),
        (VoteState.OPEN, None),
        (VoteState.CLOSED, Reason.VOTE_CLOSED),
        (VoteState.ANNULLED, Reason.VOTE_CLOSED),
    ],
)
def test_ballots_need_an_open_vote(vote: VoteState, reason: Reason | None) -> None:
    if reason is None:
        check_open(vote)
        return
    with pytest.raises(Refusal) as refused:
        check_open(vote)
    assert refused.value.reason is reason


@pytest.mark.parametrize(
    ("has_chair", "votes", "reason"),
    [
        (True, [], None),
        (True, [VoteState.PREPARED, VoteState.CLOSED], None),
        (True, [VoteState.CLOSED, VoteState.OPEN], Reason.VOTE_STILL_OPEN),
        (False, [], Reason.NO_CHAIR),
        (False, [VoteState.OPEN], Reason.VOTE_STILL_OPEN),
    ],
)
def test_a_meeting_closes_with_a_chair_and_without_an_open_vote(
    has_chair: bool, votes: list[VoteState], reason: Reason | None
) -> None:
    if reason is None:
        check_closing(has_chair, votes)
        return
    with pytest.raises(Refusal) as refused:
        check_closing(has_chair, votes)
    assert refused.value.reason is reason


def test_an_item_ends_when_none_of_its_votes_is_open() -> None:
    check_no_open_vote([VoteState.PREPARED, VoteState.CLOSED])
    with pytest.raises(Refusal) as refused:
        check_no_open_vote([VoteState.OPEN])
    assert refused.value.reason is Reason.VOTE_STILL_OPEN
