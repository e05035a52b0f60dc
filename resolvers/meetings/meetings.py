"""What happens to a meeting: started, paused, closed, moved on, joined, listed."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from models.base import database_clock
from models.database import WriteSession, insert_or_ignore
from models.meetings.meetings import AgendaItem, Attendance, Meeting, Proxy
from models.register.units import Member, Membership
from models.votes.votes import Vote
from realtime.topics import (
    ATTENDANCE_TOPIC,
    MEETING_TOPIC,
    channel_of_meeting,
    topic_of_member,
)
from resolvers.access.permit import (
    meeting_to_change,
    meeting_to_join,
    parse_id,
    read_meeting,
    read_unit,
    viewer_may,
)
from resolvers.context import Context, Transaction
from resolvers.register.loaders import RegisterLoaders
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    Move,
    VoteState,
    check_closing,
    check_full_members,
    check_in_allowed,
    check_in_session,
    check_no_open_vote,
    move_meeting,
)
from rules.permissions import MEETING_ACTS, Act, not_found
from rules.refusals import Reason, Refusal
from rules.register.members import Standing, check_takes_part

PAGE_MAXIMUM = 100


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


async def check_in(context: Context, meeting_id: str) -> Meeting:
    """Say that the viewer is present. Twice is the same as once. Raises WRONG_STATE."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        meeting = await meeting_to_join(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.CHECK_IN
        )
        check_in_allowed(meeting.state)
        if await _mark_present(transaction.session, meeting.id, viewer.member_id):
            _announce_attendance(transaction, meeting.id, viewer.member_id)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def confirm_attendance(
    context: Context, meeting_id: str, member_id: str, is_present: bool
) -> Meeting:
    """Write down that the chair sees the member in the room, or take it back.

    It checks nobody in: quorum, roll and bases go by the members' own check-in. Twice is the same
    as once. Raises WRONG_STATE, NOT_FOUND for who is no member of the branch, and NOT_ENTITLED for
    who is suspended.
    """
    viewer = context.signed_in()
    member = parse_id(member_id, "member")
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_join(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.CONFIRM_ATTENDANCE
        )
        check_in_allowed(meeting.state)
        standing = await _standing_at(session, meeting, member)
        if is_present:
            check_takes_part(standing)
            has_changed = await _confirm(session, meeting.id, member, by=viewer.member_id)
        else:
            has_changed = await _take_back(session, meeting.id, member)
        if has_changed:
            _announce_attendance(transaction, meeting.id, member)
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


async def give_proxy(context: Context, meeting_id: str, holder_id: str) -> Meeting:
    """Let another member of the branch vote for the viewer while they are absent.

    Counts in votes opened afterwards, where the rule knows proxies. Raises WRONG_STATE.
    """
    viewer = context.signed_in()
    holder = parse_id(holder_id, "member")
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_join(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.GIVE_PROXY
        )
        check_in_allowed(meeting.state)
        belongs = await session.scalar(
            select(Membership.id).where(
                Membership.member_id == holder,
                Membership.unit_id == meeting.unit_id,
                Membership.valid_to.is_(None),
            )
        )
        if belongs is None or holder == viewer.member_id:
            raise not_found("member of this branch")
        key = {"meeting_id": meeting.id, "member_id": viewer.member_id}
        await session.merge(Proxy(**key, holder_id=holder))
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


@dataclass(frozen=True)
class Proxies:
    """Who votes for the viewer in a meeting while they are absent, and for whom the viewer does."""

    holder: Member | None
    givers: list[Member]


async def read_proxies(context: Context, meeting_id: str) -> Proxies:
    """What was given, whether or not a rule lets it count."""
    meeting = await read_meeting(context, meeting_id, Act.VIEW_MEETING)
    viewer_id = context.signed_in().member_id
    given = select(Proxy).where(
        Proxy.meeting_id == meeting.id,
        or_(Proxy.member_id == viewer_id, Proxy.holder_id == viewer_id),
    )
    async with context.reading() as session:
        rows = (await session.scalars(given.order_by(Proxy.member_id))).all()
    load = context.loaders(RegisterLoaders).member.load_many
    holders = await load([row.holder_id for row in rows if row.member_id == viewer_id])
    givers = await load([row.member_id for row in rows if row.holder_id == viewer_id])
    return Proxies(holders[0] if holders else None, givers)


@dataclass(frozen=True)
class MeetingPage:
    meetings: list[Meeting]
    has_next: bool


async def list_meetings(
    context: Context, unit_id: str, first: int, after: str | None
) -> MeetingPage:
    """A unit's meetings, newest first. Raises INVALID_INPUT for a wrong size or cursor."""
    unit = await read_unit(context, unit_id, Act.LIST_MEETINGS)
    if not 1 <= first <= PAGE_MAXIMUM:
        raise Refusal(
            Reason.INVALID_INPUT,
            f"Ask for 1 to {PAGE_MAXIMUM} meetings at a time.",
            maximum=PAGE_MAXIMUM,
        )
    statement = select(Meeting).where(Meeting.unit_id == unit.id)
    if after is not None:
        starts_at, last_id = parse_cursor(after)
        statement = statement.where(
            or_(
                Meeting.starts_at < starts_at,
                and_(Meeting.starts_at == starts_at, Meeting.id < last_id),
            )
        )
    statement = statement.order_by(Meeting.starts_at.desc(), Meeting.id.desc()).limit(first + 1)
    async with context.reading() as session:
        meetings = list(await session.scalars(statement))
    return MeetingPage(meetings[:first], has_next=len(meetings) > first)


async def acts_on_meeting(context: Context, unit_id: UUID) -> list[Act]:
    """The acts in a unit's meetings that the viewer's relations allow, whatever the state."""
    return [act for act in MEETING_ACTS if await viewer_may(context, act, unit_id)]


def cursor_of(meeting: Meeting) -> str:
    """An opaque place in the list of meetings."""
    return base64.urlsafe_b64encode(
        f"{meeting.starts_at.isoformat()}|{meeting.id}".encode()
    ).decode()


def parse_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The place that `cursor_of` wrote. Raises INVALID_INPUT."""
    try:
        starts_at, _, meeting_id = base64.urlsafe_b64decode(cursor).decode().partition("|")
        moment = datetime.fromisoformat(starts_at)
        if moment.tzinfo is None:
            raise ValueError("no time zone")
        return moment.astimezone(UTC), UUID(meeting_id)
    except (ValueError, OverflowError, binascii.Error):
        raise Refusal(Reason.INVALID_INPUT, "The cursor is not one of ours.") from None


def _announce_attendance(transaction: Transaction, meeting_id: UUID, member_id: UUID) -> None:
    channel = channel_of_meeting(meeting_id)
    for topic in (ATTENDANCE_TOPIC, topic_of_member(member_id)):
        transaction.announce(channel, topic)


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


async def _mark_present(session: WriteSession, meeting_id: UUID, member_id: UUID) -> bool:
    """True when this changed something; of two devices at the same moment one does."""
    return await _attend(
        session,
        meeting_id,
        member_id,
        Attendance.status != AttendanceStatus.PRESENT,
        status=AttendanceStatus.PRESENT,
        checked_in_at=database_clock(),
    )


async def _confirm(session: WriteSession, meeting_id: UUID, member_id: UUID, by: UUID) -> bool:
    """True when this changed something."""
    return await _attend(
        session,
        meeting_id,
        member_id,
        Attendance.confirmed_at.is_(None),
        confirmed_at=database_clock(),
        confirmed_by_id=by,
    )


async def _take_back(session: WriteSession, meeting_id: UUID, member_id: UUID) -> bool:
    """True when there was something to take back."""
    is_confirmed = Attendance.confirmed_at.is_not(None)
    return await _change_attendance(
        session, meeting_id, member_id, is_confirmed, confirmed_at=None, confirmed_by_id=None
    )


async def _attend(
    session: WriteSession,
    meeting_id: UUID,
    member_id: UUID,
    is_new: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Change the member's row if that `is_new`; who was not summoned gets one."""
    if await _change_attendance(session, meeting_id, member_id, is_new, **values):
        return True
    arrived = await session.scalar(
        insert_or_ignore(session, Attendance)
        .values(
            meeting_id=meeting_id,
            member_id=member_id,
            is_summoned=False,
            **{"status": AttendanceStatus.ABSENT, **values},
        )
        .on_conflict_do_nothing(index_elements=["meeting_id", "member_id"])
        .returning(Attendance.version)
    )
    return arrived is not None


async def _change_attendance(
    session: WriteSession,
    meeting_id: UUID,
    member_id: UUID,
    where: ColumnElement[bool],
    **values: Any,
) -> bool:
    changed = await session.scalar(
        update(Attendance)
        .where(Attendance.meeting_id == meeting_id, Attendance.member_id == member_id, where)
        .values(version=Attendance.version + 1, **values)
        .returning(Attendance.version)
    )
    return changed is not None


async def _standing_at(session: WriteSession, meeting: Meeting, member_id: UUID) -> Standing:
    """The standing of who belongs to the branch, or attends. Raises NOT_FOUND for others."""
    belongs = select(Membership.id).where(
        Membership.member_id == Member.id,
        Membership.unit_id == meeting.unit_id,
        Membership.valid_to.is_(None),
    )
    attends = select(Attendance.member_id).where(
        Attendance.member_id == Member.id, Attendance.meeting_id == meeting.id
    )
    standing = await session.scalar(
        select(Member.standing).where(
            Member.id == member_id, or_(belongs.exists(), attends.exists())
        )
    )
    if standing is None:
        raise not_found("member of this branch")
    return standing
