"""Votes, from the question to the result; their parts lie beside this file."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.votes.votes import Vote as VoteRow
from resolvers.register.loaders import RegisterLoaders
from resolvers.votes.loaders import VoteLoaders
from resolvers.votes.visibility import (
    Shown,
    VoteWarning,
    audit_head,
    hands_of,
    own_hand,
    sees_reasons,
    warnings_of,
    what_is_shown,
)
from resolvers.votes.votes import acts_on_vote, paper_of
from rules.meetings.meetings import VoteState
from rules.permissions import Act
from rules.votes.outcome import Outcome as OutcomeValue
from rules.votes.presets import Matter
from rules.votes.rule_sets import RuleSet
from schema.live.extension import Info
from schema.live.marks import Counted, Personal
from schema.register.member import Member
from schema.votes.ballot import Receipt
from schema.votes.hands import CountedHand
from schema.votes.outcome import Outcome
from schema.votes.paper import VoteOption
from schema.votes.record import RecordedBallot
from schema.votes.roll import RollLine
from schema.votes.rule import VoteRule
from schema.votes.tally import OptionCount, Tally

strawberry.enum(Act, description="What a person may ask for.")
strawberry.enum(Matter, description="What is voted on, as far as it needs a rule of its own.")
strawberry.enum(VoteState)
strawberry.enum(VoteWarning)


@strawberry.type(description="That an officer would annul the vote.")
class AnnulmentProposal:
    row: strawberry.Private[VoteRow]

    @strawberry.field(description="The officer who proposed it, and who cannot confirm it.")
    async def by(self, info: Info) -> Member:
        member_id = self.row.annulment_proposed_by_id
        assert member_id is not None  # noqa: S101 - written together
        return Member(row=await info.context.loaders(RegisterLoaders).member.load(member_id))

    @strawberry.field(description="Why, in their words.")
    def reason(self) -> str:
        return self.row.proposed_annulment or ""

    @strawberry.field(description="When they proposed it.")
    def at(self) -> datetime:
        assert self.row.annulment_proposed_at is not None  # noqa: S101 - written together
        return self.row.annulment_proposed_at


@strawberry.type
class Vote:
    row: strawberry.Private[VoteRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field(
        description="Grows with every change; keep the state with the highest.",
        directives=[Counted()],
    )
    def version(self) -> int:
        return self.row.version

    @strawberry.field(
        description="Grows with every change of the vote itself, and not with its ballots: orders"
        " what does not count, where `version` would be pushed again for every ballot."
    )
    def revision(self) -> int:
        return self.row.row_version

    @strawberry.field
    def meeting_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.meeting_id))

    @strawberry.field
    def item_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.item_id))

    @strawberry.field
    def state(self) -> VoteState:
        return self.row.state

    @strawberry.field
    def question(self) -> str:
        return self.row.question

    @strawberry.field
    def matter(self) -> Matter:
        return self.row.matter

    @strawberry.field(description="In the order of the paper.")
    async def options(self, info: Info) -> list[VoteOption]:
        rows = await info.context.loaders(VoteLoaders).options.load(self.row.id)
        return [VoteOption(row=row) for row in rows]

    @strawberry.field
    def opened_at(self) -> datetime | None:
        return self.row.opened_at

    @strawberry.field(description="When it closes by itself; null: when the chair closes it.")
    def closes_at(self) -> datetime | None:
        return self.row.closes_at

    @strawberry.field
    def closed_at(self) -> datetime | None:
        return self.row.closed_at

    @strawberry.field(description="Since when everybody sees the outcome.")
    def published_at(self) -> datetime | None:
        return self.row.published_at

    @strawberry.field(description="Why the vote was annulled, if it was.")
    def annulment(self) -> str | None:
        return self.row.annulment

    @strawberry.field(description="What an officer has proposed and another one has to confirm.")
    def annulment_proposed(self) -> AnnulmentProposal | None:
        return AnnulmentProposal(row=self.row) if self.row.annulment_proposed_at else None

    @strawberry.field(
        description="How many rounds were annulled before: votes that this one repeats, and those"
        " that they repeat."
    )
    async def annulled_rounds(self, info: Info) -> int:
        if self.row.repeat_of is None:
            return 0
        return await info.context.loaders(VoteLoaders).annulled_rounds.load(self.row.id)

    @strawberry.field(
        description="Members who take no part because the matter concerns them; known to everybody"
        " before the vote opens, and fixed then."
    )
    async def recused(self, info: Info) -> list[Member]:
        found = await info.context.loaders(VoteLoaders).recused.load(self.row.id)
        rows = await info.context.loaders(RegisterLoaders).member.load_many(
            [one.member_id for one in found]
        )
        return [Member(row=row) for row in rows]

    @strawberry.field(description="The vote that this one repeats.")
    def repeat_of(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.repeat_of)) if self.row.repeat_of else None

    @strawberry.field(description="The vote that repeats this one.")
    async def repeated_by(self, info: Info) -> strawberry.ID | None:
        vote_id = await info.context.loaders(VoteLoaders).repetition.load(self.row.id)
        return strawberry.ID(str(vote_id)) if vote_id else None

    @strawberry.field(description="The rule in force when the vote was prepared.")
    def rule(self) -> VoteRule:
        return VoteRule(value=RuleSet.from_data(self.row.rule))

    @strawberry.field
    async def roll(self, info: Info) -> list[RollLine]:
        rows = await info.context.loaders(VoteLoaders).roll.load(self.row.id)
        notes = await info.context.loaders(VoteLoaders).roll_notes.load(self.row.id)
        has_reasons = notes.suspended_at or any(row.left_out for row in rows)
        sees_reason = bool(has_reasons) and await sees_reasons(info.context, self.row)
        return [
            RollLine(row=row, vote=self.row, notes=notes, sees_reason=sees_reason) for row in rows
        ]

    @strawberry.field(
        description="The viewer's own, with its reason; null for who is not on the roll.",
        directives=[Personal()],
    )
    async def my_roll_line(self, info: Info) -> RollLine | None:
        member_id = info.context.viewer_id()
        for row in await info.context.loaders(VoteLoaders).roll.load(self.row.id):
            if row.member_id == member_id:
                notes = await info.context.loaders(VoteLoaders).roll_notes.load(self.row.id)
                return RollLine(row=row, vote=self.row, notes=notes, sees_reason=True)
        return None

    @strawberry.field(
        description="The hands counted in the room, by name and from the moment they are counted;"
        " none in a vote that is not OPEN. They count beside the ballots of `record`."
    )
    async def hands(self, info: Info) -> list[CountedHand]:
        return [CountedHand(row=row) for row in await hands_of(info.context, self.row)]

    @strawberry.field(directives=[Counted()])
    async def tally(self, info: Info) -> Tally:
        tallies, turnout = await info.context.loaders(VoteLoaders).tallies.load(self.row.id)
        is_shown = Shown.COUNTS in await what_is_shown(info.context, self.row)
        return Tally(
            cast=tallies.cast.heads,
            eligible=turnout.entitled,
            by_hand=turnout.by_hand,
            blanks=tallies.blank.weight if is_shown else None,
            invalid=tallies.invalid.weight if is_shown else None,
            options=[
                OptionCount(
                    option_id=strawberry.ID(str(option_id)),
                    count=tallies.of(option_id).weight if is_shown else None,
                )
                for option_id in await paper_of(info.context, self.row)
            ],
        )

    @strawberry.field(
        description="Null until the vote is closed; for all but the chair until it is published,"
        " and for the chair, too, where the vote is not OPEN."
    )
    async def outcome(self, info: Info) -> Outcome | None:
        if Shown.OUTCOME not in await what_is_shown(info.context, self.row):
            return None
        value = OutcomeValue.from_data(self.row.outcome or {})
        sees = bool(value.left_out_of_base) and await sees_reasons(info.context, self.row)
        return Outcome(value=value, vote_id=self.row.id, sees_reasons=sees)

    @strawberry.field(description="Who voted how: for a published vote that is OPEN, else null.")
    async def record(self, info: Info) -> list[RecordedBallot] | None:
        if Shown.RECORD not in await what_is_shown(info.context, self.row):
            return None
        rows = await info.context.loaders(VoteLoaders).record.load(self.row.id)
        return [RecordedBallot(row=row) for row in rows]

    @strawberry.field(
        description="The last hash of the vote's audit chain, in hex; it fixes all that happened."
        " While a result is not shown to the viewer, the last one before it."
    )
    async def audit_head(self, info: Info) -> str | None:
        head = await audit_head(info.context, self.row)
        return head.hex() if head else None

    @strawberry.field(description="What the chair should know before opening.")
    async def warnings(self, info: Info) -> list[VoteWarning]:
        return await warnings_of(info.context, self.row)

    @strawberry.field(
        description="The viewer's own, null until they cast.", directives=[Personal()]
    )
    async def my_receipt(self, info: Info) -> Receipt | None:
        key = (self.row.id, info.context.viewer_id())
        ballot = await info.context.loaders(VoteLoaders).cast.load(key)
        return Receipt(ballot=ballot) if ballot else None

    @strawberry.field(
        description="The viewer's own hand, if the chair counted it: they cast no ballot unless"
        " they contest it.",
        directives=[Personal()],
    )
    async def my_hand(self, info: Info) -> CountedHand | None:
        row = await own_hand(info.context, self.row)
        return CountedHand(row=row) if row else None

    @strawberry.field(
        description="CAST_BALLOT while the box would take a ballot of the viewer's; CONTEST_HAND"
        " while their hand is counted; what whoever chairs can do with the vote as it stands.",
        directives=[Personal()],
    )
    async def viewer_may(self, info: Info) -> list[Act]:
        return await acts_on_vote(info.context, self.row)
