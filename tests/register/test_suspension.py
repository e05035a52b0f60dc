"""A suspended member sees and does nothing more, what they cast stays, and all comes back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from models.register.units import Member, Membership, Suspension
from realtime.topics import ACCESS_CHANNEL, topic_of_member
from rules.register.members import MembershipKind, Role, Standing
from tests.support.asking import act, ask, execute, reason_of
from tests.support.factories import SINCE, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import cast, cast_refused, look, no_to, reason, stored, vote_after

MEMBER = "... on Member { id name standing }"
WATCHED = "query ($id: ID!) { meeting(id: $id) { id } }"


async def suspend(officer: Person, member: Person, why: str = "Chờ xem xét kỷ luật") -> Any:
    arguments = {"memberId": member.id, "reason": why}
    return await act(context_of(officer), "suspendMember", MEMBER, **arguments)


async def reinstate(officer: Person, member: Person) -> Any:
    return await act(context_of(officer), "reinstateMember", MEMBER, memberId=member.id)


async def suspensions(city: City) -> list[Suspension]:
    rows = await stored(city, select(Suspension).order_by(Suspension.suspended_at))
    return [row.Suspension for row in rows]


async def test_a_suspension_is_recorded_with_its_reason(city: City) -> None:
    assert await suspend(city.dung, city.an, "  Chờ xem xét ") == {
        "__typename": "Member",
        "id": str(city.an.id),
        "name": "An",
        "standing": "SUSPENDED",
    }
    (row,) = await suspensions(city)
    assert (row.member_id, row.suspended_by_id) == (city.an.id, city.dung.id)
    assert (row.standing_before, row.reason) == (Standing.FULL, "Chờ xem xét")
    assert abs((row.suspended_at - datetime.now(UTC)).total_seconds()) < 60
    assert (row.reinstated_at, row.reinstated_by_id) == (None, None)


async def test_who_is_suspended_sees_no_meeting_and_stays_signed_in(city: City) -> None:
    await suspend(city.hanh, city.an)
    result = await execute(context_of(city.an), WATCHED, id=str(city.meeting.id))
    assert reason_of(result.errors) == "NOT_FOUND"
    viewer = await ask(context_of(city.an), "{ viewer { member { name standing } } }")
    assert viewer == {"viewer": {"member": {"name": "An", "standing": "SUSPENDED"}}}


async def test_what_a_suspended_member_cast_stays_and_nothing_more_is_taken(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await cast(city.an, city.vote, city.vote.for_)
    await suspend(city.hanh, city.an)
    await suspend(city.hanh, city.binh)
    assert await cast_refused(city.binh, city.vote, city.vote.for_) == (
        "NOT_ENTITLED",
        {"leftOut": "SUSPENDED"},
    )
    tally = (await look(city.hanh, city.vote))["tally"]
    assert (tally["cast"], tally["eligible"]) == (1, 7)


@pytest.mark.parametrize("standing", [s for s in Standing if s is not Standing.SUSPENDED])
async def test_whoever_is_reinstated_has_the_standing_of_before(
    city: City, standing: Standing
) -> None:
    await change(city.scene.database, Member, Member.id == city.an.id, standing=standing)
    await suspend(city.hanh, city.an)
    assert (await reinstate(city.dung, city.an))["standing"] == standing.value
    (row,) = await suspensions(city)
    assert row.reinstated_by_id == city.dung.id
    assert row.reinstated_at is not None
    assert row.reinstated_at >= row.suspended_at
    await ask(context_of(city.an), WATCHED, id=str(city.meeting.id))


async def test_a_member_may_be_suspended_a_second_time(city: City) -> None:
    for _ in range(2):
        await suspend(city.hanh, city.an)
        await reinstate(city.hanh, city.an)
    await suspend(city.hanh, city.an)
    rows = await suspensions(city)
    assert [row.reinstated_at is None for row in rows] == [False, False, True]


async def test_nobody_is_suspended_or_reinstated_twice(city: City) -> None:
    value = await no_to(city.hanh, "reinstateMember", memberId=city.an.id)
    assert (value["reason"], value["details"]) == ("WRONG_STATE", {"standing": "FULL"})
    await suspend(city.hanh, city.an)
    value = await no_to(city.dung, "suspendMember", memberId=city.an.id, reason="Lần nữa")
    assert (value["reason"], value["details"]) == ("WRONG_STATE", {"standing": "SUSPENDED"})
    assert len(await suspensions(city)) == 1


async def test_a_suspension_from_elsewhere_has_no_standing_to_give_back(city: City) -> None:
    """Sơn came into the register as suspended."""
    assert await reason(city.hanh, "reinstateMember", memberId=city.son.id) == "WRONG_STATE"


async def test_nobody_suspends_themselves(city: City) -> None:
    for officer in (city.hanh, city.dung):
        why = {"memberId": officer.id, "reason": "Tự nguyện"}
        assert await reason(officer, "suspendMember", **why) == "NOT_ALLOWED"


async def test_a_suspended_officer_reinstates_nobody(city: City) -> None:
    await suspend(city.van, city.dung)
    await suspend(city.hanh, city.an)
    for member, why in ((city.dung, "NOT_ALLOWED"), (city.an, "NOT_FOUND")):
        assert await reason(city.dung, "reinstateMember", memberId=member.id) == why


async def test_only_officers_of_the_regular_branch_decide(city: City) -> None:
    """Thu is attached to the first branch for a time; Vân is secretary of the ward above."""
    why = {"memberId": city.thu.id, "reason": "Vắng nhiều"}
    for person in (city.hanh, city.van, city.an, city.thu):
        assert await reason(person, "suspendMember", **why) == "NOT_ALLOWED", person.name
    assert (await suspend(city.yen, city.thu))["standing"] == "SUSPENDED"
    assert await reason(city.hanh, "reinstateMember", memberId=city.thu.id) == "NOT_ALLOWED"


async def test_a_former_member_is_no_longer_the_branch_s_to_suspend(city: City) -> None:
    belonged = Membership.member_id == city.chi.id, Membership.kind == MembershipKind.REGULAR
    await change(city.scene.database, Membership, *belonged, valid_to=SINCE.replace(year=2024))
    why = {"memberId": city.chi.id, "reason": "Vắng nhiều"}
    assert await reason(city.hanh, "suspendMember", **why) == "NOT_FOUND"


@pytest.mark.parametrize("bad", ["", " \n", "\x00", "\ud800", "x" * 1_001])
async def test_a_suspension_needs_a_reason_that_can_be_read(city: City, bad: str) -> None:
    arguments = {"memberId": city.an.id, "reason": bad}
    assert await reason(city.hanh, "suspendMember", **arguments) == "INVALID_INPUT"


async def test_every_process_is_told_whose_access_changed(city: City) -> None:
    topic = topic_of_member(city.an.id)
    async with city.scene.feed.join(ACCESS_CHANNEL) as mailbox:
        await suspend(city.hanh, city.an)
        assert await mailbox.next() == {topic}
        await reinstate(city.hanh, city.an)
        assert await mailbox.next() == {topic}


async def test_an_officer_who_serves_elsewhere_too_does_not_reach_further(city: City) -> None:
    city.scene.appoint(city.an, city.other_branch, Role.SECRETARY)
    await city.scene.save()
    assert (await suspend(city.an, city.thu))["standing"] == "SUSPENDED"
    why = {"memberId": city.binh.id, "reason": "Vắng nhiều"}
    assert await reason(city.an, "suspendMember", **why) == "NOT_ALLOWED"
