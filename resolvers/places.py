"""Where signed-in members stand: read in one place, for one of them or for many."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import BindParameter, CompoundSelect, Uuid, bindparam, cast, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from models.accounts import Account, Session
from models.base import database_clock
from models.units import Appointment, Member, Membership
from resolvers.batches import few_sizes
from resolvers.sessions import Access, Viewer
from rules.members import Role
from rules.permissions import Place

Key = TypeVar("Key", UUID, bytes)


async def read_accesses(
    session: AsyncSession | AsyncConnection, session_ids: Sequence[UUID]
) -> dict[UUID, Access]:
    """Who these sessions belong to and where they stand now, by session; those that have ended
    are missing."""
    return await _read(session, _BY_SESSION, session_ids)


async def find_accesses(
    session: AsyncSession | AsyncConnection, token_hashes: Sequence[bytes]
) -> dict[bytes, Access]:
    """The same for sessions of which the hashes of their tokens are known, by these."""
    return await _read(session, _BY_TOKEN, token_hashes)


async def _read(
    session: AsyncSession | AsyncConnection,
    facts: CompoundSelect[*tuple[Any, ...]],
    keys: Sequence[Key],
) -> dict[Key, Access]:
    viewers: dict[Key, tuple[Viewer, Any]] = {}
    units: dict[Key, set[UUID]] = defaultdict(set)
    roles: dict[Key, dict[UUID, frozenset[Role]]] = defaultdict(dict)
    for row in await session.execute(facts, {"keys": few_sizes(keys)}):
        key, member_id, session_id, expires_at, standing, unit_id, role = row
        if unit_id is None:
            viewers[key] = Viewer(member_id, session_id, expires_at), standing
        elif role is None:
            units[key].add(unit_id)
        else:
            known = roles[key]
            known[unit_id] = known.get(unit_id, frozenset()) | {role}
    return {
        key: Access(viewer, Place(viewer.member_id, standing, frozenset(units[key]), roles[key]))
        for key, (viewer, standing) in viewers.items()
    }


def _facts(key: InstrumentedAttribute[Any]) -> CompoundSelect[*tuple[Any, ...]]:
    """One row for each good session, one for each membership, and one for each role."""
    keys: BindParameter[Any] = bindparam("keys", expanding=True)
    no_unit, no_role = cast(None, Uuid()), cast(None, Appointment.role.type)
    nobody = (
        cast(None, Uuid()),
        cast(None, Uuid()),
        cast(None, Session.expires_at.type),
        cast(None, Member.standing.type),
    )
    owns_it = Account.id == Session.account_id
    return union_all(
        select(key, Member.id, Session.id, Session.expires_at, Member.standing, no_unit, no_role)
        .join(Account, owns_it)
        .join(Member, Member.id == Account.member_id)
        .where(
            key.in_(keys),
            Session.revoked_at.is_(None),
            Session.expires_at > database_clock(),
        ),
        select(key, *nobody, Membership.unit_id, no_role)
        .join(Account, owns_it)
        .join(Membership, Membership.member_id == Account.member_id)
        .where(key.in_(keys), Membership.valid_to.is_(None)),
        select(key, *nobody, Appointment.unit_id, Appointment.role)
        .join(Account, owns_it)
        .join(Appointment, Appointment.member_id == Account.member_id)
        .where(key.in_(keys), Appointment.valid_to.is_(None)),
    )


# Built once: to build one takes longer than to run it.
_BY_SESSION = _facts(Session.id)
_BY_TOKEN = _facts(Session.token_hash)
