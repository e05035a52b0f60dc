"""Who may follow what: decided once for each subscriber, and again when their access changes."""

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import select

from models.database import Database
from models.meetings.meetings import Meeting
from models.register.units import units_above, units_below
from models.votes.votes import Vote
from realtime.topics import (
    UNITS_CHANNEL,
    channel_of_meeting,
    topic_of_ballots,
    topic_of_vote,
)
from resolvers.access.affiliations import find_accesses, read_accesses
from resolvers.access.logins import Access
from resolvers.access.permit import parse_id
from resolvers.batching import Batcher
from rules.permissions import (
    Act,
    Audience,
    direct_relations,
    may,
    not_found,
    permit,
    tree_relations,
)

MOST_TOGETHER = 256
"""Look-ups of one statement."""

SUBJECTS_KEPT = 20_000
"""Meetings and votes of which it is kept where they belong, which never changes."""


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
    topics_of_unit: Callable[[UUID], Container[str]]
    """Those on UNITS_CHANNEL that concern the unit."""
    _subjects: dict[UUID, _Subject] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._accesses = Batcher(self._find_accesses, MOST_TOGETHER)
        self._meetings = Batcher(self._read_meetings, MOST_TOGETHER)
        self._votes = Batcher(self._read_votes, MOST_TOGETHER)

    async def admit(self, token_hash: bytes) -> Access | None:
        """Who signs in with a token, and where they stand, in one look; None without a good
        session."""
        return await self._accesses.do(token_hash)

    async def readmit(self, accesses: Sequence[Access]) -> dict[UUID, Access]:
        """The same sessions read afresh, by session; those that have ended are missing."""
        return await read_accesses(self.database.look, [one.viewer.session_id for one in accesses])

    async def of_meeting(self, access: Access, meeting_id: str) -> Followed:
        """Everything of a meeting. Raises NOT_FOUND."""
        wanted = parse_id(meeting_id, "meeting")
        subject = await self._find(access, self._meetings, wanted, "meeting")
        return _follow(access, subject, None)

    async def of_vote(self, access: Access, vote_id: str) -> Followed:
        """One vote and its ballots. Raises NOT_FOUND."""
        wanted = parse_id(vote_id, "vote")
        subject = await self._find(access, self._votes, wanted, "vote")
        topics = frozenset({topic_of_vote(wanted), topic_of_ballots(wanted)})
        return _follow(access, subject, topics)

    async def of_unit(self, access: Access, unit_id: str) -> Followed:
        """The meetings of a unit and of all below it. Raises NOT_FOUND, NOT_ALLOWED."""
        wanted = parse_id(unit_id, "unit")
        async with self.database.glance() as connection:
            above = await connection.scalars(select(units_above(wanted).c.unit_id))
            below = await connection.scalars(select(units_below([wanted]).c.unit_id))
            tree = tree_relations(access.place, above.all(), below.all())
        relations = direct_relations(access.place, wanted) | tree
        permit(Act.VIEW_SUBTREE, relations, "unit")
        return Followed(UNITS_CHANNEL, self.topics_of_unit(wanted), Audience(wanted, relations))

    async def finish(self) -> None:
        """Wait until no look-up is under way."""
        for lookups in (self._accesses, self._meetings, self._votes):
            await lookups.finish()

    async def _find(
        self,
        access: Access,
        lookups: "Batcher[UUID, _Subject | None]",
        wanted: UUID,
        what: str,
    ) -> _Subject:
        """What may be followed. Where it may not, it is looked up like what is not there: no
        quicker answer tells that others know it."""
        subject = self._subjects.get(wanted)
        if subject is None or not _may_follow(access, subject):
            subject = await lookups.do(wanted)
        if subject is None or not _may_follow(access, subject):
            raise not_found(what)
        if wanted not in self._subjects:
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

    async def _find_accesses(self, token_hashes: list[bytes]) -> list[Access | None]:
        found = await find_accesses(self.database, token_hashes)
        return [found.get(token_hash) for token_hash in token_hashes]


def _may_follow(access: Access, subject: _Subject) -> bool:
    return may(Act.VIEW_MEETING, direct_relations(access.place, subject.unit_id))


def _follow(access: Access, subject: _Subject, topics: frozenset[str] | None) -> Followed:
    audience = Audience(subject.unit_id, direct_relations(access.place, subject.unit_id))
    return Followed(channel_of_meeting(subject.meeting_id), topics, audience, subject.meeting_id)
