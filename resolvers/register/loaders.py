"""What many fields ask of units and members."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import func, select

from models.register.units import Appointment, Member, Membership, Unit, UnitParent, units_below
from resolvers.loading import Loaders
from rules.register.members import MembershipKind


class RegisterLoaders(Loaders):
    """`member` and `unit` are for ids out of the database's own rows, which its foreign keys vouch
    for. Other loaders of single values give None where there is none, lists are empty."""

    @cached_property
    def member(self) -> DataLoader[UUID, Member]:
        return self._one(Member, Member.id)

    @cached_property
    def unit(self) -> DataLoader[UUID, Unit]:
        return self._one(Unit, Unit.id)

    @cached_property
    def appointments(self) -> DataLoader[UUID, list[Appointment]]:
        """Today's, by member."""
        return self._many(
            Appointment, Appointment.member_id, Appointment.id, Appointment.valid_to.is_(None)
        )

    @cached_property
    def regular_unit(self) -> DataLoader[UUID, Unit | None]:
        """Where a member regularly belongs today, by member."""

        async def load(keys: list[UUID]) -> list[Unit | None]:
            statement = (
                select(Membership.member_id, Unit)
                .join(Unit, Unit.id == Membership.unit_id)
                .where(
                    Membership.member_id.in_(keys),
                    Membership.kind == MembershipKind.REGULAR,
                    Membership.valid_to.is_(None),
                )
            )
            async with self._reading() as session:
                found = {row[0]: row[1] for row in await session.execute(statement)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def parent(self) -> DataLoader[UUID, Unit | None]:
        """Today's parent, by unit."""

        async def load(keys: list[UUID]) -> list[Unit | None]:
            statement = (
                select(UnitParent.unit_id, Unit)
                .join(Unit, Unit.id == UnitParent.parent_id)
                .where(UnitParent.unit_id.in_(keys), UnitParent.valid_to.is_(None))
            )
            async with self._reading() as session:
                found = {row[0]: row[1] for row in await session.execute(statement)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def children(self) -> DataLoader[UUID, list[Unit]]:
        """Today's children by unit; shorter names first, so that 9 comes before 10."""

        async def load(keys: list[UUID]) -> list[list[Unit]]:
            statement = (
                select(UnitParent.parent_id, Unit)
                .join(Unit, Unit.id == UnitParent.unit_id)
                .where(UnitParent.parent_id.in_(keys), UnitParent.valid_to.is_(None))
                .order_by(func.length(Unit.name), Unit.name)
            )
            found: dict[UUID, list[Unit]] = defaultdict(list)
            async with self._reading() as session:
                for parent_id, unit in await session.execute(statement):
                    found[parent_id].append(unit)
            return [found[key] for key in keys]

        return DataLoader(load)

    @cached_property
    def member_count(self) -> DataLoader[UUID, int]:
        """Members who regularly belong to a unit or below it."""

        async def load(keys: list[UUID]) -> list[int]:
            below = units_below(keys)
            statement = (
                select(below.c.root_id, func.count(Membership.id))
                .join(Membership, Membership.unit_id == below.c.unit_id)
                .where(
                    Membership.kind == MembershipKind.REGULAR,
                    Membership.valid_to.is_(None),
                )
                .group_by(below.c.root_id)
            )
            return await self._counted(statement, keys)

        return DataLoader(load)
