"""Who may follow what: decided once for each subscriber, and again when their access changes."""

from collections import defaultdict
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    CompoundSelect,
    Uuid,
    bindparam,
    null,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from models.accounts import Session
from models.base import database_clock
from models.database import Database
from models.meetings import Meeting
from models.units import Appointment, Member, Membership, Unit, units_above
from models.votes import Vote
from realtime.events import (
    UNITS_CHANNEL,
    channel_of_meeting,
    topic_of_ballots,
    topic_of_vote,
)
from resolvers.access import not_found, parse_id
from resolvers.batches import Batcher, few_sizes
from resolvers.sessions import Viewer
from resolvers.units_live import UnitsLive
from rules.members import Role, Standing
from rules.permissions import Act, Audience, Place, direct_relations, permit, tree_relations

MOST_TOGETHER = 256
"""Look-ups of one statement."""

SUBJECTS_KEPT = 20_000
"""Meetings and votes of which it is kept where they belong, which never changes."""


@dataclass(frozen=True)
class Access:
    """A signed-in member, and where they stood when it was read."""

    viewer: Viewer
    place: Place


@dataclass(frozen=True)
class Followed:
    """What a subscription follows: some topics of a channel, or all of it, and who looks."""

    channel: str
    topics: Container[str] | None
    audience: Audience
    meeting_id: UUID | None = None
    """The meeting that they are then connected to."""


@dataclass(frozen=True)
class _Subject:
    meeting_id: UUID
    unit_id: UUID


@dataclass
class Audiences:
    """One for each process: members who come together are looked up together."""

    database: Database
    units: UnitsLive
    _subjects: dict[UUID, _Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._places = Batcher(self._read_places, MOST_TOGETHER)
        self._meetings = Batcher(self._read_meetings, MOST_TOGETHER)
        self._votes = Batcher(self._read_votes, MOST_TOGETHER)

    async def admit(self, viewer: Viewer) -> Access:
        """Where a viewer who has just signed in stands."""
        return Access(viewer, await self._places.do(viewer.member_id))

    async def readmit(self, accesses: Sequence[Access]) -> dict[UUID, Access]:
        """The same sessions read afresh, by session; those that have ended are missing."""
        sessions = {access.viewer.session_id: access.viewer for access in accesses}
        parameters = {"sessions": few_sizes(list(sessions))}
        async with self.database.glance() as connection:
            rows = (await connection.execute(_GOOD_SESSIONS, parameters)).all()
        viewers = [Viewer(sessions[row.id].member_id, row.id, row.expires_at) for row in rows]
        places = await self._read_places([viewer.member_id for viewer in viewers])
        return {
            viewer.session_id: Access(viewer, place)
            for viewer, place in zip(viewers, places, strict=True)
        }

    async def of_meeting(self, access: Access, meeting_id: str) -> Followed:
        """Everything of a meeting. Raises NOT_FOUND, NOT_ALLOWED."""
        subject = await self._find(self._meetings, parse_id(meeting_id, "meeting"), "meeting")
        return _follow(access, subject, None)

    async def of_vote(self, access: Access, vote_id: str) -> Followed:
        """One vote and its ballots. Raises NOT_FOUND, NOT_ALLOWED."""
        wanted = parse_id(vote_id, "vote")
        subject = await self._find(self._votes, wanted, "vote")
        return _follow(
            access, subject, frozenset({topic_of_vote(wanted), topic_of_ballots(wanted)})
        )

    async def of_unit(self, access: Access, unit_id: str) -> Followed:
        """The meetings of a unit and of all below it. Raises NOT_FOUND, NOT_ALLOWED."""
        wanted = parse_id(unit_id, "unit")
        async with self.database.glance() as connection:
            if await connection.scalar(select(Unit.id).where(Unit.id == wanted)) is None:
                raise not_found("unit")
            above = await connection.scalars(select(units_above(wanted).c.unit_id))
            relations = direct_relations(access.place, wanted) | tree_relations(
                access.place, above.all(), ()
            )
        permit(Act.VIEW_SUBTREE, relations)
        return Followed(UNITS_CHANNEL, self.units.topics_of(wanted), Audience(wanted, relations))

    async def finish(self) -> None:
        """Wait until no look-up is under way."""
        for lookups in (self._places, self._meetings, self._votes):
            await lookups.finish()

    async def _find(
        self, lookups: "Batcher[UUID, _Subject | None]", wanted: UUID, what: str
    ) -> _Subject:
        subject = self._subjects.get(wanted) or await lookups.do(wanted)
        if subject is None:
            raise not_found(what)
        if len(self._subjects) >= SUBJECTS_KEPT:
            self._subjects.pop(next(iter(self._subjects)))
        self._subjects[wanted] = subject
        return subject

    async def _read_meetings(self, meeting_ids: list[UUID]) -> list[_Subject | None]:
        statement = select(Meeting.id, Meeting.unit_id).where(Meeting.id.in_(meeting_ids))
        async with self.database.glance() as connection:
            rows = await connection.execute(statement)
            found = {row.id: _Subject(row.id, row.unit_id) for row in rows}
        return [found.get(wanted) for wanted in meeting_ids]

    async def _read_votes(self, vote_ids: list[UUID]) -> list[_Subject | None]:
        statement = (
            select(Vote.id, Vote.meeting_id, Meeting.unit_id)
            .join(Meeting, Meeting.id == Vote.meeting_id)
            .where(Vote.id.in_(vote_ids))
        )
        async with self.database.glance() as connection:
            rows = await connection.execute(statement)
            found = {row.id: _Subject(row.meeting_id, row.unit_id) for row in rows}
        return [found.get(wanted) for wanted in vote_ids]

    async def _read_places(self, member_ids: Sequence[UUID]) -> list[Place]:
        async with self.database.glance() as connection:
            return await read_places(connection, member_ids)


def _places() -> CompoundSelect[UUID, UUID, Any, Any]:
    """Standing, units and roles of members in one statement, a row for each fact."""
    members: BindParameter[Any] = bindparam("members", expanding=True)
    role, standing = Appointment.__table__.c.role.type, Member.__table__.c.standing.type
    no_unit, no_role = type_coerce(null(), Uuid()), type_coerce(null(), role)
    no_standing = type_coerce(null(), standing)
    return union_all(
        select(
            Member.id.label("member_id"),
            no_unit.label("unit_id"),
            no_role.label("role"),
            Member.standing.label("standing"),
        ).where(Member.id.in_(members)),
        select(Membership.member_id, Membership.unit_id, no_role, no_standing).where(
            Membership.member_id.in_(members), Membership.valid_to.is_(None)
        ),
        select(Appointment.member_id, Appointment.unit_id, Appointment.role, no_standing).where(
            Appointment.member_id.in_(members), Appointment.valid_to.is_(None)
        ),
    )


# Built once: building a statement takes longer than running it.
_PLACES = _places()
_GOOD_SESSIONS = select(Session.id, Session.expires_at).where(
    Session.id.in_(bindparam("sessions", expanding=True)),
    Session.revoked_at.is_(None),
    Session.expires_at > database_clock(),
)


async def read_places(connection: AsyncConnection, member_ids: Sequence[UUID]) -> list[Place]:
    """Where members stand today, in the order of their ids, which must be ids of members."""
    if not member_ids:
        return []
    standings: dict[UUID, Standing] = {}
    units: dict[UUID, set[UUID]] = defaultdict(set)
    roles: dict[UUID, dict[UUID, frozenset[Role]]] = defaultdict(dict)
    parameters = {"members": few_sizes(member_ids)}
    for member_id, unit_id, role, standing in await connection.execute(_PLACES, parameters):
        if standing is not None:
            standings[member_id] = standing
        elif role is not None:
            of_member = roles[member_id]
            of_member[unit_id] = of_member.get(unit_id, frozenset()) | {role}
        else:
            units[member_id].add(unit_id)
    return [
        Place(one, standings[one], frozenset(units.get(one, ())), roles.get(one, {}))
        for one in member_ids
    ]


def _follow(access: Access, subject: _Subject, topics: frozenset[str] | None) -> Followed:
    relations = direct_relations(access.place, subject.unit_id)
    permit(Act.VIEW_MEETING, relations)
    audience = Audience(subject.unit_id, relations)
    return Followed(channel_of_meeting(subject.meeting_id), topics, audience, subject.meeting_id)
