"""Casting ballots and closing votes, so that no interleaving loses, doubles or adds one.

Casting holds the vote shared, opening and closing hold it alone (`models.locks`), each in a
statement of its own before anything is checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import database_clock
from models.database import WriteSession, insert_or_ignore
from models.votes import Ballot, BallotChoice, RollEntry, Vote, VoteOption
from rules.meetings import VoteState
from rules.voting import OptionKind


@dataclass(frozen=True)
class CastBallot:
    """A ballot as it stands in the box."""

    id: UUID
    vote_id: UUID
    key: str
    choices: tuple[UUID, ...]
    cast_at: datetime


async def put_ballot(
    session: WriteSession, vote_id: UUID, member_id: UUID, key: str, choices: Sequence[UUID]
) -> CastBallot | None:
    """Insert the ballot if the vote is open, the member entitled and has none yet, else None.

    The caller holds the vote shared.
    """
    guarded = (
        select(
            literal(uuid4(), Ballot.id.type),
            RollEntry.vote_id,
            RollEntry.member_id,
            literal(key),
            literal(1),
            database_clock(),
        )
        .join(Vote, Vote.id == RollEntry.vote_id)
        .where(
            RollEntry.vote_id == vote_id,
            RollEntry.member_id == member_id,
            RollEntry.left_out.is_(None),
            Vote.state == VoteState.OPEN,
        )
    )
    columns = ["id", "vote_id", "member_id", "key", "sequence", "cast_at"]
    row = (
        await session.execute(
            insert_or_ignore(session, Ballot)
            .from_select(columns, guarded)
            .on_conflict_do_nothing(index_elements=["vote_id", "member_id"])
            .returning(Ballot.id, Ballot.cast_at)
        )
    ).one_or_none()
    if row is None:
        return None
    await session.execute(
        insert(BallotChoice),
        [{"ballot_id": row.id, "option_id": option, "vote_id": vote_id} for option in choices],
    )
    return CastBallot(row.id, vote_id, key, tuple(choices), row.cast_at)


async def find_ballots(
    session: AsyncSession, vote_ids: Sequence[UUID], member_id: UUID
) -> dict[UUID, CastBallot]:
    """The member's ballots in these votes, by vote."""
    rows = await session.execute(
        select(Ballot.id, Ballot.vote_id, Ballot.key, Ballot.cast_at, BallotChoice.option_id)
        .join(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .where(Ballot.vote_id.in_(vote_ids), Ballot.member_id == member_id)
        .order_by(BallotChoice.option_id)
    )
    found: dict[UUID, CastBallot] = {}
    for row in rows:
        before = found[row.vote_id].choices if row.vote_id in found else ()
        choices = (*before, row.option_id)
        found[row.vote_id] = CastBallot(row.id, row.vote_id, row.key, choices, row.cast_at)
    return found


async def flip_vote(session: WriteSession, vote_id: UUID, to: VoteState) -> datetime | None:
    """Move the vote from its state to the next. None if it was not in the state before `to`.

    Closing flips first and counts after: whoever waited for the lock finds it closed.
    """
    before, moment = {
        VoteState.OPEN: (VoteState.PREPARED, Vote.opened_at),
        VoteState.CLOSED: (VoteState.OPEN, Vote.closed_at),
    }[to]
    return await session.scalar(
        update(Vote)
        .where(Vote.id == vote_id, Vote.state == before)
        .values(
            {
                Vote.state: to,
                moment: database_clock(),
                Vote.row_version: Vote.row_version + 1,
            }
        )
        .returning(moment)
    )


@dataclass(frozen=True)
class OptionCount:
    vote_id: UUID
    option_id: UUID
    kind: OptionKind
    ballots: int


async def count_options(session: AsyncSession, vote_ids: Sequence[UUID]) -> list[OptionCount]:
    """Recount from the ballots, in the options' order, options without ballots included."""
    rows = await session.execute(
        select(
            VoteOption.vote_id,
            VoteOption.id,
            VoteOption.kind,
            func.count(BallotChoice.ballot_id),
        )
        .outerjoin(BallotChoice, BallotChoice.option_id == VoteOption.id)
        .where(VoteOption.vote_id.in_(vote_ids))
        .group_by(VoteOption.vote_id, VoteOption.id, VoteOption.kind, VoteOption.position)
        .order_by(VoteOption.vote_id, VoteOption.position)
    )
    return [OptionCount(*row) for row in rows]
