"""Locks on a vote, a meeting or a member for the length of a transaction.

Many may hold it shared (to cast, to check in), one holds it alone (to open, close, move). Take the
lock in a statement of its own, *before* reading what is to be checked: under READ COMMITTED the
next statement then sees all that was committed before the lock was granted, while lock and check
in one statement would check against a snapshot from before the wait. PostgreSQL's advisory locks
queue fairly, so voters do not starve the chair. SQLite has one writer at a time (BEGIN IMMEDIATE)
and needs no lock. Order: a member before meetings, a meeting before its votes.
"""

from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
)

from models.database import WriteSession, on_postgresql
from models.driver.hot_statements import Statement
from models.meetings.meetings import Meeting
from models.register.units import Membership
from models.votes.votes import RollEntry, Vote
from rules.meetings.meetings import CHECK_IN_STATES, VoteState


async def hold_shared(session: WriteSession, subject_id: UUID) -> None:
    """Keep others from holding the subject alone until this transaction ends."""
    if on_postgresql(session):
        await session.fetch(_LOCK_SHARED, {"number": lock_number(subject_id)})


async def hold_alone(session: WriteSession, subject_id: UUID) -> None:
    """Wait for those under way, and keep all others out until this transaction ends."""
    if on_postgresql(session):
        await session.fetch(_LOCK, {"number": lock_number(subject_id)})


async def hold_vote_alone(session: WriteSession, vote_id: UUID) -> None:
    """Hold the vote's meeting alone, and then the vote.

    What is read with the locks never changes: a vote stays in its meeting.
    """
    if on_postgresql(session):
        values = {"vote": vote_id, "number": lock_number(vote_id)}
        await session.fetch(_LOCK_MEETING_AND_VOTE, values)


async def hold_open_votes_of(session: WriteSession, member_id: UUID) -> list[tuple[UUID, UUID]]:
    """Hold alone the open votes on whose roll the member is: (vote, its meeting) of each.

    No vote opens or ends meanwhile in any meeting that the member may be in, because those are
    held shared first. All are taken in the order of their ids, so that two who hold several do not
    wait for each other.
    """
    for meeting_id in await session.scalars(_meetings_of(member_id)):
        await hold_shared(session, meeting_id)
    rows = (await session.execute(_open_votes_of(member_id))).all()
    for row in rows:
        await hold_alone(session, row.id)
    return [(row.id, row.meeting_id) for row in rows]


def _meetings_of(member_id: UUID) -> Select[UUID]:
    """Those of the member's units in which a vote may open, and those with a roll they are on."""
    units = select(Membership.unit_id).where(
        Membership.member_id == member_id, Membership.valid_to.is_(None)
    )
    voting = _open_votes_of(member_id).with_only_columns(Vote.meeting_id).order_by(None)
    return (
        select(Meeting.id)
        .where(
            or_(
                and_(Meeting.unit_id.in_(units), Meeting.state.in_(CHECK_IN_STATES)),
                Meeting.id.in_(voting),
            )
        )
        .order_by(Meeting.id)
    )


def _open_votes_of(member_id: UUID) -> Select[UUID, UUID]:
    return (
        select(Vote.id, Vote.meeting_id)
        .join(RollEntry, RollEntry.vote_id == Vote.id)
        .where(Vote.state == VoteState.OPEN, RollEntry.member_id == member_id)
        .order_by(Vote.id)
    )


def lock_number(subject_id: UUID) -> int:
    """64 bits of the id. A collision would only make two subjects wait for each other."""
    return int.from_bytes(subject_id.bytes[8:], "big", signed=True)


_NUMBER_OF_MEETING: ColumnElement[int] = literal_column(
    "('x' || right(replace(CAST(meeting.id AS text), '-', ''), 16))::bit(64)::bigint"
)
"""What `lock_number` gives for the meeting's id."""

_NUMBER = bindparam("number", type_=BigInteger())
_LOCK_SHARED = Statement(select(func.pg_advisory_xact_lock_shared(_NUMBER)))
_LOCK = Statement(select(func.pg_advisory_xact_lock(_NUMBER)))
_MEETING, _VOTE = (Meeting.metadata.tables[name] for name in ("meeting", "vote"))
_LOCK_MEETING_AND_VOTE = Statement(
    # PostgreSQL computes the columns of a row from left to right.
    select(func.pg_advisory_xact_lock(_NUMBER_OF_MEETING), func.pg_advisory_xact_lock(_NUMBER))
    .join_from(_MEETING, _VOTE, _VOTE.c.meeting_id == _MEETING.c.id)
    .where(_VOTE.c.id == bindparam("vote", type_=Uuid()))
)
