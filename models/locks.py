"""Locks on one vote or one meeting for the length of a transaction.

Many may hold it shared (to cast, to check in), one holds it alone (to open, close, move). Take the
lock in a statement of its own, *before* reading what is to be checked: under READ COMMITTED the
next statement then sees all that was committed before the lock was granted, while lock and check
in one statement would check against a snapshot from before the wait. PostgreSQL's advisory locks
queue fairly, so voters do not starve the chair. SQLite has one writer at a time (BEGIN IMMEDIATE)
and needs no lock. Order: a meeting before its votes.
"""

from uuid import UUID

from sqlalchemy import func, select

from models.database import WriteSession, on_postgresql


async def hold_shared(session: WriteSession, subject_id: UUID) -> None:
    """Keep others from holding the subject alone until this transaction ends."""
    if on_postgresql(session):
        await session.execute(select(func.pg_advisory_xact_lock_shared(_number(subject_id))))


async def hold_alone(session: WriteSession, subject_id: UUID) -> None:
    """Wait for those under way, and keep all others out until this transaction ends."""
    if on_postgresql(session):
        await session.execute(select(func.pg_advisory_xact_lock(_number(subject_id))))


def _number(subject_id: UUID) -> int:
    """64 bits of the id. A collision would only make two subjects wait for each other."""
    return int.from_bytes(subject_id.bytes[8:], "big", signed=True)
