"""What can be done. Each field unpacks, calls one resolver, wraps; a refusal becomes `Refused`."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from resolvers.accounts import own_sessions
from resolvers.accounts import sign_in as accounts
from resolvers.meetings import meetings
from resolvers.register import members
from resolvers.votes import annul as annulling
from resolvers.votes import ballots, ties, votes
from resolvers.votes import hands as raised_hands
from resolvers.votes import late_changes as amending
from resolvers.votes import prepare as preparing
from rules.votes.presets import Matter
from schema.accounts.session import EndedSessions
from schema.live.extension import Info
from schema.meetings.meeting import Meeting
from schema.refusal import Refused
from schema.register.member import Member, Viewer
from schema.votes.annulment import Annulment
from schema.votes.ballot import Receipt
from schema.votes.vote import Vote


@strawberry.type(description="A new session.")
class SignedIn:
    token: str = strawberry.field(
        description="Opaque and told once: send it as `Authorization: Bearer`, and as"
        ' `{"token": …}` in `connection_init`.'
    )
    expires_at: datetime
    viewer: Viewer


@strawberry.input(description="A vote as its chair writes it down.")
class VoteDraft:
    item_id: strawberry.ID
    matter: Matter
    question: str
    answers: list[str] = strawberry.field(
        default_factory=list,
        description="Candidates, answers or, from the heaviest, measures; a motion has none.",
    )
    seats: int | None = None
    seconds: int | None = strawberry.field(
        default=None, description="How long the vote stays open; null: as the rule says."
    )
    recused: list[strawberry.ID] = strawberry.field(
        default_factory=list, description="Members whom the matter concerns: they cast no ballot."
    )

    def value(self) -> preparing.Draft:
        return preparing.Draft(**vars(self))


@strawberry.input(description="Hands raised for one option.")
class HandsInput:
    option_id: strawberry.ID
    count: int
    member_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Whose. May be left out where all the hands of a recording are for one option.",
    )

    def value(self) -> raised_hands.HandsRaised:
        return raised_hands.HandsRaised(**vars(self))


EndSessionsResult = Annotated[EndedSessions | Refused, strawberry.union("EndSessionsResult")]
SignInResult = Annotated[SignedIn | Refused, strawberry.union("SignInResult")]
MemberResult = Annotated[Member | Refused, strawberry.union("MemberResult")]
MeetingResult = Annotated[Meeting | Refused, strawberry.union("MeetingResult")]
VoteResult = Annotated[Vote | Refused, strawberry.union("VoteResult")]
AnnulmentResult = Annotated[Annulment | Refused, strawberry.union("AnnulmentResult")]
CastBallotResult = Annotated[Receipt | Refused, strawberry.union("CastBallotResult")]


def ended_sessions(ids: list[UUID]) -> EndedSessions:
    return EndedSessions(ids=[strawberry.ID(str(one)) for one in ids])


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

    @strawberry.mutation(
        description="Ends one of the viewer's sessions; its sockets are closed at once."
    )
    async def end_session(self, info: Info, session_id: strawberry.ID) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_session(info.context, session_id))

    @strawberry.mutation(description="Ends all of the viewer's sessions but the one that asks.")
    async def end_other_sessions(self, info: Info) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_other_sessions(info.context))

    @strawberry.mutation(description="Ends all of the viewer's sessions: signs out everywhere.")
    async def end_all_sessions(self, info: Info) -> EndSessionsResult:
        return ended_sessions(await own_sessions.end_all_sessions(info.context))

    @strawberry.mutation(
        description="Gives the viewer's session its full lifetime from now, within a maximum since"
        " signing in; sockets of the session stay open as long."
    )
    async def refresh_session(self, info: Info) -> Viewer:
        return Viewer(value=await accounts.refresh_session(info.context))

    @strawberry.mutation(
        description="Suspends a member of the viewer's branch: they see no meeting and cast no"
        " ballot from now on. What they cast stays."
    )
    async def suspend_member(
        self, info: Info, member_id: strawberry.ID, reason: str
    ) -> MemberResult:
        row = await members.suspend_member(info.context, member_id, reason)
        return Member(row=row, sees_record=True)

    @strawberry.mutation(description="Gives a suspended member the standing back that they had.")
    async def reinstate_member(self, info: Info, member_id: strawberry.ID) -> MemberResult:
        row = await members.reinstate_member(info.context, member_id)
        return Member(row=row, sees_record=True)

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
        row = await meetings.confirm_attendance(info.context, meeting_id, member_id, is_present)
        return Meeting(row=row)

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
        return Receipt(ballot=await ballots.cast_ballot(info.context, vote_id, choices, key))

    @strawberry.mutation(description="Prepares a vote under the matter's rule in force.")
    async def prepare_vote(self, info: Info, draft: VoteDraft) -> VoteResult:
        return Vote(row=await preparing.prepare_vote(info.context, draft.value()))

    @strawberry.mutation(description="Adds a candidate to an election that is not open yet.")
    async def nominate(self, info: Info, vote_id: strawberry.ID, name: str) -> VoteResult:
        return Vote(row=await preparing.nominate(info.context, vote_id, name))

    @strawberry.mutation(description="Puts a late-comer on the roll of an open vote.")
    async def amend_roll(
        self, info: Info, vote_id: strawberry.ID, member_id: strawberry.ID
    ) -> VoteResult:
        return Vote(row=await amending.amend_roll(info.context, vote_id, member_id))

    @strawberry.mutation(
        description="Counts hands raised in the room into an open vote, each by its member and"
        " option; only of members who checked in and whom the chair saw in the room, and never of"
        " someone who has voted. `memberIds` are all of them, or none where each option names its"
        " own."
    )
    async def record_hands(
        self,
        info: Info,
        vote_id: strawberry.ID,
        member_ids: list[strawberry.ID],
        hands: list[HandsInput],
    ) -> VoteResult:
        raised = [one.value() for one in hands]
        return Vote(row=await raised_hands.record_hands(info.context, vote_id, member_ids, raised))

    @strawberry.mutation(
        description="Counts the hands of these members no more: they may be counted again or cast."
    )
    async def take_back_hands(
        self, info: Info, vote_id: strawberry.ID, member_ids: list[strawberry.ID]
    ) -> VoteResult:
        return Vote(row=await raised_hands.take_back_hands(info.context, vote_id, member_ids))

    @strawberry.mutation(
        description="Counts the viewer's hand no more, because it was counted wrongly: they cast a"
        " ballot, and the chair does not count it again in this vote."
    )
    async def contest_hand(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await raised_hands.contest_hand(info.context, vote_id))

    @strawberry.mutation(
        description="Gives an open vote time until a later moment, within a day. A vote that is not"
        " OPEN may also end earlier, announced 30 seconds ahead or more."
    )
    async def extend_vote(
        self, info: Info, vote_id: strawberry.ID, closes_at: datetime
    ) -> VoteResult:
        return Vote(row=await votes.extend_vote(info.context, vote_id, closes_at))

    @strawberry.mutation(
        description="Breaks a tie that the outcome's next step asks for: `chosen` by the chair or"
        " the body, `seniority` from the most senior, neither for a lot."
    )
    async def break_tie(
        self,
        info: Info,
        vote_id: strawberry.ID,
        chosen: list[strawberry.ID] = [],  # noqa: B006 - Strawberry copies defaults
        seniority: list[strawberry.ID] = [],  # noqa: B006
    ) -> VoteResult:
        return Vote(row=await ties.break_tie(info.context, vote_id, chosen, seniority))

    @strawberry.mutation(
        description="Shows the result to everybody. That of a vote which is not OPEN nobody sees"
        " before."
    )
    async def publish_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await votes.publish_vote(info.context, vote_id))

    @strawberry.mutation(
        description="Sets a closed vote aside with a reason; nothing is deleted. A vote that is not"
        " OPEN is set aside when a second officer confirms it."
    )
    async def annul_vote(self, info: Info, vote_id: strawberry.ID, reason: str) -> VoteResult:
        return Vote(row=await annulling.annul_vote(info.context, vote_id, reason))

    @strawberry.mutation(
        description="Agrees to annul what another officer has proposed: an officer of the branch,"
        " and where it has no other, one of a unit above."
    )
    async def confirm_annulment(self, info: Info, vote_id: strawberry.ID) -> AnnulmentResult:
        return Annulment(value=await annulling.confirm_annulment(info.context, vote_id))

    @strawberry.mutation(description="Lets a vote stand that was proposed to be annulled.")
    async def withdraw_annulment(self, info: Info, vote_id: strawberry.ID) -> AnnulmentResult:
        return Annulment(value=await annulling.withdraw_annulment(info.context, vote_id))

    @strawberry.mutation(
        description="Prepares a new vote linked to one that has ended: the same again, or what its"
        " result asks for (those tied, a further round)."
    )
    async def repeat_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await preparing.repeat_vote(info.context, vote_id))

    @strawberry.mutation(
        description="Lets a present member vote for the absent viewer in this meeting, where the"
        " rule knows proxies."
    )
    async def give_proxy(
        self, info: Info, meeting_id: strawberry.ID, holder_id: strawberry.ID
    ) -> MeetingResult:
        return Meeting(row=await meetings.give_proxy(info.context, meeting_id, holder_id))

    @strawberry.mutation(
        description="Closes the vote, counts its ballots and decides. One that is not OPEN only"
        " once all who are present have voted, or its announced time is over."
    )
    async def close_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await votes.close_vote(info.context, vote_id))
