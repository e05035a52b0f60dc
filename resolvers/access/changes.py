"""Whose access changed: what a process reads from time to time, because a hint may never come."""

import time
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, delete, select

from models.accounts.access_changes import AccessChange
from models.base import database_clock
from models.database import Database
from models.driver.hot_statements import Statement

OVERLAP = timedelta(seconds=30)
"""How much longer a transaction may last between its change and its commit, to be seen here."""

KEPT = timedelta(days=1)
PRUNE_EVERY = 600.0  # seconds

_NOW = Statement(select(database_clock().label("now")))
_SINCE = Statement(
    select(AccessChange.id, AccessChange.member_id).where(
        AccessChange.changed_at > bindparam("since")
    )
)


class AccessChanges:
    """The members whose session, standing, membership or roles changed. One for each process.

    The rows come from triggers, so this finds every committed change, whoever made it. Changes
    become visible when they commit, in any order: each reading begins `OVERLAP` before the last
    one, by the database's clock, and knows what it has told already.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_at: datetime | None = None
        self._told: frozenset[int] = frozenset()
        self._prune_after = time.monotonic() + PRUNE_EVERY

    async def read(self) -> frozenset[UUID]:
        """Members of changes that were not told yet; the first time, those of the last `OVERLAP`.

        Reads one range of an index. Now and then it deletes what is older than a day. Raises what
        the database raises; the next call then reads from where the last good one was.
        """
        if time.monotonic() >= self._prune_after:
            self._prune_after = time.monotonic() + PRUNE_EVERY
            await self._prune()
        ((now,),) = await self._database.look(_NOW, {})
        rows = await self._database.look(_SINCE, {"since": (self._read_at or now) - OVERLAP})
        found = {row.id: row.member_id for row in rows}
        fresh = frozenset(found[number] for number in found.keys() - self._told)
        self._read_at, self._told = now, frozenset(found)
        return fresh

    async def _prune(self) -> None:
        async with self._database.writing() as session:
            now = (await session.execute(select(database_clock()))).scalar_one()
            await session.execute(delete(AccessChange).where(AccessChange.changed_at < now - KEPT))
            await session.commit()
