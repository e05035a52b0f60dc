"""The application with one mistake planted from outside, to see that `benchmarks.faults` finds it.

The environment variable BENCHMARKS_PLANT names the mistake. The product has no hooks for this: its
functions are replaced before the application is made.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from starlette.applications import Starlette

import models.ballot_box as box
import resolvers.ballots
import resolvers.casting
import server.asgi
from models.database import WriteSession
from models.voters import Voter
from models.votes import Vote
from realtime.fanout import Group
from realtime.feed import Mailbox
from rules.meetings import VoteState
from rules.rule_sets import Secrecy
from server.sockets import Sockets

GUARD = "AND vote.state = 'OPEN' AND"
THROTTLE = 0.25  # seconds


def create_app() -> Starlette:
    PLANTS[os.environ["BENCHMARKS_PLANT"]]()
    return server.asgi.create_app()


def check_then_insert() -> None:
    """The state is read first; then the ballot is inserted, with neither lock nor guard."""
    _replace_in_statement(GUARD, "AND")
    resolvers.casting.hold_shared = _hold_nothing  # type: ignore[attr-defined]
    put = box.put_ballots

    async def put_if_open(
        session: WriteSession, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[box.NewBallot]
    ) -> list[box.CastBallot | None]:
        state = await session.scalar(select(Vote.state).where(Vote.id == vote_id))
        if state is not VoteState.OPEN:
            return [None for _ in ballots]
        return await put(session, vote_id, secrecy, ballots)

    resolvers.casting.put_ballots = put_if_open  # type: ignore[attr-defined]


def lock_and_check_together() -> None:
    """One statement takes the lock and checks: it sees what was there before it waited."""
    number = "('x' || right(replace(CAST(:vote AS text), '-', ''), 16))::bit(64)::bigint"
    lock = f"held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared({number}) AS lock)"
    _replace_in_statement("WITH put AS (", f"WITH {lock}, put AS (")
    _replace_in_statement("JOIN roll_entry ON", "CROSS JOIN held JOIN roll_entry ON")
    _replace_in_statement(GUARD, f"AND held.lock IS NOT NULL {GUARD}")
    resolvers.casting.hold_shared = _hold_nothing  # type: ignore[attr-defined]


def synchronous_commit_off() -> None:
    """Ballots are acknowledged before they are on the disk; all else is committed as it should."""
    put = box.put_ballots

    async def put_hastily(
        session: WriteSession, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[box.NewBallot]
    ) -> list[box.CastBallot | None]:
        await session.execute(text("SET LOCAL synchronous_commit = off"))
        return await put(session, vote_id, secrecy, ballots)

    resolvers.casting.put_ballots = put_hastily  # type: ignore[attr-defined]


def no_idempotency() -> None:
    """Whoever sends the same key again is told that they have voted."""

    def find_nothing(voter: Voter, ballot: box.NewBallot) -> box.CastBallot | None:
        return None

    resolvers.ballots._earlier_cast = find_nothing


def stale_push() -> None:
    """Pushes are throttled, and the trailing edge is forgotten: hints in the pause are dropped."""

    async def change_after_a_pause(self: Group[Any], mailbox: Mailbox) -> None:
        await _drop_for(THROTTLE, mailbox.next)
        await mailbox.next()

    Group._change = change_after_a_pause  # type: ignore[method-assign]


async def _drop_for(seconds: float, next_hint: Callable[[], Any]) -> None:
    try:
        async with asyncio.timeout(seconds):
            while True:
                await next_hint()
    except TimeoutError:
        pass


def missed_revocation() -> None:
    """Whose access has changed is neither heard nor read: sockets stay as they were."""

    async def recheck_nobody(self: Sockets, members: Iterable[UUID]) -> None:
        pass

    Sockets._recheck = recheck_nobody  # type: ignore[method-assign]


async def _hold_nothing(session: WriteSession, subject_id: UUID) -> None:
    """In place of a lock."""


def _replace_in_statement(part: str, other: str) -> None:
    """Change the statement that puts ballots of an OPEN vote into the box."""
    statement = box._BALLOTS_ON_POSTGRESQL.text
    assert part in statement, f"the product's statement has changed: no {part!r} in it"
    box._BALLOTS_ON_POSTGRESQL = text(statement.replace(part, other)).bindparams(*box._BINDS)


PLANTS: dict[str, Callable[[], None]] = {
    "check-then-insert": check_then_insert,
    "lock-and-check-together": lock_and_check_together,
    "synchronous-commit-off": synchronous_commit_off,
    "no-idempotency": no_idempotency,
    "stale-push": stale_push,
    "missed-revocation": missed_revocation,
}
