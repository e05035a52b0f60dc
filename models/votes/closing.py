"""A vote's step to its next state, and what closing does to its rows.

Everybody who votes waits while a vote closes, so its statements are few, they are built once, and
they go past SQLAlchemy: to build one, or to load an object, takes longer than to run it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Uuid,
    bindparam,
    case,
    func,
    select,
    update,
)

from models.base import database_clock
from models.database import WriteSession, insert_rows, on_postgresql
from models.driver.hot_statements import Statement, entity_of
from models.votes.audit import ChainEnd
from models.votes.votes import OpenPaper, Paper, PaperChoice, Vote, casts_of
from rules.meetings.meetings import VoteState
from rules.votes.record.audit import BEGINNING
from rules.votes.rule_sets import Secrecy


async def flip_vote(session: WriteSession, vote_id: UUID, to: VoteState) -> datetime | None:
    """Open or annul the vote. None if it was not in the state before `to`."""
    before, moment = {
        VoteState.OPEN: (VoteState.PREPARED, Vote.opened_at),
        VoteState.ANNULLED: (VoteState.CLOSED, Vote.annulled_at),
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
class ClosedVote:
    """What deciding needs to know of a vote that was closed a moment ago."""

    meeting_id: UUID
    secrecy: Secrecy
    rule: dict[str, Any]
    chain: ChainEnd


async def flip_to_closed(session: WriteSession, vote_id: UUID) -> ClosedVote | None:
    """Close the vote. None if it was not open. The caller holds it alone.

    Closing flips first and counts after: whoever waited for the lock finds it closed.
    """
    rows = await session.fetch(_FLIP_TO_CLOSED, {"closing": vote_id})
    if not rows:
        return None
    (row,) = rows
    chain = ChainEnd(row.links or 0, row.head or BEGINNING)
    return ClosedVote(row.meeting_id, row.secrecy, row.rule, chain)


async def store_outcome(
    session: WriteSession, vote_id: UUID, outcome: Mapping[str, Any] | None, *, is_published: bool
) -> Vote:
    """Store what the closed vote decided, if anybody may know. Gives the row as it stands then, of
    no session."""
    decided = None if outcome is None else dict(outcome)
    values = {"closing": vote_id, "decided": decided, "is_published": is_published}
    (row,) = await session.fetch(_STORE_OUTCOME, values)
    return entity_of(Vote, row._asdict())


# What an update returns is about the parameter's vote, never about its row's columns: SQLAlchemy
# writes these without their table for SQLite, and the subqueries' tables have columns of that name.
_CLOSING = bindparam("closing", type_=Uuid())


def _update_vote(
    state: VoteState, values: Mapping[str, Any], returning: tuple[ColumnElement[Any], ...]
) -> Statement:
    return Statement(
        update(_VOTE)
        .where(_VOTE.c.id == _CLOSING, _VOTE.c.state == state)
        .values({**values, "row_version": _VOTE.c.row_version + 1})
        .returning(*returning)
    )


def _last_link(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(column)
        .where(_AUDIT.c.vote_id == _CLOSING)
        .order_by(_AUDIT.c.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )


_VOTE = Vote.metadata.tables["vote"]
_AUDIT = Vote.metadata.tables["audit"]
_FLIP_TO_CLOSED = _update_vote(
    VoteState.OPEN,
    {"state": VoteState.CLOSED, "closed_at": database_clock()},
    (
        _VOTE.c.meeting_id,
        _VOTE.c.secrecy,
        _VOTE.c.rule,
        _last_link(_AUDIT.c.sequence).label("links"),
        _last_link(_AUDIT.c.hash).label("head"),
    ),
)
_STORE_OUTCOME = _update_vote(
    VoteState.CLOSED,
    {
        "outcome": bindparam("decided", type_=_VOTE.c.outcome.type),
        "published_at": case((bindparam("is_published", type_=Boolean()), database_clock())),
    },
    (*_VOTE.c, (_VOTE.c.row_version + casts_of(_CLOSING)).label("version")),
)
_REWRITE_PAPERS = Statement(select(func.rewrite_papers(bindparam("vote", type_=Uuid()))))


async def rewrite_papers(session: WriteSession, vote_id: UUID) -> None:
    """Take the papers of a closed UNATTRIBUTED vote out of the box, in random order with other ids.

    What lay in the box is swept afterwards (`models.votes.sweep`). On PostgreSQL a function of the
    tables' owner does it: the application's role may not look at papers of open votes.
    """
    if on_postgresql(session):
        await session.fetch(_REWRITE_PAPERS, {"vote": vote_id})
        return
    papers = await session.execute(
        select(OpenPaper.validity, OpenPaper.choices).where(OpenPaper.vote_id == vote_id)
    )
    fresh = sorted(((uuid4(), row) for row in papers), key=lambda one: one[0])
    new_papers = [
        {"id": paper_id, "vote_id": vote_id, "validity": row.validity} for paper_id, row in fresh
    ]
    await insert_rows(session, Paper, new_papers)
    new_choices = [
        {"paper_id": paper_id, "option_id": UUID(option_id), "vote_id": vote_id}
        for paper_id, row in fresh
        for option_id in sorted(row.choices)
    ]
    await insert_rows(session, PaperChoice, new_choices)
