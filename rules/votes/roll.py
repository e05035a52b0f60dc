"""Who may vote, with what weight, and of everyone else why not (invariant I2)."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol
from uuid import UUID

from rules.refusals import Reason, Refusal
from rules.register.members import Standing
from rules.votes.record.audit import AuditKind, canonical_json
from rules.votes.rule_sets import RuleSet


class LeftOut(Enum):
    """Why a member of the branch casts no ballot."""

    PROBATIONARY = "PROBATIONARY"
    SUSPENDED = "SUSPENDED"
    EXEMPT = "EXEMPT"
    FULL = "FULL"
    TEMPORARY_ATTACHMENT = "TEMPORARY_ATTACHMENT"
    RECUSED = "RECUSED"
    """Takes no part in this matter, for example because it concerns them."""
    REPRESENTED = "REPRESENTED"
    """Another member votes for them by proxy; their weight is on that member's ballot."""


@dataclass(frozen=True)
class Elector:
    """A member of the branch as the roll sees them when the vote opens."""

    member_id: UUID
    standing: Standing
    is_guest: bool = False
    """Temporarily attached here; their regular branch is another."""
    is_elsewhere: bool = False
    """Belongs here, temporarily attached to another branch."""
    is_summoned: bool = True
    is_present: bool = False
    is_recused: bool = False
    weight: int = 1
    """How many votes they have where the rule weighs votes."""
    proxy_to: UUID | None = None
    """The member who votes for them while they are absent."""

    def __post_init__(self) -> None:
        if self.weight < 1:
            raise ValueError("a vote weighs 1 or more")


@dataclass(frozen=True)
class RollEntry:
    elector: Elector
    left_out: LeftOut | None
    weight: int
    """What the ballot weighs, the votes of those represented included; 0 when represented."""
    represented_by: UUID | None = None
    """The holder of their proxy, of whoever is REPRESENTED."""

    @property
    def member_id(self) -> UUID:
        return self.elector.member_id

    @property
    def is_entitled(self) -> bool:
        return self.left_out is None


class RollLine(Protocol):
    """What the roll's hash fixes of a member."""

    @property
    def member_id(self) -> UUID: ...
    @property
    def weight(self) -> int: ...
    @property
    def left_out(self) -> LeftOut | None: ...


def electoral_roll(rule: RuleSet, electors: Collection[Elector]) -> list[RollEntry]:
    """Say for everyone in the branch whether they may vote, with what weight, or why not."""
    holders = _proxies_in_force(rule, electors)
    carried: Counter[UUID] = Counter()
    for elector in electors:
        if elector.member_id in holders:
            carried[holders[elector.member_id]] += _own_weight(rule, elector)
    return [_entry(rule, elector, holders, carried) for elector in electors]


def roll_hash(lines: Iterable[RollLine]) -> str:
    """SHA-256, in hex, over member, weight and reason of everyone, in the order of their ids."""
    rows = sorted(
        [str(line.member_id), line.weight, line.left_out.value if line.left_out else None]
        for line in lines
    )
    return hashlib.sha256(canonical_json(rows)).hexdigest()


@dataclass(frozen=True)
class RollNotes:
    """What a vote's audit chain tells of members on its roll, beside their lines."""

    represented_by: Mapping[UUID, UUID]
    """Who casts for whom: the holder of the proxy, by the member whom they vote for."""
    suspended_at: Mapping[UUID, datetime]
    """Since when, of those who were suspended while the vote was open and still are."""


def read_notes(chain: Iterable[tuple[AuditKind, Mapping[str, Any]]]) -> RollNotes:
    """From the kind and the payload of each link, in order."""
    represented_by: dict[UUID, UUID] = {}
    suspended_at: dict[UUID, datetime] = {}
    for kind, payload in chain:
        if kind is AuditKind.OPENED:
            given = payload.get("proxies", {})
            represented_by = {UUID(giver): UUID(holder) for giver, holder in given.items()}
        elif kind is AuditKind.SUSPENDED:
            suspended_at[UUID(payload["member"])] = datetime.fromisoformat(payload["at"])
        elif kind is AuditKind.REINSTATED:
            suspended_at.pop(UUID(payload["member"]), None)
    return RollNotes(represented_by, suspended_at)


def check_entitled(line: RollLine | None) -> None:
    """Raises NOT_ENTITLED for whoever is left out or not on the roll at all."""
    if line is None or line.left_out is not None:
        why = line.left_out.value if line and line.left_out else None
        raise Refusal(Reason.NOT_ENTITLED, "You are not entitled to vote here.", leftOut=why)


def _entry(
    rule: RuleSet,
    elector: Elector,
    holders: Mapping[UUID, UUID],
    carried: Mapping[UUID, int],
) -> RollEntry:
    if elector.member_id in holders:
        holder = holders[elector.member_id]
        return RollEntry(elector, LeftOut.REPRESENTED, weight=0, represented_by=holder)
    weight = _own_weight(rule, elector) + carried.get(elector.member_id, 0)
    return RollEntry(elector, _left_out(rule, elector), weight)


def _own_weight(rule: RuleSet, elector: Elector) -> int:
    return elector.weight if rule.weights else 1


def _left_out(rule: RuleSet, elector: Elector) -> LeftOut | None:
    if elector.is_guest and not rule.guests_vote:
        return LeftOut.TEMPORARY_ATTACHMENT
    if elector.standing not in rule.eligibility:
        return LeftOut(elector.standing.value)
    if elector.is_recused:
        return LeftOut.RECUSED
    return None


def _proxies_in_force(rule: RuleSet, electors: Collection[Elector]) -> dict[UUID, UUID]:
    """Who votes for whom: the absent member's id and the holder's.

    Both may vote; whoever is present votes in person; nobody passes a proxy on. Of more than a
    holder may carry, the first by member id count, and the others keep their own ballot.
    """
    if rule.proxies is None:
        return {}
    able = {elector.member_id for elector in electors if _left_out(rule, elector) is None}
    named = {
        elector.member_id: holder
        for elector in electors
        if (holder := elector.proxy_to) is not None
        and {elector.member_id, holder} <= able
        and not elector.is_present
    }
    holders: dict[UUID, UUID] = {}
    held: Counter[UUID] = Counter()
    for giver, holder in sorted(named.items()):
        if holder not in named and held[holder] < rule.proxies:
            holders[giver] = holder
            held[holder] += 1
    return holders
