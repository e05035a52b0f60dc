"""What the clients of one round asked, were told and were shown; `_fault_checks` judges it."""

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

RECEIPT = "Receipt"
VOTE_CLOSED = "VOTE_CLOSED"


@dataclass(frozen=True)
class Cast:
    """One call of `castBallot`. `answer` is Receipt, or the reason of a refusal, or None where no
    answer told: then it may have happened or not."""

    member_id: UUID
    key: str
    choice: UUID
    worker: int
    sent: float
    answered: float
    answer: str | None
    receipt: tuple[str, str] | None
    """Its id and moment of casting, as told."""


@dataclass(frozen=True)
class Frame:
    """One state of the vote that a subscriber was pushed."""

    at: float
    worker: int
    subscription: int
    """Of this subscriber's, who has another one after each loss."""
    version: int
    state: str
    cast: int
    counts: dict[str, int | None]
    audit_head: str | None


@dataclass
class History:
    """Times are seconds of this machine's monotonic clock."""

    vote_id: UUID
    casts: list[Cast] = field(default_factory=list)
    frames: dict[str, list[Frame]] = field(default_factory=lambda: defaultdict(list))
    faults: list[tuple[float, str]] = field(default_factory=list)
    closed_known_at: float | None = None
    """When a client was first told that the vote is closed."""
    suspended_known_at: float | None = None
    """When the chair was told that the member who is suspended amid the round is so."""
    shown_to_suspended: list[float] = field(default_factory=list)
    """When a frame reached that member, from before the suspension on."""
    well_again_at: float | None = None
    """When everything ran again after the faults."""
    still_shown_at: float | None = None
    """When a socket of theirs was still open, or shown the vote anew, long after it."""
    is_closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set at that moment, or when there is nothing to be closed."""

    def hear_of_closing(self) -> None:
        if self.closed_known_at is None:
            self.closed_known_at = time.monotonic()
            self.is_closed.set()


def frame_of(data: Any, worker: int, subscription: int) -> Frame:
    vote = data["vote"]
    return Frame(
        time.monotonic(),
        worker,
        subscription,
        vote["version"],
        vote["state"],
        vote["tally"]["cast"],
        {option["optionId"]: option["count"] for option in vote["tally"]["options"]},
        vote["auditHead"],
    )
