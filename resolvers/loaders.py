"""Dataloaders: what a selection needs is one statement each, however many fields ask for it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from models.base import Base
from models.database import ReadSession
from models.driver.hot_statements import Statement, among, columns_of, entity_of
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.register.units import Appointment, Member, Membership, Unit, UnitParent, units_below
from models.votes.ballot_box import CastBallot
from models.votes.counting import RecordedBallot, Turnout, count_votes_and_turnout, list_ballots
from models.votes.voters import find_casts, list_castable
from models.votes.votes import AuditRow, CountedHand, Recusal, RollEntry, Vote, VoteOption
from rules.meetings.meetings import MeetingState, VoteState
from rules.register.members import MembershipKind
from rules.votes.ballots import Tallies
from rules.votes.roll import RollNotes, read_notes

Entity = TypeVar("Entity", bound=Base)
Reading = Callable[[], AbstractAsyncContextManager[ReadSession]]
MemberOfVote = tuple[UUID, UUID]


class VoteInUnit(NamedTuple):
    vote: Vote
    unit_id: UUID


# Built once: building a statement takes longer than running it.
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_MEETINGS = Statement(select(*columns_of(Meeting)).where(among(Meeting.id, "keys")))
_VOTES_IN_UNITS = Statement(
    select(*columns_of(Vote), Meeting.unit_id)
    .join(Meeting, Meeting.id == Vote.meeting_id)
    .where(among(Vote.id, "keys"))
)


def _count_annulled_rounds() -> Select[UUID, int]:
    earlier = (
        select(Vote.id.label("root_id"), Vote.repeat_of.label("vote_id"))
        .where(Vote.id.in_(_KEYS), Vote.repeat_of.is_not(None))
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


class Loaders:
    """One set for each snapshot; `reading` gives the snapshot's session.

    `member`, `unit` and `meeting` are for ids out of the database's own rows, which its foreign
    keys vouch for. Other loaders of single values give None where there is none, lists are empty.
    """

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def let_go(self) -> None:
        """Forget what was loaded. Each loader refers to this object and this one to its loaders,
        and such circles stay until the garbage collector stops everything to find them."""
        reading = self._reading
        vars(self).clear()
        self._reading = reading

    def _one(
        self, entity: type[Entity], key: InstrumentedAttribute[UUID]
    ) -> DataLoader[UUID, Entity]:
        async def load(keys: list[UUID]) -> list[Entity]:
            async with self._reading() as session:
                rows = await session.scalars(select(entity).where(key.in_(keys)))
                found = {getattr(row, key.key): row for row in rows}
            return [found[wanted] for wanted in keys]

        return DataLoader(load)

    def _many(
        self,
        entity: type[Entity],
        key: InstrumentedAttribute[UUID],
        order: InstrumentedAttribute[Any],
        *only: ColumnElement[bool],
    ) -> DataLoader[UUID, list[Entity]]:
        statement = _list_of(entity, key, order, *only)

        async def load(keys: list[UUID]) -> list[list[Entity]]:
            async with self._reading() as session:
                rows = await session.scalars(statement, {"keys": keys})
                found: dict[UUID, list[Entity]] = defaultdict(list)
                for row in rows:
                    found[getattr(row, key.key)].append(row)
            return [found[wanted] for wanted in keys]

        return DataLoader(load)

    @cached_property
    def member(self) -> DataLoader[UUID, Member]:
        return self._one(Member, Member.id)

    @cached_property
    def unit(self) -> DataLoader[UUID, Unit]:
        return self._one(Unit, Unit.id)

    @cached_property
    def meeting(self) -> DataLoader[UUID, Meeting]:
        return self._one(Meeting, Meeting.id)

    @cached_property
    def meeting_if_any(self) -> DataLoader[UUID, Meeting | None]:
        """By an id from outside."""

        async def load(keys: list[UUID]) -> list[Meeting | None]:
            async with self._reading() as session:
                rows = await session.fetch(_MEETINGS, {"keys": keys})
            found = {row.id: entity_of(Meeting, row._asdict()) for row in rows}
            for meeting in found.values():
                self.unit_of_meeting.prime(meeting.id, meeting.unit_id)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def unit_of_meeting(self) -> DataLoader[UUID, UUID]:
        """The unit that meets."""

        async def load(keys: list[UUID]) -> list[UUID]:
            statement = select(Meeting.id, Meeting.unit_id).where(Meeting.id.in_(keys))
            async with self._reading() as session:
                found = {row.id: row.unit_id for row in await session.execute(statement)}
            return [found[wanted] for wanted in keys]

        return DataLoader(load)

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
            for vote, unit_id in found.values():
                self.unit_of_meeting.prime(vote.meeting_id, unit_id)
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def agenda(self) -> DataLoader[UUID, list[AgendaItem]]:
        """By meeting, in order."""
        return self._many(AgendaItem, AgendaItem.meeting_id, AgendaItem.position)

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
    def attendance(self) -> DataLoader[UUID, list[Attendance]]:
        """By meeting."""
        return self._many(Attendance, Attendance.meeting_id, Attendance.member_id)

    @cached_property
    def appointments(self) -> DataLoader[UUID, list[Appointment]]:
        """Today's, by member."""
        return self._many(
            Appointment, Appointment.member_id, Appointment.id, Appointment.valid_to.is_(None)
        )

    @cached_property
    def regular_unit(self) -> DataLoader[UUID, Unit | None]:
        """Where a member regularly belongs today, by member."""

        async def load(keys: list[UUID]) -> list[Unit | None]:
            statement = (
                select(Membership.member_id, Unit)
                .join(Unit, Unit.id == Membership.unit_id)
                .where(
                    Membership.member_id.in_(keys),
                    Membership.kind == MembershipKind.REGULAR,
                    Membership.valid_to.is_(None),
                )
            )
            async with self._reading() as session:
                found = {row[0]: row[1] for row in await session.execute(statement)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def parent(self) -> DataLoader[UUID, Unit | None]:
        """Today's parent, by unit."""

        async def load(keys: list[UUID]) -> list[Unit | None]:
            statement = (
                select(UnitParent.unit_id, Unit)
                .join(Unit, Unit.id == UnitParent.parent_id)
                .where(UnitParent.unit_id.in_(keys), UnitParent.valid_to.is_(None))
            )
            async with self._reading() as session:
                found = {row[0]: row[1] for row in await session.execute(statement)}
            return [found.get(key) for key in keys]

        return DataLoader(load)

    @cached_property
    def children(self) -> DataLoader[UUID, list[Unit]]:
        """Today's children by unit; shorter names first, so that 9 comes before 10."""

        async def load(keys: list[UUID]) -> list[list[Unit]]:
            statement = (
                select(UnitParent.parent_id, Unit)
                .join(Unit, Unit.id == UnitParent.unit_id)
                .where(UnitParent.parent_id.in_(keys), UnitParent.valid_to.is_(None))
                .order_by(func.length(Unit.name), Unit.name)
            )
            found: dict[UUID, list[Unit]] = defaultdict(list)
            async with self._reading() as session:
                for parent_id, unit in await session.execute(statement):
                    found[parent_id].append(unit)
            return [found[key] for key in keys]

        return DataLoader(load)

    @cached_property
    def member_count(self) -> DataLoader[UUID, int]:
        """Members who regularly belong to a unit or below it."""

        async def load(keys: list[UUID]) -> list[int]:
            below = units_below(keys)
            statement = (
                select(below.c.root_id, func.count(Membership.id))
                .join(Membership, Membership.unit_id == below.c.unit_id)
                .where(
                    Membership.kind == MembershipKind.REGULAR,
                    Membership.valid_to.is_(None),
                )
                .group_by(below.c.root_id)
            )
            return await self._counted(statement, keys)

        return DataLoader(load)

    @cached_property
    def meetings_in_session(self) -> DataLoader[UUID, int]:
        """Meetings in session in a unit or below it."""

        async def load(keys: list[UUID]) -> list[int]:
            below = units_below(keys)
            statement = (
                select(below.c.root_id, func.count(Meeting.id))
                .join(Meeting, Meeting.unit_id == below.c.unit_id)
                .where(Meeting.state == MeetingState.IN_SESSION)
                .group_by(below.c.root_id)
            )
            return await self._counted(statement, keys)

        return DataLoader(load)

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

    async def _counted(self, statement: Select[UUID, int], keys: Sequence[UUID]) -> list[int]:
        async with self._reading() as session:
            rows = await session.execute(statement, {"keys": keys})
            found = {row[0]: row[1] for row in rows}
        return [found.get(key, 0) for key in keys]


def _list_of(
    entity: type[Entity],
    key: InstrumentedAttribute[UUID],
    order: InstrumentedAttribute[Any],
    *only: ColumnElement[bool],
) -> Select[Entity]:
    """The statement of a list, built once for each."""
    name = f"{key}, {order}"
    if name not in _LISTS:
        _LISTS[name] = select(entity).where(key.in_(_KEYS), *only).order_by(order)
    statement: Select[Entity] = _LISTS[name]
    return statement


_LISTS: dict[str, Select[Any]] = {}
