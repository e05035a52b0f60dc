"""The electoral roll: drawn up when a vote opens, amended by an explicit act, read at closing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import database_clock
from models.database import WriteSession
from models.meetings import Attendance, Meeting, Proxy
from models.units import Member, Membership
from models.votes import Ballot, CastMark, HandMark, Recusal, RollEntry, Vote
from rules.bases import Voter
from rules.meetings import AttendanceStatus
from rules.members import MembershipKind
from rules.roll import Elector
from rules.roll import RollEntry as Entry


async def load_electors(session: AsyncSession, meeting: Meeting, vote_id: UUID) -> list[Elector]:
    """Everyone in the branch today, as the rules want to see them, in the order of their ids."""
    rows = await session.execute(_electors(meeting, vote_id))
    return [
        Elector(
            member_id=row.id,
            standing=row.standing,
            is_guest=row.kind is MembershipKind.TEMPORARY,
            is_elsewhere=row.is_elsewhere,
            is_summoned=bool(row.is_summoned),
            is_present=row.status is AttendanceStatus.PRESENT,
            is_recused=row.is_recused,
            weight=row.weight,
            proxy_to=row.holder_id,
        )
        for row in rows
    ]


def _electors(meeting: Meeting, vote_id: UUID) -> Select[*tuple[Any, ...]]:
    elsewhere = (
        select(Membership.member_id)
        .where(
            Membership.kind == MembershipKind.TEMPORARY,
            Membership.valid_to.is_(None),
            Membership.unit_id != meeting.unit_id,
        )
        .scalar_subquery()
    )
    recused = select(Recusal.member_id).where(Recusal.vote_id == vote_id).scalar_subquery()
    return (
        select(
            Member.id,
            Member.standing,
            Membership.kind,
            Membership.weight,
            Member.id.in_(elsewhere).label("is_elsewhere"),
            Member.id.in_(recused).label("is_recused"),
            Attendance.is_summoned,
            Attendance.status,
            Proxy.holder_id,
        )
        .join(Membership, Membership.member_id == Member.id)
        .outerjoin(
            Attendance,
            and_(Attendance.member_id == Member.id, Attendance.meeting_id == meeting.id),
        )
        .outerjoin(Proxy, and_(Proxy.member_id == Member.id, Proxy.meeting_id == meeting.id))
        .where(Membership.unit_id == meeting.unit_id, Membership.valid_to.is_(None))
        .order_by(Member.id)
    )


async def freeze_roll(
    session: WriteSession, vote_id: UUID, roll: Sequence[Entry], *, is_amendment: bool = False
) -> None:
    """Write the entries; the roll's earlier entries stay as they are."""
    rows = [
        {
            "vote_id": vote_id,
            "member_id": entry.member_id,
            "standing": entry.elector.standing,
            "left_out": entry.left_out,
            "weight": entry.weight,
            "is_elsewhere": entry.elector.is_elsewhere,
            "is_summoned": entry.elector.is_summoned,
            "was_present_at_opening": entry.elector.is_present and not is_amendment,
        }
        for entry in roll
    ]
    if rows:
        amended_at = database_clock() if is_amendment else None
        await session.execute(insert(RollEntry).values(amended_at=amended_at), rows)


async def freeze_presence(session: WriteSession, vote: Vote) -> None:
    """Write down who is here and who was excused, as the vote closes."""
    statuses = await session.execute(
        select(Attendance.member_id, Attendance.status).where(
            Attendance.meeting_id == vote.meeting_id
        )
    )
    by_status: dict[AttendanceStatus, list[UUID]] = {}
    for row in statuses:
        by_status.setdefault(row.status, []).append(row.member_id)
    await session.execute(
        update(RollEntry)
        .where(RollEntry.vote_id == vote.id)
        .values(
            was_present_at_closing=RollEntry.member_id.in_(
                by_status.get(AttendanceStatus.PRESENT, [])
            ),
            was_excused=RollEntry.member_id.in_(by_status.get(AttendanceStatus.EXCUSED, [])),
        )
    )


async def load_voters(session: AsyncSession, vote: Vote) -> list[Voter]:
    """Everyone on the roll, with what the base needs to know of each: now while the vote is open,
    as it was at the closing afterwards."""
    cast = or_(Ballot.id.is_not(None), CastMark.key.is_not(None), HandMark.vote_id.is_not(None))
    rows = await session.execute(
        select(RollEntry, cast.label("has_cast"), Attendance.status)
        .outerjoin(Ballot, and_(_same(Ballot), Ballot.sequence == 1))
        .outerjoin(CastMark, _same(CastMark))
        .outerjoin(HandMark, _same(HandMark))
        .outerjoin(
            Attendance,
            and_(
                Attendance.member_id == RollEntry.member_id,
                Attendance.meeting_id == vote.meeting_id,
            ),
        )
        .where(RollEntry.vote_id == vote.id)
        .order_by(RollEntry.member_id)
    )
    return [
        Voter(
            member_id=row.RollEntry.member_id,
            standing=row.RollEntry.standing,
            left_out=row.RollEntry.left_out,
            weight=row.RollEntry.weight,
            has_cast=row.has_cast,
            is_elsewhere=row.RollEntry.is_elsewhere,
            is_summoned=row.RollEntry.is_summoned,
            is_excused=_at_closing(
                row.RollEntry.was_excused, row.status is AttendanceStatus.EXCUSED
            ),
            was_present_at_opening=row.RollEntry.was_present_at_opening,
            is_present=_at_closing(
                row.RollEntry.was_present_at_closing, row.status is AttendanceStatus.PRESENT
            ),
        )
        for row in rows
    ]


def _at_closing(then: bool | None, now: bool) -> bool:
    return now if then is None else then


def _same(table: type[Ballot] | type[CastMark] | type[HandMark]) -> ColumnElement[bool]:
    return and_(table.vote_id == RollEntry.vote_id, table.member_id == RollEntry.member_id)
