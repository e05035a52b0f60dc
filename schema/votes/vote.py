"""Votes: question, paper, roll, tally, the viewer's own ballot. `outcome.py` has the result."""

from __future__ import annotations

from datetime import datetime

import strawberry

from models.votes.ballot_box import CastBallot
from models.votes.counting import RecordedBallot as RecordedBallotRow
from models.votes.votes import CountedHand as CountedHandRow
from models.votes.votes import RollEntry as RollEntryRow
from models.votes.votes import Vote as VoteRow
from models.votes.votes import VoteOption as VoteOptionRow
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
from rules.votes.ballots import OptionKind, Validity
from rules.votes.outcome import Outcome as OutcomeValue
from rules.votes.presets import Matter
from rules.votes.roll import LeftOut, RollNotes
from rules.votes.rule_sets import (
    Base,
    Change,
    Comparison,
    Empty,
    LiveTally,
    Method,
    Overvote,
    RuleSet,
    Secrecy,
)
from rules.votes.rule_sets import Share as ShareValue
from rules.votes.rule_sets import Surplus as SurplusValue
from schema.live.extension import Info
from schema.live.marks import Counted, Personal
from schema.register.member import Member
from schema.votes.outcome import Outcome

strawberry.enum(Act, description="What a person may ask for.")
strawberry.enum(Change, description="Whether a ballot may be changed until the vote closes.")
strawberry.enum(Comparison, description="Thresholds that compare votes with votes.")
strawberry.enum(Empty, description="What no mark at all makes of a ballot.")
strawberry.enum(LeftOut, description="Why a member of the branch casts no ballot.")
strawberry.enum(LiveTally, description="Who sees the figures of the options before the result.")
strawberry.enum(Matter, description="What is voted on, as far as it needs a rule of its own.")
strawberry.enum(Method, description="What a ballot looks like, and how the marks are counted.")
strawberry.enum(OptionKind)
strawberry.enum(Overvote, description="What more marks than allowed make of a ballot.")
strawberry.enum(
    Secrecy,
    description="OPEN: the named choice of each member is part of the record. UNATTRIBUTED: the"
    " result does not show who voted how; operators of the database technically could find out.",
)
strawberry.enum(Validity)
strawberry.enum(VoteState)
strawberry.enum(VoteWarning)


@strawberry.type(description="What a ballot can mark.")
class VoteOption:
    row: strawberry.Private[VoteOptionRow]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.row.id))

    @strawberry.field
    def kind(self) -> OptionKind:
        return self.row.kind

    @strawberry.field(
        description="As written by the chair; clients translate FOR, AGAINST and ABSTAIN of a"
        " motion. The two boxes of a candidate both carry the candidate's name."
    )
    def label(self) -> str:
        return self.row.label

    @strawberry.field(description="The same for the FOR and AGAINST boxes of one candidate.")
    def candidate_id(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.candidate_id)) if self.row.candidate_id else None


@strawberry.type(description="More than (strict), or at least, numerator / denominator of a base.")
class Share:
    numerator: int
    denominator: int
    strict: bool

    @classmethod
    def of(cls, value: ShareValue) -> Share:
        return cls(numerator=value.numerator, denominator=value.denominator, strict=value.strict)


@strawberry.type(
    description="At most numerator / denominator of the seats, rounded down, as candidates beyond"
    " them."
)
class Surplus:
    numerator: int
    denominator: int

    @classmethod
    def of(cls, value: SurplusValue) -> Surplus:
        return cls(numerator=value.numerator, denominator=value.denominator)


@strawberry.type(
    description="Carried when for / base is over (strict) or at least numerator / denominator, or"
    " by comparison where there is no such share."
)
class VoteRule:
    value: strawberry.Private[RuleSet]

    @strawberry.field
    def name(self) -> str:
        return self.value.name

    @strawberry.field
    def version(self) -> int:
        return self.value.version

    @strawberry.field
    def method(self) -> Method:
        return self.value.method

    @strawberry.field
    def base(self) -> Base:
        return self.value.base

    @strawberry.field
    def numerator(self) -> int | None:
        return (
            self.value.threshold.numerator if isinstance(self.value.threshold, ShareValue) else None
        )

    @strawberry.field
    def denominator(self) -> int | None:
        return (
            self.value.threshold.denominator
            if isinstance(self.value.threshold, ShareValue)
            else None
        )

    @strawberry.field
    def strict(self) -> bool | None:
        return self.value.threshold.strict if isinstance(self.value.threshold, ShareValue) else None

    @strawberry.field
    def comparison(self) -> Comparison | None:
        return self.value.threshold if isinstance(self.value.threshold, Comparison) else None

    @strawberry.field(
        description="What the measures need, from the heaviest on; those after the list need what"
        " `numerator`, `denominator` and `strict` say."
    )
    def measure_thresholds(self) -> list[Share]:
        return [Share.of(value) for value in self.value.measure_thresholds]

    @strawberry.field
    def seats(self) -> int:
        return self.value.seats

    @strawberry.field(description="Null: as many candidates may stand as are nominated.")
    def max_surplus(self) -> Surplus | None:
        return Surplus.of(self.value.max_surplus) if self.value.max_surplus else None

    @strawberry.field(
        description="The most options, or candidates marked yes, on a valid ballot; `overvote` says"
        " what more make of it."
    )
    def most_choices(self) -> int:
        return self.value.most_choices

    @strawberry.field(description="The same as the rule has it; null: as many as `seats`.")
    def max_choices(self) -> int | None:
        return self.value.max_choices

    @strawberry.field
    def overvote(self) -> Overvote:
        return self.value.overvote

    @strawberry.field
    def empty(self) -> Empty:
        return self.value.empty

    @strawberry.field(
        description="Whether a ballot without a mark is taken; `empty` says whether as a blank or"
        " as an invalid one."
    )
    def takes_blank(self) -> bool:
        return self.value.empty is not Empty.REFUSED

    @strawberry.field(
        description="The most absent members that one member may vote for; null: the rule knows no"
        " proxies."
    )
    def proxies(self) -> int | None:
        return self.value.proxies

    @strawberry.field
    def secrecy(self) -> Secrecy:
        return self.value.secrecy

    @strawberry.field
    def change(self) -> Change:
        return self.value.change

    @strawberry.field
    def live_tally(self) -> LiveTally:
        return self.value.live_tally

    @strawberry.field(description="Seconds that the vote stays open; null: until it is closed.")
    def duration(self) -> int | None:
        return self.value.duration_seconds


@strawberry.type
class OptionCount:
    option_id: strawberry.ID
    count: int | None = strawberry.field(
        description="Ballots, papers and hands, by weight; null while nobody may see it."
    )


@strawberry.type(description="Counted from the ballots for this very answer.")
class Tally:
    cast: int = strawberry.field(description="Members who have voted, counted hands included.")
    eligible: int = strawberry.field(
        description="Entitled members on the roll; 0 until the vote opens and the roll is frozen."
    )
    by_hand: int = strawberry.field(
        description="Of those who voted, the hands counted in the room."
    )
    blanks: int | None
    invalid: int | None
    options: list[OptionCount]


@strawberry.type(description="The server's word that a ballot is recorded.")
class Receipt:
    ballot: strawberry.Private[CastBallot]

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.id))

    @strawberry.field
    def vote_id(self) -> strawberry.ID:
        return strawberry.ID(str(self.ballot.vote_id))

    @strawberry.field(description="The key that the ballot was cast with.")
    def key(self) -> strawberry.ID:
        return strawberry.ID(self.ballot.key)

    @strawberry.field(description="The marks that count; null in a vote that is not OPEN.")
    def choices(self) -> list[strawberry.ID] | None:
        if self.ballot.choices is None:
            return None
        return [strawberry.ID(str(choice)) for choice in self.ballot.choices]

    @strawberry.field(description="By the database's clock.")
    def cast_at(self) -> datetime:
        return self.ballot.cast_at

    @strawberry.field(
        description="Finds the ballot in the record of the closed vote; null in a vote that is not"
        " OPEN, where nothing leads to the paper."
    )
    def tracker(self) -> str | None:
        return None if self.ballot.choices is None else tracker_of(str(self.ballot.id))


def tracker_of(ballot_id: str) -> str:
    """Twelve characters that a voter can compare by eye."""
    return ballot_id.replace("-", "")[-12:].upper()


@strawberry.type(description="A ballot of a closed OPEN vote, by name.")
class RecordedBallot:
    row: strawberry.Private[RecordedBallotRow]

    @strawberry.field
    def tracker(self) -> str:
        return tracker_of(str(self.row.id))

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(row=await info.context.loaders.member.load(self.row.member_id))

    @strawberry.field
    def validity(self) -> Validity:
        return self.row.validity

    @strawberry.field
    def choices(self) -> list[strawberry.ID]:
        return [strawberry.ID(str(choice)) for choice in self.row.choices]


@strawberry.type(description="A hand raised in the room, as the chair counted it.")
class CountedHand:
    row: strawberry.Private[CountedHandRow]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(row=await info.context.loaders.member.load(self.row.member_id))

    @strawberry.field(description="Null where it was counted before each hand kept its option.")
    def option_id(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.option_id)) if self.row.option_id else None


@strawberry.type(description="A member of the branch when the vote opened, or added since.")
class RollLine:
    row: strawberry.Private[RollEntryRow]
    vote: strawberry.Private[VoteRow]
    notes: strawberry.Private[RollNotes]
    sees_reason: strawberry.Private[bool]

    @strawberry.field
    async def member(self, info: Info) -> Member:
        return Member(row=await info.context.loaders.member.load(self.row.member_id))

    @strawberry.field
    def is_entitled(self) -> bool:
        is_suspended = self.row.member_id in self.notes.suspended_at
        return self.row.left_out is None and not is_suspended

    @strawberry.field(
        description="Null for who is entitled, and for all but the officers of the branch, because"
        " it tells of members' standings. One's own is in `myRollLine`."
    )
    def left_out(self) -> LeftOut | None:
        return self.row.left_out if self.sees_reason else None

    @strawberry.field
    def weight(self) -> int:
        return self.row.weight

    @strawberry.field(description="When the chair put a late-comer on the roll.")
    def amended_at(self) -> datetime | None:
        return self.row.amended_at

    @strawberry.field(
        description="Who casts for this member: the holder of their proxy when the vote opened,"
        " whose `weight` has this member's vote. Null for everybody else."
    )
    async def represented_by(self, info: Info) -> Member | None:
        holder = self.notes.represented_by.get(self.row.member_id)
        return Member(row=await info.context.loaders.member.load(holder)) if holder else None

    @strawberry.field(
        description="Since when the member is suspended, where that came while the vote was open:"
        " they cast no more, and what they cast counts. Shown to whom `leftOut` is."
    )
    def suspended_at(self) -> datetime | None:
        return self.notes.suspended_at.get(self.row.member_id) if self.sees_reason else None

    @strawberry.field(
        description="The member's hand as it was counted in the room; null for who raised none,"
        " and in a vote that is not OPEN."
    )
    async def hand(self, info: Info) -> CountedHand | None:
        hands = await hands_of(info.context, self.vote)
        own = [row for row in hands if row.member_id == self.row.member_id]
        return CountedHand(row=own[0]) if own else None


@strawberry.type(description="That an officer would annul the vote.")
class AnnulmentProposal:
    row: strawberry.Private[VoteRow]

    @strawberry.field
    async def by(self, info: Info) -> Member:
        member_id = self.row.annulment_proposed_by_id
        assert member_id is not None  # noqa: S101 - written together
        return Member(row=await info.context.loaders.member.load(member_id))

    @strawberry.field
    def reason(self) -> str:
        return self.row.proposed_annulment or ""

    @strawberry.field
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
        rows = await info.context.loaders.options.load(self.row.id)
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
        return await info.context.loaders.annulled_rounds.load(self.row.id)

    @strawberry.field(
        description="Members who take no part because the matter concerns them; known to everybody"
        " before the vote opens, and fixed then."
    )
    async def recused(self, info: Info) -> list[Member]:
        found = await info.context.loaders.recused.load(self.row.id)
        rows = await info.context.loaders.member.load_many([one.member_id for one in found])
        return [Member(row=row) for row in rows]

    @strawberry.field(description="The vote that this one repeats.")
    def repeat_of(self) -> strawberry.ID | None:
        return strawberry.ID(str(self.row.repeat_of)) if self.row.repeat_of else None

    @strawberry.field(description="The vote that repeats this one.")
    async def repeated_by(self, info: Info) -> strawberry.ID | None:
        vote_id = await info.context.loaders.repetition.load(self.row.id)
        return strawberry.ID(str(vote_id)) if vote_id else None

    @strawberry.field(description="The rule in force when the vote was prepared.")
    def rule(self) -> VoteRule:
        return VoteRule(value=RuleSet.from_data(self.row.rule))

    @strawberry.field
    async def roll(self, info: Info) -> list[RollLine]:
        rows = await info.context.loaders.roll.load(self.row.id)
        notes = await info.context.loaders.roll_notes.load(self.row.id)
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
        for row in await info.context.loaders.roll.load(self.row.id):
            if row.member_id == member_id:
                notes = await info.context.loaders.roll_notes.load(self.row.id)
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
        tallies, turnout = await info.context.loaders.tallies.load(self.row.id)
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
        rows = await info.context.loaders.record.load(self.row.id)
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
        ballot = await info.context.loaders.cast.load(key)
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
