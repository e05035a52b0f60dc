"""The judge of a round: from what clients saw and from the database, read afresh.

Acknowledged ⊆ in the box ⊆ asked for; one ballot a member; none after closing; the stored outcome
is what the ballots give; one key, one receipt; frames never go back and end at the database's
state; the audit chain is whole.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks._history import RECEIPT, Frame, History
from models.ballot_box import count_votes
from models.database import Database
from models.votes import AuditRow, Ballot, BallotChoice, RollEntry, Vote, VoteOption
from resolvers.roll import load_voters
from rules.audit import BEGINNING, AuditKind, chain_hash
from rules.ballots import Judged, Option, Tallies, Validity, count_ballots
from rules.bases import Voter
from rules.meetings import VoteState
from rules.outcome import decide
from rules.rule_sets import Change, RuleSet


class Wrong(Enum):
    LOST = "lost"
    NOT_ASKED_FOR = "not asked for"
    DOUBLED = "doubled"
    LATE = "late"
    RECOUNT = "recount differs"
    RECEIPT = "receipts differ"
    FRAME = "frames wrong"
    CHAIN = "chain broken"


@dataclass(frozen=True)
class Violation:
    wrong: Wrong
    details: str


@dataclass(frozen=True)
class StoredBallot:
    id: UUID
    member_id: UUID
    key: str
    sequence: int
    validity: Validity
    choices: tuple[UUID, ...]
    cast_at: datetime


@dataclass(frozen=True)
class Stored:
    """Everything the database keeps of one vote."""

    vote: Vote
    ballots: list[StoredBallot]
    weights: dict[UUID, int]
    """What a ballot of each member weighs, by the roll."""
    options: list[Option]
    voters: list[Voter]
    tallies: Tallies
    audit: list[AuditRow]

    @property
    def counted(self) -> list[StoredBallot]:
        """Of each member the ballot with the highest sequence."""
        last = {b.member_id: b for b in sorted(self.ballots, key=lambda b: b.sequence)}
        return list(last.values())


async def read_stored(database: Database, vote_id: UUID) -> Stored:
    """One snapshot of the vote, its ballots and its chain."""
    async with database.snapshot() as session:
        vote = await session.get_one(Vote, vote_id)
        roll = await session.scalars(select(RollEntry).where(RollEntry.vote_id == vote_id))
        options = await session.scalars(select(VoteOption).where(VoteOption.vote_id == vote_id))
        audit = await session.scalars(
            select(AuditRow).where(AuditRow.vote_id == vote_id).order_by(AuditRow.sequence)
        )
        return Stored(
            vote,
            await _read_ballots(session, vote_id),
            {row.member_id: row.weight for row in roll},
            [Option(o.id, o.kind, o.position, o.candidate_id) for o in options],
            await load_voters(session, vote),
            (await count_votes(session, [vote_id]))[vote_id],
            list(audit),
        )


async def _read_ballots(session: AsyncSession, vote_id: UUID) -> list[StoredBallot]:
    choices: dict[UUID, list[UUID]] = defaultdict(list)
    for ballot_id, option_id in await session.execute(
        select(BallotChoice.ballot_id, BallotChoice.option_id).where(
            BallotChoice.vote_id == vote_id
        )
    ):
        choices[ballot_id].append(option_id)
    return [
        StoredBallot(
            b.id, b.member_id, b.key, b.sequence, b.validity, tuple(choices[b.id]), b.cast_at
        )
        for b in await session.scalars(select(Ballot).where(Ballot.vote_id == vote_id))
    ]


def judge(history: History, stored: Stored) -> list[Violation]:
    """Every violation that the round shows; an empty list is a good round."""
    return [violation for check in _CHECKS for violation in check(history, stored)]


def check_stored(stored: Stored) -> list[Violation]:
    """What can be judged without clients."""
    checks = (_find_doubled, _find_late_by_clock, _find_miscounted, _find_broken_chain)
    return [violation for check in checks for violation in check(stored)]


def _find_lost(history: History, stored: Stored) -> Iterator[Violation]:
    kept = {(b.member_id, b.key, b.choices, str(b.id)) for b in stored.ballots}
    for cast in history.casts:
        if cast.receipt is None:
            continue
        wanted = (cast.member_id, cast.key, (cast.choice,), cast.receipt[0])
        if wanted not in kept:
            yield Violation(Wrong.LOST, f"acknowledged, and not in the box: {cast}")
    known = VoteState.OPEN if history.closed_known_at is None else VoteState.CLOSED
    if stored.vote.state is not known:
        yield Violation(
            Wrong.LOST, f"known to be {known.value}, stored as {stored.vote.state.value}"
        )


def _find_not_asked_for(history: History, stored: Stored) -> Iterator[Violation]:
    asked = {(cast.member_id, cast.key, (cast.choice,)) for cast in history.casts}
    for ballot in stored.ballots:
        if (ballot.member_id, ballot.key, ballot.choices) not in asked:
            yield Violation(Wrong.NOT_ASKED_FOR, f"in the box, and nobody's: {ballot}")


def _find_doubled(stored: Stored) -> Iterator[Violation]:
    per_member = Counter(ballot.member_id for ballot in stored.ballots)
    for member_id, ballots in per_member.items():
        if ballots > 1 and stored.vote.change is Change.FINAL:
            yield Violation(Wrong.DOUBLED, f"{ballots} ballots of member {member_id}")


def _find_late_by_clock(stored: Stored) -> Iterator[Violation]:
    closed_at = stored.vote.closed_at
    for ballot in stored.ballots:
        if closed_at is not None and ballot.cast_at > closed_at:
            yield Violation(Wrong.LATE, f"closed at {closed_at}: {ballot}")


def _find_late_by_clients(history: History, stored: Stored) -> Iterator[Violation]:
    """Asked for only after a client knew of the closing, and in the box all the same."""
    if history.closed_known_at is None:
        return
    first: dict[tuple[UUID, str], float] = {}
    for cast in history.casts:
        asked = (cast.member_id, cast.key)
        first[asked] = min(cast.sent, first.get(asked, cast.sent))
    for ballot in stored.ballots:
        sent = first.get((ballot.member_id, ballot.key), 0)
        if sent > history.closed_known_at:
            late = sent - history.closed_known_at
            yield Violation(Wrong.LATE, f"sent {late:.3f} s after the closing was known: {ballot}")


def _find_miscounted(stored: Stored) -> Iterator[Violation]:
    """The figures are counted twice more: by the product's statement, and here from the rows."""
    by_hand = count_ballots(
        (Judged(b.validity, b.choices), stored.weights[b.member_id]) for b in stored.counted
    )
    if _figures(by_hand) != _figures(stored.tallies):
        yield Violation(Wrong.RECOUNT, f"counted {stored.tallies}, but the rows give {by_hand}")
    if stored.vote.state is not VoteState.CLOSED:
        return
    rule = RuleSet.from_data(stored.vote.rule)
    again = decide(rule, stored.options, stored.voters, by_hand).to_data()
    if again != stored.vote.outcome:
        yield Violation(Wrong.RECOUNT, f"stored {stored.vote.outcome}, but the rows give {again}")


def _figures(tallies: Tallies) -> Any:
    options = {option: count for option, count in tallies.options.items() if count.heads}
    return tallies.valid, tallies.blank, tallies.invalid, options


def _find_differing_receipts(history: History, stored: Stored) -> Iterator[Violation]:
    """A key is answered with one receipt, or always refused."""
    receipts: dict[tuple[UUID, str], set[tuple[str, str]]] = defaultdict(set)
    for cast in history.casts:
        if cast.receipt is not None:
            receipts[cast.member_id, cast.key].add(cast.receipt)
    for (member_id, key), told in receipts.items():
        if len(told) > 1:
            yield Violation(Wrong.RECEIPT, f"member {member_id}, key {key}: {told}")
    taken = {(b.member_id, b.key) for b in stored.ballots}
    for cast in history.casts:
        is_refused = cast.answer not in (None, RECEIPT)
        if is_refused and (cast.member_id, cast.key) in taken:
            yield Violation(Wrong.RECEIPT, f"in the box, but the key was refused: {cast}")


def _find_wrong_frames(history: History, stored: Stored) -> Iterator[Violation]:
    states: dict[int, tuple[str, Frame]] = {}
    for name, frames in history.frames.items():
        for before, after in pairwise(frames):
            if after.version < before.version:
                yield Violation(Wrong.FRAME, f"{name} went back: {before}, then {after}")
        for frame in frames:
            other_name, other = states.setdefault(frame.version, (name, frame))
            if _content(other) != _content(frame):
                yield Violation(
                    Wrong.FRAME, f"one version, two states: {other_name} {other}, {name} {frame}"
                )
        if not shows_stored(frames, stored):
            last = frames[-1] if frames else None
            yield Violation(
                Wrong.FRAME,
                f"{name} ends with {last}; stored are version {stored.vote.version},"
                f" {stored.vote.state}, {stored.tallies}",
            )


def shows_stored(frames: list[Frame], stored: Stored) -> bool:
    """Whether the last of a subscriber's frames is the database's state."""
    counts = {str(o.id): stored.tallies.of(o.id).weight for o in stored.options}
    head = stored.audit[-1].hash.hex() if stored.audit else None
    wanted = (stored.vote.state.value, stored.tallies.cast.heads, counts, head)
    return bool(frames) and (frames[-1].version, *_content(frames[-1])) == (
        stored.vote.version,
        *wanted,
    )


def _content(frame: Frame) -> tuple[str, int, dict[str, int | None], str | None]:
    return frame.state, frame.cast, frame.counts, frame.audit_head


def _find_broken_chain(stored: Stored) -> Iterator[Violation]:
    previous = BEGINNING
    for number, row in enumerate(stored.audit, start=1):
        is_next = row.sequence == number and row.previous_hash == previous
        if not is_next or row.hash != chain_hash(previous, row.kind, row.payload):
            yield Violation(Wrong.CHAIN, f"row {number} of {stored.vote.id} does not follow")
        previous = row.hash
    kinds = Counter(row.kind for row in stored.audit)
    is_closed = stored.vote.state is VoteState.CLOSED
    if kinds[AuditKind.OPENED] != 1 or kinds[AuditKind.CLOSED] != is_closed:
        yield Violation(Wrong.CHAIN, f"opened and closed once each, but the chain has {kinds}")
    for row in stored.audit:
        if row.kind is AuditKind.CLOSED and row.payload["outcome"] != stored.vote.outcome:
            yield Violation(Wrong.CHAIN, "the chain tells another outcome than the vote")


_CHECKS: tuple[Callable[[History, Stored], Iterator[Violation]], ...] = (
    _find_lost,
    _find_not_asked_for,
    _find_late_by_clients,
    _find_differing_receipts,
    _find_wrong_frames,
    lambda _, stored: iter(check_stored(stored)),
)
