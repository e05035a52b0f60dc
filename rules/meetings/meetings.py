"""States of meetings, agenda items and votes, and the moves between them (design: Meetings)."""

from collections.abc import Collection
from enum import Enum

from rules.refusals import Reason, Refusal


class MeetingState(Enum):
    DRAFT = "DRAFT"
    SUMMONED = "SUMMONED"
    IN_SESSION = "IN_SESSION"
    PAUSED = "PAUSED"
    CLOSED = "CLOSED"
    MINUTES_SIGNED = "MINUTES_SIGNED"
    CANCELLED = "CANCELLED"


class MeetingKind(Enum):
    REGULAR = "REGULAR"
    THEMATIC = "THEMATIC"
    EXTRAORDINARY = "EXTRAORDINARY"
    CONGRESS = "CONGRESS"


class MeetingMode(Enum):
    IN_PERSON = "IN_PERSON"
    HYBRID = "HYBRID"
    ONLINE = "ONLINE"


class AttendanceStatus(Enum):
    """`ABSENT` is where everyone summoned begins; checking in makes it `PRESENT`."""

    PRESENT = "PRESENT"
    EXCUSED = "EXCUSED"
    ABSENT = "ABSENT"
    EXCUSE_REQUESTED = "EXCUSE_REQUESTED"


class ItemState(Enum):
    PENDING = "PENDING"
    CURRENT = "CURRENT"
    DONE = "DONE"


class VoteState(Enum):
    PREPARED = "PREPARED"
    OPEN = "OPEN"
    CLOSED = "CLOSED"
    ANNULLED = "ANNULLED"
    """Closed, and set aside with a reason; its ballots and outcome stay."""


class Move(Enum):
    """What a chair does to a whole meeting."""

    START = "START"
    PAUSE = "PAUSE"
    CLOSE = "CLOSE"


MEETING_MOVES: dict[Move, tuple[frozenset[MeetingState], MeetingState]] = {
    Move.START: (
        frozenset({MeetingState.SUMMONED, MeetingState.PAUSED}),
        MeetingState.IN_SESSION,
    ),
    Move.PAUSE: (frozenset({MeetingState.IN_SESSION}), MeetingState.PAUSED),
    Move.CLOSE: (
        frozenset({MeetingState.IN_SESSION, MeetingState.PAUSED}),
        MeetingState.CLOSED,
    ),
}

CHECK_IN_STATES = frozenset({MeetingState.SUMMONED, MeetingState.IN_SESSION, MeetingState.PAUSED})

ENDED = frozenset({VoteState.CLOSED, VoteState.ANNULLED})

MINIMUM_FULL_MEMBERS = 3


def move_meeting(state: MeetingState, move: Move) -> MeetingState:
    """Return the state after `move`. Raises WRONG_STATE where the table has no such move."""
    allowed_from, target = MEETING_MOVES[move]
    if state not in allowed_from:
        raise Refusal(
            Reason.WRONG_STATE,
            f"A meeting that is {state.value} cannot {move.value.lower()}.",
            state=state.value,
        )
    return target


def check_full_members(full_members: int) -> None:
    """A branch meets with at least three full members. Raises TOO_FEW_FULL_MEMBERS."""
    if full_members < MINIMUM_FULL_MEMBERS:
        raise Refusal(
            Reason.TOO_FEW_FULL_MEMBERS,
            f"{full_members} full members; a meeting needs {MINIMUM_FULL_MEMBERS}.",
            fullMembers=full_members,
            needed=MINIMUM_FULL_MEMBERS,
        )


def check_closing(has_chair: bool, vote_states: Collection[VoteState]) -> None:
    """A meeting does not close with a vote open or without a chair."""
    check_no_open_vote(vote_states)
    if not has_chair:
        raise Refusal(Reason.NO_CHAIR, "The meeting has no chair.")


def check_in_session(state: MeetingState) -> None:
    """Raises MEETING_NOT_IN_SESSION unless the meeting is in session."""
    if state is not MeetingState.IN_SESSION:
        raise Refusal(
            Reason.MEETING_NOT_IN_SESSION,
            f"The meeting is {state.value}, not in session.",
            state=state.value,
        )


def check_no_open_vote(vote_states: Collection[VoteState]) -> None:
    """An agenda item and a meeting end only when none of their votes is open."""
    if VoteState.OPEN in vote_states:
        raise Refusal(Reason.VOTE_STILL_OPEN, "A vote is still open; close it first.")


def check_in_allowed(state: MeetingState) -> None:
    """Members check in from the summons until the closing. Raises WRONG_STATE."""
    if state not in CHECK_IN_STATES:
        raise Refusal(
            Reason.WRONG_STATE,
            f"Nobody checks in to a meeting that is {state.value}.",
            state=state.value,
        )


def check_opening(meeting: MeetingState, item: ItemState, vote: VoteState) -> None:
    """A vote opens once, while its meeting is in session and its item is current."""
    if vote in ENDED:
        raise Refusal(Reason.VOTE_CLOSED, "The vote is closed; it does not open again.")
    if vote is VoteState.OPEN:
        raise Refusal(Reason.WRONG_STATE, "The vote is open already.", state=vote.value)
    check_in_session(meeting)
    if item is not ItemState.CURRENT:
        raise Refusal(Reason.ITEM_NOT_CURRENT, "The vote's agenda item is not the current one.")


def why_not_open(vote: VoteState) -> Refusal | None:
    """Ballots and closing need an open vote: VOTE_NOT_OPEN or VOTE_CLOSED, None if it is open."""
    if vote is VoteState.PREPARED:
        return Refusal(Reason.VOTE_NOT_OPEN, "The vote is not open yet.")
    if vote in ENDED:
        return Refusal(Reason.VOTE_CLOSED, "The vote is closed.")
    return None


def check_open(vote: VoteState) -> None:
    """Raises VOTE_NOT_OPEN or VOTE_CLOSED."""
    if refusal := why_not_open(vote):
        raise refusal


def check_closed(vote: VoteState) -> None:
    """What follows a result needs one. Raises VOTE_STILL_OPEN, or WRONG_STATE if there is none."""
    if vote is VoteState.OPEN:
        raise Refusal(Reason.VOTE_STILL_OPEN, "The vote is still open; close it first.")
    if vote is not VoteState.CLOSED:
        raise Refusal(Reason.WRONG_STATE, f"The vote is {vote.value}.", state=vote.value)


def check_prepared(vote: VoteState) -> None:
    """A vote is changed only before it opens. Raises WRONG_STATE."""
    if vote is not VoteState.PREPARED:
        raise Refusal(Reason.WRONG_STATE, "The vote has been opened.", state=vote.value)


def check_preparing(meeting: MeetingState, item: ItemState) -> None:
    """Votes are prepared for what is still to come or under way. Raises WRONG_STATE."""
    if meeting not in CHECK_IN_STATES or item is ItemState.DONE:
        raise Refusal(
            Reason.WRONG_STATE,
            f"The meeting is {meeting.value}, and the item {item.value}.",
            state=meeting.value,
        )
