"""A program that links members and papers from a copy of the database's files.

It goes by the transactions that wrote rows, dead row versions, freed bytes and SQLite's write-ahead
log included, and by the order in which rows stand. PostgreSQL's write-ahead log it does not read:
docs/voting.md says that it links until it is recycled.
"""

from __future__ import annotations

import random
import re
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from models.database import Database

Files = Mapping[str, bytes]
Guesses = dict[UUID, UUID]
"""The option that a member is taken to have marked."""

PAGE = 8192
BEFORE = 80
"""Bytes of a row before an option, its header included: fewer than to the row before it."""
FOLDER = "SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()"


async def read_files(database: Database) -> Files:
    """All files that hold tables, indexes and SQLite's log, as they are on the disk."""
    if database.dialect == "sqlite":
        file = Path(str(database.engine.url.database))
        found = [file, file.with_name(file.name + "-wal")]
        return {one.name: one.read_bytes() for one in found if one.exists()}
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text("CHECKPOINT"))
        folder = (await connection.execute(text(FOLDER))).scalar_one()
        listed = text("SELECT pg_ls_dir(:folder)").bindparams(folder=folder)
        names = [name for name in await connection.scalars(listed) if re.fullmatch(r"[\d.]+", name)]
        read = text("SELECT pg_read_binary_file(:file, 0, 1000000000, true)")
        return {
            name: await connection.scalar(read, {"file": f"{folder}/{name}"}) or b""
            for name in names
        }


async def marks_in_order(database: Database, vote_id: UUID) -> list[tuple[UUID, int]]:
    """Members and the transactions of their marks, in the order of the rows."""
    is_postgresql = database.dialect == "postgresql"
    columns, place = ("xmin::text::bigint", "ctid") if is_postgresql else ("0", "rowid")
    query = (
        f"SELECT member_id, {columns} AS xmin FROM cast_mark"  # noqa: S608
        f" WHERE vote_id = :vote ORDER BY {place}"
    )
    value = vote_id if is_postgresql else vote_id.hex
    async with database.engine.connect() as connection:
        rows = await connection.execute(text(query).bindparams(vote=value))
        return [(UUID(str(row.member_id)), row.xmin) for row in rows]


async def papers_in_order(database: Database, vote_id: UUID) -> list[list[UUID]]:
    """What the papers of the vote mark, in the order of the rows of each table that has them."""
    is_postgresql = database.dialect == "postgresql"
    place = "ctid" if is_postgresql else "rowid"
    value = vote_id if is_postgresql else vote_id.hex
    orders = []
    async with database.engine.connect() as connection:
        for table, column in (("open_paper", "choices"), ("paper_choice", "option_id")):
            query = f"SELECT {column} FROM {table} WHERE vote_id = :vote ORDER BY {place}"  # noqa: S608
            rows = await connection.scalars(text(query).bindparams(vote=value))
            orders.append([UUID(re.sub(r"[^0-9a-f]", "", str(row))) for row in rows])
    return orders


# --- By transaction -----------------------------------------------------------------------------


def guess_by_transaction(
    files: Files, options: Sequence[UUID], marks: Sequence[tuple[UUID, int]]
) -> Guesses:
    """Where the transaction of a mark has written one of the options, too, dead or alive."""
    wrote = {
        option: {number for name in files for number in transactions(files[name], option)}
        for option in options
    }
    guesses = {}
    for member, transaction in marks:
        marked = [option for option in options if transaction in wrote[option]]
        if len(marked) == 1:
            guesses[member] = marked[0]
    return guesses


def transactions(content: bytes, option: UUID) -> Iterator[int]:
    """Whatever may be the xmin or xmax of a row with the option: the row's header begins on eight
    bytes before it, on the same page."""
    for at in places(content, option):
        first = max(at - at % PAGE, (at - BEFORE) // 8 * 8)
        for header in range(first, at - 8 + 1, 8):
            yield from struct.unpack_from("<II", content, header)


def guess_by_log(
    main: bytes, log: bytes, options: Sequence[UUID], members: Sequence[UUID]
) -> Guesses:
    """Where a commit of SQLite's log has more of one member and of one option than before."""
    guesses: Guesses = {}
    size = struct.unpack_from(">H", main, 16)[0]
    pages = {at // size + 1: main[at : at + size] for at in range(0, len(main), size)}
    for frames in commits(log):
        gained = Counter[UUID]()
        for page, content in frames.items():
            for one in (*members, *options):
                gained[one] += count(content, one) - count(pages.get(page, b""), one)
        pages |= frames
        there = [member for member in members if gained[member] > 0]
        chosen = [option for option in options if gained[option] > 0]
        if len(there) == len(chosen) == 1:
            guesses.setdefault(there[0], chosen[0])
    return guesses


def commits(log: bytes) -> Iterator[dict[int, bytes]]:
    """The pages that each commit wrote, by number."""
    size = struct.unpack_from(">I", log, 8)[0] if log else PAGE
    frames: dict[int, bytes] = {}
    for at in range(32, len(log) - size, size + 24):
        page, is_last = struct.unpack_from(">II", log, at)
        frames[page] = log[at + 24 : at + 24 + size]
        if is_last:
            yield frames
            frames = {}


# --- By order -----------------------------------------------------------------------------------


def orders(files: Files, options: Sequence[UUID], length: int) -> Iterator[list[UUID]]:
    """Every run of so many options as they stand in the files, forwards and backwards."""
    for content in files.values():
        there = sorted((at, option) for option in options for at in places(content, option))
        order = [option for _, option in there]
        for start in range(len(order) - length + 1):
            run = order[start : start + length]
            yield run
            yield run[::-1]


def is_luck(runs: Iterable[Sequence[UUID]], truth: Sequence[UUID], shuffles: int = 3_000) -> bool:
    """Whether the best run is no nearer to the truth than to some other order of the same choices:
    by accident it is nearest to the truth itself once in so many times as there are shuffles."""
    first = truth[0]
    known = {as_bits(run, first) for run in runs}
    best = fewest_wrong(known, as_bits(truth, first))
    other = list(truth)
    for _ in range(shuffles):
        random.shuffle(other)
        if fewest_wrong(known, as_bits(other, first)) <= best:
            return True
    return not known


def as_bits(order: Sequence[UUID], first: UUID) -> int:
    return int("".join("1" if one == first else "0" for one in order), 2)


def fewest_wrong(runs: Collection[int], truth: int) -> int:
    """Wrong guesses of the best run."""
    return min(((run ^ truth).bit_count() for run in runs), default=0)


def places(content: bytes, wanted: UUID) -> Iterator[int]:
    """Where the id stands, as bytes or as text."""
    for pattern in (wanted.bytes, str(wanted).encode(), wanted.hex.encode()):
        at = content.find(pattern)
        while at >= 0:
            yield at
            at = content.find(pattern, at + 1)


def count(content: bytes, wanted: UUID) -> int:
    return sum(1 for _ in places(content, wanted))
