"""Appending to a vote's audit chain. The caller holds the vote alone, so links never fork."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from models.database import WriteSession
from models.votes import AuditRow
from rules.audit import BEGINNING, AuditKind, chain_hash


async def append_audit(
    session: WriteSession, vote_id: UUID, kind: AuditKind, payload: Mapping[str, Any]
) -> None:
    """Insert the next link. `payload` is plain JSON and names no choice of any member."""
    last = (
        await session.execute(
            select(AuditRow.sequence, AuditRow.hash)
            .where(AuditRow.vote_id == vote_id)
            .order_by(AuditRow.sequence.desc())
            .limit(1)
        )
    ).one_or_none()
    previous = last.hash if last else BEGINNING
    await session.execute(
        insert(AuditRow).values(
            vote_id=vote_id,
            sequence=last.sequence + 1 if last else 1,
            kind=kind,
            payload=dict(payload),
            previous_hash=previous,
            hash=chain_hash(previous, kind, payload),
        )
    )


async def audit_head(session: WriteSession, vote_id: UUID) -> bytes:
    """The last link's hash: it fixes everything that happened to the vote, 32 bytes."""
    head = await session.scalar(
        select(AuditRow.hash)
        .where(AuditRow.vote_id == vote_id)
        .order_by(AuditRow.sequence.desc())
        .limit(1)
    )
    return head or BEGINNING
