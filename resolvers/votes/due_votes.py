"""Votes that end without anybody closing them: by the clock, or with their last ballot."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Integer, Select, and_, cast, func, or_, select, true

from models.base import database_clock
from models.driver.hot_statements import Statement
from models.locks import hold_vote_alone
from models.register.units import Member
from models.votes.votes import Ballot, CastMark, CountedHand, RollEntry, Vote
from resolvers.context import Context
from resolvers.votes.cast import Casting
from resolvers.votes.votes import close_held_vote
from rules.meetings.meetings import VoteState
from rules.register.members import Standing

log = structlog.get_logger(__name__)

LOOK_OFTEN = 0.75
"""Seconds between two looks for votes that end with their last ballot, while some are open."""

LOOK_SELDOM = 2.5
"""Seconds at most, so that what another worker has opened meanwhile is closed in time."""


async def close_due_votes(context: Context) -> float:
    """Close every vote whose time is over, or in which all have voted where the rule says so.

    Any worker may do it, at any time: whoever gets the vote's lock first closes it, the next finds
    it closed. What cannot be closed holds up no other.

    Gives the seconds within which to look again: none where some were due, since closing them took
    its time; else until the next vote's time is over, and not many where some vote ends with its
    last ballot.
    """
    rows = await context.database.look(_DUE, {})
    due = [row.id for row in rows if row.id is not None]
    closed = [await _is_closed(context, vote_id) for vote_id in due]
    if not due:
        return _seconds_to_next(rows[0])
    return 0.0 if all(closed) else LOOK_OFTEN


async def _is_closed(context: Context, vote_id: UUID) -> bool:
    try:
        await _close_if_due(context, vote_id)
    except Exception:  # whatever is the matter, it is tried again
        log.warning("could not close a due vote", vote=str(vote_id), exc_info=True)
        return False
    return True


async def _close_if_due(context: Context, vote_id: UUID) -> None:
    async with context.transaction() as transaction:
        session = transaction.session
        await hold_vote_alone(session, vote_id)
        if await session.scalar(_due().where(Vote.id == vote_id)) is not None:
            facts = context.service(Casting).known_facts(vote_id)
            await close_held_vote(transaction, vote_id, None, facts)


def _seconds_to_next(row: Any) -> float:
    seconds = LOOK_OFTEN if row.waits_for_ballots else LOOK_SELDOM
    if row.next_closes_at is not None:
        left: timedelta = row.next_closes_at - row.now
        seconds = min(seconds, max(0.0, left.total_seconds()))
    return seconds


def _due() -> Select[UUID]:
    has_cast = or_(
        *(
            select(table.vote_id)
            .where(table.vote_id == Vote.id, table.member_id == RollEntry.member_id)
            .correlate(Vote, RollEntry)
            .exists()
            for table in (Ballot, CastMark, CountedHand)
        )
    )
    waits_for_somebody = (
        select(RollEntry.vote_id)
        .join(Member, Member.id == RollEntry.member_id)
        .where(
            RollEntry.vote_id == Vote.id,
            RollEntry.left_out.is_(None),
            Member.standing != Standing.SUSPENDED,
            ~has_cast,
        )
        .correlate(Vote)
        .exists()
    )
    return select(Vote.id).where(
        Vote.state == VoteState.OPEN,
        or_(
            Vote.closes_at <= database_clock(),
            and_(Vote.closes_when_all_voted.is_(True), ~waits_for_somebody),
        ),
    )


def _due_and_next() -> Select[Any]:
    """The votes that are due, and in each row what the others wait for: one row at least."""
    due = _due().subquery()
    others = (
        select(
            database_clock().label("now"),
            func.min(Vote.closes_at)
            .filter(Vote.closes_at > database_clock())
            .label("next_closes_at"),
            func.coalesce(func.max(cast(Vote.closes_when_all_voted, Integer)), 0).label(
                "waits_for_ballots"
            ),
        )
        .where(Vote.state == VoteState.OPEN)
        .subquery()
    )
    return select(others, due.c.id).select_from(others.outerjoin(due, true()))


_DUE = Statement(_due_and_next())
