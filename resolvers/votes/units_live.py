"""What happens in the meetings of a whole subtree, added up as it changes.

Each process that is asked keeps the facts of the day's meetings, read once. A hint on one channel
names the meetings that changed; only those are read again, and the sums above them adjusted. So a
push costs the same however many meetings there are.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import add, sub
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from models.database import Database
from models.meetings.meetings import Attendance, Meeting
from models.register.units import Unit, UnitParent
from models.votes.votes import Vote
from realtime.feed import Feed, FeedStopped
from realtime.presence import Presence
from realtime.tasks import watched
from realtime.topics import (
    GAP,
    UNITS_CHANNEL,
    is_of_ballots,
    is_of_member,
    meeting_of_topic,
    topic_of_connected,
    topic_of_meeting,
)
from resolvers.process import Process, hears_commits
from rules.meetings.meetings import AttendanceStatus, MeetingState, VoteState
from rules.register.statistics import SMALLEST, hidden_cells

TELL_EVERY = 0.25
"""Seconds between two hints of one process about its changed meetings."""

READ_ALL_EVERY = 10.0
"""Seconds between two readings of everything, at least: while the broker is away, gaps follow each
other quickly."""

READ_ALL_AFTER = 600.0
"""Seconds: then the day has moved on, and perhaps the tree."""

OF_THE_DAY = timedelta(hours=12)
"""Meetings that begin or ended within this, before and after now. One that runs always counts."""

AT_ONE_GO = 500
"""Meetings added up, some milliseconds' worth; then others on the event loop have their turn."""

RUNNING = (MeetingState.IN_SESSION, MeetingState.PAUSED)
"""The states in which a meeting's turnout is one."""


class Figures(NamedTuple):
    """Of one meeting, or added up of many. Those about people are of meetings that run."""

    scheduled: int = 0
    in_session: int = 0
    paused: int = 0
    closed: int = 0
    open_votes: int = 0
    summoned: int = 0
    present: int = 0
    confirmed: int = 0
    connected: int = 0

    @property
    def running(self) -> int:
        return self.in_session + self.paused


ABOUT_PEOPLE = ("summoned", "present", "confirmed", "connected")
NOTHING = Figures()


@dataclass(frozen=True)
class UnitTurnout:
    """A unit and what may be shown of it."""

    unit: Unit
    figures: Figures
    hidden: frozenset[str]
    """Of ABOUT_PEOPLE."""

    def shown(self, name: str) -> int | None:
        return None if name in self.hidden else int(getattr(self.figures, name))


@hears_commits
class UnitsLive:
    """The facts of one process. `note` tells what changed, `read` gives a unit and its children."""

    @classmethod
    def of_process(cls, process: Process) -> "UnitsLive":
        return cls(process.database, process.feed, process.presence)

    def __init__(self, database: Database, feed: Feed, presence: Presence) -> None:
        self._database = database
        self._feed = feed
        self._presence = presence
        self._owed: set[UUID] = set()
        self._teller: asyncio.Task[None] | None = None
        self._listener: asyncio.Task[None] | None = None
        self._has_joined = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._changed: set[UUID] = set()
        self._moved: set[UUID] = set()  # whose connected members changed
        self._read_at: float | None = None
        self._must_read_all = True
        self._later: asyncio.TimerHandle | None = None
        self._meetings: dict[UUID, tuple[UUID, Figures]] = {}
        self._sums: dict[UUID, Figures] = {}
        self._own: dict[UUID, Figures] = {}
        self._parents: dict[UUID, UUID] = {}
        self._children: dict[UUID, list[UUID]] = {}
        self._units: dict[UUID, Unit] = {}

    # --- Telling others

    def note(self, announcements: Iterable[tuple[str, AbstractSet[str]]]) -> None:
        """Tell every process, soon, of the meetings in what a transaction has announced."""
        for channel, topics in announcements:
            meeting_id = meeting_of_topic(channel)
            if meeting_id and not all(is_of_ballots(one) or is_of_member(one) for one in topics):
                self._owed.add(meeting_id)
                self._changed.add(meeting_id)  # what this process reads next is of after it
        if self._owed and self._teller is None:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while owed := self._owed:
                self._owed = set()
                await self._feed.publish(UNITS_CHANNEL, set(map(topic_of_meeting, owed)))
                await asyncio.sleep(TELL_EVERY)
        finally:
            self._teller = None

    # --- Listening

    def topics_of(self, unit_id: UUID) -> "Topics":
        """The topics on UNITS_CHANNEL that concern the unit, as far as known."""
        return Topics(self, unit_id)

    def concerns(self, meeting_id: UUID, unit_id: UUID) -> bool:
        known = self._meetings.get(meeting_id)
        return known is None or unit_id in self._path(known[0])

    async def _listen(self) -> None:
        with suppress(FeedStopped):
            async with self._feed.join(UNITS_CHANNEL) as mailbox:
                self._has_joined.set()
                while True:
                    self._hear(await mailbox.next())
        self._listener = None
        self._has_joined.set()

    def _hear(self, topics: AbstractSet[str]) -> None:
        for topic in topics:
            if meeting_id := meeting_of_topic(topic):
                connected = topic == topic_of_connected(meeting_id)
                (self._moved if connected else self._changed).add(meeting_id)
        self._must_read_all |= GAP in topics

    # --- Reading

    async def read(self, unit_id: UUID) -> tuple[UnitTurnout, list[UnitTurnout]]:
        """A unit that there is, and its children, as they are now."""
        async with self._one_at_a_time:
            await self._catch_up()
            await self._read_units(unit_id)
        children = [self._units[child] for child in self._children.get(unit_id, ())]
        children.sort(key=lambda unit: (len(unit.name), unit.name))
        hidden = {name: self._hidden_children(unit_id, name) for name in ABOUT_PEOPLE}
        of_children = [
            self._turnout(child, frozenset(name for name in hidden if child.id in hidden[name]))
            for child in children
        ]
        hidden_here = frozenset(name for name in ABOUT_PEOPLE if self._is_hidden(unit_id, name))
        return self._turnout(self._units[unit_id], hidden_here), of_children

    async def _catch_up(self) -> None:
        if self._listener is None:
            self._has_joined.clear()
            self._must_read_all, self._read_at = True, None
            self._listener = watched(self._listen(), name="hints of units")
        await self._has_joined.wait()  # first join, then read
        await asyncio.sleep(0)  # the listener has heard what whoever asks has heard
        now = time.monotonic()
        age = now - self._read_at if self._read_at is not None else READ_ALL_AFTER
        if age >= (READ_ALL_EVERY if self._must_read_all else READ_ALL_AFTER):
            await self._read_all()
            self._read_at = now
        else:
            if self._must_read_all and self._later is None:
                self._later = asyncio.get_running_loop().call_later(
                    READ_ALL_EVERY - age, self._read_all_now
                )
            await self._read_changed()
        moved, self._moved = self._moved, set()
        for meeting_id in moved & self._meetings.keys():
            unit_id, before = self._meetings[meeting_id]
            self._put(meeting_id, unit_id, self._with_connected(meeting_id, before))

    def _read_all_now(self) -> None:
        self._later = None
        self._feed.tell(UNITS_CHANNEL, {GAP})

    async def _read_all(self) -> None:
        self._must_read_all = False  # first, because it may become true meanwhile
        try:
            await self._read_all_or_fail()
        except BaseException:
            self._must_read_all, self._read_at = True, None
            raise

    async def _read_all_or_fail(self) -> None:
        self._changed, self._moved = set(), set()
        async with self._database.glance() as connection:
            links = await connection.execute(
                select(UnitParent.unit_id, UnitParent.parent_id).where(
                    UnitParent.valid_to.is_(None)
                )
            )
            parents = {row.unit_id: row.parent_id for row in links}
            rows = (await connection.execute(_facts(_of_the_day()))).all()
        self._parents = parents
        self._children = defaultdict(list)
        for child, parent in parents.items():
            self._children[parent].append(child)
        self._units, self._meetings, self._sums, self._own = {}, {}, {}, {}
        for number, row in enumerate(rows):
            if number % AT_ONE_GO == AT_ONE_GO - 1:
                await asyncio.sleep(0)
            self._put(row.id, row.unit_id, self._figures(row))

    async def _read_changed(self) -> None:
        changed, self._changed = self._changed, set()
        if changed:
            try:
                await self._read_meetings(changed)
            except BaseException:
                self._changed |= changed
                raise

    async def _read_meetings(self, meeting_ids: Collection[UUID]) -> None:
        condition = and_(Meeting.id.in_(meeting_ids), _of_the_day())
        async with self._database.glance() as connection:
            found = {row.id: row for row in await connection.execute(_facts(condition))}
        for meeting_id in meeting_ids:
            if row := found.get(meeting_id):
                self._put(meeting_id, row.unit_id, self._figures(row))
            elif meeting_id in self._meetings:
                self._put(meeting_id, self._meetings[meeting_id][0], NOTHING)

    async def _read_units(self, unit_id: UUID) -> None:
        wanted = {unit_id, *self._children.get(unit_id, ())} - self._units.keys()
        if wanted:
            async with self._database.snapshot() as session:
                for unit in await session.scalars(select(Unit).where(Unit.id.in_(wanted))):
                    self._units[unit.id] = unit

    def _figures(self, row: Any) -> Figures:
        is_running = row.state in RUNNING
        return self._with_connected(
            row.id,
            Figures(
                scheduled=int(row.state is MeetingState.SUMMONED),
                in_session=int(row.state is MeetingState.IN_SESSION),
                paused=int(row.state is MeetingState.PAUSED),
                closed=int(row.state in (MeetingState.CLOSED, MeetingState.MINUTES_SIGNED)),
                open_votes=row.open_votes,
                summoned=row.summoned if is_running else 0,
                present=row.present if is_running else 0,
                confirmed=row.confirmed if is_running else 0,
            ),
        )

    def _with_connected(self, meeting_id: UUID, figures: Figures) -> Figures:
        connected = self._presence.connected(meeting_id) if figures.running else 0
        return figures._replace(connected=connected)

    def _put(self, meeting_id: UUID, unit_id: UUID, figures: Figures) -> None:
        """Keep a meeting's figures, and adjust the sums of its unit and of all above."""
        _, before = self._meetings.get(meeting_id, (unit_id, NOTHING))
        self._meetings[meeting_id] = unit_id, figures
        self._own[unit_id] = _adjusted(self._own.get(unit_id, NOTHING), before, figures)
        for above in self._path(unit_id):
            self._sums[above] = _adjusted(self._sums.get(above, NOTHING), before, figures)

    def _path(self, unit_id: UUID) -> Iterator[UUID]:
        """The unit and all above it."""
        at: UUID | None = unit_id
        while at is not None:
            yield at
            at = self._parents.get(at)

    # --- Small figures

    def _turnout(self, unit: Unit, hidden: frozenset[str]) -> UnitTurnout:
        return UnitTurnout(unit, self._sums.get(unit.id, NOTHING), hidden)

    def _is_hidden(self, unit_id: UUID, name: str) -> bool:
        """Whether a unit's sum is, here as among the units beside it: who is above sees both."""
        if not self._sums.get(unit_id, NOTHING).running:
            return False  # everybody knows that nobody meets
        parent = self._parents.get(unit_id)
        if parent is None:
            return int(getattr(self._sums[unit_id], name)) < SMALLEST
        return unit_id in self._hidden_children(parent, name)

    def _hidden_children(self, unit_id: UUID, name: str) -> frozenset[UUID]:
        sums = {
            child: figures
            for child in self._children.get(unit_id, ())
            if (figures := self._sums.get(child, NOTHING)).running
        }
        if not sums:
            return frozenset()
        own = self._own.get(unit_id, NOTHING)
        cells = {child: int(getattr(figures, name)) for child, figures in sums.items()}
        never_shown: frozenset[UUID] = frozenset()
        if own.running:
            cells[unit_id] = int(getattr(own, name))
            never_shown = frozenset({unit_id})
        return hidden_cells(cells, never_shown, is_total_hidden=self._is_hidden(unit_id, name))


@dataclass(frozen=True)
class Topics:
    """Those topics that are about meetings in one unit's subtree."""

    units: UnitsLive
    unit_id: UUID

    def __contains__(self, topic: object) -> bool:
        meeting_id = meeting_of_topic(str(topic))
        return meeting_id is None or self.units.concerns(meeting_id, self.unit_id)


def _adjusted(figures: Figures, before: Figures, now: Figures) -> Figures:
    return Figures(*map(add, map(sub, figures, before), now))


def _of_the_day() -> Any:
    now = datetime.now(UTC)
    is_of_the_day = Meeting.starts_at.between(now - OF_THE_DAY, now + OF_THE_DAY)
    return or_(
        Meeting.state.in_(RUNNING),
        and_(Meeting.state == MeetingState.SUMMONED, is_of_the_day),
        Meeting.closed_at > now - OF_THE_DAY,
    )


def _facts(condition: Any) -> Select[*tuple[Any, ...]]:
    """One row for each meeting."""
    open_votes = (
        select(func.count())
        .where(Vote.meeting_id == Meeting.id, Vote.state == VoteState.OPEN)
        .correlate(Meeting)
        .scalar_subquery()
    )
    is_of_running = and_(Attendance.meeting_id == Meeting.id, Meeting.state.in_(RUNNING))
    return (
        select(
            Meeting.id,
            Meeting.unit_id,
            Meeting.state,
            open_votes.label("open_votes"),
            func.count().filter(Attendance.is_summoned).label("summoned"),
            func.count().filter(Attendance.status == AttendanceStatus.PRESENT).label("present"),
            func.count(Attendance.confirmed_at).label("confirmed"),
        )
        .outerjoin(Attendance, is_of_running)
        .where(condition)
        .group_by(Meeting.id, Meeting.unit_id, Meeting.state)
    )
