"""What an upper committee sees of its subtree's meetings: live, added up, and of nobody alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from models.database import Database
from realtime.feed import Feed
from realtime.topics import GAP, UNITS_CHANNEL
from resolvers.context import Context
from resolvers.process import Process
from resolvers.votes import units_live
from resolvers.votes.units_live import ABOUT_PEOPLE, UnitsLive
from rules.meetings.meetings import MeetingState
from tests.support.asking import act, ask, execute, reason_of, watch
from tests.support.database_log import statements
from tests.support.factories import City, Person, context_of
from tests.support.hints import take

FIGURES = """unit { id name } meetings { scheduled inSession paused closed }
  openVotes summoned present confirmed connected"""
LIVE = f"unitLive(id: $id) {{ {FIGURES} children {{ {FIGURES} }} }}"
ASK = f"query ($id: ID!) {{ {LIVE} }}"
WATCH = f"subscription ($id: ID!) {{ {LIVE} }}"


@pytest.fixture
async def busy(city: City) -> City:
    """The ward's second branch meets too, with six; nobody has come yet anywhere."""
    scene = city.scene
    third = scene.unit("Chi bộ 3", parent=city.ward)
    people = scene.members(["Giang", "Hải", "Khánh", "Loan", "Mai", "Ngọc"], third)
    scene.meeting(third, MeetingState.IN_SESSION, people, chair=people[0])
    await scene.save()
    return city


async def look(person: Person, unit: UUID) -> Any:
    return (await ask(context_of(person), ASK, id=str(unit)))["unitLive"]


def people_in(figures: Any) -> dict[str, int | None]:
    return {name: figures[name] for name in ABOUT_PEOPLE}


# --- Who sees what ----------------------------------------------------------------------------


async def test_a_committee_sees_its_subtree_added_up(busy: City) -> None:
    seen = await look(busy.van, busy.ward)
    assert seen["unit"] == {"id": str(busy.ward), "name": "Hoàng Liệt"}
    assert seen["meetings"] == {"scheduled": 0, "inSession": 3, "paused": 0, "closed": 0}
    assert seen["openVotes"] == 0
    assert seen["summoned"] == 16
    assert [child["unit"]["name"] for child in seen["children"]] == [
        "Chi bộ 1",
        "Chi bộ 2",
        "Chi bộ 3",
    ]
    assert [child["meetings"]["inSession"] for child in seen["children"]] == [1, 1, 1]
    above = await look(busy.tuan, busy.city)
    assert people_in(above) == people_in(seen)
    assert [people_in(child) for child in above["children"]] == [people_in(seen)]


async def test_small_figures_are_hidden_with_one_that_would_tell_them(busy: City) -> None:
    seen = await look(busy.van, busy.ward)
    assert [child["summoned"] for child in seen["children"]] == [9, None, None], "1 and 6 are not"
    assert (seen["present"], [child["present"] for child in seen["children"]]) == (None, [None] * 3)


async def test_the_table_below_tells_no_figure_that_the_one_above_hides(busy: City) -> None:
    other = busy.scene.unit("Định Công", parent=busy.city)
    branch = busy.scene.unit("Chi bộ 9", parent=other)
    people = busy.scene.members(["Phúc", "Quý"], branch)
    busy.scene.meeting(branch, MeetingState.IN_SESSION, people)
    await busy.scene.save()
    above = await look(busy.tuan, busy.city)
    assert (above["summoned"], [child["summoned"] for child in above["children"]]) == (
        18,
        [None, None],
    )
    for ward in (busy.ward, other):
        assert (await look(busy.tuan, ward))["summoned"] is None


@pytest.mark.parametrize("who", ["hanh", "an", "oanh", "van", "tuan"])
async def test_a_branch_is_open_to_its_own_and_to_those_above(city: City, who: str) -> None:
    seen = await look(getattr(city, who), city.branch)
    assert (seen["summoned"], seen["children"]) == (None, []), "its neighbour is one person"
    async with watch(context_of(getattr(city, who)), WATCH, id=str(city.branch)) as watched:
        assert await watched.next() == seen


@pytest.mark.parametrize(
    ("who", "reason"),
    [("an", "NOT_ALLOWED"), ("hanh", "NOT_ALLOWED"), ("son", "NOT_FOUND")],
)
async def test_nobody_else_sees_a_ward(city: City, who: str, reason: str) -> None:
    context = context_of(getattr(city, who))
    assert reason_of((await execute(context, ASK, id=str(city.ward))).errors) == reason
    async with watch(context, WATCH, id=str(city.ward)) as watched:
        assert await watched.refusal() == reason


@pytest.mark.parametrize("unit", ["00000000-0000-0000-0000-000000000000", "nothing"])
async def test_there_is_nothing_to_be_seen_of_no_unit(city: City, unit: str) -> None:
    assert reason_of((await execute(context_of(city.van), ASK, id=unit)).errors) == "NOT_FOUND"
    async with watch(context_of(city.van), WATCH, id=unit) as watched:
        assert await watched.refusal() == "NOT_FOUND"


async def test_who_is_not_signed_in_sees_nothing(city: City) -> None:
    result = await execute(context_of(city.nobody), ASK, id=str(city.ward))
    assert reason_of(result.errors) == "NOT_SIGNED_IN"


# --- Live -------------------------------------------------------------------------------------


async def test_a_subscriber_sees_who_comes_and_what_the_chair_does(busy: City) -> None:
    async with watch(context_of(busy.van), WATCH, id=str(busy.ward)) as watched:
        assert (await watched.next())["present"] is None
        for person in busy.entitled[:5]:
            await act(context_of(person), "checkIn", meetingId=busy.meeting.id)
        while (seen := await watched.next())["present"] is None:
            pass
        assert seen["present"] == 5
        await act(context_of(busy.hanh), "openVote", voteId=busy.vote.id)
        assert (await watched.next())["openVotes"] == 1
        await act(context_of(busy.hanh), "closeVote", voteId=busy.vote.id)
        assert (await watched.next())["openVotes"] == 0
        await act(context_of(busy.hanh), "pauseMeeting", meetingId=busy.meeting.id)
        assert (await watched.next())["meetings"]["paused"] == 1
        await act(context_of(busy.hanh), "closeMeeting", meetingId=busy.meeting.id)
        seen = await watched.next()
        assert seen["meetings"] == {"scheduled": 0, "inSession": 2, "paused": 0, "closed": 1}
        assert seen["summoned"] == 7, "of meetings that run"
        assert seen == await look(busy.van, busy.ward)


async def test_after_each_change_the_sums_are_those_of_a_fresh_count(busy: City) -> None:
    hanh = context_of(busy.hanh)
    await look(busy.van, busy.ward)
    for mutation, arguments in [
        ("checkIn", {"meetingId": busy.meeting.id}),
        ("openVote", {"voteId": busy.vote.id}),
        ("closeVote", {"voteId": busy.vote.id}),
        ("pauseMeeting", {"meetingId": busy.meeting.id}),
        ("startMeeting", {"meetingId": busy.meeting.id}),
        ("closeMeeting", {"meetingId": busy.meeting.id}),
    ]:
        await act(hanh, mutation, **arguments)
        fresh = UnitsLive(busy.scene.database, busy.scene.feed, busy.scene.process.presence)
        assert (await busy.scene.process.service(UnitsLive).read(busy.ward))[0].figures == (
            (await fresh.read(busy.ward))[0].figures
        ), mutation
        assert fresh._sums == {
            unit: figures
            for unit, figures in busy.scene.process.service(UnitsLive)._sums.items()
            if any(figures)
        }


async def test_meetings_of_the_day_count_and_others_do_not(city: City) -> None:
    today = datetime.now(UTC)
    for state in MeetingState:
        city.scene.meeting(city.other_branch, state, starts_at=today)
        city.scene.meeting(city.other_branch, state)  # long ago
    await city.scene.save()
    seen = (await look(city.yen, city.other_branch))["meetings"]
    assert seen == {"scheduled": 1, "inSession": 3, "paused": 2, "closed": 2}


async def test_connected_members_are_counted(busy: City) -> None:
    presence = busy.scene.process.presence
    async with (
        presence.running(),
        watch(context_of(busy.van), WATCH, id=str(busy.ward)) as watched,
    ):
        assert (await watched.next())["connected"] is None
        for person in busy.entitled[:6]:
            presence.enter(busy.meeting.id, person.id)
        assert (await watched.next())["connected"] == 6
        for person in busy.entitled[:6]:
            presence.leave(busy.meeting.id, person.id)


async def test_meetings_elsewhere_wake_nobody(busy: City) -> None:
    units = busy.scene.process.service(UnitsLive)
    await units.read(busy.ward)
    topics = units.topics_of(busy.branch)
    assert f"meeting:{busy.meeting.id}" in topics
    assert f"meeting:{busy.other_meeting.id}" not in topics
    assert f"meeting:{busy.city}" in topics, "not known yet: it may be a new one of ours"


async def test_many_changes_are_few_hints(city: City) -> None:
    feed = city.scene.feed
    async with feed.join(UNITS_CHANNEL) as mailbox:
        for number in range(50):
            city.scene.process.service(UnitsLive).note(
                [(f"meeting:{UUID(int=number)}", {"attendance"})]
            )
            await asyncio.sleep(0.002)
        seen = await take(mailbox)
        hints = mailbox.hints
        while len(seen) < 50:
            seen |= await take(mailbox)
            hints += mailbox.hints
    assert hints <= 3


async def test_ballots_are_no_news_for_a_committee(city: City) -> None:
    units = city.scene.process.service(UnitsLive)
    meeting = f"meeting:{city.meeting.id}"
    units.note([(meeting, {f"ballots:{city.vote.id}", f"member:{city.an.id}"})])
    assert not units._owed
    units.note([("access", {f"member:{city.an.id}"})])
    assert not units._owed


async def test_after_a_gap_everything_is_read_anew(
    busy: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(units_live, "READ_ALL_EVERY", 0.2)
    async with watch(context_of(busy.van), WATCH, id=str(busy.ward)) as watched:
        assert (await watched.next())["openVotes"] == 0
        elsewhere = Process(busy.scene.database, busy.scene.feed, busy.scene.credentials)
        monkeypatch.setattr(elsewhere.service(UnitsLive), "note", lambda _: None)
        hanh = Context(elsewhere, busy.hanh.viewer)
        await act(hanh, "openVote", voteId=busy.vote.id)
        busy.scene.feed.tell(UNITS_CHANNEL, {GAP})
        assert (await watched.next())["openVotes"] == 1


async def test_a_database_that_fails_is_asked_again(
    busy: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    units = busy.scene.process.service(UnitsLive)
    await units.read(busy.ward)
    await act(context_of(busy.hanh), "openVote", voteId=busy.vote.id)

    def fail() -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(units._database, "glance", fail)
        with pytest.raises(OSError):  # noqa: PT011 - it has no words
            await units.read(busy.ward)
    assert (await units.read(busy.ward))[0].figures.open_votes == 1


# --- What it costs ----------------------------------------------------------------------------


@pytest.mark.parametrize("meetings", [10, 1_000])
async def test_a_push_costs_the_same_however_many_meetings_there_are(
    city: City, meetings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(meetings):
        branch = city.scene.unit(f"Chi bộ {number + 3}", parent=city.ward)
        city.scene.meeting(branch, MeetingState.IN_SESSION, items=0)
    await city.scene.save()
    read: list[Any] = []
    figures = UnitsLive._figures

    def note(self: UnitsLive, row: Any) -> Any:
        read.append(row.id)
        return figures(self, row)

    monkeypatch.setattr(UnitsLive, "_figures", note)
    context = context_of(city.hanh)
    async with watch(context_of(city.van), WATCH, id=str(city.ward)) as watched:
        seen = await watched.next()
        assert len(seen["children"]) == meetings + 2
        assert len(read) == meetings + 2
        read.clear()
        await act(context, "openVote", voteId=city.vote.id)
        assert (await watched.next())["openVotes"] == 1
        assert read == [city.meeting.id]
        read.clear()
        with statements(city.scene.database) as seen_statements:
            city.scene.process.service(UnitsLive).note(
                [(f"meeting:{city.meeting.id}", {"attendance"})]
            )
            await asyncio.sleep(0.6)
        asked = [one for one in seen_statements if not one.startswith(("BEGIN", "ROLLBACK"))]
        assert (len(asked), read) == (1, [city.meeting.id])


# --- Several processes ------------------------------------------------------------------------


@pytest.fixture(params=["memory", "valkey"])
async def two_feeds(
    request: pytest.FixtureRequest, valkey_server: str
) -> AsyncIterator[tuple[Feed, Feed]]:
    if request.param == "memory":
        async with Feed.from_url("memory://") as feed:
            yield feed, feed
    else:
        async with Feed.from_url(valkey_server) as one, Feed.from_url(valkey_server) as other:
            yield one, other


async def test_what_one_process_changes_another_shows(
    database: Database, two_feeds: tuple[Feed, Feed]
) -> None:
    here, there = two_feeds
    city = City(database, here)
    await city.scene.save()
    context = context_of(city.van)
    elsewhere = Context(Process(database, there, context.credentials), context.viewer)
    async with watch(elsewhere, WATCH, id=str(city.ward)) as watched:
        assert (await watched.next())["openVotes"] == 0
        await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
        assert (await watched.next())["openVotes"] == 1
