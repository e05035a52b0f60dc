"""Which rules a unit votes by today: its own, or the nearest above it."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from models.register.rule_sets import UnitRule
from models.register.units import UnitParent, units_above
from resolvers.access.permit import read_unit
from resolvers.context import Context
from rules.permissions import Act
from rules.votes.presets import Assignment, Matter, rules_in_force
from rules.votes.rule_sets import RuleSet


async def list_rules(context: Context, unit_id: str) -> dict[Matter, RuleSet]:
    """The rules in force for a unit, for whoever may see its meetings."""
    unit = await read_unit(context, unit_id, Act.LIST_MEETINGS)
    async with context.reading() as session:
        return await load_rules(session, unit.id)


async def load_rules(session: AsyncSession, unit_id: UUID) -> dict[Matter, RuleSet]:
    """The rules in force for a unit today, by matter."""
    path = await _path_up(session, unit_id)
    rows = await session.scalars(select(UnitRule).where(UnitRule.unit_id.in_(path)))
    assignments = [
        Assignment(row.unit_id, row.matter, RuleSet.from_data(row.rule), row.valid_to)
        for row in rows
    ]
    return rules_in_force(assignments, path, datetime.now(UTC).date())


async def _path_up(session: AsyncSession, unit_id: UUID) -> list[UUID]:
    """The unit and those above it today, nearest first."""
    above = units_above(unit_id)
    links = await session.execute(
        select(UnitParent.unit_id, UnitParent.parent_id)
        .where(UnitParent.unit_id.in_(select(above.c.unit_id)), UnitParent.valid_to.is_(None))
        .union(
            select(UnitParent.unit_id, UnitParent.parent_id).where(
                UnitParent.unit_id == unit_id, UnitParent.valid_to.is_(None)
            )
        )
    )
    parents = {row.unit_id: row.parent_id for row in links}
    path = [unit_id]
    while path[-1] in parents:
        path.append(parents[path[-1]])
    return path
