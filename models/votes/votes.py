"""Votes, their options, the electoral roll, ballots, hands counted in the room, the audit chain.

`version` of a vote needs no hot row: its own row's version plus the sum of its ballots' sequence
numbers and its marks. Each only grows, and all are read in one statement.

What was cast, the paper and the audit rows are only ever inserted, and each table takes rows in
some states of its vote only: triggers say so to everybody (`models.installed.guards`).
"""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, column_property, mapped_column

from models.base import Base, one_of
from rules.meetings.meetings import VoteState
from rules.register.members import Standing
from rules.votes.ballots import OptionKind, Validity
from rules.votes.presets import Matter
from rules.votes.record.audit import AuditKind
from rules.votes.roll import LeftOut
from rules.votes.rule_sets import Change, Secrecy


class Ballot(Base):
    """A ballot of a vote that is OPEN. Where it may be changed, a member's highest `sequence`
    counts; otherwise there is one."""

    __tablename__ = "ballot"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID]
    member_id: Mapped[UUID]
    key: Mapped[str] = mapped_column(String(64))
    sequence: Mapped[int] = mapped_column(default=1)
    validity: Mapped[Validity] = mapped_column(one_of(Validity, "validity"))
    cast_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("vote_id", "member_id", "sequence"),
        UniqueConstraint("vote_id", "member_id", "key"),
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


class CastMark(Base):
    """That a member has cast in an UNATTRIBUTED vote. Nothing here leads to a paper."""

    __tablename__ = "cast_mark"

    vote_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64))
    cast_at: Mapped[datetime]

    __table_args__ = (
        ForeignKeyConstraint(
            ["vote_id", "member_id"], ["roll_entry.vote_id", "roll_entry.member_id"]
        ),
        CheckConstraint("length(key) > 0", name="key"),
    )


class OpenPaper(Base):
    """What was cast in an UNATTRIBUTED vote that is open, in the order of casting. Nobody looks at
    it before the vote is closed, and then its pages are given up (`models.votes.sweep`).

    No key leads to the options: PostgreSQL would write the voter's transaction on the option's row.
    """

    __tablename__ = "open_paper"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID]
    validity: Mapped[Validity] = mapped_column(one_of(Validity, "validity"))
    choices: Mapped[list[str]] = mapped_column(JSON().with_variant(JSONB(), "postgresql"))


class Paper(Base):
    """What was cast in an UNATTRIBUTED vote that has closed, by nobody: no member, no time, no
    order."""

    __tablename__ = "paper"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), index=True)
    validity: Mapped[Validity] = mapped_column(one_of(Validity, "validity"))

    __table_args__ = (UniqueConstraint("id", "vote_id"),)


class PaperChoice(Base):
    """An option that a paper marks."""

    __tablename__ = "paper_choice"

    paper_id: Mapped[UUID] = mapped_column(primary_key=True)
    option_id: Mapped[UUID] = mapped_column(primary_key=True, index=True)
    vote_id: Mapped[UUID]

    __table_args__ = (
        ForeignKeyConstraint(["paper_id", "vote_id"], ["paper.id", "paper.vote_id"]),
        ForeignKeyConstraint(["option_id", "vote_id"], ["vote_option.id", "vote_option.vote_id"]),
    )


class HandMark(Base):
    """A member whose raised hand the chair counted, and for what. `sequence` counts how often."""

    __tablename__ = "hand_mark"

    vote_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, default=1)
    option_id: Mapped[UUID | None]
    """Null for hands of before each kept its option: `HandCount` has their sums."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["vote_id", "member_id"], ["roll_entry.vote_id", "roll_entry.member_id"]
        ),
        ForeignKeyConstraint(["option_id", "vote_id"], ["vote_option.id", "vote_option.vote_id"]),
        CheckConstraint("sequence >= 1", name="sequence"),
    )


class HandTakenBack(Base):
    """That a hand counts no more: its member contested it, or the chair took it back."""

    __tablename__ = "hand_taken_back"

    vote_id: Mapped[UUID] = mapped_column(primary_key=True)
    member_id: Mapped[UUID] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    is_contested: Mapped[bool]

    __table_args__ = (
        ForeignKeyConstraint(
            ["vote_id", "member_id", "sequence"],
            ["hand_mark.vote_id", "hand_mark.member_id", "hand_mark.sequence"],
        ),
    )


class CountedHand(Base):
    """A hand that counts: its member casts no ballot. No table, but those not taken back of one."""

    __table__ = (
        select(HandMark.vote_id, HandMark.member_id, HandMark.sequence, HandMark.option_id)
        .where(
            ~select(HandTakenBack.vote_id)
            .where(
                HandTakenBack.vote_id == HandMark.vote_id,
                HandTakenBack.member_id == HandMark.member_id,
                HandTakenBack.sequence == HandMark.sequence,
            )
            .correlate(HandMark)
            .exists()
        )
        .subquery("counted_hand")
    )
    __mapper_args__ = {  # noqa: RUF012 - as SQLAlchemy declares it
        "primary_key": [__table__.c.vote_id, __table__.c.member_id]
    }

    vote_id: Mapped[UUID]
    member_id: Mapped[UUID]
    sequence: Mapped[int]
    option_id: Mapped[UUID | None]


class HandCount(Base):
    """Hands counted for one option before each kept its own; nothing is added any more."""

    __tablename__ = "hand_count"

    option_id: Mapped[UUID] = mapped_column(primary_key=True)
    vote_id: Mapped[UUID] = mapped_column(index=True)
    hands: Mapped[int]

    __table_args__ = (
        ForeignKeyConstraint(["option_id", "vote_id"], ["vote_option.id", "vote_option.vote_id"]),
        CheckConstraint("hands >= 0", name="hands"),
    )


def casts_of(vote_id: Any) -> ColumnElement[int]:
    """A number that grows with every ballot and every mark of the vote."""
    ballots = (
        select(func.coalesce(func.sum(Ballot.sequence), 0))
        .where(Ballot.vote_id == vote_id)
        .correlate_except(Ballot)
    )
    marks = (
        select(func.count())
        .select_from(CastMark)
        .where(CastMark.vote_id == vote_id)
        .correlate_except(CastMark)
    )
    return ballots.scalar_subquery() + marks.scalar_subquery()


class Vote(Base):
    """`secrecy`, `change` and `closes_when_all_voted` repeat what `rule` says, for statements that
    must not read JSON."""

    __tablename__ = "vote"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    meeting_id: Mapped[UUID] = mapped_column(index=True)
    item_id: Mapped[UUID] = mapped_column(index=True)
    position: Mapped[int]
    question: Mapped[str] = mapped_column(String(1000))
    state: Mapped[VoteState] = mapped_column(one_of(VoteState, "state"), default=VoteState.PREPARED)
    matter: Mapped[Matter] = mapped_column(one_of(Matter, "matter"))
    rule: Mapped[dict[str, Any]]
    secrecy: Mapped[Secrecy] = mapped_column(one_of(Secrecy, "secrecy"))
    change: Mapped[Change] = mapped_column(one_of(Change, "change"))
    closes_when_all_voted: Mapped[bool] = mapped_column(default=False)
    opened_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    outcome: Mapped[dict[str, Any] | None]
    published_at: Mapped[datetime | None]
    annulled_at: Mapped[datetime | None]
    annulment: Mapped[str | None] = mapped_column(String(1000))
    annulment_proposed_at: Mapped[datetime | None]
    annulment_proposed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))
    proposed_annulment: Mapped[str | None] = mapped_column(String(1000))
    """The reason for which an officer would annul a hidden vote, while another has to agree."""
    repeat_of: Mapped[UUID | None] = mapped_column(ForeignKey("vote.id"), unique=True)
    row_version: Mapped[int] = mapped_column(default=1)
    version: Mapped[int] = column_property(row_version + casts_of(id))

    __table_args__ = (
        UniqueConstraint("meeting_id", "position"),
        ForeignKeyConstraint(
            ["meeting_id", "item_id"], ["agenda_item.meeting_id", "agenda_item.id"]
        ),
        CheckConstraint("length(question) > 0", name="question"),
        CheckConstraint("(state = 'PREPARED') = (opened_at IS NULL)", name="opened"),
        CheckConstraint(
            "(state IN ('CLOSED', 'ANNULLED')) = (closed_at IS NOT NULL)", name="closed"
        ),
        CheckConstraint("(state = 'ANNULLED') = (annulled_at IS NOT NULL)", name="annulled"),
        CheckConstraint("published_at IS NULL OR closed_at IS NOT NULL", name="published"),
        CheckConstraint("row_version >= 1", name="row_version"),
        Index(
            "ix_vote_open",
            "closes_at",
            postgresql_where=text("state = 'OPEN'"),
            sqlite_where=text("state = 'OPEN'"),
        ),
    )


class VoteOption(Base):
    """What a ballot can mark. The two boxes of one candidate share `candidate_id`."""

    __tablename__ = "vote_option"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"))
    position: Mapped[int]
    kind: Mapped[OptionKind] = mapped_column(one_of(OptionKind, "kind"))
    label: Mapped[str] = mapped_column(String(200))
    candidate_id: Mapped[UUID | None]

    __table_args__ = (
        UniqueConstraint("vote_id", "position"),
        UniqueConstraint("vote_id", "kind", "candidate_id"),
        UniqueConstraint("id", "vote_id"),
    )


class Recusal(Base):
    """A member who takes no part in a vote, because the matter concerns them."""

    __tablename__ = "recusal"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)


class Lot(Base):
    """What the seed of a vote's lot is made of besides the ballots' keys (`rules.votes.lot`).
    Nobody is shown it, and nothing exports it, before the lot is drawn."""

    __tablename__ = "lot"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary(32))


class RollEntry(Base):
    """A member of the branch when the vote opened: entitled, or left out and why."""

    __tablename__ = "roll_entry"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), primary_key=True)
    standing: Mapped[Standing] = mapped_column(one_of(Standing, "standing"))
    left_out: Mapped[LeftOut | None] = mapped_column(one_of(LeftOut, "left_out"))
    weight: Mapped[int] = mapped_column(default=1)
    is_elsewhere: Mapped[bool]
    is_summoned: Mapped[bool]
    was_present_at_opening: Mapped[bool]
    was_present_at_closing: Mapped[bool | None]
    was_excused: Mapped[bool | None]
    """As the vote closed, so that a recount does not depend on who comes later."""
    amended_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint("weight >= 0", name="weight"),)


class AuditRow(Base):
    """One link of a vote's hash chain; only ever inserted (`record.audit` computes the hash)."""

    __tablename__ = "audit"

    vote_id: Mapped[UUID] = mapped_column(ForeignKey("vote.id"), primary_key=True)
    sequence: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[AuditKind] = mapped_column(one_of(AuditKind, "kind"))
    payload: Mapped[dict[str, Any]]
    previous_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))

    __table_args__ = (CheckConstraint("sequence >= 1", name="sequence"),)
