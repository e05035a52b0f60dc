"""The application with one mistake planted from outside, to see that `benchmarks.faults` finds it.

The environment variable BENCHMARKS_PLANT names the mistake. The product has no hooks for this: its
functions are replaced before the application is made.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, select, text
from starlette.applications import Starlette

import models.votes.ballot_box as box
import resolvers.votes.ballots
import resolvers.votes.cast
import server.asgi
from models.database import Database
from models.driver.hot_statements import Statement
from models.votes.voters import Voter
from models.votes.votes import Vote
from realtime.fanout import Group
from realtime.feed import Mailbox
from rules.meetings.meetings import VoteState
from rules.votes.rule_sets import Secrecy
from server.websocket.connections import Sockets

LOCK = "PERFORM pg_advisory_xact_lock_shared(number);"
GUARD = "AND vote.state = 'OPEN'"
THROTTLE = 0.25  # seconds

Put = Callable[
    [Database, UUID, Secrecy, Sequence[box.NewBallot]],
    Coroutine[Any, Any, list[box.CastBallot | None]],
]


def create_app() -> Starlette:
    PLANTS[os.environ["BENCHMARKS_PLANT"]]()
    return server.asgi.create_app()


_STATE = Statement(select(Vote.state).where(Vote.id == bindparam("vote")))


def check_then_insert() -> None:
    """The state is read first; then the ballot is inserted, with neither lock nor guard."""
    put = _put_by_copy({LOCK: "", GUARD: ""})

    async def put_if_open(
        database: Database, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[box.NewBallot]
    ) -> list[box.CastBallot | None]:
        ((state,),) = await database.look(_STATE, {"vote": vote_id})
        if state is not VoteState.OPEN:
            return [None for _ in ballots]
        return await put(database, vote_id, secrecy, ballots)

    resolvers.votes.cast.put_ballots = put_if_open  # type: ignore[attr-defined]


def lock_and_check_together() -> None:
    """One statement takes the lock and checks: it sees what was there before it waited."""
    held = "WITH held AS MATERIALIZED (SELECT pg_advisory_xact_lock_shared(number) AS lock), "
    resolvers.votes.cast.put_ballots = _put_by_copy(  # type: ignore[assignment, attr-defined]
        {
            LOCK: "",
            "WITH put AS (": held + "put AS (",
            "JOIN roll_entry ON": "CROSS JOIN held JOIN roll_entry ON",
            GUARD: f"AND held.lock IS NOT NULL {GUARD}",
        }
    )


def synchronous_commit_off() -> None:
    """Ballots are acknowledged before they are on the disk; all else is committed as it should."""
    _replace_in_call("FROM ", "FROM set_config('synchronous_commit', 'off', true), ")


def no_idempotency() -> None:
    """Whoever sends the same key again is told that they have voted."""

    def find_nothing(voter: Voter, ballot: box.NewBallot) -> box.CastBallot | None:
        return None

    resolvers.votes.ballots._earlier_cast = find_nothing


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


def _put_by_copy(changes: Mapping[str, str]) -> Put:
    """What puts ballots of an OPEN vote into the box by a changed copy of the database's function.

    Each process has a copy of its own, so that no two create the same one at once.
    """
    put, name, creating, created = box.put_ballots, f"put_{os.getpid()}", asyncio.Lock(), False
    _replace_in_call("put_ballots(", f"{name}(")

    async def put_by_copy(
        database: Database, vote_id: UUID, secrecy: Secrecy, ballots: Sequence[box.NewBallot]
    ) -> list[box.CastBallot | None]:
        nonlocal created
        async with creating:
            if not created:
                await _copy_function(database, name, changes)
                created = True
        return await put(database, vote_id, secrecy, ballots)

    return put_by_copy


async def _copy_function(database: Database, name: str, changes: Mapping[str, str]) -> None:
    definition = text("SELECT pg_get_functiondef('put_ballots'::regproc) AS definition")
    ((copy,),) = await database.look(Statement(definition.columns(definition=Text())), {})
    for part, other in {"put_ballots(": f"{name}(", **changes}.items():
        copy = _replaced(copy, part, other)
    async with database.writer_engine.begin() as connection:
        await connection.exec_driver_sql(copy)


def _replace_in_call(part: str, other: str) -> None:
    """Change the statement that has ballots of an OPEN vote put into the box."""
    call = _replaced(str(box._PUT_BALLOTS.built), part, other)
    box._PUT_BALLOTS = box._statement(call)


def _replaced(whole: str, part: str, other: str) -> str:
    assert part in whole, f"the product has changed: no {part!r} in it"
    return whole.replace(part, other)


PLANTS: dict[str, Callable[[], None]] = {
    "check-then-insert": check_then_insert,
    "lock-and-check-together": lock_and_check_together,
    "synchronous-commit-off": synchronous_commit_off,
    "no-idempotency": no_idempotency,
    "stale-push": stale_push,
    "missed-revocation": missed_revocation,
}
