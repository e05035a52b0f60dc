"""All rows of a vote as they are stored, for `branch-meetings verify`; and their seals."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Column,
    Enum,
    Integer,
    LargeBinary,
    String,
    Table,
    Uuid,
    bindparam,
    select,
    text,
    type_coerce,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from models.base import Base, Instant
from models.database import WriteSession, on_postgresql
from models.driver.hot_statements import Statement
from models.votes.export import read_links
from models.votes.votes import AuditRow
from rules.votes.record.chain import TABLES
from rules.votes.record.seals import Seal, plain_value
from rules.votes.record.verify import Record


async def read_record(session: AsyncSession, vote_id: UUID) -> Record:
    """Whatever there is; of a vote whose row is gone what it has left behind."""
    votes = await _rows(session, _table("vote"), vote_id, "id")
    return Record(
        str(vote_id),
        votes[0] if votes else None,
        {name: await _rows(session, _table(name), vote_id) for name in TABLES},
        await read_links(session, vote_id),
    )


async def read_chains(session: AsyncSession) -> dict[str, list[str]]:
    """The hashes of each vote's links in hex, in order: of every vote of which there is a row."""
    ids = (select(_table(name).c.vote_id) for name in (*TABLES, "audit"))
    found = union(select(_table("vote").c.id), *ids).subquery()
    votes = await session.scalars(select(found.c[0]).order_by(found.c[0]))
    chains: dict[str, list[str]] = {str(vote_id): [] for vote_id in votes}
    links = select(AuditRow.vote_id, AuditRow.hash).order_by(AuditRow.vote_id, AuditRow.sequence)
    for row in await session.execute(links):
        chains[str(row.vote_id)].append(row.hash.hex())
    return chains


async def seal_tables(
    session: WriteSession, vote_id: UUID, names: Collection[str] = TABLES
) -> dict[str, Any]:
    """The seals of the vote's rows in these tables, as an audit row's `sealed`.

    On PostgreSQL the database computes them, in one statement: whoever votes waits for it.
    """
    tables = sorted(names)
    if on_postgresql(session):
        (hashes,) = await session.fetch(_hashes(tuple(tables)), {"vote": vote_id})
        seals = [Seal(_columns(name), found) for name, found in zip(tables, hashes, strict=True)]
    else:
        await session.flush()
        seals = [
            Seal.of(_columns(name), await _rows(session, _table(name), vote_id)) for name in tables
        ]
    return {name: seal.to_data() for name, seal in zip(tables, seals, strict=True)}


async def _rows(
    session: AsyncSession, table: Table, vote_id: UUID, key: str = "vote_id"
) -> list[Mapping[str, Any]]:
    # Whatever stands where a closed list should: it is a problem, and stops nobody.
    columns = [
        type_coerce(column, String()).label(column.name)
        if isinstance(column.type, Enum)
        else column
        for column in table.c
    ]
    rows = await session.execute(select(*columns).where(table.c[key] == vote_id))
    return [{name: plain_value(value) for name, value in row._mapping.items()} for row in rows]


def _table(name: str) -> Table:
    return Base.metadata.tables[name]


def _columns(name: str) -> tuple[str, ...]:
    return tuple(sorted(_table(name).c.keys()))


@cache
def _hashes(tables: tuple[str, ...]) -> Statement:
    """What `rules.votes.record.seals.Seal.of` gives, of each table."""
    statement = text(", ".join(["SELECT " + _hash(tables[0]), *map(_hash, tables[1:])]))
    bound = statement.bindparams(bindparam("vote", type_=Uuid()))
    return Statement(bound.columns(**{name: String() for name in tables}))


def _hash(name: str) -> str:
    values = ", ".join(_as_json(_table(name).c[column]) for column in _columns(name))
    line = f"json_build_array({values})::text"
    lines = "coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), '')"
    rows = f"SELECT {line} AS line FROM {name} WHERE vote_id = :vote"  # noqa: S608
    hashed = f"encode(sha256(convert_to({lines}, 'UTF8')), 'hex')"
    return f"(SELECT {hashed} FROM ({rows}) AS lines) AS {name}"  # noqa: S608


def _as_json(column: Column[Any]) -> str:
    match column.type:
        case Instant():
            return f"(extract(epoch FROM {column.name}) * 1000000)::bigint"
        case LargeBinary():
            return f"encode({column.name}, 'hex')"
        case Uuid() | Enum() | String() | Integer() | Boolean():
            return column.name
    raise TypeError(f"{column} cannot be sealed")
