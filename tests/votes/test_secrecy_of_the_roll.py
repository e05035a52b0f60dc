"""Why somebody has no ballot tells of their standing: officers of the branch see it, and the member
concerned; fellow members see who is entitled, and sums."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from models.meetings.meetings import Attendance
from models.register.units import Member
from rules.meetings.meetings import AttendanceStatus
from rules.register.members import Standing
from tests.support.asking import OWN_MEETING, OWN_VOTE, ask, watch
from tests.support.factories import ORDINARY, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import cast, open_motion, vote_after

ROLL = """
  roll { member { id name standing unit { id } } isEntitled leftOut }
  outcome { base leftOutOfBaseCount leftOutOfBase { why member { id } } }
"""
OWN = "myRollLine { isEntitled leftOut }"
QUERY = f"query ($id: ID!) {{ vote(id: $id) {{ {ROLL} }} }}"
LIVE = f"subscription ($id: ID!) {{ vote(id: $id) {{ {ROLL} }} }}"
WORDS = ("SUSPENDED", "PROBATIONARY", "EXEMPT", "TEMPORARY_ATTACHMENT", "RECUSED")


@pytest.fixture
async def vote(city: City) -> UUID:
    """A published vote in which two are not entitled, one suspended member is on the roll and one
    was exempt and absent."""
    opened = await open_motion(city, ORDINARY)
    await cast(city.an, opened, opened.for_)
    await vote_after(city.hanh, "closeVote", opened)
    return opened.id


async def shown(person: Person, vote: UUID) -> Any:
    """By a query and by a subscription, which show the same."""
    asked = (await ask(context_of(person), QUERY, id=str(vote)))["vote"]
    async with watch(context_of(person), LIVE, id=str(vote)) as watched:
        assert await watched.next() == asked
    return asked


async def test_officers_see_why_somebody_has_no_ballot(city: City, vote: UUID) -> None:
    for officer in (city.hanh, city.dung):
        seen = await shown(officer, vote)
        reasons = {line["member"]["name"]: line["leftOut"] for line in seen["roll"]}
        assert (reasons["Lan"], reasons["Sơn"]) == ("PROBATIONARY", "SUSPENDED")
        assert {one["why"] for one in seen["outcome"]["leftOutOfBase"]} >= {"EXEMPT_ABSENT"}


async def test_fellow_members_see_who_is_entitled_and_sums(city: City, vote: UUID) -> None:
    chairs = await shown(city.hanh, vote)
    for person in (city.an, city.lan, city.thu, city.oanh):
        seen = await shown(person, vote)
        assert not any(word in str(seen) for word in WORDS), person.name
        assert {line["leftOut"] for line in seen["roll"]} == {None}
        entitled = [(line["member"]["id"], line["isEntitled"]) for line in seen["roll"]]
        assert entitled == [(one["member"]["id"], one["leftOut"] is None) for one in chairs["roll"]]
        assert seen["outcome"]["leftOutOfBase"] == []
        count = len(chairs["outcome"]["leftOutOfBase"])
        assert seen["outcome"]["leftOutOfBaseCount"] == count > 0


async def test_each_is_told_their_own_reason(city: City, vote: UUID) -> None:
    own = {"Lan": "PROBATIONARY", "Thu": "TEMPORARY_ATTACHMENT", "An": None}
    for person in (city.lan, city.thu, city.an):
        for operation in ("query", "subscription"):
            document = f"{operation} ($id: ID!) {{ vote(id: $id) {{ {OWN} }} }}"
            if operation == "query":
                line = (await ask(context_of(person), document, id=str(vote)))["vote"]
            else:
                async with watch(context_of(person), document, id=str(vote)) as watched:
                    line = await watched.next()
            why = own[person.name]
            assert line["myRollLine"] == {"isEntitled": why is None, "leftOut": why}
    oanh = await ask(context_of(city.oanh), f'{{ vote(id: "{vote}") {{ {OWN} }} }}')
    assert oanh["vote"]["myRollLine"] is None


@pytest.mark.parametrize("standing", [Standing.SUSPENDED, Standing.PROBATIONARY, Standing.EXEMPT])
async def test_nothing_that_a_fellow_member_can_ask_tells_a_standing(
    city: City, standing: Standing
) -> None:
    """Everything of the meeting and of its votes is the same, whatever the standing of one whom the
    rule lets no ballot anyway."""
    rule = replace(ORDINARY, eligibility=frozenset({Standing.FULL}))
    await change(city.scene.database, Member, Member.id == city.chi.id, standing=standing)
    excused = Attendance.member_id == city.chi.id
    await change(city.scene.database, Attendance, excused, status=AttendanceStatus.EXCUSED)
    opened = await open_motion(city, rule)
    await cast(city.an, opened, opened.for_)
    await vote_after(city.hanh, "closeVote", opened)
    documents = {
        "meeting": (OWN_MEETING, city.meeting.id),
        "vote": (f"{OWN_VOTE} {ROLL}", opened.id),
        "member": ("id name standing unit { id }", city.chi.id),
    }
    for field, (selection, subject) in documents.items():
        document = f"query ($id: ID!) {{ {field}(id: $id) {{ {selection} }} }}"
        answer = await ask(context_of(city.binh), document, id=str(subject))
        assert not any(word in str(answer) for word in WORDS), field
