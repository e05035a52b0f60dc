"""Who a session token belongs to."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from models.accounts.accounts import Account, Session
from models.base import database_clock
from models.database import Database
from models.driver.hot_statements import Statement, among
from resolvers.batching import Batcher
from rules.permissions import Place

MOST_TOGETHER = 256
"""Tokens of one look-up."""

TOKENS_KEPT = 50_000
"""Beyond, all are forgotten, and looked up again."""

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
    looked up together.

    A token is of one session of one member for good, so that is remembered. Whether the session is
    still good is not taken from memory: whatever reads or does something for a viewer asks the
    database in the same snapshot or statement (`permit.py`, the guard of the ballot box). Only
    signing out does not ask: it ends the session either way.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lookups = Batcher(self._find, MOST_TOGETHER)
        self._known: dict[bytes, Viewer] = {}
        self._of_member: dict[UUID, list[bytes]] = defaultdict(list)
        self._times_forgotten = 0

    async def find(self, token_hash: bytes) -> Viewer | None:
        """The viewer, if the session was good when somebody looked last."""
        known = self._known.get(token_hash)
        if known is not None and known.session_expires_at > datetime.now(UTC):
            return known
        return await self.look_up(token_hash)

    def knows(self, token_hash: bytes) -> bool:
        """Whether it was a session's when somebody looked last; nobody looks now."""
        return token_hash in self._known

    async def look_up(self, token_hash: bytes) -> Viewer | None:
        """The viewer, if the session is good now."""
        return await self._lookups.do(token_hash)

    def remember(self, token_hash: bytes, viewer: Viewer) -> None:
        """Whose token it is, as the database said a moment ago."""
        if token_hash not in self._known:
            if len(self._known) >= TOKENS_KEPT:
                self._known.clear()
                self._of_member.clear()
            self._of_member[viewer.member_id].append(token_hash)
        self._known[token_hash] = viewer

    def forget(self, member_ids: Iterable[UUID]) -> None:
        """Look the tokens of these members up when they come again: a session may have ended."""
        for member_id in member_ids:
            self._times_forgotten += 1
            for token_hash in self._of_member.pop(member_id, ()):
                self._known.pop(token_hash, None)

    async def _find(self, token_hashes: list[bytes]) -> list[Viewer | None]:
        times_forgotten = self._times_forgotten
        rows = await self._database.look(_GOOD_SESSIONS, {"hashes": token_hashes})
        found = {row.token_hash: Viewer(row.member_id, row.id, row.expires_at) for row in rows}
        if times_forgotten == self._times_forgotten:  # else it may be what was before
            for token_hash, viewer in found.items():
                self.remember(token_hash, viewer)
        for token_hash in token_hashes:
            if token_hash not in found and (ended := self._known.get(token_hash)):
                self.forget([ended.member_id])
        return [found.get(token_hash) for token_hash in token_hashes]
