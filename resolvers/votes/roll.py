"""The electoral roll: drawn up when a vote opens, amended by an explicit act, read at closing."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import database_clock
from models.database import ReadSession, WriteSession
from models.driver.hot_statements import Statement
from models.meetings.meetings import Attendance, Meeting, Proxy
from models.register.units import Member, Membership
from models.votes.votes import Ballot, CastMark, CountedHand, Recusal, RollEntry, Vote
from rules.meetings.meetings import AttendanceStatus
from rules.register.members import MembershipKind
from rules.votes.bases import Voter
from rules.votes.roll import Elector
from rules.votes.roll import RollEntry as Entry


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


async def list_recused(session: AsyncSession, vote_id: UUID) -> list[UUID]:
    """Who takes no part in the vote because the matter concerns them, in the order of their ids."""
    rows = await session.scalars(
        select(Recusal.member_id).where(Recusal.vote_id == vote_id).order_by(Recusal.member_id)
    )
    return list(rows)


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


async def freeze_presence(session: WriteSession, vote_id: UUID, meeting_id: UUID) -> list[Voter]:
    """Write down who is here and who was excused, as the vote closes. Gives what `load_voters`
    gives from then on, in one statement: those who vote wait for it."""
    rows = await session.fetch(_FREEZE_PRESENCE, {"frozen": vote_id, "meeting": meeting_id})
    return [
        Voter(
            member_id=row.member_id,
            standing=row.standing,
            left_out=row.left_out,
            weight=row.weight,
            has_cast=row.has_cast,
            is_elsewhere=row.is_elsewhere,
            is_summoned=row.is_summoned,
            is_excused=row.was_excused,
            was_present_at_opening=row.was_present_at_opening,
            is_present=row.was_present_at_closing,
        )
        for row in rows
    ]


def _freeze() -> Statement:
    """Tables, not mapped classes: it goes past the ORM."""
    tables = RollEntry.metadata.tables
    roll, attendance = tables["roll_entry"], tables["attendance"]

    def has_status(status: AttendanceStatus) -> ColumnElement[bool]:
        return (
            select(attendance.c.member_id)
            .where(
                attendance.c.meeting_id == _MEETING,
                attendance.c.member_id == roll.c.member_id,
                attendance.c.status == status,
            )
            .exists()
        )

    frozen = bindparam("frozen", type_=Uuid())
    # Not by the row's columns: without their table, as SQLAlchemy writes what an update returns for
    # SQLite, they would be those of the subqueries.
    hands, back = tables["hand_mark"], tables["hand_taken_back"]
    taken_back = select(back.c.member_id, back.c.sequence).where(back.c.vote_id == frozen)
    casts = [
        *(
            select(table.c.member_id).where(table.c.vote_id == frozen)
            for table in (tables["ballot"], tables["cast_mark"])
        ),
        select(hands.c.member_id).where(
            hands.c.vote_id == frozen,
            tuple_(hands.c.member_id, hands.c.sequence).not_in(taken_back),
        ),
    ]
    has_cast = or_(*map(roll.c.member_id.in_, casts))
    return Statement(
        update(roll)
        .where(roll.c.vote_id == frozen)
        .values(
            was_present_at_closing=has_status(AttendanceStatus.PRESENT),
            was_excused=has_status(AttendanceStatus.EXCUSED),
        )
        .returning(*roll.c, has_cast.label("has_cast"))
    )


async def load_voters(session: ReadSession | WriteSession, vote: Vote) -> list[Voter]:
    """Everyone on the roll, with what the base needs to know of each: now while the vote is open,
    as it was at the closing afterwards."""
    rows = await session.fetch(_VOTERS, {"vote": vote.id, "meeting": vote.meeting_id})
    return [
        Voter(
            member_id=row.member_id,
            standing=row.standing,
            left_out=row.left_out,
            weight=row.weight,
            has_cast=row.has_cast,
            is_elsewhere=row.is_elsewhere,
            is_summoned=row.is_summoned,
            is_excused=_at_closing(row.was_excused, row.status is AttendanceStatus.EXCUSED),
            was_present_at_opening=row.was_present_at_opening,
            is_present=_at_closing(
                row.was_present_at_closing, row.status is AttendanceStatus.PRESENT
            ),
        )
        for row in rows
    ]


def _voters() -> Statement:
    vote_id = bindparam("vote", type_=Uuid())
    # Not by joins: PostgreSQL takes ballots that came within the last minute for a few, and would
    # compare each with each entry.
    has_cast = or_(
        *(
            RollEntry.member_id.in_(select(table.member_id).where(table.vote_id == vote_id))
            for table in (Ballot, CastMark, CountedHand)
        )
    )
    return Statement(
        select(
            RollEntry.member_id,
            RollEntry.standing,
            RollEntry.left_out,
            RollEntry.weight,
            RollEntry.is_elsewhere,
            RollEntry.is_summoned,
            RollEntry.was_excused,
            RollEntry.was_present_at_opening,
            RollEntry.was_present_at_closing,
            has_cast.label("has_cast"),
            Attendance.status,
        )
        .outerjoin(
            Attendance,
            and_(Attendance.member_id == RollEntry.member_id, Attendance.meeting_id == _MEETING),
        )
        .where(RollEntry.vote_id == vote_id)
        .order_by(RollEntry.member_id)
    )


def _at_closing(then: bool | None, now: bool) -> bool:
    return now if then is None else then


# Built once: to build them takes longer than to run them, while voters wait for the closing.
_MEETING = bindparam("meeting", type_=Uuid())
_VOTERS = _voters()
_FREEZE_PRESENCE = _freeze()
