"""Meetings, their agenda, and who was summoned and came."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from models.base import Base, one_of
from models.votes.votes import Ballot, CastMark, Vote
from rules.meetings.meetings import (
    AttendanceStatus,
    ItemState,
    MeetingKind,
    MeetingMode,
    MeetingState,
)


class AgendaItem(Base):
    """One point of the agenda. The database allows one current item a meeting."""

    __tablename__ = "agenda_item"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"))
    position: Mapped[int]
    title: Mapped[str] = mapped_column(String(500))
    state: Mapped[ItemState] = mapped_column(one_of(ItemState, "state"), default=ItemState.PENDING)

    __table_args__ = (
        UniqueConstraint("meeting_id", "position"),
        UniqueConstraint("meeting_id", "id"),
        CheckConstraint("length(title) > 0", name="title"),
        Index(
            "uq_agenda_item_current",
            "meeting_id",
            unique=True,
            postgresql_where=text("state = 'CURRENT'"),
            sqlite_where=text("state = 'CURRENT'"),
        ),
    )


class Attendance(Base):
    """One summoned (or later arrived) member. `version` grows with every change of the row.

    That the member checked in and that the chair saw them in the room are two facts: neither
    makes the other.
    """

    __tablename__ = "attendance"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)
    is_summoned: Mapped[bool]
    status: Mapped[AttendanceStatus] = mapped_column(one_of(AttendanceStatus, "status"))
    checked_in_at: Mapped[datetime | None]
    confirmed_at: Mapped[datetime | None]
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by_id IS NULL)", name="confirmed"),
    )


class Proxy(Base):
    """An absent member's word that another member votes for them in a meeting."""

    __tablename__ = "proxy"

    meeting_id: Mapped[UUID] = mapped_column(ForeignKey("meeting.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)
    holder_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"))

    __table_args__ = (CheckConstraint("member_id <> holder_id", name="no_self"),)


class Meeting(Base):
    """A meeting of a unit. `version` covers the row, its attendance, its votes and ballots."""

    __tablename__ = "meeting"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    kind: Mapped[MeetingKind] = mapped_column(one_of(MeetingKind, "kind"))
    mode: Mapped[MeetingMode] = mapped_column(one_of(MeetingMode, "mode"))
    title: Mapped[str] = mapped_column(String(500))
    state: Mapped[MeetingState] = mapped_column(
        one_of(MeetingState, "state"), default=MeetingState.DRAFT
    )
    chair_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))
    starts_at: Mapped[datetime]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    row_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = column_property(
        row_version
        + select(func.coalesce(func.sum(Attendance.version), 0))
        .where(Attendance.meeting_id == id)
        .correlate_except(Attendance)
        .scalar_subquery()
        + select(func.coalesce(func.sum(Vote.row_version), 0))
        .where(Vote.meeting_id == id)
        .correlate_except(Vote)
        .scalar_subquery()
        + select(func.coalesce(func.sum(Ballot.sequence), 0))
        .join(Vote, Vote.id == Ballot.vote_id)
        .where(Vote.meeting_id == id)
        .correlate_except(Ballot, Vote)
        .scalar_subquery()
        + select(func.count())
        .select_from(CastMark)
        .join(Vote, Vote.id == CastMark.vote_id)
        .where(Vote.meeting_id == id)
        .correlate_except(CastMark, Vote)
        .scalar_subquery()
    )

    __table_args__ = (
        CheckConstraint("length(title) > 0", name="title"),
        CheckConstraint("row_version >= 1", name="row_version"),
        CheckConstraint(
            "(state IN ('CLOSED', 'MINUTES_SIGNED')) = (closed_at IS NOT NULL)", name="closed"
        ),
        # Newest first, page by page: the order of `meetings(unitId, first, after)`.
        Index("ix_meeting_unit_id_starts_at_id", "unit_id", "starts_at", "id"),
    )
