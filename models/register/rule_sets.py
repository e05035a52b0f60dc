"""The rules that units have chosen, per matter, with dates: a unit without its own has its
parent's."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, one_of
from rules.votes.presets import Matter


class UnitRule(Base):
    """One version of a unit's rule for a matter; `rule` is a `RuleSet` as data."""

    __tablename__ = "unit_rule"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("unit.id"))
    matter: Mapped[Matter] = mapped_column(one_of(Matter, "matter"))
    version: Mapped[int]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    rule: Mapped[dict[str, Any]]

    __table_args__ = (
        UniqueConstraint("unit_id", "matter", "version"),
        CheckConstraint("version >= 1", name="version"),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),
        Index(
            "uq_unit_rule_today",
            "unit_id",
            "matter",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
            sqlite_where=text("valid_to IS NULL"),
        ),
    )
