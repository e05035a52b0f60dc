"""What a vote's audit chain tells of the vote: a fold over its links, one function for each kind.

`verify` compares it with what is stored. What a kind of link does not tell (a version before this
one wrote less into its links) is missing here, and `verify` names it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rules.meetings.meetings import VoteState
from rules.votes.record.audit import AuditKind
from rules.votes.record.seals import NOTHING, Seal, microseconds
from rules.votes.rule_sets import Secrecy

Payload = Mapping[str, Any]

CAST = {
    Secrecy.OPEN: ("ballot", "ballot_choice"),
    Secrecy.UNATTRIBUTED: ("cast_mark", "paper", "paper_choice"),
}
"""Tables that grow while the vote is open, without a link for each row."""
COUNTED = ("hand_mark", "hand_taken_back", "hand_count")
FROZEN = ("roll_entry",)
PAPER = ("vote_option", "recusal")
LOT = ("lot",)
BOX = tuple(table for tables in CAST.values() for table in tables)
TABLES = (*PAPER, *LOT, *FROZEN, *BOX, *COUNTED)
"""The tables of a vote, beside the vote's own row and the chain itself."""


@dataclass
class Told:
    """The vote as its chain tells it."""

    vote: dict[str, Any] = field(default_factory=dict)
    """The columns of its row that are known, as `rules.votes.record.seals.plain_value` has them."""
    seals: dict[str, Seal] = field(default_factory=dict)
    """Of the tables whose rows are known."""


def tell(links: Iterable[Mapping[str, Any]]) -> Told:
    """What the links say, one after the other. Raises KeyError, ValueError and TypeError for what
    no version has written."""
    told = Told()
    for link in links:
        payload = link["payload"]
        _TELL[AuditKind(link["kind"])](told, payload)
        told.seals |= {
            table: Seal.from_data(data) for table, data in payload.get("sealed", {}).items()
        }
    return told


def _created(told: Told, payload: Payload) -> None:
    rule = payload["rule"]
    told.vote |= {
        "state": VoteState.PREPARED.value,
        "question": payload["question"],
        "rule": rule,
        "secrecy": rule["secrecy"],
        "change": rule["change"],
        "closes_when_all_voted": rule["closes_when_all_voted"],
        **dict.fromkeys(_LATER),
    }
    for column, name in _CREATED.items():
        if name in payload:
            told.vote[column] = payload[name]
    told.seals |= dict.fromkeys((*LOT, *FROZEN, *BOX, *COUNTED), NOTHING)


_CREATED = {
    "meeting_id": "meeting",
    "item_id": "item",
    "position": "position",
    "matter": "matter",
    "repeat_of": "repeatOf",
}
_PROPOSAL = ("annulment_proposed_at", "annulment_proposed_by_id", "proposed_annulment")
_LATER = (
    *_PROPOSAL,
    "opened_at",
    "closes_at",
    "closed_at",
    "outcome",
    "published_at",
    "annulled_at",
    "annulment",
)


def _nominated(told: Told, payload: Payload) -> None:
    """Only its seal."""


def _opened(told: Told, payload: Payload) -> None:
    told.vote["state"] = VoteState.OPEN.value
    _moment(told, "opened_at", payload, "openedAt")
    _moment(told, "closes_at", payload, "closesAt")
    _forget(told, *LOT, *FROZEN, *CAST[Secrecy(told.vote["secrecy"])])


def _roll_amended(told: Told, payload: Payload) -> None:
    _forget(told, *FROZEN)


def _extended(told: Told, payload: Payload) -> None:
    _moment(told, "closes_at", payload, "closesAt")


def _hands_changed(told: Told, payload: Payload) -> None:
    _forget(told, *COUNTED)


def _standing_changed(told: Told, payload: Payload) -> None:
    """The roll is what it was at the opening: a suspension is told by its link alone."""


def _closed(told: Told, payload: Payload) -> None:
    """Without an outcome where it hides who chose what, until it is published."""
    told.vote |= {"state": VoteState.CLOSED.value, "outcome": payload["outcome"]}
    _moment(told, "closed_at", payload, "closedAt")
    _forget(told, *FROZEN)  # who is present is written down


def _tie_broken(told: Told, payload: Payload) -> None:
    told.vote["outcome"] = payload["outcome"]


def _published(told: Told, payload: Payload) -> None:
    if "outcome" in payload:
        told.vote["outcome"] = payload["outcome"]
    _moment(told, "published_at", payload, "publishedAt")


def _annulment_proposed(told: Told, payload: Payload) -> None:
    told.vote["annulment_proposed_by_id"] = payload["by"]
    told.vote["proposed_annulment"] = payload["reason"]
    _moment(told, "annulment_proposed_at", payload, "proposedAt")


def _annulment_withdrawn(told: Told, payload: Payload) -> None:
    told.vote |= dict.fromkeys(_PROPOSAL)


def _annulled(told: Told, payload: Payload) -> None:
    told.vote |= dict.fromkeys(_PROPOSAL)
    told.vote |= {"state": VoteState.ANNULLED.value, "annulment": payload["reason"]}
    _moment(told, "annulled_at", payload, "annulledAt")


_TELL: dict[AuditKind, Callable[[Told, Payload], None]] = {
    AuditKind.CREATED: _created,
    AuditKind.NOMINATED: _nominated,
    AuditKind.OPENED: _opened,
    AuditKind.ROLL_AMENDED: _roll_amended,
    AuditKind.EXTENDED: _extended,
    AuditKind.HANDS_RECORDED: _hands_changed,
    AuditKind.HANDS_TAKEN_BACK: _hands_changed,
    AuditKind.SUSPENDED: _standing_changed,
    AuditKind.REINSTATED: _standing_changed,
    AuditKind.CLOSED: _closed,
    AuditKind.TIE_BROKEN: _tie_broken,
    AuditKind.PUBLISHED: _published,
    AuditKind.ANNULMENT_PROPOSED: _annulment_proposed,
    AuditKind.ANNULMENT_WITHDRAWN: _annulment_withdrawn,
    AuditKind.ANNULLED: _annulled,
}


def _moment(told: Told, column: str, payload: Payload, name: str) -> None:
    """ISO 8601, or null; where the link does not have it, the column is not known any more."""
    if name in payload:
        text = payload[name]
        told.vote[column] = None if text is None else microseconds(datetime.fromisoformat(text))
    else:
        told.vote.pop(column, None)


def _forget(told: Told, *tables: str) -> None:
    """The rows have changed; the link's own seal says how, if it has one."""
    for table in tables:
        told.seals.pop(table, None)
