"""How many are connected to a meeting is known in every process, roughly and soon."""

from __future__ import annotations

import asyncio
import itertools
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

import orjson
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from realtime import presence as settings
from realtime.feed import Feed, Mailbox
from realtime.presence import Kind, Message, Presence
from realtime.topics import PRESENCE_CHANNEL, PRESENCE_TOPIC, channel_of_meeting
from tests.support.asking import PATIENCE, ask
from tests.support.factories import City, context_of
from tests.support.valkey_server import Valkey

AN, BINH, CHI = (uuid4() for _ in range(3))
NEVER = 3600.0

PROCESS = """
import asyncio, sys
from uuid import UUID, uuid4
from realtime import presence
from realtime.feed import Feed

presence.TOGETHER, presence.BEAT_EVERY = 0.02, 0.1

async def main():
    async with Feed.from_url(sys.argv[1]) as feed, presence.Presence(feed).running() as here:
        for _ in range(3):
            here.enter(UUID(sys.argv[2]), uuid4())
        await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits, and nothing happens by the clock alone."""
    monkeypatch.setattr(settings, "TOGETHER", 0.02)
    monkeypatch.setattr(settings, "BEAT_EVERY", NEVER)
    monkeypatch.setattr(settings, "FORGOTTEN_AFTER", NEVER)


@pytest.fixture
def meeting() -> UUID:
    return uuid4()


@pytest.fixture
def broker() -> Iterator[Valkey]:
    """A broker of the test's own, to kill and to stop."""
    with Valkey() as server:
        yield server


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Presence]:
    """What one process has: a feed of its own, and its count."""
    async with Feed.from_url(url) as feed, Presence(feed).running() as presence:
        yield presence


@pytest.fixture
async def here(valkey_server: str) -> AsyncIterator[Presence]:
    async with process(valkey_server) as presence:
        yield presence


@pytest.fixture
async def there(valkey_server: str) -> AsyncIterator[Presence]:
    async with process(valkey_server) as presence:
        yield presence


async def eventually(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        for pause in itertools.repeat(0.005):
            if is_true():
                return
            await asyncio.sleep(pause)


async def shows(presence: Presence, meeting: UUID, count: int) -> None:
    await eventually(lambda: presence.connected(meeting) == count)


async def take(mailbox: Mailbox) -> frozenset[str]:
    async with asyncio.timeout(PATIENCE):
        return await mailbox.next()


# --- One process --------------------------------------------------------------------------------


def test_a_member_counts_once_however_many_pages_they_have(meeting: UUID) -> None:
    presence = Presence(Feed.from_url("memory://"))
    counts = []
    for step, member in [
        (presence.enter, AN),
        (presence.enter, AN),
        (presence.enter, BINH),
        (presence.leave, AN),
        (presence.leave, AN),
        (presence.leave, BINH),
        (presence.enter, AN),
    ]:
        step(meeting, member)
        counts.append(presence.connected(meeting))
    assert counts == [1, 1, 2, 2, 1, 0, 1]
    assert presence.connected(uuid4()) == 0


def test_what_nobody_looks_at_any_more_takes_no_memory() -> None:
    presence = Presence(Feed.from_url("memory://"))
    for meeting in [uuid4() for _ in range(10)]:
        presence.enter(meeting, AN)
        presence.leave(meeting, AN)
    assert presence._here == {}


def test_who_did_not_enter_does_not_leave(meeting: UUID) -> None:
    presence = Presence(Feed.from_url("memory://"))
    with pytest.raises(KeyError):
        presence.leave(meeting, AN)
    presence.enter(meeting, AN)
    with pytest.raises(KeyError):
        presence.leave(meeting, BINH)
    assert presence.connected(meeting) == 1


@pytest.mark.parametrize("kind", ["memory", "valkey"])
async def test_pages_of_the_meeting_are_told_of_another_number(
    request: pytest.FixtureRequest, meeting: UUID, kind: str
) -> None:
    url = "memory://" if kind == "memory" else request.getfixturevalue("valkey_server")
    async with (
        Feed.from_url(url) as feed,
        Presence(feed).running() as presence,
        feed.join(channel_of_meeting(meeting)) as mailbox,
        feed.join(channel_of_meeting(uuid4())) as other,
    ):
        for step in (presence.enter, presence.leave):
            step(meeting, AN)
            assert await take(mailbox) == {PRESENCE_TOPIC}
        assert other._topics == set()


async def test_a_rush_is_told_a_few_times(feed: Feed, meeting: UUID) -> None:
    async with (
        Presence(feed).running() as presence,
        feed.join(channel_of_meeting(meeting)) as mailbox,
        feed.join(PRESENCE_CHANNEL) as messages,
    ):
        await take(messages)
        for member in [uuid4() for _ in range(500)]:
            presence.enter(meeting, member)
        assert await take(mailbox) == {PRESENCE_TOPIC}
        (text,) = await take(messages)
        assert Message.decode(text).counts == {meeting: 500}


# --- Several processes --------------------------------------------------------------------------


async def test_processes_add_up(here: Presence, there: Presence, meeting: UUID) -> None:
    here.enter(meeting, AN)
    there.enter(meeting, BINH)
    there.enter(meeting, CHI)
    for presence in (here, there):
        await shows(presence, meeting, 3)
    there.leave(meeting, CHI)
    for presence in (here, there):
        await shows(presence, meeting, 2)


async def test_a_member_on_two_processes_counts_twice(
    here: Presence, there: Presence, meeting: UUID
) -> None:
    here.enter(meeting, AN)
    there.enter(meeting, AN)
    await shows(here, meeting, 2)


async def test_pages_are_told_when_the_number_changes_elsewhere(
    valkey_server: str, there: Presence, meeting: UUID
) -> None:
    async with (
        Feed.from_url(valkey_server) as feed,
        Presence(feed).running() as here,
        feed.join(channel_of_meeting(meeting)) as mailbox,
    ):
        there.enter(meeting, AN)
        assert await take(mailbox) == {PRESENCE_TOPIC}
        assert here.connected(meeting) == 1


async def test_a_process_that_starts_later_learns_what_is(
    valkey_server: str, here: Presence, there: Presence
) -> None:
    meetings = [uuid4() for _ in range(1_000)]
    for number, meeting in enumerate(meetings):
        here.enter(meeting, AN)
        (there if number % 2 else here).enter(meeting, BINH)
    await shows(there, meetings[-1], 2)
    async with process(valkey_server) as late:
        for meeting in meetings:
            await shows(late, meeting, 2)


async def test_a_process_that_ends_takes_its_members_along(
    valkey_server: str, here: Presence, meeting: UUID
) -> None:
    async with process(valkey_server) as there:
        there.enter(meeting, AN)
        await shows(here, meeting, 1)
    await shows(here, meeting, 0)
    assert here._others == {}


async def test_a_killed_process_is_forgotten_and_a_living_one_is_not(
    valkey_server: str, meeting: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "FORGOTTEN_AFTER", 1.5)
    async with process(valkey_server) as here:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROCESS, valkey_server, str(meeting),
            cwd=Path(__file__).parent.parent.parent,
        )  # fmt: skip
        try:
            await shows(here, meeting, 3)
            await asyncio.sleep(2.5)
            assert here.connected(meeting) == 3
        finally:
            other.send_signal(signal.SIGKILL)
            await other.wait()
        assert here.connected(meeting) == 3
        await shows(here, meeting, 0)


# --- What is lost on the way --------------------------------------------------------------------


async def publish(url: str, *topics: str) -> None:
    async with Redis.from_url(url) as client:
        await client.publish(PRESENCE_CHANNEL, orjson.dumps(list(topics)))


async def test_who_missed_a_message_asks_for_everything(
    valkey_server: str, here: Presence, there: Presence, meeting: UUID
) -> None:
    """Another process says that it lives, and that it said more than was heard."""
    there.enter(meeting, AN)
    await shows(here, meeting, 1)
    (other,) = [one for name, one in here._others.items() if name == there._name]
    other.number, other.counts = other.number - 1, {}
    await publish(valkey_server, there._message(Kind.HERE).encode())
    await shows(here, meeting, 1)


async def test_messages_in_any_order_and_twice_add_up_all_the_same(meeting: UUID) -> None:
    said = [
        Message("x", Kind.CHANGED, number, {meeting: number, uuid4(): 1}) for number in (1, 2, 3)
    ]
    for order in itertools.permutations(said):
        presence = Presence(Feed.from_url("memory://"))
        await presence._hear({one.encode() for one in order})
        assert presence.connected(meeting) == 3
        await presence._hear({said[0].encode(), Message("x", Kind.ALL, 2, {meeting: 9}).encode()})
        assert presence.connected(meeting) == 3
        await presence._hear({Message("x", Kind.ALL, 3, {meeting: 4}).encode()})
        assert presence.connected(meeting) == 4
        assert presence._unknown == set()


async def test_what_is_no_message_is_skipped_and_logged(
    valkey_server: str, here: Presence, there: Presence, meeting: UUID
) -> None:
    with capture_logs() as logged:
        await publish(valkey_server, "nonsense", "", "x changed one", "x changed 1 abc=1", "a b 1")
        await publish(valkey_server, f"x changed 1 {meeting.hex}=", "x unheard 1")
        there.enter(meeting, AN)
        await shows(here, meeting, 1)
    assert {entry["event"] for entry in logged} == {"presence.malformed"}


async def test_while_the_broker_is_away_the_others_expire_and_come_back(
    broker: Valkey, meeting: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with process(broker.url) as here, process(broker.url) as there:
        here.enter(meeting, AN)
        there.enter(meeting, BINH)
        await shows(here, meeting, 2)
        broker.kill()
        await eventually(lambda: not here._feed.is_broker_up)
        monkeypatch.setattr(settings, "FORGOTTEN_AFTER", 0.2)
        there.enter(meeting, CHI)
        for presence, own in ((here, 1), (there, 2)):
            presence._awake.set()
            await shows(presence, meeting, own)
        monkeypatch.setattr(settings, "FORGOTTEN_AFTER", NEVER)
        broker.start()
        for presence in (here, there):
            await shows(presence, meeting, 3)


# --- In the schema ------------------------------------------------------------------------------


async def test_turnout_tells_how_many_are_connected(city: City) -> None:
    document = "query ($id: ID!) { meeting(id: $id) { version turnout { connected } } }"
    before = (await ask(context_of(city.an), document, id=str(city.meeting.id)))["meeting"]
    city.scene.process.presence.enter(city.meeting.id, city.an.id)
    after = (await ask(context_of(city.an), document, id=str(city.meeting.id)))["meeting"]
    assert (before["turnout"], after["turnout"]) == ({"connected": 0}, {"connected": 1})
    assert before["version"] == after["version"]
