"""What many fields ask of votes."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import Select, func, select

from models.driver.hot_statements import Statement, among, columns_of, entity_of
from models.meetings.meetings import Meeting
from models.votes.ballot_box import CastBallot
from models.votes.counting import RecordedBallot, Turnout, count_votes_and_turnout, list_ballots
from models.votes.voters import find_casts, list_castable
from models.votes.votes import AuditRow, CountedHand, Recusal, RollEntry, Vote, VoteOption
from resolvers.loading import KEYS, Loaders
from resolvers.meetings.loaders import MeetingLoaders
from rules.meetings.meetings import VoteState
from rules.votes.ballots import Tallies
from rules.votes.roll import RollNotes, read_notes

MemberOfVote = tuple[UUID, UUID]


class VoteInUnit(NamedTuple):
    vote: Vote
    unit_id: UUID


# Built once: building a statement takes longer than running it.
_VOTES_IN_UNITS = Statement(
    select(*columns_of(Vote), Meeting.unit_id)
    .join(Meeting, Meeting.id == Vote.meeting_id)
    .where(among(Vote.id, "keys"))
)


def _count_annulled_rounds() -> Select[UUID, int]:
    earlier = (
        select(Vote.id.label("root_id"), Vote.repeat_of.label("vote_id"))
        .where(Vote.id.in_(KEYS), Vote.repeat_of.is_not(None))
        .cte("earlier", recursive=True)
    )
    earlier = earlier.union_all(
        select(earlier.c.root_id, Vote.repeat_of).where(
            Vote.id == earlier.c.vote_id, Vote.repeat_of.is_not(None)
        )
    )
    return (
        select(earlier.c.root_id, func.count())
        .join(Vote, Vote.id == earlier.c.vote_id)
        .where(Vote.state == VoteState.ANNULLED)
        .group_by(earlier.c.root_id)
    )


_ANNULLED_ROUNDS = _count_annulled_rounds()


class VoteLoaders(Loaders):
    """Loaders of single values give None where there is none, lists are empty."""

    @cached_property
    def vote_if_any(self) -> DataLoader[UUID, VoteInUnit | None]:
        """By an id from outside, with the unit whose meeting it belongs to."""

        async def load(keys: list[UUID]) -> list[VoteInUnit | None]:
            async with self._reading() as session:
                rows = await session.fetch(_VOTES_IN_UNITS, {"keys": keys})
            found = {}
            for row in rows:
                values = row._asdict()
                unit_id = values.pop("unit_id")
                found[row.id] = VoteInUnit(entity_of(Vote, values), unit_id)
            unit_of_meeting = self._snapshot.loaders(MeetingLoaders).unit_of_meeting
            for vote, unit_id in found.values():
                unit_of_meeting.prime(vote.meeting_id, unit_id)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def votes_of_meeting(self) -> DataLoader[UUID, list[Vote]]:
        return self._many(Vote, Vote.meeting_id, Vote.position)

    @cached_property
    def votes_of_item(self) -> DataLoader[UUID, list[Vote]]:
        return self._many(Vote, Vote.item_id, Vote.position)

    @cached_property
    def options(self) -> DataLoader[UUID, list[VoteOption]]:
        """By vote, in order."""
        return self._many(VoteOption, VoteOption.vote_id, VoteOption.position)

    @cached_property
    def tallies(self) -> DataLoader[UUID, tuple[Tallies, Turnout]]:
        """By vote, recounted from ballots, papers and hands."""

        async def load(keys: list[UUID]) -> list[tuple[Tallies, Turnout]]:
            async with self._reading() as session:
                found = await count_votes_and_turnout(session, keys)
            return [found[key] for key in keys]

        return DataLoader(load)

    @cached_property
    def roll(self) -> DataLoader[UUID, list[RollEntry]]:
        """Everyone on the roll, by vote."""
        return self._many(RollEntry, RollEntry.vote_id, RollEntry.member_id)

    @cached_property
    def hands(self) -> DataLoader[UUID, list[CountedHand]]:
        """The hands that count, by vote."""
        return self._many(CountedHand, CountedHand.vote_id, CountedHand.member_id)

    @cached_property
    def audit(self) -> DataLoader[UUID, list[AuditRow]]:
        """The audit chain, by vote."""
        return self._many(AuditRow, AuditRow.vote_id, AuditRow.sequence)

    @cached_property
    def roll_notes(self) -> DataLoader[UUID, RollNotes]:
        """What the audit chain tells of members on the roll, by vote."""

        async def load(keys: list[UUID]) -> list[RollNotes]:
            chains = await self.audit.load_many(keys)
            return [read_notes((link.kind, link.payload) for link in links) for links in chains]

        return DataLoader(load)

    @cached_property
    def record(self) -> DataLoader[UUID, list[RecordedBallot]]:
        """The ballots that count in a vote that is OPEN, with their names, by vote."""

        async def load(keys: list[UUID]) -> list[list[RecordedBallot]]:
            async with self._reading() as session:
                found = await list_ballots(session, keys)
            return [found[key] for key in keys]

        return DataLoader(load)

    @cached_property
    def repetition(self) -> DataLoader[UUID, UUID | None]:
        """The vote that repeats a vote, by the repeated one."""

        async def load(keys: list[UUID]) -> list[UUID | None]:
            statement = select(Vote.repeat_of, Vote.id).where(Vote.repeat_of.in_(keys))
            async with self._reading() as session:
                found = {row.repeat_of: row.id for row in await session.execute(statement)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def annulled_rounds(self) -> DataLoader[UUID, int]:
        """How many annulled votes a vote repeats, directly or through others."""

        async def load(keys: list[UUID]) -> list[int]:
            return await self._counted(_ANNULLED_ROUNDS, keys)

        return DataLoader(load)

    @cached_property
    def recused(self) -> DataLoader[UUID, list[Recusal]]:
        """Who takes no part in a vote, by vote."""
        return self._many(Recusal, Recusal.vote_id, Recusal.member_id)

    @cached_property
    def cast(self) -> DataLoader[MemberOfVote, CastBallot | None]:
        """A member's cast that counts, by (vote, member)."""

        async def load(keys: list[MemberOfVote]) -> list[CastBallot | None]:
            votes, members = {vote_id for vote_id, _ in keys}, {member_id for _, member_id in keys}
            async with self._reading() as session:
                found = await find_casts(session, votes, members)
            return [found[key][-1] if key in found else None for key in keys]

        return DataLoader(load)

    @cached_property
    def may_cast(self) -> DataLoader[MemberOfVote, bool]:
        """Whether the box would take a ballot of the member now, by (vote, member)."""

        async def load(keys: list[MemberOfVote]) -> list[bool]:
            votes, members = {vote_id for vote_id, _ in keys}, {member_id for _, member_id in keys}
            async with self._reading() as session:
                found = await list_castable(session, votes, members)
            return [key in found for key in keys]

        return DataLoader(load)
