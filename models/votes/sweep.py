"""Giving up what lay in the box of an UNATTRIBUTED vote that has closed.

A mark and a paper that were written by one transaction are joined by it, and by their order, until
the paper's bytes are gone: a row that is deleted leaves them in the file. So all pages of
`open_paper` are given up at once, and the papers of votes that are still open are written anew, in
random order. PostgreSQL then has another file. SQLite overwrites the pages with zeros
(`secure_delete`), and its write-ahead log is brought to nothing.
"""

from random import SystemRandom
from typing import Any

from sqlalchemy import Boolean, func, select, text

from models.database import Database, insert_rows
from models.driver.hot_statements import Statement
from models.votes.votes import OpenPaper, Vote
from rules.meetings.meetings import VoteState

_SWEEP = Statement(select(func.sweep_papers(type_=Boolean()).label("is_swept")))


PATIENCE = 50
"""Milliseconds that the sweeping waits for others, who wait behind it meanwhile."""


async def sweep_papers(database: Database, *, is_swept: bool) -> bool:
    """Sweep if a vote has closed since. Whether nothing is left; otherwise call it again, soon.

    `is_swept` is what the call before gave, in this process. Nobody waits for it longer than 50 ms:
    while a backup reads the table, it gives up.
    """
    if database.dialect == "postgresql":
        (row,) = await database.look(_SWEEP, {})
        return bool(row.is_swept)
    if await _sweep_rows(database) or not is_swept:
        return await _empty_log(database)
    return True


async def _sweep_rows(database: Database) -> bool:
    """On SQLite. Whether there was anything to sweep."""
    is_left = select(OpenPaper.id).outerjoin(Vote, Vote.id == OpenPaper.vote_id)
    is_left = is_left.where(Vote.state.is_distinct_from(VoteState.OPEN)).limit(1)
    async with database.snapshot() as reading:
        if await reading.scalar(is_left) is None:
            return False
    async with database.writing() as session:
        kept: list[dict[str, Any]] = [
            dict(row._mapping)
            for row in await session.execute(
                select(*OpenPaper.__table__.c)
                .join(Vote, Vote.id == OpenPaper.vote_id)
                .where(Vote.state == VoteState.OPEN)
            )
        ]
        SystemRandom().shuffle(kept)
        await session.execute(text("DELETE FROM open_paper"))
        await insert_rows(session, OpenPaper, kept)
        await session.commit()
    return True


async def _empty_log(database: Database) -> bool:
    """Bring SQLite's write-ahead log into the file and truncate it, if nobody reads from it."""
    async with database.glance() as connection:
        before = (await connection.execute(text("PRAGMA busy_timeout"))).scalar_one()
        await connection.execute(text(f"PRAGMA busy_timeout = {PATIENCE}"))
        try:
            result = await connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            return bool(result.one().busy == 0)
        finally:
            await connection.execute(text(f"PRAGMA busy_timeout = {before}"))
