"""What the chair adds to the roll of an open vote: late-comers."""

from sqlalchemy import select

from models.votes.audit import append_audit
from models.votes.record import seal_tables
from models.votes.votes import RollEntry, Vote
from realtime.topics import channel_of_meeting, topic_of_vote
from resolvers.access.permit import parse_id, read_vote, vote_to_change
from resolvers.context import Context
from resolvers.votes.roll import freeze_roll, load_electors, load_voters
from resolvers.votes.votes import check_takes_more, grow_vote
from rules.permissions import Act, not_found
from rules.refusals import Reason, Refusal
from rules.votes.record.audit import AuditKind
from rules.votes.record.chain import FROZEN
from rules.votes.roll import electoral_roll, roll_hash
from rules.votes.rule_sets import RuleSet


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
        await grow_vote(session, vote.id)
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
