"""Votes from preparing to publishing, and the ballots, hands and proxies that go into them."""

from datetime import datetime
from typing import Annotated

import strawberry

from resolvers.meetings import proxies
from resolvers.votes import annul as annulling
from resolvers.votes import ballots, ties, votes
from resolvers.votes import hands as raised_hands
from resolvers.votes import late_changes as amending
from resolvers.votes import prepare as preparing
from rules.votes.presets import Matter
from schema.live.extension import Info
from schema.meetings.meeting import Meeting
from schema.meetings.mutations import MeetingResult
from schema.refusal import Refused
from schema.votes.annulment import Annulment
from schema.votes.ballot import Receipt
from schema.votes.vote import Vote


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


VoteResult = Annotated[Vote | Refused, strawberry.union("VoteResult")]
AnnulmentResult = Annotated[Annulment | Refused, strawberry.union("AnnulmentResult")]
CastBallotResult = Annotated[Receipt | Refused, strawberry.union("CastBallotResult")]


@strawberry.type
class VoteMutations:
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
        return Meeting(row=await proxies.give_proxy(info.context, meeting_id, holder_id))

    @strawberry.mutation(
        description="Closes the vote, counts its ballots and decides. One that is not OPEN only"
        " once all who are present have voted, or its announced time is over."
    )
    async def close_vote(self, info: Info, vote_id: strawberry.ID) -> VoteResult:
        return Vote(row=await votes.close_vote(info.context, vote_id))
