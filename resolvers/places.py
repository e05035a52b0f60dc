"""Where signed-in members stand: read in one place, for one of them or for many."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, CompoundSelect, Uuid, bindparam, cast, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from models.accounts import Account, Session
from models.base import database_clock
from models.units import Appointment, Member, Membership
from resolvers.batches import few_sizes
from resolvers.sessions import Access, Viewer
from rules.members import Role
from rules.permissions import Place


async def read_accesses(
    session: AsyncSession | AsyncConnection, session_ids: Sequence[UUID]
) -> dict[UUID, Access]:
    """Who these sessions belong to and where they stand now, by session; those that have ended
    are missing."""
    viewers: dict[UUID, tuple[Viewer, Any]] = {}
    units: dict[UUID, set[UUID]] = defaultdict(set)
    roles: dict[UUID, dict[UUID, frozenset[Role]]] = defaultdict(dict)
    for row in await session.execute(_FACTS, {"sessions": few_sizes(session_ids)}):
        if row.unit_id is None:
            viewer = Viewer(row.member_id, row.session_id, row.expires_at)
            viewers[row.session_id] = viewer, row.standing
        elif row.role is None:
            units[row.session_id].add(row.unit_id)
        else:
            known = roles[row.session_id]
            known[row.unit_id] = known.get(row.unit_id, frozenset()) | {row.role}
    return {
        one: Access(viewer, Place(viewer.member_id, standing, frozenset(units[one]), roles[one]))
        for one, (viewer, standing) in viewers.items()
    }


def _facts() -> CompoundSelect[*tuple[Any, ...]]:
    """One row for each good session, one for each membership, and one for each role."""
    sessions: BindParameter[Any] = bindparam("sessions", expanding=True)
    no_unit, no_role = cast(None, Uuid()), cast(None, Appointment.role.type)
    nobody = (
        cast(None, Uuid()),
        cast(None, Session.expires_at.type),
        cast(None, Member.standing.type),
    )
    owns_it = Account.id == Session.account_id
    return union_all(
        select(
            Session.id.label("session_id"),
            Member.id.label("member_id"),
            Session.expires_at.label("expires_at"),
            Member.standing.label("standing"),
            no_unit.label("unit_id"),
            no_role.label("role"),
        )
        .join(Account, owns_it)
        .join(Member, Member.id == Account.member_id)
        .where(
            Session.id.in_(sessions),
            Session.revoked_at.is_(None),
            Session.expires_at > database_clock(),
        ),
        select(Session.id, *nobody, Membership.unit_id, no_role)
        .join(Account, owns_it)
        .join(Membership, Membership.member_id == Account.member_id)
        .where(Session.id.in_(sessions), Membership.valid_to.is_(None)),
        select(Session.id, *nobody, Appointment.unit_id, Appointment.role)
        .join(Account, owns_it)
        .join(Appointment, Appointment.member_id == Account.member_id)
        .where(Session.id.in_(sessions), Appointment.valid_to.is_(None)),
    )


_FACTS = _facts()  # built once: to build it takes longer than to run it
