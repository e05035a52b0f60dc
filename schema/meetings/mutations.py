"""The course of a meeting, and who is there."""

from typing import Annotated

import strawberry

from resolvers.meetings import attendance, meetings
from schema.live.extension import Info
from schema.meetings.meeting import Meeting
from schema.refusal import Refused

MeetingResult = Annotated[Meeting | Refused, strawberry.union("MeetingResult")]


@strawberry.type
class MeetingMutations:
    @strawberry.mutation(description="Opens a summoned meeting, and resumes a paused one.")
    async def start_meeting(self, info: Info, meeting_id: strawberry.ID) -> MeetingResult:
        return Meeting(row=await meetings.start_meeting(info.context, meeting_id))

    @strawberry.mutation(description="A break; open votes stay open.")
    async def pause_meeting(self, info: Info, meeting_id: strawberry.ID) -> MeetingResult:
        return Meeting(row=await meetings.pause_meeting(info.context, meeting_id))

    @strawberry.mutation(description="For good; not while a vote is open.")
    async def close_meeting(self, info: Info, meeting_id: strawberry.ID) -> MeetingResult:
        return Meeting(row=await meetings.close_meeting(info.context, meeting_id))

    @strawberry.mutation(description="Makes an agenda item the current one.")
    async def move_agenda(
        self, info: Info, meeting_id: strawberry.ID, item_id: strawberry.ID
    ) -> MeetingResult:
        return Meeting(row=await meetings.move_agenda(info.context, meeting_id, item_id))

    @strawberry.mutation(description="Says that the viewer is present.")
    async def check_in(self, info: Info, meeting_id: strawberry.ID) -> MeetingResult:
        return Meeting(row=await attendance.check_in(info.context, meeting_id))

    @strawberry.mutation(
        description="The chair sees a member in the room, or takes that back. It checks nobody in:"
        " quorum and majorities go by who checked in."
    )
    async def confirm_attendance(
        self,
        info: Info,
        meeting_id: strawberry.ID,
        member_id: strawberry.ID,
        is_present: bool,
    ) -> MeetingResult:
        row = await attendance.confirm_attendance(info.context, meeting_id, member_id, is_present)
        return Meeting(row=row)
