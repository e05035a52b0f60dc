"""Who a session token belongs to."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from models.accounts import Account, Session
from models.base import database_clock
from models.database import Database
from models.statements import Statement, among
from resolvers.batches import Batcher
from rules.permissions import Place

MOST_TOGETHER = 256
"""Tokens of one look-up."""


# Built once: building a statement takes longer than running it.
_GOOD_SESSIONS = Statement(
    select(Session.token_hash, Account.member_id, Session.id, Session.expires_at)
    .join(Account, Account.id == Session.account_id)
    .where(
        among(Session.token_hash, "hashes"),
        Session.revoked_at.is_(None),
        Session.expires_at > database_clock(),
    )
)


@dataclass(frozen=True)
class Viewer:
    """The signed-in member on whose behalf an operation runs."""

    member_id: UUID
    session_id: UUID
    session_expires_at: datetime


@dataclass(frozen=True)
class Access:
    """A signed-in member, and where they stood when it was read."""

    viewer: Viewer
    place: Place


class Sessions:
    """Whose session a token belongs to. One for each process: requests that come together are
    looked up together."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups = Batcher(self._find, MOST_TOGETHER)

    async def find(self, token_hash: bytes) -> Viewer | None:
        """The viewer, if the session is still good."""
        return await self._lookups.do(token_hash)

    async def _find(self, token_hashes: list[bytes]) -> list[Viewer | None]:
        rows = await self._database.look(_GOOD_SESSIONS, {"hashes": token_hashes})
        found = {row.token_hash: Viewer(row.member_id, row.id, row.expires_at) for row in rows}
        return [found.get(token_hash) for token_hash in token_hashes]
