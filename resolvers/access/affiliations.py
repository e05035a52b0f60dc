"""Where signed-in members stand: read in one place, for one of them or for many."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import CompoundSelect, Uuid, cast, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from models.accounts.accounts import Account, Session
from models.base import database_clock
from models.database import Database
from models.driver.hot_statements import Fetch, Statement, among
from models.register.units import Appointment, Member, Membership
from resolvers.access.logins import Access, Viewer
from rules.permissions import Place
from rules.register.members import Role


async def read_accesses(fetch: Fetch, session_ids: Sequence[UUID]) -> dict[UUID, Access]:
    """Who these sessions belong to and where they stand now, by session; those that have ended
    are missing."""
    return _accesses_of(await fetch(_BY_SESSION, {"keys": session_ids}))


async def find_accesses(database: Database, token_hashes: Sequence[bytes]) -> dict[bytes, Access]:
    """The same for sessions of which the hashes of their tokens are known, by these."""
    return _accesses_of(await database.look(_BY_TOKEN, {"keys": token_hashes}))


def _accesses_of(rows: Iterable[Any]) -> dict[Any, Access]:
    viewers: dict[Any, tuple[Viewer, Any]] = {}
    units: dict[Any, set[UUID]] = defaultdict(set)
    roles: dict[Any, dict[UUID, frozenset[Role]]] = defaultdict(dict)
    for row in rows:
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
            among(key, "keys"),
            Session.revoked_at.is_(None),
            Session.expires_at > database_clock(),
        ),
        select(key, *nobody, Membership.unit_id, no_role)
        .join(Account, owns_it)
        .join(Membership, Membership.member_id == Account.member_id)
        .where(among(key, "keys"), Membership.valid_to.is_(None)),
        select(key, *nobody, Appointment.unit_id, Appointment.role)
        .join(Account, owns_it)
        .join(Appointment, Appointment.member_id == Account.member_id)
        .where(among(key, "keys"), Appointment.valid_to.is_(None)),
    )


# Built once: to build one takes longer than to run it.
_BY_SESSION = Statement(_facts(Session.id))
_BY_TOKEN = Statement(_facts(Session.token_hash))
