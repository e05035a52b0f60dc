"""What happens to a vote: opened, cast in, closed, watched."""

import hashlib
import re
from collections.abc import AsyncGenerator, Sequence
from uuid import UUID

from sqlalchemy import and_, insert, select, update

from models.audit import append_audit
from models.ballot_box import CastBallot, NewBallot, count_options, find_ballots, flip_vote
from models.database import ReadSession, WriteSession
from models.meetings import AgendaItem, Attendance, Meeting
from models.units import Member, Membership
from models.votes import Ballot, RollEntry, Vote
from realtime.events import GAP, channel_of_meeting, topic_of_vote
from resolvers.access import (
    load_place,
    not_found,
    parse_id,
    permit_in_unit,
    read_vote,
    viewer_relations,
    vote_to_change,
)
from resolvers.context import Context, Viewer
from rules.audit import AuditKind, canonical_json
from rules.meetings import AttendanceStatus, VoteState, check_open, check_opening
from rules.members import MembershipKind
from rules.permissions import Act, Place, may
from rules.refusals import Reason, Refusal
from rules.voting import (
    Elector,
    RuleSet,
    Voter,
    check_choices,
    decide,
    electoral_roll,
)
from rules.voting import (
    RollEntry as Entry,
)

_KEY = re.compile(r"[!-~]{1,64}")


async def open_vote(context: Context, vote_id: str) -> Vote:
    """Freeze the electoral roll and open the vote.

    Raises VOTE_CLOSED, WRONG_STATE, MEETING_NOT_IN_SESSION, ITEM_NOT_CURRENT.
    """
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.OPEN_VOTE
        )
        item = await session.get_one(AgendaItem, vote.item_id)
        check_opening(meeting.state, item.state, vote.state)
        roll = electoral_roll(RuleSet.from_data(vote.rule), await _electors(session, meeting))
        await _freeze_roll(session, vote.id, roll)
        await flip_vote(session, vote.id, VoteState.OPEN)
        await append_audit(session, vote.id, AuditKind.OPENED, _opened(viewer, roll))
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def cast_ballot(
    context: Context, vote_id: str, choices: Sequence[str], key: str
) -> CastBallot:
    """Cast the viewer's ballot, once. The same key gives the same receipt again, also later.

    Raises INVALID_INPUT (key), INVALID_CHOICE, NOT_ENTITLED, ALREADY_VOTED, KEY_REUSED,
    VOTE_NOT_OPEN, VOTE_CLOSED, NOT_ALLOWED, NOT_FOUND.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    if not _KEY.fullmatch(key):
        raise Refusal(Reason.INVALID_INPUT, "A key is 1 to 64 printable ASCII characters.")
    facts = await context.casting.facts(wanted)
    if facts is None:
        raise not_found("vote")
    choice = check_choices([_parse_choice(text) for text in choices], facts.options)
    # The roll is the permission: who is entitled on it may cast, whoever else is told why not.
    ballot = NewBallot(viewer.member_id, viewer.session_id, key, (choice,))
    recorded = await context.casting.cast(wanted, facts, ballot)
    return recorded or await _earlier_ballot(context, viewer, wanted, ballot)


async def close_vote(context: Context, vote_id: str) -> Vote:
    """Close the vote, count its ballots and decide. Raises VOTE_NOT_OPEN, VOTE_CLOSED."""
    viewer = context.signed_in()
    async with context.transaction() as transaction:
        session = transaction.session
        vote, meeting = await vote_to_change(
            transaction, viewer, parse_id(vote_id, "vote"), Act.CLOSE_VOTE
        )
        check_open(vote.state)
        await flip_vote(session, vote.id, VoteState.CLOSED)
        counts = {count.kind: count.ballots for count in await count_options(session, [vote.id])}
        outcome = decide(RuleSet.from_data(vote.rule), await _voters(session, vote), counts)
        await session.execute(
            update(Vote).where(Vote.id == vote.id).values(outcome=outcome.to_data())
        )
        await append_audit(
            session,
            vote.id,
            AuditKind.CLOSED,
            {"by": str(viewer.member_id), "outcome": outcome.to_data()},
        )
        transaction.announce(channel_of_meeting(meeting.id), topic_of_vote(vote.id))
    return await read_vote(context, vote.id, Act.VIEW_MEETING)


async def watch_vote(context: Context, vote_id: str) -> AsyncGenerator[Vote, None]:
    """The vote now, and again after each change; authorised afresh each time."""
    vote = await read_vote(context, vote_id, Act.VIEW_MEETING)
    wanted = vote.id
    async with context.feed.join(channel_of_meeting(vote.meeting_id)) as mailbox:
        version = 0
        while True:
            # Nothing is held while waiting, nor read before the channel was joined.
            await context.release()
            vote = await read_vote(context, wanted, Act.VIEW_MEETING)
            if vote.version > version:
                version = vote.version
                yield vote
            await context.release()
            while (await mailbox.next()).isdisjoint({topic_of_vote(wanted), GAP}):
                pass


async def acts_on_vote(context: Context, vote: Vote) -> list[Act]:
    """What the viewer can do with the vote as it stands."""
    if vote.state is VoteState.CLOSED:
        return []
    acts = []
    key = (vote.id, context.signed_in().member_id)
    if vote.state is VoteState.OPEN and await context.loaders.is_entitled.load(key):
        acts = [Act.CAST_BALLOT] if await context.loaders.ballot.load(key) is None else []
    chairing = Act.OPEN_VOTE if vote.state is VoteState.PREPARED else Act.CLOSE_VOTE
    meeting = await context.loaders.meeting.load(vote.meeting_id)
    if may(chairing, await viewer_relations(context, meeting.unit_id)):
        acts.append(chairing)
    return acts


async def _electors(session: WriteSession, meeting: Meeting) -> list[Elector]:
    """Everyone in the branch today, as the rules want to see them, in the order of their ids."""
    elsewhere = (
        select(Membership.member_id)
        .where(
            Membership.kind == MembershipKind.TEMPORARY,
            Membership.valid_to.is_(None),
            Membership.unit_id != meeting.unit_id,
        )
        .scalar_subquery()
    )
    rows = await session.execute(
        select(
            Member.id,
            Member.standing,
            Membership.kind,
            Member.id.in_(elsewhere).label("is_elsewhere"),
            Attendance.is_summoned,
            Attendance.status,
        )
        .join(Membership, Membership.member_id == Member.id)
        .outerjoin(
            Attendance,
            and_(Attendance.member_id == Member.id, Attendance.meeting_id == meeting.id),
        )
        .where(Membership.unit_id == meeting.unit_id, Membership.valid_to.is_(None))
        .order_by(Member.id)
    )
    return [
        Elector(
            member_id=row.id,
            standing=row.standing,
            is_guest=row.kind is MembershipKind.TEMPORARY,
            is_elsewhere=row.is_elsewhere,
            is_summoned=bool(row.is_summoned),
            is_present=row.status is AttendanceStatus.PRESENT,
        )
        for row in rows
    ]


async def _freeze_roll(session: WriteSession, vote_id: UUID, roll: Sequence[Entry]) -> None:
    if not roll:
        return
    await session.execute(
        insert(RollEntry),
        [
            {
                "vote_id": vote_id,
                "member_id": entry.elector.member_id,
                "standing": entry.elector.standing,
                "left_out": entry.left_out,
                "is_elsewhere": entry.elector.is_elsewhere,
                "is_summoned": entry.elector.is_summoned,
                "was_present_at_opening": entry.elector.is_present,
            }
            for entry in roll
        ],
    )


def _opened(viewer: Viewer, roll: Sequence[Entry]) -> dict[str, object]:
    """The audit payload of an opening: who opened, and a hash that fixes the roll."""
    lines = [
        [str(entry.elector.member_id), entry.left_out.value if entry.left_out else None]
        for entry in roll
    ]
    return {
        "by": str(viewer.member_id),
        "eligible": sum(entry.is_entitled for entry in roll),
        "roll": hashlib.sha256(canonical_json(lines)).hexdigest(),
    }


async def _voters(session: WriteSession, vote: Vote) -> list[Voter]:
    """The entitled members with what the base needs to know of each at the closing."""
    rows = await session.execute(
        select(RollEntry, Ballot.id.is_not(None).label("has_cast"), Attendance.status)
        .outerjoin(
            Ballot,
            and_(Ballot.vote_id == RollEntry.vote_id, Ballot.member_id == RollEntry.member_id),
        )
        .outerjoin(
            Attendance,
            and_(
                Attendance.member_id == RollEntry.member_id,
                Attendance.meeting_id == vote.meeting_id,
            ),
        )
        .where(RollEntry.vote_id == vote.id, RollEntry.left_out.is_(None))
    )
    return [
        Voter(
            standing=row.RollEntry.standing,
            has_cast=row.has_cast,
            is_elsewhere=row.RollEntry.is_elsewhere,
            is_summoned=row.RollEntry.is_summoned,
            was_present_at_opening=row.RollEntry.was_present_at_opening,
            is_present=row.status is AttendanceStatus.PRESENT,
        )
        for row in rows
    ]


def _parse_choice(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.") from None


async def _earlier_ballot(
    context: Context, viewer: Viewer, vote_id: UUID, ballot: NewBallot
) -> CastBallot:
    """The ballot that this very cast made before, or the reason why there is none."""
    await context.release()  # what the box decided by is newer than anything read before
    async with context.reading() as session:
        place = await load_place(session, viewer)
        earlier = (await find_ballots(session, [vote_id], viewer.member_id)).get(vote_id)
        if earlier is None:
            raise await _why_not(session, place, vote_id)
    if earlier.key != ballot.key:
        raise Refusal(Reason.ALREADY_VOTED, "You have voted; the first ballot stands.")
    if earlier.choices != ballot.choices:
        raise Refusal(Reason.KEY_REUSED, "This key came with another choice before.")
    return earlier


async def _why_not(session: ReadSession, place: Place, vote_id: UUID) -> Refusal:
    """Why the box did not take the ballot, in the order in which a member would ask."""
    row = (
        await session.execute(
            select(Vote.state, Meeting.unit_id, RollEntry.member_id, RollEntry.left_out)
            .join(Meeting, Meeting.id == Vote.meeting_id)
            .outerjoin(
                RollEntry,
                and_(RollEntry.vote_id == Vote.id, RollEntry.member_id == place.member_id),
            )
            .where(Vote.id == vote_id)
        )
    ).one()
    try:
        await permit_in_unit(session, place, Act.CAST_BALLOT, row.unit_id)
        check_open(row.state)
    except Refusal as refusal:
        return refusal
    if row.member_id is not None and row.left_out is None:
        return Refusal(Reason.VOTE_NOT_OPEN, "The vote opened just after this ballot came.")
    why = row.left_out.value if row.left_out else None
    return Refusal(Reason.NOT_ENTITLED, "You are not entitled to vote here.", leftOut=why)
