"""The chair confirms who is in the room: a fact of its own beside the members' check-in."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from sqlalchemy import select

from models.meetings.meetings import Attendance
from models.votes.votes import RollEntry
from realtime.topics import ATTENDANCE_TOPIC, channel_of_meeting, topic_of_member
from rules.meetings.meetings import CHECK_IN_STATES, MeetingState
from tests.support.asking import MEETING, act, ask
from tests.support.database_log import unchanged
from tests.support.factories import City, Person, context_of
from tests.support.voting import cast, no_to, reason, refused, set_state, stored, vote_after

OWN = "query ($id: ID!) { meeting(id: $id) { myAttendance { status checkedInAt confirmedAt } } }"


async def confirm(city: City, chair: Person, member: Person, is_present: bool = True) -> Any:
    arguments = {"meetingId": city.meeting.id, "memberId": member.id, "isPresent": is_present}
    selection = f"... on Meeting {{ {MEETING} }}"
    value = await act(context_of(chair), "confirmAttendance", selection, **arguments)
    assert value["__typename"] == "Meeting", value
    return value


def row_of(meeting: Any, person: Person) -> Any:
    (found,) = [row for row in meeting["attendance"] if row["member"]["id"] == str(person.id)]
    return found


async def test_confirming_is_a_fact_of_its_own(city: City) -> None:
    meeting = await confirm(city, city.dung, city.an)
    assert meeting["turnout"] == {"summoned": 9, "present": 0, "confirmed": 1, "connected": 0}
    row = row_of(meeting, city.an)
    assert row["confirmedAt"] is not None
    assert (row["status"], row["checkedInAt"]) == ("ABSENT", None)
    rows = await stored(
        city, select(Attendance.confirmed_by_id).where(Attendance.member_id == city.an.id)
    )
    assert rows == [(city.dung.id,)]


async def test_whoever_checked_in_may_be_confirmed_or_not(city: City) -> None:
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    confirmed = row_of(await confirm(city, city.hanh, city.an), city.an)
    assert None not in (confirmed["checkedInAt"], confirmed["confirmedAt"])
    meeting = await confirm(city, city.hanh, city.an, is_present=False)
    taken_back = row_of(meeting, city.an)
    assert taken_back == {**confirmed, "confirmedAt": None}
    assert meeting["turnout"] == {"summoned": 9, "present": 1, "confirmed": 0, "connected": 0}


async def test_whoever_is_confirmed_checks_in_themselves(city: City) -> None:
    confirmed = row_of(await confirm(city, city.hanh, city.an), city.an)
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    row = row_of(await confirm(city, city.hanh, city.an), city.an)
    assert (row["status"], row["confirmedAt"]) == ("PRESENT", confirmed["confirmedAt"])


async def test_quorum_and_roll_go_by_who_checked_in(city: City) -> None:
    await confirm(city, city.hanh, city.an)
    await act(context_of(city.binh), "checkIn", meetingId=city.meeting.id)
    await vote_after(city.hanh, "openVote", city.vote)
    statement = select(RollEntry.member_id).where(RollEntry.was_present_at_opening)
    assert await stored(city, statement) == [(city.binh.id,)]
    await cast(city.an, city.vote, city.vote.for_)  # who is on the roll votes from anywhere


async def test_each_change_makes_the_version_grow_and_no_change_does_not(city: City) -> None:
    versions = []
    for is_present in (True, False, True):
        meeting = await confirm(city, city.hanh, city.an, is_present)
        versions.append(meeting["version"])
        async with unchanged(city.scene.database):
            assert await confirm(city, city.dung, city.an, is_present) == meeting
    assert versions == sorted(set(versions))


async def test_who_was_not_summoned_may_be_confirmed(city: City) -> None:
    """Thu is a guest of the branch."""
    async with unchanged(city.scene.database):
        await confirm(city, city.hanh, city.thu, is_present=False)
    meeting = await confirm(city, city.hanh, city.thu)
    assert meeting["turnout"] == {"summoned": 9, "present": 0, "confirmed": 1, "connected": 0}
    meeting = await confirm(city, city.hanh, city.thu, is_present=False)
    assert meeting["turnout"] == {"summoned": 9, "present": 0, "confirmed": 0, "connected": 0}


async def test_a_stranger_is_not_confirmed(city: City) -> None:
    for stranger in (city.yen.id, city.van.id, uuid4(), "x"):
        arguments = {"meetingId": city.meeting.id, "memberId": stranger, "isPresent": True}
        assert await reason(city.hanh, "confirmAttendance", **arguments) == "NOT_FOUND"


async def test_a_suspended_member_is_not_confirmed(city: City) -> None:
    arguments = {"meetingId": city.meeting.id, "memberId": city.son.id}
    value = await refused(city.hanh, "confirmAttendance", **arguments, isPresent=True)
    assert value["reason"] == "NOT_ENTITLED"
    assert value["details"] == {"standing": "SUSPENDED"}
    async with unchanged(city.scene.database):
        await confirm(city, city.hanh, city.son, is_present=False)


async def test_attendance_is_confirmed_while_members_may_check_in(city: City) -> None:
    for state in MeetingState:
        await set_state(city, state)
        if state in CHECK_IN_STATES:
            await confirm(city, city.hanh, city.an)
            await confirm(city, city.hanh, city.an, is_present=False)
            continue
        arguments = {"meetingId": city.meeting.id, "memberId": city.an.id, "isPresent": True}
        value = await no_to(city.hanh, "confirmAttendance", **arguments)
        assert (value["reason"], value["details"]) == ("WRONG_STATE", {"state": state.value})


async def test_a_member_sees_their_own_attendance(city: City) -> None:
    await confirm(city, city.hanh, city.an)
    own = {}
    for person in (city.an, city.binh, city.thu):
        answer = await ask(context_of(person), OWN, id=str(city.meeting.id))
        own[person.name] = answer["meeting"]["myAttendance"]
    assert own["An"].pop("confirmedAt") is not None
    assert own == {
        "An": {"status": "ABSENT", "checkedInAt": None},
        "Bình": {"status": "ABSENT", "checkedInAt": None, "confirmedAt": None},
        "Thu": None,
    }


async def test_the_meeting_s_pages_are_told_who_came(city: City) -> None:
    hint = {ATTENDANCE_TOPIC, topic_of_member(city.an.id)}
    async with city.scene.feed.join(channel_of_meeting(city.meeting.id)) as mailbox:
        await confirm(city, city.hanh, city.an)
        assert await mailbox.next() >= hint
        await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
        assert await mailbox.next() >= hint
        await confirm(city, city.hanh, city.an, is_present=False)
        assert await mailbox.next() >= hint
