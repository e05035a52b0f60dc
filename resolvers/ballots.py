"""Casting: a ballot is judged, put into the box with others, and acknowledged after the commit."""

import re
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import and_, select

from models.ballot_box import CastBallot, NewBallot, find_casts
from models.database import ReadSession
from models.meetings import Meeting
from models.units import Member
from models.votes import HandMark, RollEntry, Vote
from resolvers.access import load_place, not_found, parse_id, permit_in_unit
from resolvers.context import Context, Viewer
from rules.ballots import judge_ballot
from rules.meetings import check_open
from rules.members import Standing
from rules.permissions import Act
from rules.refusals import Reason, Refusal
from rules.rule_sets import Change

_KEY = re.compile(r"[!-~]{1,64}")

ATTEMPTS = 3
"""How often a changed ballot is tried again when another of the member's devices was faster."""


async def cast_ballot(
    context: Context, vote_id: str, choices: Sequence[str], key: str
) -> CastBallot:
    """Cast the viewer's ballot. The same key gives the same receipt again, also after closing.

    Raises INVALID_INPUT (key), INVALID_CHOICE, NOT_ENTITLED, ALREADY_VOTED, KEY_REUSED,
    VOTE_NOT_OPEN, VOTE_CLOSED, NOT_ALLOWED, NOT_FOUND.
    """
    viewer = context.signed_in()
    wanted = parse_id(vote_id, "vote")
    if not _KEY.fullmatch(key):
        raise Refusal(Reason.INVALID_INPUT, "A key is 1 to 64 printable ASCII characters.")
    # The box needs a connection. Who waits for it holds none, or enough of them wait for ever.
    await context.release()
    facts = await context.casting.facts(wanted)
    if facts is None:
        raise await _why_closed_box(context, viewer, wanted)
    judged = judge_ballot(facts.rule, facts.options, [_parse_choice(text) for text in choices])
    # The roll is the permission: who is entitled on it may cast, whoever else is told why not.
    ballot = NewBallot(viewer.member_id, viewer.session_id, key, judged)
    for _ in range(ATTEMPTS if facts.rule.change is Change.LAST_COUNTS else 1):
        recorded = await context.casting.cast(wanted, facts, ballot)
        recorded = recorded or await _earlier_cast(context, viewer, wanted, ballot)
        if recorded is not None:
            return recorded
        await context.release()
    raise await _why_not(context, viewer, wanted)


def _parse_choice(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refusal(Reason.INVALID_CHOICE, "The option does not belong to this vote.") from None


async def _earlier_cast(
    context: Context, viewer: Viewer, vote_id: UUID, ballot: NewBallot
) -> CastBallot | None:
    """What this very cast recorded before, if it did. Raises KEY_REUSED."""
    await context.release()  # what the box decided by is newer than anything read before
    async with context.reading() as session:
        await load_place(session, viewer)  # a receipt is told to no session that has ended
        casts = (await find_casts(session, [vote_id], viewer.member_id)).get(vote_id, [])
    for cast in casts:
        if cast.key == ballot.key:
            if cast.choices is not None and set(cast.choices) != set(ballot.judged.choices):
                raise Refusal(Reason.KEY_REUSED, "This key came with another choice before.")
            return cast
    return None


async def _why_not(context: Context, viewer: Viewer, vote_id: UUID) -> Refusal:
    """Why the box did not take the ballot, in the order in which a member would ask."""
    async with context.reading() as session:
        casts = await find_casts(session, [vote_id], viewer.member_id)
        row = (
            await session.execute(
                select(
                    Vote.state,
                    Vote.change,
                    Meeting.unit_id,
                    RollEntry.left_out,
                    RollEntry.member_id,
                    HandMark.member_id.label("counted"),
                    Member.standing,
                )
                .join(Meeting, Meeting.id == Vote.meeting_id)
                .join(Member, Member.id == viewer.member_id)
                .outerjoin(
                    RollEntry,
                    and_(RollEntry.vote_id == Vote.id, RollEntry.member_id == Member.id),
                )
                .outerjoin(
                    HandMark, and_(HandMark.vote_id == Vote.id, HandMark.member_id == Member.id)
                )
                .where(Vote.id == vote_id)
            )
        ).one()
        if row.counted is not None or (vote_id in casts and row.change is Change.FINAL):
            return Refusal(Reason.ALREADY_VOTED, "You have voted; that stands.")
        refusal = await _not_permitted(session, viewer, row.unit_id)
    if row.standing is Standing.SUSPENDED and row.member_id is not None:
        return Refusal(Reason.NOT_ENTITLED, "You are suspended.", leftOut=row.standing.value)
    if refusal is not None:
        return refusal
    try:
        check_open(row.state)
    except Refusal as not_open:
        return not_open
    if row.member_id is not None and row.left_out is None:
        # On the roll, and the vote looks open: its time ran out before anybody closed it.
        return Refusal(Reason.VOTE_CLOSED, "The time for this vote is over.")
    why = row.left_out.value if row.left_out else None
    return Refusal(Reason.NOT_ENTITLED, "You are not entitled to vote here.", leftOut=why)


async def _why_closed_box(context: Context, viewer: Viewer, vote_id: UUID) -> Refusal:
    """A vote that is not there, or not open yet."""
    async with context.reading() as session:
        row = (
            await session.execute(
                select(Vote.state, Meeting.unit_id)
                .join(Meeting, Meeting.id == Vote.meeting_id)
                .where(Vote.id == vote_id)
            )
        ).one_or_none()
        if row is None:
            return not_found("vote")
        refusal = await _not_permitted(session, viewer, row.unit_id)
    return refusal or Refusal(Reason.VOTE_NOT_OPEN, "The vote is not open yet.")


async def _not_permitted(session: ReadSession, viewer: Viewer, unit_id: UUID) -> Refusal | None:
    try:
        place = await load_place(session, viewer)
        await permit_in_unit(session, place, Act.CAST_BALLOT, unit_id)
    except Refusal as refusal:
        return refusal
    return None
