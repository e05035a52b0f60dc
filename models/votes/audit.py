"""Appending to a vote's audit chain. The caller holds the vote alone, so links never fork."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from models.database import WriteSession
from models.driver.hot_statements import Statement
from models.votes.record import seal_tables
from models.votes.votes import AuditRow, Recusal, Vote
from rules.votes.record.audit import BEGINNING, AuditKind, chain_hash
from rules.votes.record.chain import PAPER


class ChainEnd(NamedTuple):
    """Where a chain ends."""

    links: int
    head: bytes
    """The last link's hash."""


async def append_audit(
    session: WriteSession, vote_id: UUID, kind: AuditKind, payload: Mapping[str, Any]
) -> None:
    """Insert the next link. `payload` is plain JSON, and names no choice of any member
    but of a hand that everybody in the room saw."""
    last = (
        await session.execute(
            select(AuditRow.sequence, AuditRow.hash)
            .where(AuditRow.vote_id == vote_id)
            .order_by(AuditRow.sequence.desc())
            .limit(1)
        )
    ).one_or_none()
    end = ChainEnd(last.sequence, last.hash) if last else ChainEnd(0, BEGINNING)
    await append_links(session, vote_id, end, [(kind, payload)])


async def append_created(session: WriteSession, vote: Vote, by: UUID | None) -> None:
    """The first link, when the vote's paper and recusals are written."""
    await append_audit(
        session,
        vote.id,
        AuditKind.CREATED,
        {
            "by": str(by) if by else None,
            "meeting": str(vote.meeting_id),
            "item": str(vote.item_id),
            "position": vote.position,
            "matter": vote.matter.value,
            "question": vote.question,
            "rule": vote.rule,
            "repeatOf": str(vote.repeat_of) if vote.repeat_of else None,
            "recused": await _recused(session, vote.id),
            "sealed": await seal_tables(session, vote.id, PAPER),
        },
    )


async def _recused(session: WriteSession, vote_id: UUID) -> list[str]:
    recused = select(Recusal.member_id).where(Recusal.vote_id == vote_id)
    return sorted(map(str, await session.scalars(recused)))


async def append_links(
    session: WriteSession,
    vote_id: UUID,
    end: ChainEnd,
    links: Sequence[tuple[AuditKind, Mapping[str, Any]]],
) -> None:
    """Insert the links that follow the chain's end, one after the other."""
    values: dict[str, Any] = {}
    head = end.head
    for number, (kind, payload) in enumerate(links):
        previous, head = head, chain_hash(head, kind, payload)
        link = {
            "vote_id": vote_id,
            "sequence": end.links + 1 + number,
            "kind": kind,
            "payload": dict(payload),
            "previous_hash": previous,
            "hash": head,
        }
        values |= {_parameter(name, number): value for name, value in link.items()}
    await session.fetch(_insert(len(links)), values)


async def audit_head(session: WriteSession, vote_id: UUID) -> bytes:
    """The last link's hash: it fixes everything that happened to the vote, 32 bytes."""
    head = await session.scalar(
        select(AuditRow.hash)
        .where(AuditRow.vote_id == vote_id)
        .order_by(AuditRow.sequence.desc())
        .limit(1)
    )
    return head or BEGINNING


@cache
def _insert(links: int) -> Statement:
    """Of so many links at once."""
    table = AuditRow.metadata.tables["audit"]
    rows = [
        {
            column.name: bindparam(_parameter(column.name, number), type_=column.type)
            for column in table.c
        }
        for number in range(links)
    ]
    return Statement(insert(table).values(rows).returning(table.c.sequence))


def _parameter(column: str, number: int) -> str:
    return f"{column}_of_{number}"
