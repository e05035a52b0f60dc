"""Members who vote for others while those are absent."""

from dataclasses import dataclass

from sqlalchemy import or_, select

from models.meetings.meetings import Meeting, Proxy
from models.register.units import Member, Membership
from resolvers.access.permit import meeting_to_join, parse_id, read_meeting
from resolvers.context import Context
from resolvers.register.loaders import RegisterLoaders
from rules.meetings.meetings import check_in_allowed
from rules.permissions import Act, not_found


async def give_proxy(context: Context, meeting_id: str, holder_id: str) -> Meeting:
    """Let another member of the branch vote for the viewer while they are absent.

    Counts in votes opened afterwards, where the rule knows proxies. Raises WRONG_STATE.
    """
    viewer = context.signed_in()
    holder = parse_id(holder_id, "member")
    async with context.transaction() as transaction:
        session = transaction.session
        meeting = await meeting_to_join(
            transaction, viewer, parse_id(meeting_id, "meeting"), Act.GIVE_PROXY
        )
        check_in_allowed(meeting.state)
        belongs = await session.scalar(
            select(Membership.id).where(
                Membership.member_id == holder,
                Membership.unit_id == meeting.unit_id,
                Membership.valid_to.is_(None),
            )
        )
        if belongs is None or holder == viewer.member_id:
            raise not_found("member of this branch")
        key = {"meeting_id": meeting.id, "member_id": viewer.member_id}
        await session.merge(Proxy(**key, holder_id=holder))
    return await read_meeting(context, meeting.id, Act.VIEW_MEETING)


@dataclass(frozen=True)
class Proxies:
    """Who votes for the viewer in a meeting while they are absent, and for whom the viewer does."""

    holder: Member | None
    givers: list[Member]


async def read_proxies(context: Context, meeting_id: str) -> Proxies:
    """What was given, whether or not a rule lets it count."""
    meeting = await read_meeting(context, meeting_id, Act.VIEW_MEETING)
    viewer_id = context.signed_in().member_id
    given = select(Proxy).where(
        Proxy.meeting_id == meeting.id,
        or_(Proxy.member_id == viewer_id, Proxy.holder_id == viewer_id),
    )
    async with context.reading() as session:
        rows = (await session.scalars(given.order_by(Proxy.member_id))).all()
    load = context.loaders(RegisterLoaders).member.load_many
    holders = await load([row.holder_id for row in rows if row.member_id == viewer_id])
    givers = await load([row.member_id for row in rows if row.holder_id == viewer_id])
    return Proxies(holders[0] if holders else None, givers)
