"""The judge of a round: from what clients saw and from the database, read afresh.

Acknowledged ⊆ in the box ⊆ asked for; one ballot a member, and of several the last; none after
closing; the stored outcome is what the ballots give; one key, one receipt; frames of one
subscription never go back, show nothing too early, and end at the database's state; the audit chain
is whole.

Of an UNATTRIBUTED vote the box tells who voted, and apart from that what was cast. Only the clients
know what belongs together: what those who voted asked for must be what was cast, all in all.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from benchmarks._history import RECEIPT, Frame, History
from models.database import Database
from models.votes.ballot_box import mark_id
from models.votes.counting import count_votes
from models.votes.votes import (
    AuditRow,
    Ballot,
    BallotChoice,
    CastMark,
    Paper,
    PaperChoice,
    RollEntry,
    Vote,
    VoteOption,
)
from resolvers.votes.roll import load_voters
from rules.meetings.meetings import VoteState
from rules.votes.ballots import Judged, Option, Tallies, Validity, count_ballots
from rules.votes.bases import Voter
from rules.votes.outcome import decide
from rules.votes.record.audit import BEGINNING, AuditKind, chain_hash
from rules.votes.rule_sets import Change, RuleSet, Secrecy

UNHEARD_AT_MOST = 5.5
"""Seconds for which a suspension may be unknown to a worker that no hint reached."""


class Wrong(Enum):
    LOST = "lost"
    NOT_ASKED_FOR = "not asked for"
    DOUBLED = "doubled"
    ORDER = "an earlier ballot counts"
    LATE = "late"
    RECOUNT = "recount differs"
    RECEIPT = "receipts differ"
    FRAME = "frames wrong"
    EARLY = "figures shown too early"
    REVOKED = "shown to a suspended member"
    CHAIN = "chain broken"


@dataclass(frozen=True)
class Violation:
    wrong: Wrong
    details: str


@dataclass(frozen=True)
class StoredPaper:
    """What was cast by somebody."""

    validity: Validity
    choices: tuple[UUID, ...]
    weight: int


@dataclass(frozen=True)
class StoredCast:
    """That somebody cast, by the ballot or the mark. `receipt_id` is what they were told."""

    receipt_id: UUID
    member_id: UUID
    key: str
    cast_at: datetime
    sequence: int
    paper: StoredPaper | None
    """None where the vote does not show who voted how."""


@dataclass(frozen=True)
class Stored:
    """Everything the database keeps of one vote."""

    vote: Vote
    casts: list[StoredCast]
    papers: list[StoredPaper]
    """Those that count."""
    options: list[Option]
    voters: list[Voter]
    tallies: Tallies
    audit: list[AuditRow]

    @property
    def is_hidden(self) -> bool:
        return self.vote.secrecy is Secrecy.UNATTRIBUTED

    @property
    def is_result_shown(self) -> bool:
        """To a member who does not chair."""
        return not self.is_hidden or self.vote.published_at is not None


async def read_stored(database: Database, vote_id: UUID) -> Stored:
    """One snapshot of the vote, its ballots and its chain."""
    async with database.snapshot() as session:
        vote = await session.get_one(Vote, vote_id)
        if vote.secrecy is Secrecy.UNATTRIBUTED:
            casts, papers = (
                await _read_marks(session, vote_id),
                await _read_papers(session, vote_id),
            )
        else:
            casts = await _read_ballots(session, vote_id)
            papers = _last_of_each(casts)
        options = await session.scalars(select(VoteOption).where(VoteOption.vote_id == vote_id))
        audit = await session.scalars(
            select(AuditRow).where(AuditRow.vote_id == vote_id).order_by(AuditRow.sequence)
        )
        return Stored(
            vote,
            casts,
            papers,
            [Option(o.id, o.kind, o.position, o.candidate_id) for o in options],
            await load_voters(session, vote),
            (await count_votes(session, [vote_id]))[vote_id],
            list(audit),
        )


async def _read_ballots(session: AsyncSession, vote_id: UUID) -> list[StoredCast]:
    choices = await _read_choices(session, BallotChoice.ballot_id, BallotChoice, vote_id)
    roll = await session.scalars(select(RollEntry).where(RollEntry.vote_id == vote_id))
    weights = {row.member_id: row.weight for row in roll}
    return [
        StoredCast(
            b.id,
            b.member_id,
            b.key,
            b.cast_at,
            b.sequence,
            StoredPaper(b.validity, choices[b.id], weights[b.member_id]),
        )
        for b in await session.scalars(select(Ballot).where(Ballot.vote_id == vote_id))
    ]


def _last_of_each(casts: Iterable[StoredCast]) -> list[StoredPaper]:
    """Of each member the ballot with the highest sequence."""
    last = {cast.member_id: cast.paper for cast in sorted(casts, key=lambda c: c.sequence)}
    return [paper for paper in last.values() if paper is not None]


async def _read_marks(session: AsyncSession, vote_id: UUID) -> list[StoredCast]:
    return [
        StoredCast(mark_id(vote_id, m.member_id), m.member_id, m.key, m.cast_at, 1, None)
        for m in await session.scalars(select(CastMark).where(CastMark.vote_id == vote_id))
    ]


async def _read_papers(session: AsyncSession, vote_id: UUID) -> list[StoredPaper]:
    choices = await _read_choices(session, PaperChoice.paper_id, PaperChoice, vote_id)
    return [
        StoredPaper(paper.validity, choices[paper.id], 1)
        for paper in await session.scalars(select(Paper).where(Paper.vote_id == vote_id))
    ]


async def _read_choices(
    session: AsyncSession,
    of: InstrumentedAttribute[UUID],
    table: type[BallotChoice] | type[PaperChoice],
    vote_id: UUID,
) -> dict[UUID, tuple[UUID, ...]]:
    choices: dict[UUID, tuple[UUID, ...]] = defaultdict(tuple)
    for paper_id, option_id in await session.execute(
        select(of, table.option_id).where(table.vote_id == vote_id)
    ):
        choices[paper_id] += (option_id,)
    return choices


def judge(history: History, stored: Stored) -> list[Violation]:
    """Every violation that the round shows; an empty list is a good round."""
    return [violation for check in _CHECKS for violation in check(history, stored)]


def check_stored(stored: Stored) -> list[Violation]:
    """What can be judged without clients."""
    checks = (_find_doubled, _find_late_by_clock, _find_miscounted, _find_broken_chain)
    return [violation for check in checks for violation in check(stored)]


def _find_lost(history: History, stored: Stored) -> Iterator[Violation]:
    kept = {
        (c.member_id, c.key, str(c.receipt_id), c.paper and c.paper.choices) for c in stored.casts
    }
    for cast in history.casts:
        if cast.receipt is None:
            continue
        choices = None if stored.is_hidden else (cast.choice,)
        if (cast.member_id, cast.key, cast.receipt[0], choices) not in kept:
            yield Violation(Wrong.LOST, f"acknowledged, and not in the box: {cast}")
    known = VoteState.OPEN if history.closed_known_at is None else VoteState.CLOSED
    if stored.vote.state is not known:
        yield Violation(
            Wrong.LOST, f"known to be {known.value}, stored as {stored.vote.state.value}"
        )


def _find_not_asked_for(history: History, stored: Stored) -> Iterator[Violation]:
    asked: dict[tuple[UUID, str], tuple[UUID, ...]] = {
        (cast.member_id, cast.key): (cast.choice,) for cast in history.casts
    }
    for cast in stored.casts:
        wanted = asked.get((cast.member_id, cast.key))
        if wanted is None or (cast.paper and cast.paper.choices != wanted):
            yield Violation(Wrong.NOT_ASKED_FOR, f"in the box, and nobody's: {cast}")
    if not stored.is_hidden:
        return
    wanted_papers = Counter(asked.get((cast.member_id, cast.key), ()) for cast in stored.casts)
    papers = Counter(paper.choices for paper in stored.papers)
    for choices in wanted_papers - papers:
        yield Violation(
            Wrong.LOST, f"who voted asked for {wanted_papers}, cast is {papers}: {choices}"
        )
    for choices in papers - wanted_papers:
        yield Violation(
            Wrong.NOT_ASKED_FOR, f"asked for {wanted_papers}, cast is {papers}: {choices}"
        )


def _find_doubled(stored: Stored) -> Iterator[Violation]:
    per_member = Counter(cast.member_id for cast in stored.casts)
    for member_id, casts in per_member.items():
        if casts > 1 and stored.vote.change is Change.FINAL:
            yield Violation(Wrong.DOUBLED, f"{casts} ballots of member {member_id}")
    if len(stored.papers) > len(per_member):
        yield Violation(Wrong.DOUBLED, f"{len(stored.papers)} papers of {len(per_member)} members")


def _find_wrong_order(history: History, stored: Stored) -> Iterator[Violation]:
    """Of two ballots, the one asked for when the other was acknowledged counts."""
    sequence = {(cast.member_id, cast.key): cast.sequence for cast in stored.casts}
    asked, told = _first_asked(history), _first_told(history)
    for (member_id, key), when in told.items():
        for (other_id, other), since in asked.items():
            is_later = other_id == member_id and other != key and since > when
            before, after = sequence.get((member_id, key)), sequence.get((member_id, other))
            if is_later and before is not None and after is not None and after < before:
                yield Violation(Wrong.ORDER, f"of member {member_id}, {key} counts, not {other}")


def _first_asked(history: History) -> dict[tuple[UUID, str], float]:
    first: dict[tuple[UUID, str], float] = {}
    for cast in history.casts:
        asked = (cast.member_id, cast.key)
        first[asked] = min(cast.sent, first.get(asked, cast.sent))
    return first


def _first_told(history: History) -> dict[tuple[UUID, str], float]:
    first: dict[tuple[UUID, str], float] = {}
    for cast in history.casts:
        if cast.receipt is not None:
            told = (cast.member_id, cast.key)
            first[told] = min(cast.answered, first.get(told, cast.answered))
    return first


def _find_late_by_clock(stored: Stored) -> Iterator[Violation]:
    closed_at = stored.vote.closed_at
    for cast in stored.casts:
        if closed_at is not None and cast.cast_at > closed_at:
            yield Violation(Wrong.LATE, f"closed at {closed_at}: {cast}")


def _find_late_by_clients(history: History, stored: Stored) -> Iterator[Violation]:
    """Asked for only after a client knew of the closing, and in the box all the same."""
    if history.closed_known_at is None:
        return
    first = _first_asked(history)
    for cast in stored.casts:
        sent = first.get((cast.member_id, cast.key), 0)
        if sent > history.closed_known_at:
            late = sent - history.closed_known_at
            yield Violation(Wrong.LATE, f"sent {late:.3f} s after the closing was known: {cast}")


def _find_miscounted(stored: Stored) -> Iterator[Violation]:
    """The figures are counted twice more: by the product's statement, and here from the rows."""
    by_hand = count_ballots(
        (Judged(paper.validity, paper.choices), paper.weight) for paper in stored.papers
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
    taken = {(cast.member_id, cast.key) for cast in stored.casts}
    for cast in history.casts:
        is_refused = cast.answer not in (None, RECEIPT)
        if is_refused and (cast.member_id, cast.key) in taken:
            yield Violation(Wrong.RECEIPT, f"in the box, but the key was refused: {cast}")


def _find_wrong_frames(history: History, stored: Stored) -> Iterator[Violation]:
    states: dict[int, tuple[str, Frame]] = {}
    for name, frames in history.frames.items():
        for before, after in pairwise(frames):
            # Where hints are late, another worker may show a new subscription what it showed last.
            # Clients keep the higher version.
            is_same = after.subscription == before.subscription
            if is_same and after.version < before.version:
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


def _find_early_figures(history: History, stored: Stored) -> Iterator[Violation]:
    """Figures of an UNATTRIBUTED vote that was still open."""
    for name, frames in history.frames.items():
        for frame in frames:
            figures = [count for count in frame.counts.values() if count is not None]
            if stored.is_hidden and frame.state == VoteState.OPEN.value and figures:
                yield Violation(Wrong.EARLY, f"{name} was shown {frame}")


def _find_shown_to_the_suspended(history: History, _: Stored) -> Iterator[Violation]:
    """A worker that hears nothing of it reads it within some seconds."""
    if history.suspended_known_at is None or history.well_again_at is None:
        return
    since = max(history.suspended_known_at, history.well_again_at)
    if history.still_shown_at is not None:
        late = history.still_shown_at - since
        yield Violation(
            Wrong.REVOKED,
            f"a socket is open {late:.1f} s after the suspension was known, and everything well",
        )
    last = max(history.shown_to_suspended, default=since)
    if last > since + UNHEARD_AT_MOST:
        yield Violation(Wrong.REVOKED, f"a frame comes {last - since:.3f} s after that")


def shows_stored(frames: list[Frame], stored: Stored) -> bool:
    """Whether the last of a subscriber's frames is the database's state."""
    counts = {
        str(o.id): stored.tallies.of(o.id).weight if stored.is_result_shown else None
        for o in stored.options
    }
    # The link that tells a result is not named before the result is shown.
    shown = [r for r in stored.audit if stored.is_result_shown or r.kind is not AuditKind.CLOSED]
    head = shown[-1].hash.hex() if shown else None
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
    # A hidden vote's is told when it is published.
    told = [row.payload["outcome"] for row in stored.audit if row.payload.get("outcome")]
    if told[-1:] != ([stored.vote.outcome] if stored.vote.outcome else []):
        yield Violation(Wrong.CHAIN, "the chain tells another outcome than the vote")


_CHECKS: tuple[Callable[[History, Stored], Iterator[Violation]], ...] = (
    _find_lost,
    _find_not_asked_for,
    _find_late_by_clients,
    _find_wrong_order,
    _find_differing_receipts,
    _find_wrong_frames,
    _find_early_figures,
    _find_shown_to_the_suspended,
    lambda _, stored: iter(check_stored(stored)),
)
