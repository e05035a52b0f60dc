"""Hands raised in the room: counted by the chair, taken back, contested by whose they are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, insert, select

from models.database import WriteSession
from models.meetings.meetings import Attendance, Meeting
from models.register.units import Member
from models.votes.audit import append_audit
from models.votes.record import seal_tables
from models.votes.votes import (
    Ballot,
    CastMark,
    CountedHand,
    HandMark,
    HandTakenBack,
    RollEntry,
    Vote,
)
from realtime.topics import channel_of_meeting, topic_of_vote
from resolvers.access.permit import parse_id, read_vote, vote_to_change
from resolvers.context import Context, Transaction
from resolvers.votes.visibility import own_hand
from resolvers.votes.votes import check_takes_more, grow_vote, load_options
from rules.meetings.meetings import AttendanceStatus
from rules.permissions import Act
from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.hands import Hands, NotInRoom, check_hands, check_in_room, hands_by_member
from rules.votes.record.audit import AuditKind
from rules.votes.record.chain import COUNTED
from rules.votes.rule_sets import RuleSet


@dataclass(frozen=True)
class HandsRaised:
    """Hands for one option as a client sends them."""

    option_id: str
    count: int
    member_ids: Sequence[str] | None

    def parsed(self) -> Hands:
        members = None if self.member_ids is None else _members(self.member_ids)
        return Hands(parse_id(self.option_id, "option"), self.count, members)


def _members(texts: Sequence[str]) -> tuple[UUID, ...]:
    return tuple(parse_id(text, "member") for text in texts)


async def record_hands(
    context: Context, vote_id: str, member_ids: Sequence[str], hands: Sequence[HandsRaised]
) -> Vote:
    """Count hands raised in the room into an open vote, each with its member and its option.

    Only of those who checked in and whom the chair saw in the room (NOT_IN_ROOM names the others
    and why), and who have not voted or been counted (ALREADY_VOTED). What a member contested is
    not counted again (HAND_CONTESTED). Raises HANDS_NOT_COUNTED where hands are not for, and
    NOT_ENTITLED, INVALID_INPUT, INVALID_CHOICE, INVALID_RULE, VOTE_NOT_OPEN, VOTE_CLOSED.
    """
    viewer = context.signed_in()
    members = _members(member_ids)
    raised = [one.parsed() for one in hands]
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.RECORD_HANDS
        )
        check_hands(RuleSet.from_data(vote.rule), meeting.mode)
        await check_takes_more(session, vote)
        options = {option.id for option in await load_options(session, vote.id)}
        choices = hands_by_member(members, raised, options)
        await _check_countable(session, vote, choices)
        await _insert_marks(session, vote.id, choices)
        await append_audit(
            session,
            vote.id,
            AuditKind.HANDS_RECORDED,
            {
                "by": str(viewer.member_id),
                **_told(choices),
                "sealed": await seal_tables(session, vote.id, COUNTED),
            },
        )
        await _has_changed(transaction, vote, meeting)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def take_back_hands(context: Context, vote_id: str, member_ids: Sequence[str]) -> Vote:
    """Count these members' hands no more: they may be counted again, or cast.

    Raises INVALID_INPUT for nobody, WRONG_STATE for whose hand is not counted, VOTE_NOT_OPEN,
    VOTE_CLOSED.
    """
    viewer = context.signed_in()
    members = set(_members(member_ids))
    if not members:
        raise Refusal(Reason.INVALID_INPUT, "Name whose hands are taken back.")
    async with context.transaction() as transaction:
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.TAKE_BACK_HANDS
        )
        await _take_back(transaction, vote, members, viewer.member_id, is_contested=False)
        await _has_changed(transaction, vote, meeting)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def contest_hand(context: Context, vote_id: str) -> Vote:
    """Say that the viewer's hand was counted wrongly: it counts no more, they may cast, and the
    chair does not count it again in this vote.

    Raises WRONG_STATE where no hand of theirs is counted, VOTE_NOT_OPEN, VOTE_CLOSED.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    vote = await read_vote(context, wanted, Act.CONTEST_HAND)
    # Asked before waiting for voters: who has nothing to contest must not make them wait.
    if await own_hand(context, vote) is None:
        raise _not_counted([viewer.member_id])
    async with context.transaction() as transaction:
        vote, meeting = await vote_to_change(transaction, viewer, wanted, Act.CONTEST_HAND)
        own = {viewer.member_id}
        await _take_back(transaction, vote, own, viewer.member_id, is_contested=True)
        await _has_changed(transaction, vote, meeting)
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def _check_countable(session: WriteSession, vote: Vote, members: Collection[UUID]) -> None:
    await _check_entitled(session, vote.id, members)
    check_in_room(await _not_in_room(session, vote.meeting_id, members))
    contested = select(HandTakenBack.member_id).where(
        HandTakenBack.vote_id == vote.id,
        HandTakenBack.member_id.in_(members),
        HandTakenBack.is_contested,
    )
    if names := _names(await session.scalars(contested)):
        raise Refusal(
            Reason.HAND_CONTESTED, "Some contested their hand; they cast a ballot.", members=names
        )
    for table in (Ballot, CastMark, CountedHand):
        voted = await session.scalars(
            select(table.member_id).where(table.vote_id == vote.id, table.member_id.in_(members))
        )
        if names := _names(voted):
            raise Refusal(Reason.ALREADY_VOTED, "Some have voted already.", members=names)


async def _check_entitled(session: WriteSession, vote_id: UUID, members: Collection[UUID]) -> None:
    entitled = await session.scalars(
        select(RollEntry.member_id)
        .join(Member, Member.id == RollEntry.member_id)
        .where(
            RollEntry.vote_id == vote_id,
            RollEntry.member_id.in_(members),
            RollEntry.left_out.is_(None),
            Member.standing != Standing.SUSPENDED,
        )
    )
    if missing := _names(set(members) - set(entitled)):
        raise Refusal(Reason.NOT_ENTITLED, "Some are not entitled to vote.", members=missing)


async def _not_in_room(
    session: WriteSession, meeting_id: UUID, members: Collection[UUID]
) -> dict[UUID, NotInRoom]:
    rows = await session.execute(
        select(Attendance.member_id, Attendance.status, Attendance.confirmed_at).where(
            Attendance.meeting_id == meeting_id, Attendance.member_id.in_(members)
        )
    )
    reasons = dict.fromkeys(members, NotInRoom.NOT_CHECKED_IN)
    for row in rows:
        if row.status is AttendanceStatus.PRESENT:
            reasons[row.member_id] = NotInRoom.NOT_CONFIRMED
            if row.confirmed_at is not None:
                del reasons[row.member_id]
    return reasons


async def _insert_marks(session: WriteSession, vote_id: UUID, choices: Mapping[UUID, UUID]) -> None:
    rows = await session.execute(
        select(HandMark.member_id, func.max(HandMark.sequence).label("sequence"))
        .where(HandMark.vote_id == vote_id, HandMark.member_id.in_(choices))
        .group_by(HandMark.member_id)
    )
    before = {row.member_id: row.sequence for row in rows}
    marks = [
        {
            "vote_id": vote_id,
            "member_id": member_id,
            "sequence": 1 + before.get(member_id, 0),
            "option_id": option_id,
        }
        for member_id, option_id in choices.items()
    ]
    await session.execute(insert(HandMark), marks)


async def _take_back(
    transaction: Transaction, vote: Vote, members: Collection[UUID], by: UUID, *, is_contested: bool
) -> None:
    """Hands of before each kept its option stay: nobody could say what is taken back."""
    session = transaction.session
    await check_takes_more(session, vote)
    rows = await session.execute(
        select(CountedHand.member_id, CountedHand.sequence, CountedHand.option_id).where(
            CountedHand.vote_id == vote.id,
            CountedHand.member_id.in_(members),
            CountedHand.option_id.is_not(None),
        )
    )
    hands = {row.member_id: row for row in rows}
    if missing := set(members) - set(hands):
        raise _not_counted(missing)
    key = {"vote_id": vote.id, "is_contested": is_contested}
    await session.execute(
        insert(HandTakenBack),
        [{**key, "member_id": one, "sequence": row.sequence} for one, row in hands.items()],
    )
    told = _told({member_id: row.option_id for member_id, row in hands.items()})
    await append_audit(
        session,
        vote.id,
        AuditKind.HANDS_TAKEN_BACK,
        {
            "by": str(by),
            "isContested": is_contested,
            **told,
            "sealed": await seal_tables(session, vote.id, COUNTED),
        },
    )


async def _has_changed(transaction: Transaction, vote: Vote, meeting: Meeting) -> None:
    await grow_vote(transaction.session, vote.id)
    transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))


def _told(choices: Mapping[UUID, UUID]) -> dict[str, object]:
    """What the chain says of hands: whose, and each for what."""
    return {
        "members": _names(choices),
        "choices": {str(member_id): str(option_id) for member_id, option_id in choices.items()},
    }


def _not_counted(members: Collection[UUID]) -> Refusal:
    return Refusal(
        Reason.WRONG_STATE, "No such hand is counted in this vote.", members=_names(members)
    )


def _names(members: Iterable[UUID]) -> list[str]:
    return sorted(set(map(str, members)))
