"""Comparing what is stored of a vote with what its audit chain tells (invariant I10)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from string import hexdigits
from typing import Any
from uuid import UUID

from rules.meetings.meetings import VoteState
from rules.votes.record.audit import canonical_json
from rules.votes.record.chain import CAST, TABLES, Told, tell
from rules.votes.record.recount import broken_links
from rules.votes.record.seals import Row

UNTOLD_COLUMNS = {
    "row_version": "counts changes, so that pages are pushed again; nothing rests on it",
}
"""Of the vote's row, what no chain tells, with the reason."""

UNTOLD_WHILE_OPEN = {
    table: "what is cast is fixed when the vote closes"
    for tables in CAST.values()
    for table in tables
}
"""Tables that the chain of an open vote does not tell, with the reason."""


@dataclass(frozen=True)
class Record:
    """All rows of a vote, as `models.votes.record` reads them."""

    vote_id: str
    vote: Row | None
    tables: Mapping[str, Sequence[Row]]
    audit: Sequence[Mapping[str, Any]]


@dataclass
class Findings:
    """A sentence each."""

    problems: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """What nobody can say of this vote, and why."""


def verify_record(record: Record) -> Findings:
    """Everything that the chain tells, and everything that it does not tell."""
    if record.vote is None:
        return Findings(["there is no vote to these rows"])
    try:
        problems = list(broken_links(record.audit))
        told = tell(record.audit)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        return Findings([f"the audit chain cannot be read: {error!r}"])
    problems += _wrong_columns(record, record.vote, told)
    problems += _wrong_tables(record, told)
    return Findings(problems, list(_untold(record.vote, told)))


def missing_heads(
    heads: Sequence[Mapping[str, Any]], chains: Mapping[str, Sequence[str]]
) -> Iterator[tuple[str, str]]:
    """(vote, problem) for each head kept elsewhere that is no link of its vote's chain any more.

    `chains` are the hashes of each vote, in order. A head has a vote and a hash, of which the
    first 12 hex digits will do, and a sequence where it is known.
    """
    for head in heads:
        vote, kept, sequence = head["vote"], head["hash"].lower(), head.get("sequence")
        links = chains.get(vote)
        if links is None:
            yield vote, "the vote is gone, of which a head was kept"
        elif not any(
            link.startswith(kept)
            for place, link in enumerate(links, start=1)
            if sequence in (None, place)
        ):
            yield vote, f"the chain is another one than that whose head {kept[:12]} was kept"


def check_heads(heads: Sequence[Mapping[str, Any]]) -> None:
    """Raises ValueError, KeyError, TypeError or AttributeError for what is no head."""
    for head in heads:
        UUID(head["vote"])
        if len(head["hash"]) < SHORTEST_HEAD or set(head["hash"].lower()) - set(hexdigits):
            raise ValueError(f"{head['hash']} is no hash")


SHORTEST_HEAD = 12
"""Hex digits of a head that identify it, as minutes print them."""


def _wrong_columns(record: Record, vote: Row, told: Told) -> Iterator[str]:
    for column, value in {**told.vote, "id": record.vote_id}.items():
        if canonical_json(vote[column]) != canonical_json(value):
            yield f"{_NAMES.get(column, column)} is not the one that the audit chain tells"


_NAMES = {"state": "the state", "outcome": "the stored outcome", "rule": "the rule"}


def _wrong_tables(record: Record, told: Told) -> Iterator[str]:
    for table, seal in told.seals.items():
        if not seal.holds(record.tables[table]):
            yield f"the rows of {table} are not those that the audit chain fixed"


def _untold(vote: Row, told: Told) -> Iterator[str]:
    tables = [table for table in TABLES if table not in told.seals]
    if vote["state"] == VoteState.OPEN.value:
        if growing := [table for table in tables if table in UNTOLD_WHILE_OPEN]:
            yield f"it is open, and nothing fixes the rows of {', '.join(growing)} yet"
        tables = [table for table in tables if table not in growing]
    columns = vote.keys() - told.vote.keys() - UNTOLD_COLUMNS.keys() - {"id"}
    if older := [*sorted(columns), *tables]:
        yield f"its chain is of an earlier version, and does not fix {', '.join(older)}"
