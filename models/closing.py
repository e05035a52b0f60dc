"""A vote's step to its next state, and what closing does to its papers."""

from datetime import datetime
from random import SystemRandom
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update

from models.base import database_clock
from models.database import WriteSession, insert_rows, on_postgresql
from models.votes import Paper, PaperChoice, Vote
from rules.meetings import VoteState


async def flip_vote(session: WriteSession, vote_id: UUID, to: VoteState) -> datetime | None:
    """Move the vote from its state to the next. None if it was not in the state before `to`.

    Closing flips first and counts after: whoever waited for the lock finds it closed.
    """
    before, moment = {
        VoteState.OPEN: (VoteState.PREPARED, Vote.opened_at),
        VoteState.CLOSED: (VoteState.OPEN, Vote.closed_at),
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


async def rewrite_papers(session: WriteSession, vote_id: UUID) -> None:
    """Write the papers of a closed UNATTRIBUTED vote anew, in random order with other ids.

    On PostgreSQL by a function of the tables' owner: the application's role may not delete.
    """
    if on_postgresql(session):
        await session.execute(select(func.rewrite_papers(vote_id)))
        return
    papers = (
        await session.execute(select(Paper.id, Paper.validity).where(Paper.vote_id == vote_id))
    ).all()
    choices = (
        await session.execute(
            select(PaperChoice.paper_id, PaperChoice.option_id).where(
                PaperChoice.vote_id == vote_id
            )
        )
    ).all()
    fresh = {row.id: uuid4() for row in papers}
    await session.execute(delete(PaperChoice).where(PaperChoice.vote_id == vote_id))
    await session.execute(delete(Paper).where(Paper.vote_id == vote_id))
    new_papers = [
        {"id": fresh[row.id], "vote_id": vote_id, "validity": row.validity} for row in papers
    ]
    SystemRandom().shuffle(new_papers)
    await insert_rows(session, Paper, new_papers)
    new_choices = [
        {"paper_id": fresh[row.paper_id], "option_id": row.option_id, "vote_id": vote_id}
        for row in choices
    ]
    SystemRandom().shuffle(new_choices)
    await insert_rows(session, PaperChoice, new_choices)
