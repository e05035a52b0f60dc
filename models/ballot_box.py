"""Casting ballots and closing votes, so that no interleaving loses, doubles or adds one.

Casting holds the vote shared, opening and closing hold it alone (`models.locks`), each in a
statement of its own before anything is checked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, String, Uuid, bindparam, func, insert, literal, select, text, update
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from models.accounts import Session
from models.base import database_clock
from models.database import WriteSession, on_postgresql
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


@dataclass(frozen=True)
class NewBallot:
    """A ballot that wants to get into the box. `choices` are options of its vote."""

    member_id: UUID
    session_id: UUID
    key: str
    choices: tuple[UUID, ...]


async def put_ballots(
    session: WriteSession, vote_id: UUID, ballots: Sequence[NewBallot]
) -> list[CastBallot | None]:
    """Insert each ballot if the vote is open, its member entitled and without one yet, and the
    session that it comes from still good, else None.

    All in one statement, however many. The caller holds the vote shared, and has checked that
    the choices are options of the vote.
    """
    ids = [uuid4() for _ in ballots]
    put = _put_on_postgresql if on_postgresql(session) else _put_on_sqlite
    cast_at = await put(session, vote_id, ids, ballots)
    return [
        CastBallot(ballot_id, vote_id, new.key, new.choices, cast_at[ballot_id])
        if ballot_id in cast_at
        else None
        for ballot_id, new in zip(ids, ballots, strict=True)
    ]


_PUT_ON_POSTGRESQL = text(
    """
    WITH put AS (
      INSERT INTO ballot (id, vote_id, member_id, key, sequence, cast_at)
      SELECT new.id, roll_entry.vote_id, roll_entry.member_id, new.key, 1, clock_timestamp()
      FROM unnest(:ids, :members, :sessions, :keys) AS new (id, member_id, session_id, key)
      JOIN roll_entry ON roll_entry.vote_id = :vote AND roll_entry.member_id = new.member_id
      JOIN vote ON vote.id = roll_entry.vote_id
      JOIN session ON session.id = new.session_id
      WHERE roll_entry.left_out IS NULL AND vote.state = 'OPEN'
        AND session.revoked_at IS NULL AND session.expires_at > clock_timestamp()
      ON CONFLICT (vote_id, member_id) DO NOTHING
      RETURNING id, cast_at
    ), marked AS (
      INSERT INTO ballot_choice (ballot_id, option_id, vote_id)
      SELECT put.id, choice.option_id, :vote
      FROM unnest(:ballots, :options) AS choice (ballot_id, option_id)
      JOIN put ON put.id = choice.ballot_id
    )
    SELECT id, cast_at FROM put
    """
).bindparams(
    bindparam("vote", type_=Uuid()),
    bindparam("ids", type_=ARRAY(Uuid())),
    bindparam("members", type_=ARRAY(Uuid())),
    bindparam("sessions", type_=ARRAY(Uuid())),
    bindparam("keys", type_=ARRAY(String())),
    bindparam("ballots", type_=ARRAY(Uuid())),
    bindparam("options", type_=ARRAY(Uuid())),
)


async def _put_on_postgresql(
    session: WriteSession, vote_id: UUID, ids: Sequence[UUID], ballots: Sequence[NewBallot]
) -> dict[UUID, datetime]:
    marks = [
        (ballot_id, option_id)
        for ballot_id, new in zip(ids, ballots, strict=True)
        for option_id in new.choices
    ]
    rows = await session.execute(
        _PUT_ON_POSTGRESQL,
        {
            "vote": vote_id,
            "ids": list(ids),
            "members": [new.member_id for new in ballots],
            "sessions": [new.session_id for new in ballots],
            "keys": [new.key for new in ballots],
            "ballots": [ballot_id for ballot_id, _ in marks],
            "options": [option_id for _, option_id in marks],
        },
    )
    return {row.id: row.cast_at for row in rows}


async def _put_on_sqlite(
    session: WriteSession, vote_id: UUID, ids: Sequence[UUID], ballots: Sequence[NewBallot]
) -> dict[UUID, datetime]:
    cast_at: dict[UUID, datetime] = {}
    for ballot_id, new in zip(ids, ballots, strict=True):
        entitled = (
            select(
                literal(ballot_id, Uuid()),
                RollEntry.vote_id,
                RollEntry.member_id,
                literal(new.key),
                literal(1),
                database_clock(),
            )
            .join(Vote, Vote.id == RollEntry.vote_id)
            .join(Session, Session.id == new.session_id)
            .where(
                RollEntry.vote_id == vote_id,
                RollEntry.member_id == new.member_id,
                RollEntry.left_out.is_(None),
                Vote.state == VoteState.OPEN,
                Session.revoked_at.is_(None),
                Session.expires_at > database_clock(),
            )
        )
        columns = ["id", "vote_id", "member_id", "key", "sequence", "cast_at"]
        moment = await session.scalar(
            sqlite.insert(Ballot)
            .from_select(columns, entitled)
            .on_conflict_do_nothing(index_elements=["vote_id", "member_id"])
            .returning(Ballot.cast_at)
        )
        if moment is not None:
            cast_at[ballot_id] = moment
            await session.execute(
                insert(BallotChoice),
                [
                    {"ballot_id": ballot_id, "option_id": option_id, "vote_id": vote_id}
                    for option_id in new.choices
                ],
            )
    return cast_at


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
