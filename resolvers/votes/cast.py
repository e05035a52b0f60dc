"""The way of ballots into the box: those that arrive together are written together."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import select

from models.database import Database
from models.meetings.meetings import Meeting
from models.votes.ballot_box import CastBallot, NewBallot, put_ballots
from models.votes.voters import Voter, find_voters
from models.votes.votes import RollEntry, Vote, VoteOption
from realtime.feed import Feed
from realtime.histogram import Histogram
from realtime.topics import channel_of_meeting, topic_of_ballots, topic_of_member
from resolvers.batching import Batcher, few_sizes
from resolvers.process import Process
from resolvers.votes.right_of_way import RightOfWay
from rules.meetings.meetings import VoteState
from rules.votes.ballots import Option
from rules.votes.rule_sets import RuleSet

MOST_TOGETHER = 200
"""Ballots of one transaction: beyond, the first would wait noticeably for the last."""

BATCH_SIZES = (1, 2, 5, 10, 20, 50, 100, MOST_TOGETHER)

VOTES_KEPT = 1_000

MAKES_WAY_FOR = 0.1
"""Seconds that ballots stand back when somebody begins to close their vote."""

MAKES_WAY_EVERY = 1.0
"""Seconds, at least: whoever asks and asks to close a vote keeps its ballots waiting little."""


@dataclass(frozen=True)
class VoteFacts:
    """What of a vote never changes once it has opened."""

    meeting_id: UUID
    unit_id: UUID
    rule: RuleSet
    options: tuple[Option, ...]
    entitled: frozenset[UUID]
    """Members who were on the roll when it was read; late-comers come to it afterwards."""


class Hints:
    """Publishes without anybody waiting for the broker, which may hang for a second.

    Each channel has one publish under way; topics that come meanwhile are told together next.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._owed: dict[str, set[str]] = {}
        self._owed_since: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def tell(self, channel: str, topics: AbstractSet[str]) -> None:
        """Publish the topics soon. Call it after the commit."""
        self._owed.setdefault(channel, set()).update(topics)
        self._owed_since.setdefault(channel, time.time())
        if channel not in self._tasks:
            self._tasks[channel] = asyncio.create_task(self._publish(channel))

    async def _publish(self, channel: str) -> None:
        try:
            while topics := self._owed.pop(channel, None):
                await self._feed.publish(channel, topics, self._owed_since.pop(channel))
        finally:
            del self._tasks[channel]


@dataclass
class _Box:
    """What one process does together for one vote."""

    writer: Batcher[NewBallot, CastBallot | None]
    enquiries: Batcher[UUID, Voter | None]
    makes_way_from: float = 0.0
    """Not for a closing that comes earlier, by the monotonic clock."""


class Casting:
    """One for each process. Each vote has one writer, and each of its transactions one hint.

    A thousand members who vote in the same second cost a few dozen commits, not a thousand; each
    still gets an answer of their own, after the commit that holds their ballot. So it is with the
    thousand who come a second too late.
    """

    @classmethod
    def of_process(cls, process: Process) -> "Casting":
        return cls(process.database, process.feed)

    def __init__(self, database: Database, feed: Feed) -> None:
        self.right_of_way = RightOfWay()
        self.ballots_written = 0
        self.batch_sizes = Histogram(BATCH_SIZES)
        """Ballots of each transaction, those included that the box did not take."""
        self._database = database
        self._hints = Hints(feed)
        self._facts: dict[UUID, VoteFacts] = {}
        self._lookups = Batcher(self._read_facts, MOST_TOGETHER)
        self._boxes: dict[UUID, _Box] = {}

    async def facts(self, vote_id: UUID) -> VoteFacts | None:
        """None if there is no such vote, or none that has been opened."""
        if vote_id not in self._facts:
            facts = await self._lookups.do(vote_id)
            if facts is None:
                return None
            _make_room(self._facts)
            self._facts[vote_id] = facts
        return self._facts[vote_id]

    def known_facts(self, vote_id: UUID) -> VoteFacts | None:
        """The same without asking the database."""
        return self._facts.get(vote_id)

    async def cast(self, vote_id: UUID, facts: VoteFacts, ballot: NewBallot) -> CastBallot | None:
        """The ballot as recorded and committed, or None if the box did not take it."""
        return await self._box(vote_id, facts).writer.do(ballot)

    @contextmanager
    def making_way(self, vote_id: UUID) -> Iterator[None]:
        """While the body closes a vote that this process has taken ballots of, its other requests
        wait. So do its ballots of the vote, in memory, and the answers to those that are committed,
        for as long as a closing takes.

        Its lock makes them wait as well, but until then each of them keeps the event loop busy, and
        the closing waits for that. This is a brake and protects nothing. It is for whoever may
        close the vote, and even for them not on again soon.
        """
        now = time.monotonic()
        box = self._boxes.get(vote_id)
        if box is None or now < box.makes_way_from:
            yield
            return
        box.makes_way_from = now + MAKES_WAY_EVERY
        box.writer.hold(MAKES_WAY_FOR)
        with self.right_of_way.taken():
            yield

    async def find_voter(self, vote_id: UUID, facts: VoteFacts, session_id: UUID) -> Voter | None:
        """What tells the member of a session why a ballot was not taken, as it is now; None if the
        session has ended."""
        return await self._box(vote_id, facts).enquiries.do(session_id)

    def _box(self, vote_id: UUID, facts: VoteFacts) -> _Box:
        if vote_id not in self._boxes:
            _make_room(self._boxes)
            self._boxes[vote_id] = self._new_box(vote_id, facts)
        return self._boxes[vote_id]

    def _new_box(self, vote_id: UUID, facts: VoteFacts) -> _Box:
        async def write(ballots: list[NewBallot]) -> Sequence[CastBallot | None]:
            put = await put_ballots(self._database, vote_id, facts.rule.secrecy, ballots)
            self.batch_sizes.observe(len(ballots))
            pairs = zip(ballots, put, strict=True)
            voters = {ballot.member_id for ballot, was_put in pairs if was_put}
            self.ballots_written += len(voters)
            if voters:
                topics = {topic_of_ballots(vote_id), *map(topic_of_member, voters)}
                self._hints.tell(channel_of_meeting(facts.meeting_id), topics)
            return put

        async def enquire(session_ids: list[UUID]) -> Sequence[Voter | None]:
            async with self._database.glance() as connection:
                found = await find_voters(connection, vote_id, few_sizes(session_ids))
            return [found.get(session_id) for session_id in session_ids]

        return _Box(Batcher(write, MOST_TOGETHER), Batcher(enquire, MOST_TOGETHER))

    async def _read_facts(self, vote_ids: list[UUID]) -> Sequence[VoteFacts | None]:
        statement = (
            select(
                Vote.id.label("vote_id"),
                Vote.meeting_id,
                Meeting.unit_id,
                Vote.rule,
                VoteOption.id,
                VoteOption.kind,
                VoteOption.position,
                VoteOption.candidate_id,
            )
            .join(Meeting, Meeting.id == Vote.meeting_id)
            .join(VoteOption, VoteOption.vote_id == Vote.id)
            .where(Vote.id.in_(few_sizes(vote_ids)), Vote.state != VoteState.PREPARED)
            .order_by(Vote.id)
        )
        roll = select(RollEntry.vote_id, RollEntry.member_id).where(
            RollEntry.vote_id.in_(few_sizes(vote_ids)), RollEntry.left_out.is_(None)
        )
        async with self._database.glance() as connection:
            rows = (await connection.execute(statement)).all()
            entries = (await connection.execute(roll)).all()
        rolls: dict[UUID, set[UUID]] = defaultdict(set)
        for entry in entries:
            rolls[entry.vote_id].add(entry.member_id)
        found = {
            vote_id: _facts_of(list(of_vote), rolls[vote_id])
            for vote_id, of_vote in groupby(rows, lambda row: row.vote_id)
        }
        return [found.get(vote_id) for vote_id in vote_ids]


def _facts_of(rows: Sequence[Any], roll: AbstractSet[UUID]) -> VoteFacts:
    """From one row for each option."""
    first = rows[0]
    options = [Option(row.id, row.kind, row.position, row.candidate_id) for row in rows]
    rule = RuleSet.from_data(first.rule)
    return VoteFacts(first.meeting_id, first.unit_id, rule, tuple(options), frozenset(roll))


def _make_room(kept: dict[UUID, Any]) -> None:
    """Forget the oldest. A forgotten writer still finishes what it has: it only loses company."""
    if len(kept) >= VOTES_KEPT:
        kept.pop(next(iter(kept)))
