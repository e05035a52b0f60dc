"""The hash chain over a vote's state changes: any edit, deletion or reordering is found."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

BEGINNING = bytes(32)
"""What stands for the previous hash in the first row of a chain."""


class AuditKind(Enum):
    CREATED = "CREATED"
    NOMINATED = "NOMINATED"
    OPENED = "OPENED"
    ROLL_AMENDED = "ROLL_AMENDED"
    EXTENDED = "EXTENDED"
    HANDS_RECORDED = "HANDS_RECORDED"
    HANDS_TAKEN_BACK = "HANDS_TAKEN_BACK"
    SUSPENDED = "SUSPENDED"
    REINSTATED = "REINSTATED"
    CLOSED = "CLOSED"
    TIE_BROKEN = "TIE_BROKEN"
    PUBLISHED = "PUBLISHED"
    ANNULMENT_PROPOSED = "ANNULMENT_PROPOSED"
    ANNULMENT_WITHDRAWN = "ANNULMENT_WITHDRAWN"
    ANNULLED = "ANNULLED"


def chain_hash(previous: bytes, kind: AuditKind, payload: Mapping[str, Any]) -> bytes:
    """SHA-256 of the previous hash and the row's canonical JSON, 32 bytes."""
    return hashlib.sha256(previous + canonical_json({"kind": kind.value, **payload})).digest()


def instant_text(moment: datetime | None) -> str | None:
    """A moment as payloads have it: ISO 8601 in UTC, to the microsecond."""
    return None if moment is None else moment.astimezone(UTC).isoformat()


def canonical_json(value: object) -> bytes:
    """UTF-8 JSON with sorted keys and no white space: equal values give equal bytes."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
