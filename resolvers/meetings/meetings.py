"""What happens to a meeting: started, paused, closed, moved on."""

from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from models.base import database_clock
from models.database import WriteSession
from models.meetings.meetings import AgendaItem, Meeting
from models.register.units import Member, Membership
from models.votes.votes import Vote
from realtime.topics import MEETING_TOPIC, channel_of_meeting
from resolvers.access.permit import meeting_to_change, parse_id, read_meeting, viewer_may
from resolvers.context import Context
from rules.meetings.meetings import (
    ItemState,
    Move,
    VoteState,
    check_closing,
    check_full_members,
    check_in_session,
    check_no_open_vote,
    move_meeting,
)
from rules.permissions import MEETING_ACTS, Act, not_found
from rules.register.members import Standing


async def start_meeting(context: Context, meeting_id: str) -> Meeting:
    """Open a summoned meeting at its first item, or resume a paused one. The viewer chairs it.

    Raises WRONG_STATE, TOO_FEW_FULL_MEMBERS, and as every act NOT_FOUND, NOT_ALLOWED.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_change(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.START_MEETING
        )
        state = move_meeting(meeting.state, Move.START)
        if meeting.opened_at is None:
            check_full_members(await _count_full_members(session, meeting.unit_id))
            await _make_first_item_current(session, meeting.id)
        await _change(
            session,
            meeting,
            state=state,
            chair_id=meeting.chair_id or viewer.member_id,
            opened_at=func.coalesce(Meeting.opened_at, database_clock()),
        )
        transaction.announce(channel_of_meeting(meeting.id), MEETING_TOPIC)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def pause_meeting(context: Context, meeting_id: str) -> Meeting:
    """Pause a meeting in session. Open votes stay open: a break does not take a ballot away."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        meeting = await meeting_to_change(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.PAUSE_MEETING
        )
        await _change(transaction.session, meeting, state=move_meeting(meeting.state, Move.PAUSE))
        transaction.announce(channel_of_meeting(meeting.id), MEETING_TOPIC)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def close_meeting(context: Context, meeting_id: str) -> Meeting:
    """Close a meeting for good. Raises VOTE_STILL_OPEN, NO_CHAIR, WRONG_STATE."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_change(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.CLOSE_MEETING
        )
        state = move_meeting(meeting.state, Move.CLOSE)
        states = await _vote_states(session, Vote.meeting_id == meeting.id)
        check_closing(meeting.chair_id is not None, states)
        await _finish_current_item(session, meeting.id)
        await _change(session, meeting, state=state, closed_at=database_clock())
        transaction.announce(channel_of_meeting(meeting.id), MEETING_TOPIC)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def move_agenda(context: Context, meeting_id: str, item_id: str) -> Meeting:
    """Make an item of the agenda the current one; chairs may go back as well as on.

    Moving to the current item changes nothing. Raises MEETING_NOT_IN_SESSION, VOTE_STILL_OPEN.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_change(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.MOVE_AGENDA
        )
        check_in_session(meeting.state)
        item = await session.get(AgendaItem, parse_id(item_id, "agenda item"))
        if item is None or item.meeting_id != meeting.id:
            raise not_found("agenda item")
        if item.state is not ItemState.CURRENT:
            await _finish_current_item(session, meeting.id)
            item.state = ItemState.CURRENT
            await _change(session, meeting)
            transaction.announce(channel_of_meeting(meeting.id), MEETING_TOPIC)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def acts_on_meeting(context: Context, unit_id: UUID) -> list[Act]:
    """The acts in a unit's meetings that the viewer's relations allow, whatever the state."""
    return [act for act in MEETING_ACTS if await viewer_may(context, act, unit_id)]


async def _change(session: WriteSession, meeting: Meeting, **values: Any) -> None:
    await session.execute(
        update(Meeting)
        .where(Meeting.id == meeting.id)
        .values(row_version=Meeting.row_version + 1, **values)
    )


async def _vote_states(session: WriteSession, of: Any) -> list[VoteState]:
    return list(await session.scalars(select(Vote.state).where(of)))


async def _make_first_item_current(session: WriteSession, meeting_id: UUID) -> None:
    item = await session.scalar(
        select(AgendaItem)
        .where(AgendaItem.meeting_id == meeting_id)
        .order_by(AgendaItem.position)
        .limit(1)
    )
    if item is not None:
        item.state = ItemState.CURRENT


async def _finish_current_item(session: WriteSession, meeting_id: UUID) -> None:
    item = await session.scalar(
        select(AgendaItem).where(
            AgendaItem.meeting_id == meeting_id, AgendaItem.state == ItemState.CURRENT
        )
    )
    if item is not None:
        check_no_open_vote(await _vote_states(session, Vote.item_id == item.id))
        item.state = ItemState.DONE
        # One current item a meeting is an index: write this one before the next becomes it.
        await session.flush()


async def _count_full_members(session: WriteSession, unit_id: UUID) -> int:
    count = await session.scalar(
        select(func.count())
        .select_from(Membership)
        .join(Member, Member.id == Membership.member_id)
        .where(
            Membership.unit_id == unit_id,
            Membership.valid_to.is_(None),
            Member.standing == Standing.FULL,
        )
    )
    return count or 0
