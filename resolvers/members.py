"""What happens to a member: suspended by their branch, and given their standing back."""

from sqlalchemy import insert, update

from models.base import database_clock
from models.units import Member, Suspension
from realtime.events import ACCESS_CHANNEL, topic_of_member
from resolvers.access import member_to_change, parse_id, read_member
from resolvers.context import Context
from resolvers.texts import read_text
from rules.members import Standing, check_suspension, standing_to_give_back
from rules.permissions import Act

REASON_MAXIMUM = 1_000
"""Characters of a reason."""


async def suspend_member(context: Context, member_id: str, reason: str) -> Member:
    """Take the member's part in everything, until they are reinstated.

    They see no meeting any more and cast no ballot; what they cast stays. Raises NOT_ALLOWED also
    for oneself, WRONG_STATE, INVALID_INPUT.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        member = await member_to_change(
            transaction, viewer, parse_id(member_id, "member"), Act.SUSPEND_MEMBER
        )
        check_suspension(member.standing, is_oneself=member.id == viewer.member_id)
        await session.execute(
            insert(Suspension).values(
                member_id=member.id,
                standing_before=member.standing,
                reason=read_text(reason, REASON_MAXIMUM, "reason"),
                suspended_at=database_clock(),
                suspended_by_id=viewer.member_id,
            )
        )
        member.standing = Standing.SUSPENDED
        transaction.announce(ACCESS_CHANNEL, topic_of_member(member.id))
    return (await read_member(context, member.id, Act.VIEW_MEMBER))[0]


async def reinstate_member(context: Context, member_id: str) -> Member:
    """Give a suspended member the standing back that they had. Raises WRONG_STATE."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        member = await member_to_change(
            transaction, viewer, parse_id(member_id, "member"), Act.REINSTATE_MEMBER
        )
        before = await session.scalar(
            update(Suspension)
            .where(Suspension.member_id == member.id, Suspension.reinstated_at.is_(None))
            .values(reinstated_at=database_clock(), reinstated_by_id=viewer.member_id)
            .returning(Suspension.standing_before)
        )
        member.standing = standing_to_give_back(member.standing, before)
        transaction.announce(ACCESS_CHANNEL, topic_of_member(member.id))
    return (await read_member(context, member.id, Act.VIEW_MEMBER))[0]
