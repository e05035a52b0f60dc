"""Looking at a unit."""

from models.units import Unit
from resolvers.access import may_in_unit, read_unit
from resolvers.context import Context
from rules.permissions import Act


async def view_unit(context: Context, unit_id: str) -> tuple[Unit, bool]:
    """The unit, and whether the viewer may see into its subtree. Raises NOT_FOUND, NOT_ALLOWED."""
    unit = await read_unit(context, unit_id, Act.VIEW_UNIT)
    return unit, await may_in_unit(context, Act.VIEW_SUBTREE, unit.id)
