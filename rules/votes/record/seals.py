"""A seal: a hash over all rows of one table that belong to a vote, and over each of their columns.

A link of the audit chain carries the seals of what it fixes. A seal names its columns, so that one
still holds when a later version adds a column.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Self
from uuid import UUID

Row = Mapping[str, Any]
"""Plain values by column, see `plain_value`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Seal:
    columns: tuple[str, ...]
    hash: str
    """SHA-256, in hex."""

    @classmethod
    def of(cls, columns: Sequence[str], rows: Iterable[Row]) -> Self:
        """Over the rows in the order of their lines, which is nobody's order of casting."""
        lines = sorted(
            json.dumps([row.get(name) for name in columns], ensure_ascii=False) for row in rows
        )
        return cls(tuple(columns), hashlib.sha256("\n".join(lines).encode()).hexdigest())

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(tuple(data["columns"]), data["hash"])

    def to_data(self) -> dict[str, Any]:
        return {"columns": list(self.columns), "hash": self.hash}

    def holds(self, rows: Iterable[Row]) -> bool:
        return Seal.of(self.columns, rows) == self


NOTHING = Seal.of((), ())
"""The seal of a table without rows."""


def plain_value(value: Any) -> Any:
    """As a seal takes it: ids as text, moments in microseconds, bytes in hex."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return microseconds(value)
        case Enum():
            return value.value
        case bytes():
            return value.hex()
        case _:
            return value


def microseconds(moment: datetime) -> int:
    """Since 1970 began, in UTC."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
