"""A chair who would vote for others by their hands: whatever they try, it is refused or seen."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from models.meetings.meetings import Attendance, Meeting
from models.votes.votes import CountedHand, HandMark, HandTakenBack
from rules.meetings.meetings import AttendanceStatus, MeetingMode
from rules.votes.ballots import OptionKind
from rules.votes.record.recount import problems
from rules.votes.rule_sets import RuleSet
from tests.support.asking import act, watch
from tests.support.factories import EVENING, ORDINARY, City, Person, VoteIds, context_of
from tests.support.tampering import change
from tests.support.voting import (
    CHANGEABLE,
    HIDDEN,
    cast,
    cast_refused,
    chain,
    count,
    counts,
    enter,
    export,
    look,
    open_motion,
    reason,
    refused,
    turnout,
    vote_after,
)
from tests.system.test_races import at_once, elsewhere, new_votes, open_vote, rounds, what
from tests.system.test_races import cast as cast_kind

HANDS = "hands { member { id name } optionId } roll { member { id } hand { optionId } }"
OWN_HAND = "myHand { optionId } viewerMay"


def hands(vote: VoteIds, option: object, *members: Person) -> dict[str, Any]:
    of_all = [{"optionId": option, "count": len(members)}]
    return {"memberIds": [one.id for one in members], "hands": of_all}


async def record(city: City, vote: VoteIds, option: object, *members: Person) -> Any:
    return await vote_after(city.hanh, "recordHands", vote, **hands(vote, option, *members))


async def no(city: City, vote: VoteIds, *members: Person) -> tuple[str, Any]:
    arguments = hands(vote, vote.for_, *members)
    value = await refused(city.hanh, "recordHands", voteId=vote.id, **arguments)
    return value["reason"], value["details"]


# --- Who is not in the room ---------------------------------------------------------------------


async def test_a_hall_of_absent_members_is_not_counted(city: City) -> None:
    crowd = city.scene.members([f"Vắng {number}" for number in range(60)], city.branch)
    for person in crowd:
        city.scene.add(
            Attendance,
            meeting_id=city.meeting.id,
            member_id=person.id,
            is_summoned=True,
            status=AttendanceStatus.ABSENT,
        )
    await city.scene.save()
    vote = await open_motion(city, ORDINARY)
    told, details = await no(city, vote, *crowd)
    assert told == "NOT_IN_ROOM"
    assert details["members"] == sorted(str(person.id) for person in crowd)
    assert set(details["why"].values()) == {"NOT_CHECKED_IN"}
    assert turnout(await look(city.hanh, vote)) == (0, 0)


async def test_whoever_is_not_seen_in_the_room_is_refused_by_name(city: City) -> None:
    """An is in the room. Bình is somewhere with a phone. Of Chi the chair says what they like.
    Nam gave a proxy and stays away. Minh left the room."""
    await enter(city, city.an, city.minh)
    await act(context_of(city.binh), "checkIn", meetingId=city.meeting.id)
    meeting = {"meetingId": city.meeting.id}
    for person, is_present in ((city.chi, True), (city.minh, False)):
        arguments = {**meeting, "memberId": person.id, "isPresent": is_present}
        await act(context_of(city.hanh), "confirmAttendance", **arguments)
    await act(context_of(city.nam), "giveProxy", **meeting, holderId=city.an.id)
    vote = await open_motion(city, ORDINARY)
    absent = {
        str(city.binh.id): "NOT_CONFIRMED",
        str(city.chi.id): "NOT_CHECKED_IN",
        str(city.nam.id): "NOT_CHECKED_IN",
        str(city.minh.id): "NOT_CONFIRMED",
    }
    told = await no(city, vote, city.an, city.binh, city.chi, city.nam, city.minh)
    assert told == ("NOT_IN_ROOM", {"members": sorted(absent), "why": absent})
    await record(city, vote, vote.for_, city.an)


async def test_who_is_connected_from_home_is_not_in_the_room(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    document = "subscription ($id: ID!) { meeting(id: $id) { turnout { connected } } }"
    async with watch(context_of(city.an), document, id=str(city.meeting.id)) as watched:
        await watched.next()
        assert (await no(city, vote, city.an))[0] == "NOT_IN_ROOM"


async def test_nobody_of_another_branch_raises_a_hand(city: City) -> None:
    """Yến checked in to her own meeting; Thu is attached here and stands in the room."""
    await enter(city, city.an)
    city.scene.add(
        Attendance,
        meeting_id=city.meeting.id,
        member_id=city.thu.id,
        is_summoned=False,
        status=AttendanceStatus.PRESENT,
        confirmed_at=EVENING,
        confirmed_by_id=city.hanh.id,
    )
    await act(context_of(city.yen), "checkIn", meetingId=city.other_meeting.id)
    await city.scene.save()
    vote = await open_motion(city, ORDINARY)
    for person in (city.thu, city.yen):
        told = await no(city, vote, city.an, person)
        assert told == ("NOT_ENTITLED", {"members": [str(person.id)]})


# --- Votes in which no hands are counted --------------------------------------------------------


@pytest.mark.parametrize("has_voted", [False, True])
async def test_of_a_hidden_vote_the_refusal_tells_nothing(city: City, has_voted: bool) -> None:
    await enter(city, *city.entitled)
    vote = await open_motion(city, HIDDEN)
    if has_voted:
        await cast(city.an, vote, vote.for_)
    told = "HANDS_NOT_COUNTED", {"secrecy": "UNATTRIBUTED"}
    for people in ([city.an], [city.binh], [city.an, city.binh], [city.lan], [city.yen], []):
        assert await no(city, vote, *people) == told
    assert not {"RECORD_HANDS", "TAKE_BACK_HANDS"} & set((await look(city.hanh, vote))["viewerMay"])


async def test_an_online_meeting_has_no_room(city: City) -> None:
    await enter(city, *city.entitled)
    await change(
        city.scene.database, Meeting, Meeting.id == city.meeting.id, mode=MeetingMode.ONLINE
    )
    vote = await open_motion(city, ORDINARY)
    assert await no(city, vote, city.an) == ("HANDS_NOT_COUNTED", {"mode": "ONLINE"})


# --- Everybody sees it, at once -----------------------------------------------------------------


async def test_the_whole_branch_sees_whose_hand_counts_for_what_while_the_vote_is_open(
    city: City,
) -> None:
    await enter(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    document = f"subscription ($id: ID!) {{ vote(id: $id) {{ version {HANDS} }} }}"
    async with watch(context_of(city.lan), document, id=str(vote.id)) as watched:
        before = await watched.next()
        assert before["hands"] == []
        await record(city, vote, vote.against, city.an)
        after = await watched.next()
    assert after["version"] > before["version"]
    seen = {"member": {"id": str(city.an.id), "name": "An"}, "optionId": str(vote.against)}
    assert after["hands"] == [seen]
    lines = {line["member"]["id"]: line["hand"] for line in after["roll"]}
    assert lines.pop(str(city.an.id)) == {"optionId": str(vote.against)}
    assert set(map(str, lines.values())) == {"None"}
    await vote_after(city.hanh, "closeVote", vote)
    assert (await look(city.lan, vote, HANDS))["hands"] == [seen]


async def test_the_member_is_told_and_gets_their_vote_back(city: City) -> None:
    await enter(city, city.an)
    vote = await open_motion(city, ORDINARY)
    document = f"subscription ($id: ID!) {{ vote(id: $id) {{ revision {OWN_HAND} }} }}"
    async with watch(context_of(city.an), document, id=str(vote.id)) as watched:
        assert (await watched.next())["myHand"] is None
        await record(city, vote, vote.against, city.an)
        told = await watched.next()
        assert told["myHand"] == {"optionId": str(vote.against)}
        assert told["viewerMay"] == ["CONTEST_HAND"]
        after = await vote_after(city.an, "contestHand", vote)
        told = await watched.next()
        assert (told["myHand"], told["viewerMay"]) == (None, ["CAST_BALLOT"])
    assert (turnout(after), set(counts(after).values())) == ((0, 0), {0})
    await cast(city.an, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == 1
    assert list(problems(await export(city, vote))) == []


async def test_what_was_contested_is_not_counted_again(city: City) -> None:
    await enter(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    await record(city, vote, vote.against, city.an, city.binh)
    await vote_after(city.an, "contestHand", vote)
    contested = ("HAND_CONTESTED", {"members": [str(city.an.id)]})
    assert await no(city, vote, city.an) == contested
    assert await reason(city.hanh, "takeBackHands", voteId=vote.id, memberIds=[city.an.id]) == (
        "WRONG_STATE"
    )
    assert await no(city, vote, city.an) == contested


async def test_a_chair_s_mistake_is_taken_back_and_counted_again(city: City) -> None:
    await enter(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    for option in (vote.against, vote.for_, vote.against):
        after = await record(city, vote, option, city.an, city.binh)
        assert counts(after)[str(option)] == 2
        back = {"memberIds": [city.an.id, city.binh.id]}
        after = await vote_after(city.dung, "takeBackHands", vote, **back)
        assert turnout(after) == (0, 0)
    await record(city, vote, vote.for_, city.an)
    await cast(city.binh, vote, vote.against)
    kinds = [kind for kind, _ in await chain(city, vote)]
    assert kinds == ["CREATED", "OPENED", *["HANDS_RECORDED", "HANDS_TAKEN_BACK"] * 3, kinds[-1]]
    _, told = (await chain(city, vote))[3]
    choices = {str(one.id): str(vote.against) for one in (city.an, city.binh)}
    assert told.pop("sealed")
    expected = {"by": str(city.dung.id), "isContested": False, "members": sorted(choices)}
    assert told == {**expected, "choices": choices}
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert list(counts(closed).values()) == [1, 1, 0]
    assert list(problems(await export(city, vote))) == []


async def test_only_what_is_counted_is_taken_back_or_contested(city: City) -> None:
    await enter(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    await record(city, vote, vote.for_, city.an)
    back = {"voteId": vote.id}
    for members in ([city.binh.id], [city.an.id, city.binh.id], [city.yen.id]):
        told = await refused(city.hanh, "takeBackHands", **back, memberIds=members)
        missing = sorted(str(one) for one in members if one != city.an.id)
        assert (told["reason"], told["details"]) == ("WRONG_STATE", {"members": missing})
    assert await reason(city.hanh, "takeBackHands", **back, memberIds=[]) == "INVALID_INPUT"
    for person in (city.binh, city.hanh, city.lan):
        assert await reason(person, "contestHand", **back) == "WRONG_STATE"
    for person in (city.an, city.binh, city.oanh, city.yen):
        told = await reason(person, "takeBackHands", **back, memberIds=[city.an.id])
        assert told in {"NOT_ALLOWED", "NOT_FOUND"}
    for person in (city.yen, city.van):
        assert await reason(person, "contestHand", **back) in {"NOT_ALLOWED", "NOT_FOUND"}


async def test_after_closing_nothing_is_counted_or_taken_back(city: City) -> None:
    await enter(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    await record(city, vote, vote.for_, city.an)
    await vote_after(city.hanh, "closeVote", vote)
    about = {"voteId": vote.id}
    assert (await no(city, vote, city.binh))[0] == "VOTE_CLOSED"
    assert await reason(city.an, "contestHand", **about) == "VOTE_CLOSED"
    members = {"memberIds": [city.an.id]}
    assert await reason(city.hanh, "takeBackHands", **about, **members) == "VOTE_CLOSED"
    assert (await cast_refused(city.an, vote, vote.against))[0] == "ALREADY_VOTED"


@pytest.mark.parametrize("rule", [ORDINARY, CHANGEABLE], ids=lambda rule: rule.change.value)
async def test_nobody_is_counted_twice(city: City, rule: RuleSet) -> None:
    await enter(city, city.an)
    vote = await open_motion(city, rule)
    await record(city, vote, vote.for_, city.an)
    assert (await no(city, vote, city.an))[0] == "ALREADY_VOTED"
    assert await count(city, CountedHand) == 1


async def test_the_database_takes_no_such_hand_from_anybody(city: City) -> None:
    """Binh's hand is counted, An's was contested; two votes hide who votes how or are not open."""
    await enter(city, city.an, city.binh)
    vote, hidden = await open_motion(city, ORDINARY), city.scene.vote(city.meeting, 1, 60, HIDDEN)
    await city.scene.save()
    await vote_after(city.hanh, "openVote", hidden)
    await record(city, vote, vote.for_, city.an, city.binh)
    await vote_after(city.an, "contestHand", vote)
    right = {"vote_id": vote.id, "member_id": city.chi.id, "option_id": vote.for_, "sequence": 1}
    wrong: list[dict[str, Any]] = [
        {"option_id": None},
        {"member_id": city.binh.id, "sequence": 2},
        {"member_id": city.an.id, "sequence": 2},
        {"vote_id": hidden.id, "option_id": hidden.for_},
    ]
    for change_of_it in wrong:
        async with city.scene.database.writing() as session:
            with pytest.raises(IntegrityError, match="such a hand is not counted"):
                await session.execute(insert(HandMark).values(right | change_of_it))
    await vote_after(city.hanh, "closeVote", vote)
    back = {"vote_id": vote.id, "member_id": city.binh.id, "sequence": 1, "is_contested": True}
    for statement in (insert(HandMark).values(right), insert(HandTakenBack).values(back)):
        async with city.scene.database.writing() as session:
            with pytest.raises(IntegrityError, match="only while its vote is open"):
                await session.execute(statement)


# --- At the same moment -------------------------------------------------------------------------


async def test_a_hand_contested_and_a_ballot_cast_at_once_are_one_vote(city: City) -> None:
    """The chair records, takes back and records again, while the member contests and casts."""
    await enter(city, city.an)
    seen: Counter[str] = Counter()
    numbers = rounds(city.scene.database, 50, 10)
    an, hanh = elsewhere(city.an), elsewhere(city.hanh)
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        await open_vote(city.hanh, vote)
        counted = {"voteId": vote.id, **hands(vote, vote.against, city.an)}
        await act(context_of(city.hanh), "recordHands", **counted)
        answers = await at_once(
            number,
            act(context_of(an), "contestHand", voteId=vote.id),
            cast_kind(city.an, vote, OptionKind.FOR),
            act(context_of(hanh), "takeBackHands", voteId=vote.id, memberIds=[city.an.id]),
            act(context_of(city.hanh), "recordHands", **counted),
        )
        told = [what(answer) for answer in answers]
        seen.update(told)
        closed = await vote_after(city.hanh, "closeVote", vote)
        assert closed["tally"]["cast"] <= 1, told
        by_ballot = told[1] == "Receipt"
        assert counts(closed)[str(vote.for_)] == by_ballot
        assert not (by_ballot and closed["tally"]["byHand"])
        assert list(problems(await export(city, vote))) == []
    assert await count(city, HandTakenBack) >= len(numbers)
    assert seen.keys() >= {"Vote", "Receipt", "ALREADY_VOTED", "WRONG_STATE"}
