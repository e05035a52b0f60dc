"""Looking at a unit."""

from uuid import UUID

from models.register.units import Unit
from resolvers.access.permit import may_in_unit, parse_id, read_unit
from resolvers.context import Context
from resolvers.votes.units_live import UnitsLive, UnitTurnout
from rules.permissions import Act, not_found


async def view_unit(context: Context, unit_id: str) -> tuple[Unit, bool]:
    """The unit, and whether the viewer may see into its subtree. Raises NOT_FOUND, NOT_ALLOWED."""
    unit = await read_unit(context, unit_id, Act.VIEW_UNIT)
    return unit, await may_in_unit(context, Act.VIEW_SUBTREE, unit.id)


async def read_unit_live(context: Context, unit_id: str) -> tuple[UnitTurnout, list[UnitTurnout]]:
    """A unit and its children, with what happens in the meetings of each subtree.

    Raises NOT_FOUND, NOT_ALLOWED, NOT_SIGNED_IN.
    """
    return await context.service(UnitsLive).read(await _look_into(context, unit_id))


async def _look_into(context: Context, unit_id: str) -> UUID:
    if context.viewpoint is None:
        return (await read_unit(context, unit_id, Act.VIEW_SUBTREE)).id
    wanted = parse_id(unit_id, "unit")  # that there is one was seen when the audience was found
    if not context.viewpoint.may(Act.VIEW_SUBTREE, wanted):
        raise not_found("unit")
    return wanted
