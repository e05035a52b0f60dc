"""Subscriptions are queries that stay true: after every mutation, what a subscriber holds equals
a fresh query."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from strawberry.types import ExecutionResult

from models.accounts.accounts import Session
from models.base import database_clock
from models.meetings.meetings import Meeting
from models.register.units import Member, Membership
from models.votes.votes import Vote
from realtime.feed import Feed
from realtime.topics import (
    ACCESS_CHANNEL,
    ATTENDANCE_TOPIC,
    MEETING_TOPIC,
    UNITS_CHANNEL,
    channel_of_meeting,
    topic_of_ballots,
    topic_of_member,
    topic_of_vote,
)
from rules.meetings.meetings import MeetingState
from rules.register.members import MembershipKind, Standing
from rules.votes.ballots import OptionKind
from rules.votes.presets import PRESETS, Matter
from rules.votes.rule_sets import Base, Exclusion, LiveTally, TieRule, Treatment
from schema.schema import schema
from tests.support.asking import (
    MEETING,
    OWN_MEETING,
    OWN_VOTE,
    VOTE,
    Watch,
    act,
    ask,
    eventually,
    watch,
)
from tests.support.database_log import commits
from tests.support.factories import ORDINARY, SINCE, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import enter


@pytest.fixture
async def hints(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Set[str]]]:
    """What was published, in order, but for what committees are told (`test_unit_live`)."""
    published: list[tuple[str, Set[str]]] = []
    publish = feed.publish

    async def publish_and_note(channel: str, topics: Set[str], at: float | None = None) -> None:
        if channel != UNITS_CHANNEL:
            published.append((channel, topics))
        await publish(channel, topics, at)

    monkeypatch.setattr(feed, "publish", publish_and_note)
    return published


def watch_meeting(
    person: Person, city: City, fields: str = MEETING
) -> AbstractAsyncContextManager[Watch]:
    document = f"subscription ($id: ID!) {{ meeting(id: $id) {{ {fields} }} }}"
    return watch(context_of(person), document, id=str(city.meeting.id))


def watch_vote(
    person: Person, city: City, fields: str = VOTE
) -> AbstractAsyncContextManager[Watch]:
    document = f"subscription ($id: ID!) {{ vote(id: $id) {{ {fields} }} }}"
    return watch(context_of(person), document, id=str(city.vote.id))


Watching = Callable[[Person, City], AbstractAsyncContextManager[Watch]]


async def fresh_meeting(person: Person, city: City, fields: str) -> Any:
    document = f"query ($id: ID!) {{ meeting(id: $id) {{ {fields} }} }}"
    return (await ask(context_of(person), document, id=str(city.meeting.id)))["meeting"]


async def fresh_vote(person: Person, city: City, fields: str) -> Any:
    document = f"query ($id: ID!) {{ vote(id: $id) {{ {fields} }} }}"
    return (await ask(context_of(person), document, id=str(city.vote.id)))["vote"]


async def do(person: Person, mutation: str, **arguments: Any) -> None:
    value = await act(context_of(person), mutation, **arguments)
    assert value["__typename"] != "Refused", value


Step = tuple[Person, str, dict[str, Any]]

TIED_BY_THE_CHAIR = replace(
    ORDINARY,
    base=Base.BALLOTS_CAST,
    base_exclusions=frozenset[Exclusion](),
    abstentions=Treatment.IGNORED,
    tie=TieRule.CHAIR_CASTS,
    live_tally=LiveTally.CHAIR,
)
"""A rule under which a vote needs every act: the chair alone sees figures, and breaks the tie."""


@pytest.fixture
async def evening(city: City) -> list[Step]:
    """A meeting from beginning to end, with every mutation that changes something in it."""
    database, scene = city.scene.database, city.scene
    khanh = scene.member("Khánh", city.other_branch)
    election = scene.vote(
        city.meeting, item=2, position=9, rule=PRESETS["vi-party"][Matter.ELECTION]
    )
    scene.preset(city.ward, "vi-party")
    await scene.save()
    rule = {"rule": TIED_BY_THE_CHAIR.to_data()}
    await change(database, Vote, Vote.id == city.vote.id, **rule)
    scene.belong(khanh, city.branch, MembershipKind.TEMPORARY)  # saved when she comes
    meeting, vote = {"meetingId": city.meeting.id}, {"voteId": city.vote.id}
    options = city.vote.options
    ballots = [
        (city.hanh, options[OptionKind.FOR]),
        (city.an, options[OptionKind.FOR]),
        (city.binh, options[OptionKind.AGAINST]),
        (city.nam, options[OptionKind.ABSTAIN]),
    ]
    hands = [
        {"optionId": options[OptionKind.AGAINST], "count": 1, "memberIds": [city.chi.id]},
        {"optionId": options[OptionKind.ABSTAIN], "count": 1, "memberIds": [city.minh.id]},
    ]
    await enter(city, city.chi, city.minh)
    own = {**vote, "choices": [options[OptionKind.AGAINST]], "key": "key"}
    later = datetime.now(UTC) + timedelta(hours=1)
    draft = {"itemId": city.meeting.items[1], "matter": "ORDINARY", "question": "Thông qua?"}
    return [
        (city.an, "checkIn", meeting),
        (city.thu, "checkIn", meeting),
        (city.hanh, "confirmAttendance", {**meeting, "memberId": city.an.id, "isPresent": True}),
        (city.hanh, "pauseMeeting", meeting),
        (city.hanh, "startMeeting", meeting),
        (city.hanh, "openVote", vote),
        (city.hanh, "extendVote", {**vote, "closesAt": later}),
        (city.hanh, "amendRoll", {**vote, "memberId": khanh.id}),
        *[
            (person, "castBallot", {**vote, "choices": [choice], "key": "key"})
            for person, choice in ballots
        ],
        (
            city.hanh,
            "recordHands",
            {**vote, "memberIds": [city.chi.id, city.minh.id], "hands": hands},
        ),
        (city.dung, "takeBackHands", {**vote, "memberIds": [city.minh.id]}),
        (city.chi, "contestHand", vote),
        (city.chi, "castBallot", own),
        (city.hanh, "closeVote", vote),
        (city.dung, "breakTie", {**vote, "chosen": [city.vote.against]}),
        (city.dung, "publishVote", vote),
        (city.dung, "annulVote", {**vote, "reason": "Kiểm phiếu sai"}),
        (city.dung, "repeatVote", vote),
        (city.dung, "prepareVote", {"draft": draft}),
        (city.dung, "nominate", {"voteId": election.id, "name": "Khánh"}),
        (city.hanh, "moveAgenda", {**meeting, "itemId": city.meeting.items[1]}),
        (city.hanh, "closeMeeting", meeting),
    ]


async def arrive(city: City, mutation: str) -> None:
    """Khánh comes to the branch while the vote is open."""
    if mutation == "amendRoll":
        await city.scene.save()


async def take(city: City, person: Person, mutation: str, arguments: dict[str, Any]) -> None:
    await arrive(city, mutation)
    await do(person, mutation, **arguments)


def is_about_the_vote(city: City, arguments: dict[str, Any]) -> bool:
    return arguments.get("voteId") == city.vote.id


def test_the_evening_has_every_mutation_that_others_see(evening: list[Step]) -> None:
    mutation = schema._schema.mutation_type
    assert mutation is not None
    unseen = {"signIn", "signOut", "refreshSession", "giveProxy"}
    unseen |= {"endSession", "endOtherSessions", "endAllSessions"}
    of_two = {"confirmAnnulment", "withdrawAnnulment"}  # test_secrecy_no_shopping pushes these
    of_access = {"suspendMember", "reinstateMember"}
    assert {name for _, name, _ in evening} == set(mutation.fields) - unseen - of_access - of_two


@pytest.mark.parametrize("fields", [MEETING, OWN_MEETING], ids=["shared", "own"])
async def test_after_every_mutation_a_meeting_s_subscribers_hold_the_truth(
    city: City, evening: list[Step], fields: str
) -> None:
    fields = fields.replace(" connected", "")  # a hint, which no version and no mutation counts
    version = 0
    async with (
        watch_meeting(city.an, city, fields) as ans,
        watch_meeting(city.hanh, city, fields) as hanhs,
    ):
        for person, mutation, arguments in [(city.an, "", {}), *evening]:
            if mutation:
                await take(city, person, mutation, arguments)
            for watcher, watched in [(city.an, ans), (city.hanh, hanhs)]:
                pushed = await watched.next()
                assert pushed == await fresh_meeting(watcher, city, fields), mutation
            assert pushed["version"] > version, mutation
            version = pushed["version"]


@pytest.mark.parametrize("fields", [VOTE, OWN_VOTE], ids=["shared", "own"])
async def test_after_every_mutation_a_vote_s_subscribers_hold_the_truth(
    city: City, evening: list[Step], fields: str
) -> None:
    async with (
        watch_vote(city.an, city, fields) as ans,
        watch_vote(city.hanh, city, fields) as hanhs,
    ):
        held = {"An": await ans.next(), "Hạnh": await hanhs.next()}
        for person, mutation, arguments in evening:
            await take(city, person, mutation, arguments)
            if is_about_the_vote(city, arguments):
                version = held["An"]["version"]
                held = {"An": await ans.next(), "Hạnh": await hanhs.next()}
                assert held["An"]["version"] > version, mutation
            # What is no change of the vote pushes nothing, and leaves what is held true.
            assert held["An"] == await fresh_vote(city.an, city, fields), mutation
            assert held["Hạnh"] == await fresh_vote(city.hanh, city, fields), mutation


async def test_a_meeting_that_starts_is_pushed_with_its_first_item(city: City) -> None:
    await change(
        city.scene.database,
        Meeting,
        Meeting.id == city.meeting.id,
        state=MeetingState.SUMMONED,
        opened_at=None,
    )
    async with watch_meeting(city.lan, city, OWN_MEETING) as watched:
        assert (await watched.next())["state"] == "SUMMONED"
        await do(city.hanh, "startMeeting", meetingId=city.meeting.id)
        pushed = await watched.next()
        assert pushed["state"] == "IN_SESSION"
        assert pushed == await fresh_meeting(city.lan, city, OWN_MEETING)


async def test_what_changes_nothing_pushes_nothing(
    city: City, hints: list[tuple[str, Set[str]]]
) -> None:
    await do(city.hanh, "openVote", voteId=city.vote.id)
    ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
    await do(city.an, "castBallot", **ballot)
    await do(city.an, "checkIn", meetingId=city.meeting.id)
    del hints[:]
    await do(city.an, "castBallot", **ballot)
    await do(city.an, "checkIn", meetingId=city.meeting.id)
    await do(city.hanh, "moveAgenda", meetingId=city.meeting.id, itemId=city.meeting.items[0])
    await act(context_of(city.an), "castBallot", **{**ballot, "key": "other"})
    await act(context_of(city.lan), "castBallot", **ballot)
    await act(context_of(city.an), "closeVote", voteId=city.vote.id)
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    assert hints == []


async def test_every_change_is_told_by_one_hint_on_its_meeting_s_channel(
    city: City, evening: list[Step], hints: list[tuple[str, Set[str]]]
) -> None:
    channel = channel_of_meeting(city.meeting.id)
    for person, mutation, arguments in evening:
        await arrive(city, mutation)
        with commits(city.scene.database) as committed:
            await do(person, mutation, **arguments)
            await told(hints, 1)
        ((told_on, topics),) = hints
        assert told_on == channel, mutation
        about_this_vote = {topic_of_vote(city.vote.id), topic_of_ballots(city.vote.id)}
        is_told = not about_this_vote.isdisjoint(topics)
        assert is_told is is_about_the_vote(city, arguments), mutation
        is_about_attendance = mutation in {"checkIn", "confirmAttendance"}
        assert (ATTENDANCE_TOPIC in topics) is is_about_attendance, mutation
        is_about_votes = mutation in {"prepareVote", "nominate"} or "voteId" in arguments
        is_about_the_meeting = not is_about_votes and not is_about_attendance
        assert (MEETING_TOPIC in topics) is is_about_the_meeting, mutation
        # A repetition is a vote of its own, and told with the vote that it repeats; a ballot
        # and an arrival with their member, who may look at it with another device.
        of_two = {"repeatVote", "castBallot", "checkIn", "confirmAttendance"}
        assert len(topics) == (2 if mutation in of_two else 1), mutation
        assert len(committed) == 1, mutation
        del hints[:]


async def told(hints: list[tuple[str, Set[str]]], times: int) -> None:
    """Wait until so many hints were published: a ballot's answer need not wait for its hint."""
    await eventually(lambda: len(hints) >= times)


async def test_one_cast_is_one_commit_one_hint_and_one_push(
    city: City, hints: list[tuple[str, Set[str]]]
) -> None:
    await do(city.hanh, "openVote", voteId=city.vote.id)
    await told(hints, 1)
    del hints[:]
    async with (
        watch_meeting(city.lan, city) as meetings,
        watch_vote(city.lan, city) as votes,
        counted(meetings) as meeting_pushes,
        counted(votes) as vote_pushes,
    ):
        await reached(meeting_pushes, 1)
        await reached(vote_pushes, 1)
        for number, person in enumerate(city.entitled, start=1):
            with commits(city.scene.database) as committed:
                ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
                await do(person, "castBallot", **ballot)
                await reached(meeting_pushes, number + 1)
                await reached(vote_pushes, number + 1)
            assert len(committed) == 1
            assert len(hints) == number
        await do(city.hanh, "closeVote", voteId=city.vote.id)
        await reached(meeting_pushes, 9)
        await reached(vote_pushes, 9)
    casts = [push["tally"]["cast"] for push in vote_pushes]
    assert casts == [0, 1, 2, 3, 4, 5, 6, 7, 7]
    assert [push["votes"][0]["tally"]["cast"] for push in meeting_pushes] == casts
    for pushes in (meeting_pushes, vote_pushes):
        versions = [push["version"] for push in pushes]
        assert versions == sorted(set(versions))


@asynccontextmanager
async def counted(watched: Watch) -> AsyncIterator[list[dict[str, Any]]]:
    """Every push, taken by a reader of its own, as a socket takes them."""
    pushes: list[dict[str, Any]] = []

    async def read() -> None:
        while True:
            pushes.append(await watched.next())

    reader = asyncio.create_task(read())
    try:
        yield pushes
    finally:
        reader.cancel()
        await asyncio.wait([reader])


async def reached(pushes: list[dict[str, Any]], number: int) -> None:
    await eventually(lambda: len(pushes) >= number)
    assert len(pushes) == number


async def test_ballots_that_come_together_are_seen_in_one_latest_state(city: City) -> None:
    await do(city.hanh, "openVote", voteId=city.vote.id)
    async with watch_vote(city.lan, city) as watched, counted(watched) as pushes:
        await reached(pushes, 1)
        ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
        await asyncio.gather(*(do(person, "castBallot", **ballot) for person in city.entitled))
        await eventually(lambda: pushes[-1]["tally"]["cast"] == 7)
        assert pushes[-1] == await fresh_vote(city.lan, city, VOTE)
        assert len(pushes) <= 8
        versions = [push["version"] for push in pushes]
        assert versions == sorted(set(versions))


async def test_a_change_of_another_vote_is_no_push(city: City) -> None:
    second = city.scene.vote(city.meeting, item=1, position=3)
    await city.scene.save()
    async with watch_vote(city.an, city) as watched:
        assert (await watched.next())["state"] == "PREPARED"
        await do(city.hanh, "openVote", voteId=second.id)
        await do(city.an, "checkIn", meetingId=city.meeting.id)
        await do(city.hanh, "openVote", voteId=city.vote.id)
        assert (await watched.next())["state"] == "OPEN"


# --- Who may watch ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_who_may_not_look_may_not_watch(city: City, what: Watching) -> None:
    for person in (city.yen, city.son, city.van, city.tuan):
        async with what(person, city) as watched:
            assert await watched.refusal() == "NOT_FOUND", person.name
    async with what(city.nobody, city) as watched:
        assert await watched.refusal() == "NOT_SIGNED_IN"


@pytest.mark.parametrize("field", ["meeting", "vote"])
async def test_what_is_not_there_is_not_watched(city: City, field: str) -> None:
    document = f"subscription ($id: ID!) {{ {field}(id: $id) {{ version }} }}"
    for wrong in (str(uuid4()), "x", ""):
        async with watch(context_of(city.an), document, id=wrong) as watched:
            assert await watched.refusal() == "NOT_FOUND"


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_an_overseer_and_a_guest_watch(city: City, what: Watching) -> None:
    for person in (city.oanh, city.thu):
        async with what(person, city) as watched:
            assert (await watched.next())["state"] in {"IN_SESSION", "PREPARED"}


async def tell_of_access(city: City, person: Person) -> None:
    """What whoever changes somebody's access does after the commit."""
    await city.scene.feed.publish(ACCESS_CHANNEL, {topic_of_member(person.id)})


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_a_change_of_access_that_nobody_told_is_read_soon(
    city: City, what: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.websocket.connections.READ_ACCESS_EVERY", 0.1)
    async with what(city.an, city) as watched:
        await watched.next()
        await change(
            city.scene.database, Member, Member.id == city.an.id, standing=Standing.SUSPENDED
        )
        assert await watched.refusal() == "NOT_ALLOWED"


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_who_is_suspended_meanwhile_sees_no_more(city: City, what: Watching) -> None:
    async with what(city.an, city) as watched:
        await watched.next()
        await change(
            city.scene.database, Member, Member.id == city.an.id, standing=Standing.SUSPENDED
        )
        await tell_of_access(city, city.an)
        await do(city.hanh, "openVote", voteId=city.vote.id)
        assert await watched.refusal() == "NOT_ALLOWED"


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_who_leaves_the_branch_meanwhile_sees_no_more(city: City, what: Watching) -> None:
    async with what(city.an, city) as watched:
        await watched.next()
        await change(
            city.scene.database,
            Membership,
            Membership.member_id == city.an.id,
            valid_to=SINCE.replace(year=2024),
        )
        await tell_of_access(city, city.an)
        await do(city.hanh, "openVote", voteId=city.vote.id)
        assert await watched.refusal() == "NOT_FOUND"


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_who_signs_out_meanwhile_sees_no_more(city: City, what: Watching) -> None:
    async with what(city.an, city) as watched:
        await watched.next()
        await ask(context_of(city.an), "mutation { signOut }")
        await tell_of_access(city, city.an)
        await do(city.hanh, "openVote", voteId=city.vote.id)
        assert await watched.refusal() == "NOT_SIGNED_IN"


async def test_whose_session_runs_out_meanwhile_sees_no_more(city: City) -> None:
    async with watch_meeting(city.an, city) as watched:
        await watched.next()
        session = Session.id == city.an.signed_in.session_id
        await change(city.scene.database, Session, session, expires_at=database_clock())
        await tell_of_access(city, city.an)
        await do(city.hanh, "openVote", voteId=city.vote.id)
        assert await watched.refusal() == "NOT_SIGNED_IN"


# --- What waiting costs, and leaving -------------------------------------------------------------


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_who_waits_holds_no_connection(city: City, what: Watching) -> None:
    database = city.scene.database
    async with what(city.an, city) as watched:
        await watched.next()
        await eventually(lambda: database.connections_in_use == 0)
        waiter = asyncio.create_task(watched.next())
        for _ in range(50):
            await asyncio.sleep(0)
            assert database.connections_in_use == 0
        await do(city.hanh, "openVote", voteId=city.vote.id)
        await waiter
        await eventually(lambda: database.connections_in_use == 0)


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_leaving_leaves_no_mailbox_no_connection_and_no_task(
    city: City, feed: Feed, what: Watching
) -> None:
    before = asyncio.all_tasks()
    for is_waiting in (False, True):
        async with what(city.an, city) as watched:
            await watched.next()
            assert feed._subscriptions.keys() == {
                ACCESS_CHANNEL,
                channel_of_meeting(city.meeting.id),
            }
            if is_waiting:
                waiter = asyncio.create_task(watched.next())
                await asyncio.sleep(0)
                waiter.cancel()
                await asyncio.wait([waiter])
        assert not feed._subscriptions
        assert city.scene.database.connections_in_use == 0
        assert asyncio.all_tasks() == before


@pytest.mark.parametrize("what", [watch_meeting, watch_vote])
async def test_leaving_at_any_moment_of_a_push_leaves_nothing_behind(
    city: City, feed: Feed, what: Watching
) -> None:
    before = asyncio.all_tasks()
    for steps in range(0, 60, 5):
        async with what(city.an, city) as watched:
            reader = asyncio.create_task(watched.next())
            for _ in range(steps):
                await asyncio.sleep(0)
            reader.cancel()
            await asyncio.wait([reader])
        assert not feed._subscriptions
        assert city.scene.database.connections_in_use == 0
        assert asyncio.all_tasks() == before


async def test_who_was_refused_leaves_nothing_behind(city: City, feed: Feed) -> None:
    before = asyncio.all_tasks()
    async with watch_meeting(city.yen, city) as watched:
        assert await watched.refusal() == "NOT_FOUND"
    assert not feed._subscriptions
    assert asyncio.all_tasks() == before


async def test_two_fields_are_one_too_many_for_a_subscription(city: City) -> None:
    document = """subscription ($meeting: ID!, $vote: ID!) {
      meeting(id: $meeting) { version } vote(id: $vote) { version }
    }"""
    ids = {"meeting": str(city.meeting.id), "vote": str(city.vote.id)}
    results = await schema.stream(document, ids, context_value=context_of(city.an))
    (result,) = [cast("ExecutionResult", result) async for result in results]
    assert result.errors
    assert "only one" in result.errors[0].message
