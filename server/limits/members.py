"""What one member may ask of one process: all their tabs, devices and programs together.

Nobody who uses the software meets these limits; they keep one member from taking what the others
need. Whoever is over a limit is answered late, and so asks less often: first what was asked for,
after a moment; then, from a second's worth on, a refusal. Ballots have an allowance of their own.
"""

import asyncio
import math
from collections import Counter
from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from rules.rate_limit import Buckets, Rate
from rules.refusals import Reason, Refusal
from schema.live.documents import Document
from schema.live.roots import mutations_in

WORK = Rate(20, 100)
"""Operations, subscriptions included; those that cost much or are new count for several."""
ACTS = Rate(4, 16)
"""Mutations other than ballots, each of a document by itself."""
BALLOTS = Rate(5, 20)

COST_OF_ONE = 500
"""Of a document's cost, what counts for one more operation."""
NEW_DOCUMENT = 4
"""Operations that it counts for to read and validate a document that nobody sent before."""

SOCKETS = 16
SUBSCRIPTIONS = 60
"""Different ones, on all sockets; the same one in several tabs counts once."""
AT_ONCE = 16
"""Operations under way, ballots apart."""

PATIENCE = 1.0
"""Seconds: who has to wait longer is refused, after as long."""

MEMBERS = 50_000
"""That are remembered."""

CAST_BALLOT = "castBallot"


@dataclass
class _Present:
    """A member who does something now."""

    places: asyncio.Semaphore
    users: int = 0


@dataclass
class MemberLimits:
    """One for each process. `times` are how many times the usual a member may ask for: more, where
    programs share a token."""

    times: int = 1
    _present: dict[UUID, _Present] = field(default_factory=dict)
    _followed: dict[UUID, Counter[Hashable]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._work, self._acts, self._ballots = (
            Buckets(Rate(self.times * one.rate, self.times * one.size), MEMBERS)
            for one in (WORK, ACTS, BALLOTS)
        )
        self.sockets = self.times * SOCKETS
        self.subscriptions = self.times * SUBSCRIPTIONS

    def begins_at_once(self, member_id: UUID, query: str | None, *, is_new: bool) -> bool:
        """Whether an operation may begin now, before its document is read; it counts then."""
        now = asyncio.get_running_loop().time()
        return self._bucket(query).take(member_id, now, _tokens(is_new))

    async def begin(self, member_id: UUID, query: str | None, *, is_new: bool) -> None:
        """The same for who waits until it may. Raises TOO_MANY_REQUESTS."""
        await _take(self._bucket(query), member_id, _tokens(is_new))

    @asynccontextmanager
    async def place(self, member_id: UUID, query: str | None) -> AsyncIterator[None]:
        """One of the places of a member's operations under way; ballots need none. Raises
        TOO_MANY_REQUESTS."""
        if _is_about_ballots(query):
            yield
            return
        async with self._place(member_id):
            yield

    def subscribe(self, member_id: UUID, cost: int) -> None:
        """What a subscription costs is owed, and paid off before anything else begins."""
        now = asyncio.get_running_loop().time()
        self._work.spend(member_id, now, cost // COST_OF_ONE)

    async def charge(self, member_id: UUID, document: Document, name: str | None) -> None:
        """Before an operation is executed. Raises TOO_MANY_REQUESTS."""
        if cost := document.extent.cost // COST_OF_ONE:
            await _take(self._work, member_id, cost)
        fields = mutations_in(document, name)
        ballots = fields.count(CAST_BALLOT)
        if acts := len(fields) - ballots:
            await _take(self._acts, member_id, acts)
        if ballots > 1:
            await _take(self._ballots, member_id, ballots - 1)

    def follow(self, member_id: UUID, key: Hashable) -> None:
        """One more subscription, to be let go of with `unfollow`. Raises TOO_MANY_REQUESTS."""
        followed = self._followed.setdefault(member_id, Counter())
        if key not in followed and len(followed) >= self.subscriptions:
            words = f"At most {self.subscriptions} different subscriptions at once."
            raise _too_many(words, self.subscriptions, 0.0)
        followed[key] += 1

    def unfollow(self, member_id: UUID, key: Hashable) -> None:
        followed = self._followed[member_id]
        followed[key] -= 1
        if not followed[key]:
            del followed[key]
        if not followed:
            del self._followed[member_id]

    def _bucket(self, query: str | None) -> Buckets:
        return self._ballots if _is_about_ballots(query) else self._work

    @asynccontextmanager
    async def _place(self, member_id: UUID) -> AsyncIterator[None]:
        """One of the places of those whose operations are under way."""
        most = self.times * AT_ONCE
        present = self._present.setdefault(member_id, _Present(asyncio.Semaphore(most)))
        present.users += 1
        try:
            try:
                async with asyncio.timeout(PATIENCE):
                    await present.places.acquire()
            except TimeoutError:
                words = f"At most {most} operations at once."
                raise _too_many(words, most, PATIENCE) from None
            try:
                yield
            finally:
                present.places.release()
        finally:
            present.users -= 1
            if not present.users:
                del self._present[member_id]


def _is_about_ballots(query: str | None) -> bool:
    """By a glance, because to read it is work already: a ballot needs no other allowance."""
    return query is not None and CAST_BALLOT in query


def _tokens(is_new: bool) -> int:
    return 1 + is_new * NEW_DOCUMENT


async def _take(buckets: Buckets, member_id: UUID, tokens: float) -> None:
    loop = asyncio.get_running_loop()
    wait = buckets.wait(member_id, loop.time(), tokens)
    if wait <= PATIENCE:
        buckets.spend(member_id, loop.time(), tokens)  # now, so that who comes next waits longer
        if wait:
            await asyncio.sleep(wait)
        return
    await asyncio.sleep(PATIENCE)
    raise _too_many("Too many requests; ask again later.", int(buckets.limit.size), wait)


def _too_many(words: str, limit: int, wait: float) -> Refusal:
    seconds = max(1, math.ceil(wait))
    return Refusal(Reason.TOO_MANY_REQUESTS, words, limit=limit, retryAfterSeconds=seconds)
