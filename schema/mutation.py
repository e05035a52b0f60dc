"""What can be done. Each field unpacks, calls one resolver, wraps; a refusal becomes `Refused`."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers import accounts, meetings, votes
from schema.meeting import Meeting
from schema.member import Viewer
from schema.operation import Info
from schema.refusal import Refused
from schema.vote import Receipt, Vote


@strawberry.type(description="A new session.")
class SignedIn:
    token: str = strawberry.field(
        description="Opaque and told once: send it as `Authorization: Bearer`, and as"
        ' `{"token": …}` in `connection_init`.'
    )
    expires_at: datetime
    viewer: Viewer


SignInResult = Annotated[SignedIn | Refused, strawberry.union("SignInResult")]
MeetingResult = Annotated[Meeting | Refused, strawberry.union("MeetingResult")]
VoteResult = Annotated[Vote | Refused, strawberry.union("VoteResult")]
CastBallotResult = Annotated[Receipt | Refused, strawberry.union("CastBallotResult")]


@strawberry.type
class Mutation:
    @strawberry.mutation(description="Uses an activation code, once.")
    async def sign_in(self, info: Info, code: str) -> SignInResult:
        value = await accounts.sign_in(info.context, code)
        viewer = Viewer(value=info.context.signed_in())
        return SignedIn(token=value.token, expires_at=value.expires_at, viewer=viewer)

    @strawberry.mutation(description="Ends the viewer's session.")
    async def sign_out(self, info: Info) -> bool:
        await accounts.sign_out(info.context)
        return True

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
        return Meeting(row=await meetings.check_in(info.context, meeting_id))

    @strawberry.mutation(description="Freezes the electoral roll and opens a prepared vote.")
    async def open_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await votes.open_vote(info.context, vote_id))

    @strawberry.mutation(
        description="Casts the viewer's ballot, once. Send the same `key` again when the answer"
        " was lost: the same receipt comes back, also after closing."
    )
    async def cast_ballot(
        self,
        info: Info,
        vote_id: strawberry.ID,
        choices: list[strawberry.ID],
        key: strawberry.ID,
    ) -> CastBallotResult:
        return Receipt(ballot=await votes.cast_ballot(info.context, vote_id, choices, key))

    @strawberry.mutation(description="Closes the vote, counts its ballots and decides.")
    async def close_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await votes.close_vote(info.context, vote_id))
