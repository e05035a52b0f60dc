"""Votes, their options, the electoral roll, ballots, and the audit chain.

`version` of a vote needs no hot row: its own row's version plus the sum of its ballots' sequence
numbers. Each only grows, and both are read in one statement.
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    select,
)
from sqlalchemy.orm import Mapped, column_property, mapped_column

from models.base import Base, one_of
from rules.audit import AuditKind
from rules.meetings import VoteState
from rules.members import Standing
from rules.voting import LeftOut, OptionKind


class Ballot(Base):
    """One member's counted ballot. `sequence` is 1, and grows if a rule lets the ballot change."""

    __tablename__ = "ballot"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID]
    member_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(default=1)
    cast_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("vote_id", "member_id"),
        UniqueConstraint("id", "vote_id"),
        ForeignKeyConstraint(
            ["vote_id", "member_id"], ["roll_entry.vote_id", "roll_entry.member_id"]
        ),
        CheckConstraint("sequence >= 1", name="sequence"),
        CheckConstraint("length(key) > 0", name="key"),
    )


class BallotChoice(Base):
    """An option that a ballot marks; the keys make sure that it is an option of the same vote."""

    __tablename__ = "ballot_choice"

    ballot_id: Mapped[UUID] = mapped_column(primary_key=True)
    option_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    vote_id: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(["ballot_id", "vote_id"], ["ballot.id", "ballot.vote_id"]),
        ForeignKeyConstraint(["option_id", "vote_id"], ["vote_option.id", "vote_option.vote_id"]),
    )


class Vote(Base):
    __tablename__ = "vote"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    meeting_id: Mapped[UUID] = mapped_column(index=True)
    item_id: Mapped[UUID] = mapped_column(index=True)
    position: Mapped[int]
    question: Mapped[str] = mapped_column(String(1000))
    state: Mapped[VoteState] = mapped_column(one_of(VoteState, "state"), default=VoteState.PREPARED)
    rule: Mapped[dict[str, Any]]
    opened_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any] | None]
    row_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = column_property(
        row_version
        + select(func.coalesce(func.sum(Ballot.sequence), 0))
        .where(Ballot.vote_id == id)
        .correlate_except(Ballot)
        .scalar_subquery()
    )

    __table_args__ = (
        UniqueConstraint("meeting_id", "position"),
        ForeignKeyConstraint(
            ["meeting_id", "item_id"], ["agenda_item.meeting_id", "agenda_item.id"]
        ),
        CheckConstraint("length(question) > 0", name="question"),
        CheckConstraint("(state = 'PREPARED') = (opened_at IS NULL)", name="opened"),
        CheckConstraint("(state = 'CLOSED') = (closed_at IS NOT NULL)", name="closed"),
        CheckConstraint("row_version >= 1", name="row_version"),
    )


class VoteOption(Base):
    __tablename__ = "vote_option"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"))
    position: Mapped[int]
    kind: Mapped[OptionKind] = mapped_column(one_of(OptionKind, "kind"))
    label: Mapped[str] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("vote_id", "position"),
        UniqueConstraint("vote_id", "kind"),
        UniqueConstraint("id", "vote_id"),
    )


class RollEntry(Base):
    """A member of the branch when the vote opened: entitled, or left out and why."""

    __tablename__ = "roll_entry"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)
    standing: Mapped[Standing] = mapped_column(one_of(Standing, "standing"))
    left_out: Mapped[LeftOut | None] = mapped_column(one_of(LeftOut, "left_out"))
    is_elsewhere: Mapped[bool]
    is_summoned: Mapped[bool]
    was_present_at_opening: Mapped[bool]

    __table_args__ = (CheckConstraint("left_out IS NULL OR left_out <> ''", name="reason"),)


class AuditRow(Base):
    """One link of a vote's hash chain; only ever inserted (`rules.audit` computes the hash)."""

    __tablename__ = "audit"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AuditKind] = mapped_column(one_of(AuditKind, "kind"))
    payload: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))

    __table_args__ = (CheckConstraint("sequence >= 1", name="sequence"),)
