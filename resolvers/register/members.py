"""What happens to a member: suspended, and given their standing back."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, update

from models.base import database_clock
from models.locks import hold_open_votes_of
from models.register.units import Member, Suspension
from models.votes.audit import append_audit
from realtime.topics import ACCESS_CHANNEL, channel_of_meeting, topic_of_member, topic_of_vote
from resolvers.access.permit import member_to_judge, parse_id
from resolvers.context import Context, Transaction, Viewer
from resolvers.input_text import read_text
from resolvers.register.loaders import RegisterLoaders
from resolvers.votes.votes import grow_vote
from rules.permissions import Act
from rules.register.members import Standing, check_suspension, standing_to_give_back
from rules.votes.record.audit import AuditKind, instant_text

REASON_MAXIMUM = 1_000
"""Characters of a reason."""


async def suspend_member(context: Context, member_id: str, reason: str) -> Member:
    """Take the member's part in everything, until they are reinstated.

    They see no meeting any more and cast no ballot; what they cast stays, and each open vote on
    whose roll they are is told in its chain. Who holds an office is suspended from above it alone.
    Raises NOT_ALLOWED also for oneself, WRONG_STATE, INVALID_INPUT.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        acts = Act.SUSPEND_MEMBER, Act.SUSPEND_OFFICER
        member = await member_to_judge(transaction, viewer, parse_id(member_id, "member"), *acts)
        check_suspension(member.standing, is_oneself=member.id == viewer.member_id)
        votes = await hold_open_votes_of(session, member.id)
        at = await session.scalar(
            insert(Suspension)
            .values(
                member_id=member.id,
                standing_before=member.standing,
                reason=read_text(reason, REASON_MAXIMUM, "reason"),
                suspended_at=database_clock(),
                suspended_by_id=viewer.member_id,
            )
            .returning(Suspension.suspended_at)
        )
        member.standing = Standing.SUSPENDED
        await _tell(transaction, viewer, member, votes, AuditKind.SUSPENDED, at)
    return await context.loaders(RegisterLoaders).member.load(member.id)


async def reinstate_member(context: Context, member_id: str) -> Member:
    """Give a suspended member the standing back that they had. Raises WRONG_STATE."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        acts = Act.REINSTATE_MEMBER, Act.REINSTATE_OFFICER
        member = await member_to_judge(transaction, viewer, parse_id(member_id, "member"), *acts)
        votes = await hold_open_votes_of(session, member.id)
        ended = (
            await session.execute(
                update(Suspension)
                .where(Suspension.member_id == member.id, Suspension.reinstated_at.is_(None))
                .values(reinstated_at=database_clock(), reinstated_by_id=viewer.member_id)
                .returning(Suspension.standing_before, Suspension.reinstated_at)
            )
        ).one_or_none()
        before, at = ended or (None, None)
        member.standing = standing_to_give_back(member.standing, before)
        await _tell(transaction, viewer, member, votes, AuditKind.REINSTATED, at)
    return await context.loaders(RegisterLoaders).member.load(member.id)


async def _tell(
    transaction: Transaction,
    viewer: Viewer,
    member: Member,
    votes: Collection[tuple[UUID, UUID]],
    kind: AuditKind,
    at: datetime | None,
) -> None:
    """In the chain of each vote that is open, and to everybody whom it concerns."""
    told = {"by": str(viewer.member_id), "member": str(member.id), "at": instant_text(at)}
    for vote_id, meeting_id in votes:
        await append_audit(transaction.session, vote_id, kind, told)
        await grow_vote(transaction.session, vote_id)
        transaction.announce(channel_of_meeting(meeting_id), topic_of_vote(vote_id))
    transaction.announce(ACCESS_CHANNEL, topic_of_member(member.id))
