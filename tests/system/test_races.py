"""What happens at the same moment: many rounds, each with another interleaving, none of them wrong.

Some people are in the chair's process, others in processes of their own, which share nothing with
it but the database.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Set
from dataclasses import replace
from datetime import UTC, datetime
from itertools import repeat
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from models.accounts.accounts import Session
from models.base import Base
from models.database import Database
from models.meetings.meetings import AgendaItem, Attendance, Meeting
from models.votes.votes import AuditRow, Ballot, BallotChoice, RollEntry, Vote, VoteOption
from realtime.feed import Feed
from realtime.topics import (
    ATTENDANCE_TOPIC,
    UNITS_CHANNEL,
    channel_of_meeting,
    topic_of_ballots,
    topic_of_member,
)
from resolvers.votes.due_votes import close_due_votes
from rules.meetings.meetings import ItemState, MeetingState, VoteState
from rules.votes.ballots import MOTION, OptionKind
from rules.votes.outcome import Outcome
from rules.votes.record.audit import AuditKind
from rules.votes.rule_sets import RuleSet
from tests.support.asking import PATIENCE, act, ask, eventually
from tests.support.database_log import is_put, listening, seeing_statements
from tests.support.factories import ORDINARY, City, Person, Scene, VoteIds, context_of, give_card
from tests.support.tampering import change
from tests.support.voting import CHANGEABLE, enter

pytestmark = pytest.mark.slow

VOTE = "... on Vote { state closedAt tally { cast options { optionId count } } outcome { base } }"
RECEIPT = "... on Receipt { id choices castAt }"
MEETING = "... on Meeting { state turnout { present } }"
LONGEST_PAUSE = 0.006  # seconds: about as long as what the others do meanwhile


def rounds(database: Database, on_postgresql: int, on_sqlite: int) -> range:
    """SQLite has one writer at a time, and so fewer ways to go wrong."""
    return range(on_postgresql if database.dialect == "postgresql" else on_sqlite)


def elsewhere(person: Person) -> Person:
    """The person in another process of the server."""
    scene = person.scene
    return replace(person, scene=Scene(scene.database, scene.feed))


async def at_once(number: int, *works: Awaitable[Any]) -> list[Any]:
    """The works' answers. The first two rounds hold them one after the other, from either end, so
    that both orders have happened; in the others each begins at a random moment."""
    if number == 0:
        return [await work for work in works]
    if number == 1:
        return [await work for work in reversed(works)][::-1]
    random = Random(number)  # noqa: S311

    async def after_a_moment(work: Awaitable[Any]) -> Any:
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE))
        return await work

    return list(await asyncio.gather(*map(after_a_moment, works)))


def what(answer: Any) -> str:
    """The union member, or the reason of a refusal."""
    return str(answer["reason"] if answer["__typename"] == "Refused" else answer["__typename"])


def cast(person: Person, vote: VoteIds, kind: OptionKind, key: str = "key") -> Awaitable[Any]:
    ballot = {"voteId": vote.id, "choices": [vote.options[kind]], "key": key}
    return act(context_of(person), "castBallot", RECEIPT, **ballot)


def open_vote(person: Person, vote: VoteIds) -> Awaitable[Any]:
    return act(context_of(person), "openVote", VOTE, voteId=vote.id)


def close_vote(person: Person, vote: VoteIds) -> Awaitable[Any]:
    return act(context_of(person), "closeVote", VOTE, voteId=vote.id)


async def new_votes(
    city: City, numbers: Collection[int], rule: RuleSet = ORDINARY
) -> list[VoteIds]:
    votes = [
        city.scene.vote(city.meeting, item=1, position=100 + number, rule=rule)
        for number in numbers
    ]
    await city.scene.save()
    return votes


async def rows(city: City, statement: Any) -> Any:
    async with city.scene.database.snapshot() as session:
        return (await session.execute(statement)).all()


async def count(city: City, table: type[Base], *where: Any) -> int:
    ((number,),) = await rows(city, select(func.count()).select_from(table).where(*where))
    return int(number)


# --- Voting and closing -------------------------------------------------------------------------


async def test_ballots_at_the_moment_of_closing_are_counted_or_told_that_it_is_closed(
    city: City,
) -> None:
    numbers = rounds(city.scene.database, 200, 25)
    voters = [city.an, city.binh, *map(elsewhere, [city.chi, city.minh, city.nam])]
    told: Counter[str] = Counter()
    acknowledged: set[tuple[UUID, UUID, UUID]] = set()
    published: dict[UUID, Any] = {}
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        kinds = [MOTION[(number + place) % 3] for place in range(len(voters))]
        await open_vote(city.hanh, vote)
        closing, *answers = await at_once(
            number, close_vote(city.hanh, vote), *map(cast, voters, repeat(vote), kinds)
        )
        assert closing["__typename"] == "Vote"
        published[vote.id] = closing
        for voter, kind, answer in zip(voters, kinds, answers, strict=True):
            told[what(answer)] += 1
            if what(answer) == "Receipt":
                acknowledged.add((vote.id, voter.id, vote.options[kind]))
    assert told.keys() == {"Receipt", "VOTE_CLOSED"}
    await check_closed_votes(city, published, acknowledged)


async def check_closed_votes(
    city: City, published: dict[UUID, Any], acknowledged: Set[tuple[UUID, UUID, UUID]]
) -> None:
    """What was acknowledged, is stored, was counted, decided and published, is the same."""
    stored = await rows(
        city,
        select(
            Vote.id,
            Ballot.member_id,
            VoteOption.id.label("option_id"),
            VoteOption.kind,
            Ballot.cast_at,
            Vote.closed_at,
        )
        .join(Ballot, Ballot.vote_id == Vote.id)
        .join(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .join(VoteOption, VoteOption.id == BallotChoice.option_id),
    )
    assert {(row.id, row.member_id, row.option_id) for row in stored} == acknowledged
    assert len(stored) == len(acknowledged)
    assert [row for row in stored if row.cast_at > row.closed_at] == []
    counts = Counter((row.id, row.kind) for row in stored)
    for row in await rows(
        city,
        select(Vote.id, Vote.outcome, AuditRow.payload)
        .join(AuditRow, AuditRow.vote_id == Vote.id)
        .where(AuditRow.kind == AuditKind.CLOSED),
    ):
        counted = [counts[row.id, kind] for kind in MOTION]
        outcome = Outcome.from_data(row.outcome)
        assert [outcome.votes_for, outcome.votes_against, outcome.abstentions] == counted
        assert row.payload["outcome"] == row.outcome
        tally = published.pop(row.id)["tally"]
        assert [option["count"] for option in tally["options"]] == counted
    assert published == {}


async def test_ballots_at_the_moment_of_opening_are_recorded_or_told_that_it_is_not_open(
    city: City,
) -> None:
    numbers = rounds(city.scene.database, 40, 12)
    voters = [city.an, city.binh, elsewhere(city.chi)]
    told: Counter[str] = Counter()
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        opening, *answers = await at_once(
            number,
            open_vote(city.hanh, vote),
            *map(cast, voters, repeat(vote), repeat(OptionKind.FOR)),
        )
        assert opening["__typename"] == "Vote"
        told.update(map(what, answers))
    assert told.keys() == {"Receipt", "VOTE_NOT_OPEN"}
    assert await count(city, Ballot) == told["Receipt"]


@pytest.mark.parametrize("other", [lambda person: person, elsewhere], ids=["one", "several"])
async def test_a_member_who_votes_from_ten_devices_at_once_has_one_ballot(
    city: City, other: Callable[[Person], Person]
) -> None:
    for vote in await new_votes(city, rounds(city.scene.database, 8, 4)):
        await open_vote(city.hanh, vote)
        kinds = [MOTION[device % 3] for device in range(10)]
        answers = await asyncio.gather(
            *(
                cast(other(city.an), vote, kind, key=f"device-{device}")
                for device, kind in enumerate(kinds)
            )
        )
        assert Counter(map(what, answers)) == {"Receipt": 1, "ALREADY_VOTED": 9}
        (receipt,) = [answer for answer in answers if what(answer) == "Receipt"]
        marks = await rows(
            city, select(BallotChoice.option_id).where(BallotChoice.vote_id == vote.id)
        )
        assert [str(mark.option_id) for mark in marks] == receipt["choices"]


@pytest.mark.parametrize("other", [lambda person: person, elsewhere], ids=["one", "several"])
async def test_the_same_key_at_once_gives_everyone_the_same_receipt(
    city: City, other: Callable[[Person], Person]
) -> None:
    for vote in await new_votes(city, rounds(city.scene.database, 8, 4)):
        await open_vote(city.hanh, vote)
        answers = await asyncio.gather(
            *(cast(other(city.an), vote, OptionKind.FOR) for _ in range(10))
        )
        assert answers == [answers[0]] * 10
        assert what(answers[0]) == "Receipt"
        assert await count(city, Ballot, Ballot.vote_id == vote.id) == 1


@pytest.mark.parametrize("other", [lambda person: person, elsewhere], ids=["one", "several"])
async def test_of_ballots_that_replace_each_other_at_once_one_counts_and_all_are_on_record(
    city: City, other: Callable[[Person], Person]
) -> None:
    numbers = rounds(city.scene.database, 15, 5)
    for vote in await new_votes(city, numbers, CHANGEABLE):
        await open_vote(city.hanh, vote)
        answers = await asyncio.gather(
            *(cast(other(city.an), vote, kind, key=kind.value) for kind in MOTION)
        )
        assert list(map(what, answers)) == ["Receipt"] * 3
        assert len({answer["id"] for answer in answers}) == 3
        ballots = await rows(
            city,
            select(Ballot.id, Ballot.sequence)
            .where(Ballot.vote_id == vote.id)
            .order_by(Ballot.sequence),
        )
        assert [row.sequence for row in ballots] == [1, 2, 3]
        (last,) = [answer for answer in answers if answer["id"] == str(ballots[-1].id)]
        closed = await close_vote(city.hanh, vote)
        counts = {one["optionId"]: one["count"] for one in closed["tally"]["options"]}
        assert counts == {str(one): int([str(one)] == last["choices"]) for one in counts}
        assert closed["tally"]["cast"] == 1


@pytest.mark.parametrize("other", [lambda person: person, elsewhere], ids=["one", "several"])
async def test_who_changes_the_ballot_from_ten_devices_at_once_is_never_told_that_it_is_closed(
    city: City, other: Callable[[Person], Person]
) -> None:
    for vote in await new_votes(city, rounds(city.scene.database, 4, 2), CHANGEABLE):
        await open_vote(city.hanh, vote)
        answers = await asyncio.gather(
            *(cast(other(city.an), vote, OptionKind.FOR, key=f"device-{n}") for n in range(10))
        )
        assert list(map(what, answers)) == ["Receipt"] * 10
        sequences = select(Ballot.sequence).where(Ballot.vote_id == vote.id)
        assert sorted(await rows(city, sequences)) == [(n,) for n in range(1, 11)]


async def test_who_changes_a_ballot_at_the_moment_of_closing_is_counted_as_they_were_told(
    city: City,
) -> None:
    numbers = rounds(city.scene.database, 40, 10)
    voters = [city.an, elsewhere(city.binh)]
    told: Counter[str] = Counter()
    for number, vote in zip(numbers, await new_votes(city, numbers, CHANGEABLE), strict=True):
        await open_vote(city.hanh, vote)
        for voter in voters:
            await cast(voter, vote, OptionKind.FOR, key="first")
        changes = [cast(voter, vote, OptionKind.AGAINST, key="second") for voter in voters]
        closed, *answers = await at_once(number, close_vote(city.hanh, vote), *changes)
        told.update(map(what, answers))
        changed = sum(what(answer) == "Receipt" for answer in answers)
        counts = [one["count"] for one in closed["tally"]["options"]]
        assert counts == [2 - changed, changed, 0]
    assert told.keys() == {"Receipt", "VOTE_CLOSED"}


async def test_nobody_s_hand_and_ballot_are_both_counted(city: City) -> None:
    numbers = rounds(city.scene.database, 25, 8)
    voters = [city.an, elsewhere(city.binh)]
    seen: Counter[tuple[str, ...]] = Counter()
    await enter(city, *voters)
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        await open_vote(city.hanh, vote)
        hands = [{"optionId": vote.against, "count": 2}]
        counted = {"memberIds": [voter.id for voter in voters], "hands": hands}
        recorded, *answers = await at_once(
            number,
            act(context_of(city.hanh), "recordHands", voteId=vote.id, **counted),
            *map(cast, voters, repeat(vote), repeat(OptionKind.FOR)),
        )
        told = (what(recorded), *map(what, answers))
        seen[told] += 1
        closed = await close_vote(city.hanh, vote)
        counts = [one["count"] for one in closed["tally"]["options"]]
        was_counted = told[0] == "Vote"
        assert counts == ([0, 2, 0] if was_counted else [2, 0, 0]), told
        assert closed["tally"]["cast"] == 2
    by_hand, by_ballot = ("Vote", *["ALREADY_VOTED"] * 2), ("ALREADY_VOTED", *["Receipt"] * 2)
    assert seen.keys() == {by_hand, by_ballot}


async def test_a_vote_is_closed_once_by_the_clock_or_by_the_chair(city: City) -> None:
    numbers = rounds(city.scene.database, 20, 8)
    told: Counter[str] = Counter()
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        await open_vote(city.hanh, vote)
        await cast(city.an, vote, OptionKind.FOR)
        await change(
            city.scene.database,
            Vote,
            Vote.id == vote.id,
            closes_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        workers = [context_of(elsewhere(city.nobody)) for _ in range(2)]
        closing, *_ = await at_once(
            number, close_vote(city.hanh, vote), *map(close_due_votes, workers)
        )
        for worker in workers:
            await worker.release()
        told[what(closing)] += 1
        kinds = select(AuditRow.kind).where(AuditRow.vote_id == vote.id)
        chain = await rows(city, kinds.order_by(AuditRow.sequence))
        assert [row.kind.value for row in chain] == ["CREATED", "OPENED", "CLOSED", "PUBLISHED"]
    assert told.keys() == {"Vote", "VOTE_CLOSED"}


# --- The chairs ---------------------------------------------------------------------------------


async def test_two_chairs_who_open_and_close_at_once_do_it_once(city: City) -> None:
    for vote in await new_votes(city, rounds(city.scene.database, 30, 10)):
        opened = await asyncio.gather(open_vote(city.hanh, vote), open_vote(city.dung, vote))
        assert sorted(map(what, opened)) == ["Vote", "WRONG_STATE"]
        assert await count(city, RollEntry, RollEntry.vote_id == vote.id) == 10
        closed = await asyncio.gather(close_vote(city.hanh, vote), close_vote(city.dung, vote))
        assert sorted(map(what, closed)) == ["VOTE_CLOSED", "Vote"]
        kinds = select(AuditRow.kind).where(AuditRow.vote_id == vote.id)
        chain = await rows(city, kinds.order_by(AuditRow.sequence))
        assert [row.kind.value for row in chain] == ["CREATED", "OPENED", "CLOSED", "PUBLISHED"]


async def test_a_vote_is_never_open_at_an_item_that_is_not_current(city: City) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    meeting, items = {"meetingId": city.meeting.id}, city.meeting.items
    numbers = rounds(city.scene.database, 40, 12)
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        opened, moved = await at_once(
            number,
            open_vote(city.hanh, vote),
            act(context_of(city.dung), "moveAgenda", **meeting, itemId=items[1]),
        )
        open_elsewhere = (
            select(Vote.id)
            .join(AgendaItem, AgendaItem.id == Vote.item_id)
            .where(Vote.state == VoteState.OPEN, AgendaItem.state != ItemState.CURRENT)
        )
        assert await rows(city, open_elsewhere) == []
        seen[what(opened), what(moved)] += 1
        if what(opened) == "Vote":
            await close_vote(city.hanh, vote)
        await act(context_of(city.hanh), "moveAgenda", **meeting, itemId=items[0])
    assert seen.keys() == {("Vote", "VOTE_STILL_OPEN"), ("ITEM_NOT_CURRENT", "Meeting")}


async def test_a_meeting_is_never_closed_with_a_vote_open(city: City) -> None:
    seen: Counter[tuple[str, str]] = Counter()
    numbers = rounds(city.scene.database, 30, 10)
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        opened, closed = await at_once(
            number,
            open_vote(city.hanh, vote),
            act(context_of(city.dung), "closeMeeting", meetingId=city.meeting.id),
        )
        seen[what(opened), what(closed)] += 1
        if what(opened) == "Vote":
            await close_vote(city.hanh, vote)
        else:
            await reopen(city)
    assert seen.keys() == {("Vote", "VOTE_STILL_OPEN"), ("MEETING_NOT_IN_SESSION", "Meeting")}


async def reopen(city: City) -> None:
    """What no chair can do: begin the closed meeting again."""
    database, meeting, first = city.scene.database, city.meeting.id, city.meeting.items[0]
    session = {"state": MeetingState.IN_SESSION, "closed_at": None}
    await change(database, Meeting, Meeting.id == meeting, **session)
    await change(database, AgendaItem, AgendaItem.id == first, state=ItemState.CURRENT)


async def test_two_chairs_who_start_a_meeting_at_once_start_it_once(city: City) -> None:
    for _ in rounds(city.scene.database, 12, 4):
        meeting = city.scene.meeting(city.branch)
        await city.scene.save()
        started = await asyncio.gather(
            *(
                act(context_of(chair), "startMeeting", MEETING, meetingId=meeting.id)
                for chair in (city.hanh, city.dung)
            )
        )
        assert sorted(map(what, started)) == ["Meeting", "WRONG_STATE"]
        is_current = AgendaItem.state == ItemState.CURRENT
        assert await count(city, AgendaItem, AgendaItem.meeting_id == meeting.id, is_current) == 1


# --- Checking in and signing in ------------------------------------------------------------------


@pytest.mark.parametrize("who", ["an", "thu"])
async def test_checking_in_twice_at_once_is_the_same_as_once(city: City, who: str) -> None:
    """An was summoned and has a row already; Thu is a guest, and gets one."""
    person: Person = getattr(city, who)
    for _ in rounds(city.scene.database, 12, 4):
        meeting = city.scene.meeting(city.branch, summoned=[city.an])
        await city.scene.save()
        checked_in = await asyncio.gather(
            *(act(context_of(person), "checkIn", MEETING, meetingId=meeting.id) for _ in range(4))
        )
        assert [answer["turnout"] for answer in checked_in] == [{"present": 1}] * 4
        of_person = Attendance.meeting_id == meeting.id, Attendance.member_id == person.id
        versions = await rows(city, select(Attendance.version).where(*of_person))
        assert versions == [(2 if person is city.an else 1,)]


async def test_a_code_that_is_used_twice_at_once_begins_one_session(city: City) -> None:
    for _ in rounds(city.scene.database, 5, 3):
        before = await count(city, Session)
        code = await give_card(city.an)
        answers = await asyncio.gather(
            *(act(context_of(city.nobody), "signIn", code=code) for _ in range(3))
        )
        assert Counter(map(what, answers)) == {"SignedIn": 1, "INVALID_CODE": 2}
        assert await count(city, Session) == before + 1


# --- One moment ---------------------------------------------------------------------------------


async def test_every_answer_is_of_one_moment(city: City) -> None:
    """A meeting's version counts its votes' versions, and a vote's version its ballots."""
    document = """query ($id: ID!) { meeting(id: $id) {
      version votes { version tally { cast } } agenda { votes { version tally { cast } } }
    } }"""
    (vote,) = await new_votes(city, [1])
    await open_vote(city.hanh, vote)
    answers: list[Any] = []

    async def look_on() -> None:
        while not answers or answers[-1]["votes"][-1]["tally"]["cast"] < 7:
            answer = await ask(context_of(city.lan), document, id=str(city.meeting.id))
            answers.append(answer["meeting"])

    voters = map(elsewhere, city.entitled)
    await at_once(7, look_on(), look_on(), *map(cast, voters, repeat(vote), repeat(OptionKind.FOR)))
    rests = set()
    for answer in answers:
        votes = answer["votes"]
        rests.add(answer["version"] - sum(one["version"] for one in votes))
        rests.add(("vote", votes[-1]["version"] - votes[-1]["tally"]["cast"]))
        assert [one for item in answer["agenda"] for one in item["votes"]] in (
            [votes[0], votes[2], votes[1]],
        )
    assert len(rests) == 2


# --- A caller who goes away ---------------------------------------------------------------------


async def cancel_at_statement(
    city: City, is_it: Callable[[str], bool], work: Coroutine[Any, Any, Any]
) -> None:
    """Cancel the work when it gives the database this statement, and wait until it has ended."""
    task = asyncio.create_task(work)

    def see(statement: str) -> None:
        if is_it(statement):
            task.cancel()

    with seeing_statements(city.scene.database, see), pytest.raises(asyncio.CancelledError):
        await task


async def cancel_at_commit(city: City, work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.create_task(work)
    with (
        listening(city.scene.database, "commit", lambda _: task.cancel()),
        pytest.raises(asyncio.CancelledError),
    ):
        await task


@pytest.fixture
def hints(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Set[str]]]:
    published: list[tuple[str, Set[str]]] = []

    async def note(channel: str, topics: Set[str], at: float | None = None) -> None:
        if channel != UNITS_CHANNEL:
            published.append((channel, topics))

    monkeypatch.setattr(feed, "publish", note)
    return published


async def test_who_goes_away_during_the_commit_has_acted_and_the_others_are_told(
    city: City, hints: list[tuple[str, Set[str]]]
) -> None:
    channel = channel_of_meeting(city.meeting.id)
    check_in = act(context_of(city.an), "checkIn", MEETING, meetingId=city.meeting.id)
    await cancel_at_commit(city, check_in)
    came = {ATTENDANCE_TOPIC, topic_of_member(city.an.id)}
    assert hints == [(channel, came)]
    assert await count(city, Attendance, Attendance.checked_in_at.is_not(None)) == 1

    await open_vote(city.hanh, city.vote)
    del hints[:]
    if city.scene.database.dialect == "postgresql":  # the call that puts ballots commits them
        await cancel_at_statement(city, is_put, city_cast(city))
    else:
        await cancel_at_commit(city, city_cast(city))
    await eventually(lambda: bool(hints))
    cast = {topic_of_ballots(city.vote.id), topic_of_member(city.an.id)}
    assert hints == [(channel, cast)]
    assert await count(city, Ballot) == 1
    assert what(await city_cast(city)) == "Receipt"


async def city_cast(city: City) -> Any:
    return await cast(city.an, city.vote, OptionKind.FOR)


async def test_who_goes_away_before_the_commit_has_changed_nothing(
    city: City, hints: list[tuple[str, Set[str]]]
) -> None:
    for mutation, arguments, table in [
        ("checkIn", {"meetingId": city.meeting.id}, "attendance"),
        ("pauseMeeting", {"meetingId": city.meeting.id}, "meeting"),
        ("openVote", {"voteId": city.vote.id}, "roll_entry"),
    ]:
        before = await rows(city, select(Meeting.version))
        work = act(context_of(city.hanh), mutation, **arguments)

        def writes(statement: str, table: str = table) -> bool:
            return f"UPDATE {table}" in statement or f"INSERT INTO {table}" in statement

        await cancel_at_statement(city, writes, work)
        assert await rows(city, select(Meeting.version)) == before, mutation
    assert hints == []
    assert await count(city, RollEntry) == 0


async def test_who_goes_away_at_any_moment_keeps_nobody_waiting(city: City) -> None:
    for number in range(60):
        mutation, arguments = [
            ("pauseMeeting", {"meetingId": city.meeting.id}),
            ("startMeeting", {"meetingId": city.meeting.id}),
            ("openVote", {"voteId": city.vote.id}),
        ][number % 3]
        leaving = asyncio.create_task(act(context_of(city.hanh), mutation, **arguments))
        await asyncio.sleep(number * LONGEST_PAUSE / 30)
        leaving.cancel()
        await asyncio.wait([leaving])
        # SQLite lets others wait for half a minute, which is longer than our patience.
        async with asyncio.timeout(PATIENCE):
            await act(context_of(city.an), "checkIn", MEETING, meetingId=city.meeting.id)
    assert await count(city, Attendance, Attendance.checked_in_at.is_not(None)) == 1
