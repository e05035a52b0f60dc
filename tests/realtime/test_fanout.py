"""One execution for all who see the same: groups, what they keep, and when they push."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

import realtime.fanout
from models.database import ReadSession
from models.driver.direct_pool import Line
from models.votes.votes import Vote
from realtime.fanout import AT_ONE_GO, COUNTS_EVERY, TOGETHER_EVERY, Ended, Fanout, Group
from realtime.feed import Feed
from realtime.topics import (
    ATTENDANCE_TOPIC,
    GAP,
    MEETING_TOPIC,
    PRESENCE_TOPIC,
    channel_of_meeting,
    is_count,
    topic_of_ballots,
    topic_of_vote,
)
from resolvers.context import Context, Viewpoint
from rules.permissions import Act
from rules.votes.rule_sets import LiveTally
from schema.live.marks import Counted, Personal
from schema.live.prepare import read_operation
from schema.live.run import GATHER, Live
from server.limits.members import MemberLimits
from server.websocket.connections import Sockets
from server.websocket.outlets import MessageOutlet
from server.websocket.protocol import Connection
from tests.support.asking import (
    Watch,
    act,
    eventually,
    finding,
    push_each,
    watch,
)
from tests.support.database_log import is_put, statements
from tests.support.factories import ORDINARY, City, Person, context_of
from tests.support.live_schema import documents, marked, text_of
from tests.support.tampering import change
from tests.support.voting import cast, vote_after

CHANNEL = "meeting:of-a-test"
BALLOTS = "ballots:of-a-test"


@dataclass(eq=False)
class Onlooker:
    """A subscriber that keeps what it was shown."""

    shown: list[bytes] = field(default_factory=list)
    error: str | None = None
    on_push: Callable[[], None] | None = None

    def push(self, state: bytes) -> None:
        self.shown.append(state)
        if self.on_push is not None:
            self.on_push()

    def end(self, error: str) -> None:
        self.error = error


def has_seen(onlooker: Onlooker, *states: bytes) -> bool:
    return onlooker.shown == list(states)


class Subject:
    """What groups take their state of. Each take gives what `state` says at that moment."""

    def __init__(self, fanout: Fanout[str], feed: Feed) -> None:
        self.state = b"0"
        self.taken = 0
        self.failures = 0
        self.is_gone = False
        self.gate = asyncio.Event()
        self.gate.set()
        self._fanout = fanout
        self._feed = feed

    async def take(self) -> bytes | Ended[str]:
        self.taken += 1
        state = self.state
        await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        return Ended("gone") if self.is_gone else state

    def join(
        self,
        onlooker: Onlooker,
        key: str = "everybody",
        wants: Callable[[str], bool] = lambda _: True,
    ) -> Group[str]:
        return self._fanout.join(key, onlooker, CHANNEL, wants, self.take)

    async def change(self, state: bytes, *topics: str) -> None:
        self.state = state
        await self._feed.publish(CHANNEL, set(topics))


@pytest.fixture
async def fanout(feed: Feed) -> AsyncIterator[Fanout[str]]:
    fanout: Fanout[str] = Fanout(feed, push_each)
    yield fanout
    await fanout.stop()
    assert len(fanout) == 0


@pytest.fixture
def subject(fanout: Fanout[str], feed: Feed) -> Subject:
    return Subject(fanout, feed)


class Clock:
    """The loop's time, which goes on only when a test says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.now)

    async def sleep(self, seconds: float) -> None:
        """Let the time pass, and whoever waited for it have their turn."""
        self.now += seconds
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


# --- Groups ------------------------------------------------------------------------------------


async def test_who_joins_together_shares_one_execution(
    fanout: Fanout[str], subject: Subject
) -> None:
    onlookers = [Onlooker() for _ in range(2 * AT_ONE_GO + 1)]
    groups = {id(subject.join(onlooker)) for onlooker in onlookers}
    await eventually(lambda: all(o.shown == [b"0"] for o in onlookers))
    assert (len(groups), subject.taken, len(fanout)) == (1, 1, 1)
    assert fanout.subscribers == len(onlookers)
    await subject.change(b"1", MEETING_TOPIC)
    await eventually(lambda: all(o.shown == [b"0", b"1"] for o in onlookers))
    assert subject.taken == fanout.counters.taken == 2
    assert fanout.counters.deliveries == 2 * len(onlookers)


async def test_who_joins_later_is_shown_the_kept_state_without_an_execution(
    subject: Subject,
) -> None:
    first, joiner = Onlooker(), Onlooker()
    subject.join(first)
    await eventually(lambda: first.shown == [b"0"])
    subject.join(joiner)
    assert joiner.shown == [b"0"]
    assert (first.shown, subject.taken) == ([b"0"], 1)


async def test_who_joins_amid_an_execution_is_shown_its_result_once(subject: Subject) -> None:
    first, joiner = Onlooker(), Onlooker()
    subject.gate.clear()
    subject.join(first)
    await eventually(lambda: subject.taken == 1)
    subject.join(joiner)
    assert joiner.shown == []
    subject.gate.set()
    await eventually(lambda: joiner.shown == [b"0"])
    await subject.change(b"1", MEETING_TOPIC)
    await eventually(lambda: joiner.shown == first.shown == [b"0", b"1"])


async def test_other_keys_are_other_groups(fanout: Fanout[str], subject: Subject) -> None:
    onlookers = [Onlooker(), Onlooker()]
    for number, onlooker in enumerate(onlookers):
        subject.join(onlooker, key=f"audience {number}")
    await eventually(lambda: all(o.shown == [b"0"] for o in onlookers))
    assert (len(fanout), subject.taken) == (2, 2)


async def test_a_state_that_is_the_same_is_not_pushed_again(
    fanout: Fanout[str], subject: Subject
) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await eventually(lambda: onlooker.shown == [b"0"])
    await subject.change(b"0", MEETING_TOPIC)
    await eventually(lambda: fanout.counters.unchanged == 1)
    assert onlooker.shown == [b"0"]


async def test_what_changes_amid_an_execution_is_taken_anew(subject: Subject) -> None:
    onlooker = Onlooker()
    subject.gate.clear()
    subject.join(onlooker)
    await eventually(lambda: subject.taken == 1)
    await subject.change(b"1", MEETING_TOPIC)
    subject.gate.set()
    await eventually(lambda: onlooker.shown == [b"0", b"1"])


async def test_nothing_falls_between_joining_and_the_first_state(
    subject: Subject, feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The channel is joined first: what changes from then on is told by a hint."""
    has_joined, may_go_on = asyncio.Event(), asyncio.Event()
    join = feed.join

    @asynccontextmanager
    async def join_slowly(*arguments: Any) -> AsyncIterator[Any]:
        async with join(*arguments) as mailbox:
            has_joined.set()
            await may_go_on.wait()
            yield mailbox

    monkeypatch.setattr(feed, "join", join_slowly)
    onlooker = Onlooker()
    subject.join(onlooker)
    await has_joined.wait()
    assert subject.taken == 0
    await subject.change(b"1", MEETING_TOPIC)
    may_go_on.set()
    await eventually(lambda: subject.taken == 2)
    assert onlooker.shown[-1] == b"1"


# --- Leaving -----------------------------------------------------------------------------------


async def test_who_leaves_between_two_goes_of_a_push_is_shown_nothing_more(
    subject: Subject,
) -> None:
    onlookers = [Onlooker() for _ in range(AT_ONE_GO + 2)]
    groups = [subject.join(onlooker) for onlooker in onlookers]
    leaving, last = onlookers[-2:]
    await eventually(lambda: last.shown == [b"0"])

    def leave_soon() -> None:
        asyncio.get_running_loop().call_soon(groups[-2].leave, leaving)

    onlookers[0].on_push = leave_soon
    await subject.change(b"1", MEETING_TOPIC)
    await eventually(lambda: last.shown == [b"0", b"1"])
    assert leaving.shown == [b"0"]


@pytest.mark.parametrize("turns", range(12))
async def test_a_group_ends_with_its_last_subscriber(
    fanout: Fanout[str], subject: Subject, feed: Feed, turns: int
) -> None:
    before = asyncio.all_tasks()
    onlookers = [Onlooker(), Onlooker()]
    *_, group = [subject.join(onlooker) for onlooker in onlookers]
    for _ in range(turns):  # at whichever moment of joining and taking it is
        await asyncio.sleep(0)
    group.leave(onlookers[0])
    assert len(fanout) == 1
    group.leave(onlookers[1])
    assert (len(fanout), fanout.subscribers) == (0, 0)
    await eventually(lambda: asyncio.all_tasks() == before)
    assert not feed._subscriptions
    shown = [len(onlooker.shown) for onlooker in onlookers]
    await subject.change(b"1", MEETING_TOPIC)
    assert [len(onlooker.shown) for onlooker in onlookers] == shown


async def test_who_comes_after_the_last_has_left_gets_a_fresh_state(subject: Subject) -> None:
    for number in range(3):
        subject.state = b"%d" % number
        onlooker = Onlooker()
        group = subject.join(onlooker)
        await eventually(partial(has_seen, onlooker, subject.state))
        group.leave(onlooker)


async def test_who_is_told_of_the_end_hears_nothing_more(
    fanout: Fanout[str], subject: Subject, feed: Feed
) -> None:
    onlookers = [Onlooker(), Onlooker()]
    for onlooker in onlookers:
        subject.join(onlooker)
    await eventually(lambda: onlookers[1].shown == [b"0"])
    subject.is_gone = True
    await subject.change(b"1", MEETING_TOPIC)
    await eventually(lambda: [o.error for o in onlookers] == ["gone", "gone"])
    await eventually(lambda: not feed._subscriptions)
    assert len(fanout) == 0
    assert [o.shown for o in onlookers] == [[b"0"], [b"0"]]


async def test_stopping_ends_all_groups_in_silence(
    fanout: Fanout[str], subject: Subject, feed: Feed
) -> None:
    onlookers = [Onlooker() for _ in range(3)]
    for number, onlooker in enumerate(onlookers):
        subject.join(onlooker, key=f"{number}")
    await eventually(lambda: all(o.shown for o in onlookers))
    await fanout.stop()
    assert not feed._subscriptions
    assert [(o.shown, o.error) for o in onlookers] == [([b"0"], None)] * 3


async def test_a_feed_that_stops_ends_its_groups(fanout: Fanout[str], subject: Subject) -> None:
    feed = Feed.from_url("memory://")
    await feed.start()
    of_feed: Fanout[str] = Fanout(feed, push_each)
    onlooker = Onlooker()
    Subject(of_feed, feed).join(onlooker)
    await eventually(lambda: onlooker.shown == [b"0"])
    await feed.stop()
    await eventually(lambda: len(of_feed) == 0)


# --- Failures ----------------------------------------------------------------------------------


async def test_a_state_that_cannot_be_taken_is_tried_again_and_nobody_is_lost(
    fanout: Fanout[str], subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(realtime.fanout, "TRY_AGAIN_AFTER", 0.001)
    onlookers = [Onlooker(), Onlooker()]
    subject.failures = 2
    subject.join(onlookers[0])
    await eventually(lambda: onlookers[0].shown == [b"0"])
    subject.failures = 3
    subject.join(onlookers[1])
    await subject.change(b"1", MEETING_TOPIC)
    await eventually(lambda: all(o.shown == [b"0", b"1"] for o in onlookers))
    assert fanout.counters.failures == 5
    assert [o.error for o in onlookers] == [None, None]


async def test_who_leaves_while_the_state_cannot_be_taken_is_gone(
    fanout: Fanout[str], subject: Subject, feed: Feed
) -> None:
    onlooker = Onlooker()
    subject.failures = 1_000
    group = subject.join(onlooker)
    await eventually(lambda: fanout.counters.failures >= 1)
    group.leave(onlooker)
    await eventually(lambda: not feed._subscriptions)
    assert onlooker.shown == []


# --- When it is pushed -------------------------------------------------------------------------


async def test_a_change_of_state_is_pushed_at_once(clock: Clock, subject: Subject) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await clock.settle()
    for number in range(1, 20):  # all in one moment
        await subject.change(b"%d" % number, MEETING_TOPIC)
        await clock.settle()
        assert onlooker.shown[-1] == b"%d" % number
    assert len(onlooker.shown) == 20


async def test_figures_are_pushed_at_once_when_it_was_quiet(clock: Clock, subject: Subject) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await clock.settle()
    await clock.sleep(COUNTS_EVERY)
    await subject.change(b"1", BALLOTS)
    await clock.settle()
    assert onlooker.shown == [b"0", b"1"]


@pytest.mark.parametrize("topic", [BALLOTS, ATTENDANCE_TOPIC, PRESENCE_TOPIC])
async def test_a_hundred_figures_of_a_second_are_few_pushes_and_the_last_is_the_final_one(
    clock: Clock, subject: Subject, topic: str
) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await clock.settle()
    await clock.sleep(1.0)
    for number in range(1, 101):
        await subject.change(b"%d" % number, topic)
        await clock.sleep(0.01)
    await clock.sleep(COUNTS_EVERY)
    pushes = onlooker.shown[1:]
    assert pushes[0] == b"1", "at once"
    assert pushes[-1] == b"100", "the trailing edge"
    assert len(pushes) <= 5, "one at once, then one for each 250 ms"
    before = subject.taken
    await clock.sleep(10 * COUNTS_EVERY)
    assert subject.taken == before, "and then it is quiet"


@pytest.mark.parametrize("topic", [MEETING_TOPIC, "vote:of-a-test", GAP])
async def test_a_change_of_state_does_not_wait_for_figures(
    clock: Clock, subject: Subject, topic: str
) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await clock.settle()
    await subject.change(b"1", BALLOTS)
    await clock.settle()
    assert onlooker.shown == [b"0"], "figures wait a moment"
    await subject.change(b"2", topic)
    await clock.settle()
    assert onlooker.shown == [b"0", b"2"]


async def test_figures_wait_again_after_a_change_of_state_and_are_not_forgotten(
    clock: Clock, subject: Subject
) -> None:
    onlooker = Onlooker()
    subject.join(onlooker)
    await clock.settle()
    await subject.change(b"1", MEETING_TOPIC)
    await clock.settle()
    await subject.change(b"2", BALLOTS)
    await clock.sleep(COUNTS_EVERY / 2)
    assert onlooker.shown == [b"0", b"1"]
    await clock.sleep(COUNTS_EVERY / 2 + 0.01)
    assert onlooker.shown == [b"0", b"1", b"2"]


async def test_topics_that_nobody_wants_wake_nobody(clock: Clock, subject: Subject) -> None:
    onlooker = Onlooker()
    subject.join(onlooker, wants=lambda topic: not is_count(topic))
    await clock.settle()
    await subject.change(b"1", BALLOTS, ATTENDANCE_TOPIC, PRESENCE_TOPIC)
    await clock.sleep(1.0)
    assert subject.taken == 1
    await subject.change(b"2", BALLOTS, MEETING_TOPIC)
    await clock.settle()
    assert onlooker.shown == [b"0", b"2"]


async def test_after_a_gap_every_group_takes_its_state_anew(subject: Subject) -> None:
    onlookers = [Onlooker() for _ in range(4)]
    for number, onlooker in enumerate(onlookers):
        subject.join(onlooker, key=f"{number}", wants=lambda _: False)
    await eventually(lambda: all(o.shown == [b"0"] for o in onlookers))
    await subject.change(b"1", GAP)
    await eventually(lambda: all(o.shown == [b"0", b"1"] for o in onlookers))


# --- Subscriptions of a process ----------------------------------------------------------------

SHARED = """subscription ($id: ID!) { meeting(id: $id) {
  id version state turnout { present } attendance { status member { name } }
  votes { id version state tally { cast options { count } } outcome { carried } }
} }"""
WITHOUT_FIGURES = "subscription ($id: ID!) { meeting(id: $id) { state votes { state } } }"
OWN = "subscription ($id: ID!) { vote(id: $id) { version myReceipt { id } } }"


class Process:
    """The sockets of one process, and those who subscribe through them."""

    def __init__(self, sockets: Sockets, live: Live) -> None:
        self.live = live
        self.runs: list[Viewpoint] = []
        self._sockets = sockets
        self._open: list[Connection] = []
        run = live._run

        async def run_and_note(prepared: Any, viewpoint: Viewpoint, snapshot: Any) -> Any:
            self.runs.append(viewpoint)
            return await run(prepared, viewpoint, snapshot)

        live._run = run_and_note  # type: ignore[method-assign]

    async def subscribe(self, person: Person, document: str, **variables: Any) -> Watch:
        watched = Watch(asyncio.Queue())

        async def send(event: Any) -> None:
            is_text = event["type"] == "websocket.send"
            watched.messages.put_nowait(json.loads(event["text"]) if is_text else dict(event))

        connection = Connection(self._sockets, MessageOutlet(send), send, cookie=None)
        self._open.append(connection)
        connection.access = await self._sockets.watch_over(connection, finding(context_of(person)))
        payload = {"query": document, "variables": variables}
        await connection.take(json.dumps({"type": "subscribe", "id": "1", "payload": payload}))
        return watched

    def leave(self) -> None:
        for connection in self._open:
            connection.leave()


@pytest.fixture
async def process(city: City) -> AsyncIterator[Process]:
    sockets = Sockets(members=MemberLimits(1_000))
    async with sockets.serving(context_of(city.nobody)):
        process = Process(sockets, sockets.live)
        yield process
        process.leave()


async def a_crowd(city: City, number: int) -> list[Person]:
    people = city.scene.members([f"Người {n}" for n in range(number)], city.branch)
    await city.scene.save()
    return people


@pytest.mark.parametrize(
    ("live_tally", "executions"), [(LiveTally.ALWAYS, 1), (LiveTally.CHAIR, 2)]
)
async def test_fifty_members_and_the_chair_share_an_execution_where_they_see_the_same(
    city: City, process: Process, live_tally: LiveTally, executions: int
) -> None:
    rule = replace(ORDINARY, live_tally=live_tally).to_data()
    await change(city.scene.database, Vote, Vote.id == city.vote.id, rule=rule)
    members = await a_crowd(city, 50)
    meeting = str(city.meeting.id)
    watching = [await process.subscribe(person, SHARED, id=meeting) for person in members]
    watching.append(await process.subscribe(city.hanh, SHARED, id=meeting))
    for watched in watching:
        await watched.next()
    assert len(process.live.fanout) == 2
    assert process.live.fanout.subscribers == 51
    process.runs.clear()
    await vote_after(city.hanh, "openVote", city.vote)
    pushes = [await watched.next() for watched in watching]
    assert len(process.runs) == executions
    assert all(push["votes"][0]["state"] == "OPEN" for push in pushes)


async def test_more_subscribers_are_no_more_statements(city: City, process: Process) -> None:
    meeting, few, many = str(city.meeting.id), 2, 30
    people = await a_crowd(city, many)
    watching: list[Watch] = []
    counts = []
    for number, (crowd, step) in enumerate([(few, "pauseMeeting"), (many, "startMeeting")]):
        for person in people[len(watching) : crowd]:
            watching.append(await process.subscribe(person, SHARED, id=meeting))
            await watching[-1].next()
        with statements(city.scene.database) as executed:
            await act(context_of(city.hanh), step, meetingId=city.meeting.id)
            for watched in watching:
                await watched.next()
        assert len(watching) == (few, many)[number]
        counts.append(len(executed))
    assert counts[0] == counts[1]


async def test_a_ballot_s_tally_costs_two_statements_for_all_who_watch(
    city: City, process: Process
) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    document = "subscription ($id: ID!) { vote(id: $id) { version tally { cast eligible byHand"
    document += " blanks options { optionId count } } } }"
    watching = [
        await process.subscribe(person, document, id=str(city.vote.id))
        for person in (city.hanh, city.an, city.binh)
    ]
    for watched in watching:
        await watched.next()
    await cast(city.an, city.vote, city.vote.for_)  # from now on the paper is known here
    for watched in watching:
        assert (await watched.next())["tally"]["cast"] == 1
    await asyncio.sleep(COUNTS_EVERY + TOGETHER_EVERY)  # when it is quiet, all hear it at once
    with statements(city.scene.database) as executed:
        await cast(city.binh, city.vote, city.vote.for_)
        for watched in watching:
            assert (await watched.next())["tally"]["cast"] == 2
    reads = [one for one in executed if one.startswith(("SELECT", "WITH")) and not is_put(one)]
    assert len(reads) == 2, reads


async def test_who_joins_later_costs_no_statement_of_the_meeting(
    city: City, process: Process
) -> None:
    first = await process.subscribe(city.an, SHARED, id=str(city.meeting.id))
    shown = await first.next()
    with statements(city.scene.database) as executed:
        joiner = await process.subscribe(city.binh, SHARED, id=str(city.meeting.id))
        assert await joiner.next() == shown
    assert len(process.runs) == 1
    tables = {word for one in executed for word in re.findall(r"(?:FROM|JOIN) (\w+)", one)}
    assert tables == {"session", "account", "member", "membership", "appointment"}


async def test_other_variables_texts_and_names_of_operations_are_other_groups(
    city: City, process: Process
) -> None:
    ids = (city.meeting.id, city.meeting.id, str(city.meeting.id).upper())
    for person, wanted in zip((city.an, city.binh, city.chi), ids, strict=True):
        await (await process.subscribe(person, SHARED, id=str(wanted))).next()
    await (await process.subscribe(city.minh, SHARED + " # other", id=str(ids[0]))).next()
    assert len(process.runs) == 3


async def test_what_is_personal_is_run_for_each_alone(city: City, process: Process) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    vote = str(city.vote.id)
    ans = await process.subscribe(city.an, OWN, id=vote)
    binhs = await process.subscribe(city.binh, OWN, id=vote)
    assert (await ans.next())["myReceipt"] is (await binhs.next())["myReceipt"] is None
    assert {audience.member_id for audience in process.runs} == {city.an.id, city.binh.id}
    receipt = await cast(city.an, city.vote, city.vote.for_)
    assert (await ans.next())["myReceipt"]["id"] == receipt["id"]
    assert (await binhs.next())["myReceipt"] is None


async def test_what_is_not_personal_never_has_a_member(city: City, process: Process) -> None:
    for person in (city.an, city.hanh, city.oanh, city.thu, city.lan):
        await (await process.subscribe(person, SHARED, id=str(city.meeting.id))).next()
    assert {audience.member_id for audience in process.runs} == {None}
    assert len(process.runs) == 3, "members, who chairs, and the overseer"


async def test_a_member_s_own_topic_wakes_nobody_else(city: City, process: Process) -> None:
    document = "subscription ($id: ID!) { meeting(id: $id) { state myAttendance { status } } }"
    ans = await process.subscribe(city.an, document, id=str(city.meeting.id))
    binhs = await process.subscribe(city.binh, document, id=str(city.meeting.id))
    await ans.next()
    await binhs.next()
    process.runs.clear()
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    assert (await ans.next())["myAttendance"]["status"] == "PRESENT"
    assert {audience.member_id for audience in process.runs} == {city.an.id}
    assert binhs.messages.empty()


async def test_figures_are_nothing_to_who_selects_none(
    city: City, process: Process, feed: Feed
) -> None:
    watched = await process.subscribe(city.an, WITHOUT_FIGURES, id=str(city.meeting.id))
    await watched.next()
    topics = {topic_of_ballots(city.vote.id), ATTENDANCE_TOPIC, PRESENCE_TOPIC}
    await feed.publish(channel_of_meeting(city.meeting.id), topics)
    await asyncio.sleep(2 * COUNTS_EVERY)
    assert len(process.runs) == 1
    await feed.publish(channel_of_meeting(city.meeting.id), {topic_of_vote(city.vote.id)})
    await eventually(lambda: len(process.runs) == 2)


@pytest.mark.parametrize("statement", [1, 2, 5])
async def test_a_database_that_fails_amid_a_push_shows_no_holes_and_ends_nothing(
    city: City, process: Process, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    """Whichever statement it is that fails: the state is taken again, whole."""
    monkeypatch.setattr(realtime.fanout, "TRY_AGAIN_AFTER", 0.01)
    watched = await process.subscribe(city.an, SHARED, id=str(city.meeting.id))
    await watched.next()
    await act(context_of(city.hanh), "pauseMeeting", meetingId=city.meeting.id)
    await watched.next()
    executed = []

    def failing_once(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def fail_or_run(self: Any, *arguments: Any, **options: Any) -> Any:
            executed.append(arguments[0])
            if len(executed) == statement:
                raise OperationalError("SELECT", {}, OSError("the connection broke"))
            return await run(self, *arguments, **options)

        return fail_or_run

    monkeypatch.setattr(ReadSession, "execute", failing_once(ReadSession.execute))
    monkeypatch.setattr(Line, "fetch", failing_once(Line.fetch))
    channel = channel_of_meeting(city.meeting.id)
    await city.scene.feed.publish(channel, {MEETING_TOPIC})
    counters = process.live.fanout.counters
    await eventually(lambda: counters.unchanged == 1)
    assert counters.failures == 1
    assert watched.messages.empty(), "the state is the same"
    monkeypatch.undo()
    await act(context_of(city.hanh), "startMeeting", meetingId=city.meeting.id)
    assert (await watched.next())["state"] == "IN_SESSION"


async def test_what_fails_for_one_group_fails_for_no_other(
    city: City, process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Groups are taken together; one that cannot be is tried again alone."""
    monkeypatch.setattr(realtime.fanout, "TRY_AGAIN_AFTER", 0.01)
    run = process.live._run

    async def fail_for_the_chair(prepared: Any, viewpoint: Viewpoint, snapshot: Any) -> Any:
        state = await run(prepared, viewpoint, snapshot)
        if viewpoint.may(Act.CLOSE_VOTE, city.branch):
            raise ValueError("a mistake")
        return state

    monkeypatch.setattr(process.live, "_run", fail_for_the_chair)
    meeting = str(city.meeting.id)
    hanhs = await process.subscribe(city.hanh, SHARED, id=meeting)
    ans = await process.subscribe(city.an, SHARED, id=meeting)
    assert (await ans.next())["state"] == "IN_SESSION"
    assert hanhs.messages.empty()
    monkeypatch.setattr(process.live, "_run", run)
    assert (await hanhs.next())["state"] == "IN_SESSION"


THREE = [SHARED, SHARED.replace("attendance {", "title attendance {"), WITHOUT_FIGURES]


@pytest.mark.parametrize("statement", range(1, 9))
async def test_what_fails_in_one_execution_ends_no_group_of_those_that_run_with_it(
    city: City, process: Process, monkeypatch: pytest.MonkeyPatch, statement: int
) -> None:
    """They share a snapshot's loaders: a failed field cancels what others wait for, too."""
    monkeypatch.setattr(realtime.fanout, "TRY_AGAIN_AFTER", 0.01)
    watching = [await process.subscribe(city.an, d, id=str(city.meeting.id)) for d in THREE]
    for watched in watching:
        await watched.next()
    await asyncio.sleep(GATHER)
    executed = []

    def failing_once(run: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def fail_or_run(self: Any, *arguments: Any, **options: Any) -> Any:
            executed.append(arguments[0])
            if len(executed) == statement:
                raise OperationalError("SELECT", {}, OSError("the connection broke"))
            return await run(self, *arguments, **options)

        return fail_or_run

    monkeypatch.setattr(ReadSession, "execute", failing_once(ReadSession.execute))
    monkeypatch.setattr(Line, "fetch", failing_once(Line.fetch))
    channel = channel_of_meeting(city.meeting.id)
    await city.scene.feed.publish(channel, {MEETING_TOPIC})
    counters = process.live.fanout.counters
    await eventually(lambda: counters.unchanged == len(THREE))
    monkeypatch.undo()
    assert len(process.live.fanout) == len(THREE)
    await act(context_of(city.hanh), "pauseMeeting", meetingId=city.meeting.id)
    for watched in watching:
        assert (await watched.next())["state"] == "PAUSED"


@pytest.mark.parametrize("chair_first", [True, False])
async def test_who_fails_before_anything_was_asked_stands_for_nobody(
    city: City, process: Process, monkeypatch: pytest.MonkeyPatch, chair_first: bool
) -> None:
    live, run = process.live, process.live._run
    operation = read_operation(SHARED, None)
    assert operation is not None
    variables = {"id": str(city.meeting.id)}
    keys = []
    for person in (city.hanh, city.an):
        access = await finding(context_of(person))()
        assert access is not None
        keys.append((await live.plan(access, operation, variables)).key)
    chairs, members = keys

    async def fail_for_the_chair(prepared: Any, viewpoint: Viewpoint, snapshot: Any) -> Any:
        if viewpoint._audience == chairs[1]:
            raise ValueError("a mistake")
        return await run(prepared, viewpoint, snapshot)

    monkeypatch.setattr(live, "_run", fail_for_the_chair)
    order = [chairs, members] if chair_first else [members, chairs]
    states = dict(zip(order, await live._run_together(order), strict=True))
    assert isinstance(states[members], bytes)
    # The chair was asked nothing that members answer differently: their state may be shown.
    assert isinstance(states[chairs], ValueError if chair_first else bytes)


# --- Marks of the schema -----------------------------------------------------------------------


def test_these_fields_are_personal() -> None:
    assert marked(Personal) == {
        "Meeting.myAttendance",
        "Vote.myHand",
        "Vote.myReceipt",
        "Vote.myRollLine",
        "Vote.viewerMay",
    }


def test_these_fields_change_with_ballots_and_arrivals() -> None:
    assert marked(Counted) == {
        "Meeting.version",
        "Meeting.attendance",
        "Meeting.turnout",
        "Vote.version",
        "Vote.tally",
        *(f"MeetingsByState.{name}" for name in ("scheduled", "inSession", "paused", "closed")),
        *(
            f"{of_type}.{name}"
            for of_type in ("UnitLive", "UnitBelow")
            for name in ("meetings", "openVotes", "summoned", "present", "confirmed", "connected")
        ),
    }


@pytest.mark.parametrize("mark", ["myReceipt { id }", "... on Vote { viewerMay }", "...Own"])
def test_what_is_personal_is_found_wherever_it_is(mark: str) -> None:
    document = f"""subscription ($id: ID!) {{
        meeting(id: $id) {{ agenda {{ votes {{ {mark} }} }} }} }}
      {"fragment Own on Vote { mine: myReceipt { castAt } }" if "Own" in mark else ""}"""
    operation = read_operation(document, None)
    assert operation is not None
    assert (operation.is_personal, operation.has_counts) == (True, False)


@pytest.mark.parametrize(
    ("selection", "is_personal", "has_counts"),
    [
        ("state", False, False),
        ("__typename version", False, True),
        ("votes { n: version }", False, True),
        ("attendance { member { id } }", False, True),
        ("turnout { connected }", False, True),
        ("viewerMay", False, False),
        ("myAttendance { status }", True, False),
        ("title @include(if: false) turnout @skip(if: true) { present }", False, True),
    ],
)
def test_marks_of_an_operation(selection: str, is_personal: bool, has_counts: bool) -> None:
    operation = read_operation(
        f"subscription ($id: ID!) {{ meeting(id: $id) {{ {selection} }} }}", None
    )
    assert operation is not None
    assert (operation.is_personal, operation.has_counts) == (is_personal, has_counts)


@pytest.mark.parametrize("vote_state", ["prepared", "open", "closed", "published"])
async def test_no_field_without_the_mark_asks_who_looks(
    city: City, monkeypatch: pytest.MonkeyPatch, vote_state: str
) -> None:
    """All fields of the schema are run for an audience; none may want to know the viewer."""
    steps = {"prepared": 0, "open": 1, "closed": 2, "published": 3}[vote_state]
    for mutation in ["openVote", "closeVote", "publishVote"][:steps]:
        await vote_after(city.hanh, mutation, city.vote)
    asked: list[str] = []

    def note(self: Context, *_: object) -> Any:
        asked.append(repr(self.viewpoint))
        raise AssertionError("a field asked who looks")

    monkeypatch.setattr(Context, "viewer_id", note)
    monkeypatch.setattr(Context, "signed_in", note)
    for person in (city.an, city.hanh):
        for field_name, subject in (("meeting", city.meeting.id), ("vote", city.vote.id)):
            for selection in documents(field_name, without=marked(Personal)):
                document = text_of("subscription", field_name, selection)
                async with watch(context_of(person), document, id=str(subject)) as watched:
                    await watched.next()
    assert asked == []
