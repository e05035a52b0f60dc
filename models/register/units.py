"""Organisational units, their dated places in the tree, and the people in them.

Triggers note every change of a standing, a membership or an appointment
(`models.accounts.access_changes`).
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import (
    CTE,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of
from rules.register.members import MembershipKind, Role, Standing, UnitKind


class Unit(Base):
    """A city, ward or branch. Its place in the tree is a `UnitParent`, never a column here."""

    __tablename__ = "unit"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[UnitKind] = mapped_column(one_of(UnitKind, "kind"))
    name: Mapped[str] = mapped_column(String(200))

    __table_args__ = (CheckConstraint("length(name) > 0", name="named"),)


class UnitParent(Base):
    """One unit's parent from `valid_from` until before `valid_to`; null means today's."""

    __tablename__ = "unit_parent"

    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    valid_to: Mapped[date | None]
    parent_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    decision: Mapped[str] = mapped_column(String(200), default="")

    __table_args__ = (
        CheckConstraint("unit_id <> parent_id", name="no_self"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index(
            "uq_unit_parent_today",
            "unit_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
            sqlite_where=text("valid_to IS NULL"),
        ),
    )


class Member(Base):
    __tablename__ = "member"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(200))
    standing: Mapped[Standing] = mapped_column(one_of(Standing, "standing"))

    __table_args__ = (CheckConstraint("length(name) > 0", name="named"),)


class Suspension(Base):
    """That an officer suspended a member, and who gave the standing back; null while it lasts."""

    __tablename__ = "suspension"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), index=True)
    standing_before: Mapped[Standing] = mapped_column(one_of(Standing, "standing_before"))
    reason: Mapped[str] = mapped_column(String(1000))
    suspended_at: Mapped[datetime]
    suspended_by_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"))
    reinstated_at: Mapped[datetime | None]
    reinstated_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("member.id"))

    __table_args__ = (
        CheckConstraint("length(reason) > 0", name="reason"),
        CheckConstraint("standing_before <> 'SUSPENDED'", name="was_not_suspended"),
        CheckConstraint("member_id <> suspended_by_id", name="no_self"),
        CheckConstraint("(reinstated_at IS NULL) = (reinstated_by_id IS NULL)", name="reinstated"),
        Index(
            "uq_suspension_today",
            "member_id",
            unique=True,
            postgresql_where=text("reinstated_at IS NULL"),
            sqlite_where=text("reinstated_at IS NULL"),
        ),
    )


class Membership(Base):
    """Where a member belongs, dated: one regular branch, at most one temporary attachment."""

    __tablename__ = "membership"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    kind: Mapped[MembershipKind] = mapped_column(one_of(MembershipKind, "kind"))
    weight: Mapped[int] = mapped_column(default=1, server_default="1")
    """What the member's vote weighs, where a rule weighs votes (shares of a co-operative)."""
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    __table_args__ = (
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        CheckConstraint("weight >= 1", name="weight"),
        Index(
            "uq_membership_today",
            "member_id",
            "kind",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
            sqlite_where=text("valid_to IS NULL"),
        ),
    )


class Appointment(Base):
    __tablename__ = "appointment"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    member_id: Mapped[UUID] = mapped_column(ForeignKey("member.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"), index=True)
    role: Mapped[Role] = mapped_column(one_of(Role, "role"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]

    __table_args__ = (
        UniqueConstraint("member_id", "unit_id", "role", "valid_from"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
    )


def units_above(unit_id: UUID | ColumnElement[UUID]) -> CTE:
    """Today's ancestors of a unit, itself not included: one column `unit_id`."""
    above = (
        select(UnitParent.parent_id.label("unit_id"))
        .where(UnitParent.unit_id == unit_id, UnitParent.valid_to.is_(None))
        .cte("above", recursive=True)
    )
    return above.union(
        select(UnitParent.parent_id)
        .join(above, above.c.unit_id == UnitParent.unit_id)
        .where(UnitParent.valid_to.is_(None))
    )


def units_over(member_id: ColumnElement[UUID]) -> CTE:
    """Where a member stands today: columns `root_id`, `is_office` and `unit_id`. A root is their
    regular unit, or one in which they hold an office; its units are itself and all above it."""
    regular = select(
        Membership.unit_id.label("root_id"),
        literal(0).label("is_office"),
        Membership.unit_id.label("unit_id"),
    ).where(
        Membership.member_id == member_id,
        Membership.kind == MembershipKind.REGULAR,
        Membership.valid_to.is_(None),
    )
    offices = select(Appointment.unit_id, literal(1), Appointment.unit_id).where(
        Appointment.member_id == member_id, Appointment.valid_to.is_(None)
    )
    roots = union_all(regular, offices).subquery()
    over = select(roots.c.root_id, roots.c.is_office, roots.c.unit_id).cte("over", recursive=True)
    return over.union(
        select(over.c.root_id, over.c.is_office, UnitParent.parent_id)
        .join(UnitParent, UnitParent.unit_id == over.c.unit_id)
        .where(UnitParent.valid_to.is_(None))
    )


def units_below(unit_ids: Sequence[UUID]) -> CTE:
    """Today's subtrees, roots included: columns `root_id` and `unit_id`."""
    below = (
        select(Unit.id.label("root_id"), Unit.id.label("unit_id"))
        .where(Unit.id.in_(unit_ids))
        .cte("below", recursive=True)
    )
    return below.union(
        select(below.c.root_id, UnitParent.unit_id)
        .join(below, below.c.unit_id == UnitParent.parent_id)
        .where(UnitParent.valid_to.is_(None))
    )
