"""What many fields ask of meetings."""

from __future__ import annotations

from functools import cached_property
from uuid import UUID

from aiodataloader import DataLoader
from sqlalchemy import func, select

from models.driver.hot_statements import Statement, among, columns_of, entity_of
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.register.units import units_below
from resolvers.loading import Loaders
from rules.meetings.meetings import MeetingState

# Built once: building a statement takes longer than running it.
_MEETINGS = Statement(select(*columns_of(Meeting)).where(among(Meeting.id, "keys")))


class MeetingLoaders(Loaders):
    """`meeting` and `unit_of_meeting` are for ids out of the database's own rows, which its foreign
    keys vouch for."""

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
    def agenda(self) -> DataLoader[UUID, list[AgendaItem]]:
        """By meeting, in order."""
        return self._many(AgendaItem, AgendaItem.meeting_id, AgendaItem.position)

    @cached_property
    def attendance(self) -> DataLoader[UUID, list[Attendance]]:
        """By meeting."""
        return self._many(Attendance, Attendance.meeting_id, Attendance.member_id)

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
