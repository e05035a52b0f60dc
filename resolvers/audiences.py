"""Who may follow what: decided once for each subscriber, and again when their access changes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from models.accounts import Session
from models.base import database_clock
from models.database import Database
from models.meetings import Meeting
from models.units import Appointment, Member, Membership
from models.votes import Vote
from realtime.events import (
    channel_of_meeting,
    topic_of_ballots,
    topic_of_vote,
)
from resolvers.access import not_found, parse_id
from resolvers.batches import Batcher
from resolvers.sessions import Viewer
from rules.members import Role
from rules.permissions import Act, Audience, Place, direct_relations, permit

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
    topics: frozenset[str] | None
    audience: Audience
    meeting_id: UUID


@dataclass(frozen=True)
class _Subject:
    meeting_id: UUID
    unit_id: UUID


@dataclass
class Audiences:
    """One for each process: members who come together are looked up together."""

    database: Database
    _subjects: dict[UUID, _Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._admissions = Batcher(self._admit, MOST_TOGETHER)
        self._meetings = Batcher(self._read_meetings, MOST_TOGETHER)
        self._votes = Batcher(self._read_votes, MOST_TOGETHER)

    async def admit(self, viewer: Viewer) -> Access | None:
        """Where a viewer stands now; None when the session has ended since it was read."""
        return await self._admissions.do(viewer)

    async def readmit(self, accesses: Sequence[Access]) -> dict[UUID, Access]:
        """The same sessions read afresh, by session; those that have ended are missing."""
        return await self._read_accesses([access.viewer for access in accesses])

    async def _admit(self, viewers: list[Viewer]) -> list[Access | None]:
        found = await self._read_accesses(viewers)
        return [found.get(viewer.session_id) for viewer in viewers]

    async def _read_accesses(self, known: Sequence[Viewer]) -> dict[UUID, Access]:
        sessions = {viewer.session_id: viewer for viewer in known}
        statement = select(Session.id, Session.expires_at).where(
            Session.id.in_(sessions),
            Session.revoked_at.is_(None),
            Session.expires_at > database_clock(),
        )
        async with self.database.glance() as connection:
            rows = (await connection.execute(statement)).all()
        viewers = [Viewer(sessions[row.id].member_id, row.id, row.expires_at) for row in rows]
        async with self.database.glance() as connection:
            places = await read_places(connection, [viewer.member_id for viewer in viewers])
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

    async def finish(self) -> None:
        """Wait until no look-up is under way."""
        for lookups in (self._admissions, self._meetings, self._votes):
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


async def read_places(connection: AsyncConnection, member_ids: Collection[UUID]) -> list[Place]:
    """Where members stand today, in the order of their ids, which must be ids of members."""
    wanted = set(member_ids)
    standings = {
        row.id: row.standing
        for row in await connection.execute(
            select(Member.id, Member.standing).where(Member.id.in_(wanted))
        )
    }
    units: dict[UUID, set[UUID]] = {member_id: set() for member_id in wanted}
    for row in await connection.execute(
        select(Membership.member_id, Membership.unit_id).where(
            Membership.member_id.in_(wanted), Membership.valid_to.is_(None)
        )
    ):
        units[row.member_id].add(row.unit_id)
    roles: dict[UUID, dict[UUID, frozenset[Role]]] = {member_id: {} for member_id in wanted}
    for member_id, unit_id, role in await connection.execute(
        select(Appointment.member_id, Appointment.unit_id, Appointment.role).where(
            Appointment.member_id.in_(wanted), Appointment.valid_to.is_(None)
        )
    ):
        of_member = roles[member_id]
        of_member[unit_id] = of_member.get(unit_id, frozenset()) | {role}
    return [
        Place(member_id, standings[member_id], frozenset(units[member_id]), roles[member_id])
        for member_id in member_ids
    ]


def _follow(access: Access, subject: _Subject, topics: frozenset[str] | None) -> Followed:
    relations = direct_relations(access.place, subject.unit_id)
    permit(Act.VIEW_MEETING, relations)
    audience = Audience(subject.unit_id, relations)
    return Followed(channel_of_meeting(subject.meeting_id), topics, audience, subject.meeting_id)
