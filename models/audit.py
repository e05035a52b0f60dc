"""Appending to a vote's audit chain. The caller holds the vote alone, so links never fork."""

from collections.abc import Mapping, Sequence
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
    await append_links(session, vote_id, [(kind, payload)])


async def append_links(
    session: WriteSession, vote_id: UUID, links: Sequence[tuple[AuditKind, Mapping[str, Any]]]
) -> None:
    """Insert the next links, one after the other."""
    last = (
        await session.execute(
            select(AuditRow.sequence, AuditRow.hash)
            .where(AuditRow.vote_id == vote_id)
            .order_by(AuditRow.sequence.desc())
            .limit(1)
        )
    ).one_or_none()
    sequence, head = (last.sequence, last.hash) if last else (0, BEGINNING)
    rows = []
    for number, (kind, payload) in enumerate(links, start=sequence + 1):
        previous, head = head, chain_hash(head, kind, payload)
        rows.append(
            {
                "vote_id": vote_id,
                "sequence": number,
                "kind": kind,
                "payload": dict(payload),
                "previous_hash": previous,
                "hash": head,
            }
        )
    await session.execute(insert(AuditRow), rows)


async def audit_head(session: WriteSession, vote_id: UUID) -> bytes:
    """The last link's hash: it fixes everything that happened to the vote, 32 bytes."""
    head = await session.scalar(
        select(AuditRow.hash)
        .where(AuditRow.vote_id == vote_id)
        .order_by(AuditRow.sequence.desc())
        .limit(1)
    )
    return head or BEGINNING
