"""What the chair adds to an open vote: late-comers on the roll, and hands counted in the room."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from models.audit import append_audit
from models.database import WriteSession
from models.record import seal_tables
from models.units import Member
from models.votes import Ballot, CastMark, HandCount, HandMark, RollEntry, Vote
from realtime.events import channel_of_meeting, topic_of_vote
from resolvers.access import parse_id, read_vote, vote_to_change
from resolvers.context import Context
from resolvers.roll import freeze_roll, load_electors, load_voters
from resolvers.votes import check_takes_more, load_options
from rules.audit import AuditKind
from rules.chain import COUNTED, FROZEN
from rules.members import Standing
from rules.permissions import Act, not_found
from rules.refusals import Reason, Refusal
from rules.roll import electoral_roll, roll_hash
from rules.rule_sets import ELECTIONS, RuleSet, Secrecy


@dataclass(frozen=True)
class Hands:
    """Hands raised for one option."""

    option_id: str
    count: int


async def amend_roll(context: Context, vote_id: str, member_id: str) -> Vote:
    """Put a member of the branch who came late on the roll of an open vote.

    Raises VOTE_NOT_OPEN, VOTE_CLOSED, NOT_FOUND, and WRONG_STATE for who is on it already.
    """
    viewer = context.signed_in()
    wanted = parse_id(member_id, "member")
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.AMEND_ROLL
        )
        await check_takes_more(session, vote)
        electors = await load_electors(session, meeting, vote.id)
        late = [one for one in electors if one.member_id == wanted]
        if not late:
            raise not_found("member of this branch")
        entries = select(RollEntry).where(RollEntry.vote_id == vote.id)
        before = (await session.scalars(entries)).all()
        if any(entry.member_id == wanted for entry in before):
            raise Refusal(Reason.WRONG_STATE, "This member is on the roll already.")
        added = electoral_roll(RuleSet.from_data(vote.rule), late)
        await freeze_roll(session, vote.id, added, is_amendment=True)
        await _grow(session, vote.id)
        await append_audit(
            session,
            vote.id,
            AuditKind.ROLL_AMENDED,
            {
                "by": str(viewer.member_id),
                "member": str(wanted),
                "roll": roll_hash(await load_voters(session, vote)),
                "sealed": await seal_tables(session, vote.id, FROZEN),
            },
        )
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def record_hands(
    context: Context, vote_id: str, member_ids: Sequence[str], hands: Sequence[Hands]
) -> Vote:
    """Count hands raised in the room into an open vote, with the names of those counted.

    Never for someone who cast a ballot or was counted before: ALREADY_VOTED names them. The hands
    are as many as the members. Raises NOT_ENTITLED, INVALID_INPUT, INVALID_CHOICE, VOTE_CLOSED.
    """
    viewer = context.signed_in()
    members = [parse_id(text, "member") for text in member_ids]
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.RECORD_HANDS
        )
        await check_takes_more(session, vote)
        counts = await _check_hands(session, vote, members, hands)
        await _check_countable(session, vote.id, members)
        await session.execute(
            insert(HandMark), [{"vote_id": vote.id, "member_id": one} for one in members]
        )
        await _add_hands(session, vote.id, counts)
        await _grow(session, vote.id)
        told: dict[str, Any] = {"by": str(viewer.member_id), "members": sorted(map(str, members))}
        if vote.secrecy is Secrecy.OPEN:  # of few figures a seal would tell as much
            told["hands"] = {str(option): count for option, count in counts.items()}
            told["sealed"] = await seal_tables(session, vote.id, COUNTED)
        await append_audit(session, vote.id, AuditKind.HANDS_RECORDED, told)
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def _check_hands(
    session: WriteSession, vote: Vote, members: Sequence[UUID], hands: Sequence[Hands]
) -> Counter[UUID]:
    rule = RuleSet.from_data(vote.rule)
    if rule.method in ELECTIONS or rule.is_weighted:
        raise Refusal(Reason.INVALID_RULE, "Hands cannot be counted under this rule.")
    options = {option.id for option in await load_options(session, vote.id)}
    counts: Counter[UUID] = Counter()
    for one in hands:
        option_id = parse_id(one.option_id, "option")
        if option_id not in options:
            raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.")
        if one.count < 0:
            raise Refusal(Reason.INVALID_INPUT, "Hands are counted from 0.")
        counts[option_id] += one.count
    if not members or len(set(members)) < len(members) or counts.total() != len(members):
        raise Refusal(
            Reason.INVALID_INPUT,
            "Name each member counted once, and as many as there are hands.",
            members=len(set(members)),
            hands=counts.total(),
        )
    return counts


async def _check_countable(session: WriteSession, vote_id: UUID, members: Sequence[UUID]) -> None:
    entitled = set(
        await session.scalars(
            select(RollEntry.member_id)
            .join(Member, Member.id == RollEntry.member_id)
            .where(
                RollEntry.vote_id == vote_id,
                RollEntry.member_id.in_(members),
                RollEntry.left_out.is_(None),
                Member.standing != Standing.SUSPENDED,
            )
        )
    )
    if missing := [str(one) for one in members if one not in entitled]:
        raise Refusal(Reason.NOT_ENTITLED, "Some are not entitled to vote.", members=missing)
    for table in (Ballot, CastMark, HandMark):
        voted = await session.scalars(
            select(table.member_id)
            .where(table.vote_id == vote_id, table.member_id.in_(members))
            .distinct()
        )
        if names := sorted(map(str, voted)):
            raise Refusal(Reason.ALREADY_VOTED, "Some have voted already.", members=names)


async def _add_hands(session: WriteSession, vote_id: UUID, counts: Counter[UUID]) -> None:
    rows = await session.scalars(select(HandCount).where(HandCount.vote_id == vote_id))
    before = {row.option_id: row.hands for row in rows}
    for option_id, count in counts.items():
        if option_id in before:
            await session.execute(
                update(HandCount)
                .where(HandCount.option_id == option_id)
                .values(hands=before[option_id] + count)
            )
        else:
            session.add(HandCount(option_id=option_id, vote_id=vote_id, hands=count))


async def _grow(session: WriteSession, vote_id: UUID) -> None:
    await session.execute(
        update(Vote).where(Vote.id == vote_id).values(row_version=Vote.row_version + 1)
    )
