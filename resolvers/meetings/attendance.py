"""Who is in the room: members say so themselves, and the chair confirms it."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select, update

from models.base import database_clock
from models.database import WriteSession, insert_or_ignore
from models.meetings.meetings import Attendance, Meeting
from models.register.units import Member, Membership
from realtime.topics import ATTENDANCE_TOPIC, channel_of_meeting, topic_of_member
from resolvers.access.permit import meeting_to_join, parse_id, read_meeting
from resolvers.context import Context, Transaction
from rules.meetings.meetings import AttendanceStatus, check_in_allowed
from rules.permissions import Act, not_found
from rules.register.members import Standing, check_takes_part


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


def _announce_attendance(transaction: Transaction, meeting_id: UUID, member_id: UUID) -> None:
    channel = channel_of_meeting(meeting_id)
    for topic in (ATTENDANCE_TOPIC, topic_of_member(member_id)):
        transaction.announce(channel, topic)


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
