"""Suspensions used as a weapon: against who stands above, to stay for ever, unseen amid a vote."""

from __future__ import annotations

from typing import Any

import pytest

from models.register.units import Appointment, Member, Suspension
from rules.register.members import Role, Standing
from rules.votes.record.recount import problems
from tests.register.test_suspension import reinstate, suspend
from tests.support.asking import act, watch
from tests.support.factories import ORDINARY, SINCE, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import (
    cast,
    chain,
    count,
    export,
    look,
    no_to,
    open_motion,
    reason,
    turnout,
    vote_after,
)
from tests.system.test_races import at_once, elsewhere, new_votes, open_vote, rounds, what

REFUSED = {"NOT_ALLOWED", "NOT_FOUND"}
ROLL = "roll { member { id } isEntitled leftOut suspendedAt }"


async def tries(officer: Person, member: Person) -> set[str]:
    """How suspending and reinstating are refused."""
    about = {"memberId": member.id}
    return {
        await reason(officer, "suspendMember", **about, reason="Thử"),
        await reason(officer, "reinstateMember", **about),
    }


# --- Who decides about whom ---------------------------------------------------------------------


async def test_nobody_acts_on_who_stands_above_or_beside_them(city: City) -> None:
    """Vân belongs to Yến's branch and leads the ward; Oanh oversees Hạnh's branch for it."""
    city.scene.appoint(city.chi, city.branch, Role.COMMITTEE_MEMBER)
    await city.scene.save()
    for officer, member in (
        (city.yen, city.van),  # above
        (city.yen, city.tuan),
        (city.yen, city.oanh),
        (city.dung, city.hanh),  # beside
        (city.hanh, city.dung),
        (city.hanh, city.chi),
        (city.hanh, city.yen),  # elsewhere
        (city.hanh, city.hanh),  # themselves
        (city.van, city.van),
        (city.tuan, city.tuan),
        (city.van, city.tuan),
        (city.an, city.hanh),  # below
        (city.oanh, city.hanh),
    ):
        assert await tries(officer, member) <= REFUSED, (officer.name, member.name)


async def test_the_level_above_suspends_officers_and_undoes_it(city: City) -> None:
    for above, officer in (
        (city.van, city.hanh),
        (city.van, city.dung),
        (city.tuan, city.yen),
        (city.van, city.oanh),
        (city.tuan, city.van),
    ):
        assert (await suspend(above, officer))["standing"] == "SUSPENDED"
        assert (await reinstate(above, officer))["standing"] == "FULL"


async def test_who_serves_in_another_branch_is_nobody_s_in_their_own(city: City) -> None:
    city.scene.appoint(city.an, city.other_branch, Role.SECRETARY)
    await city.scene.save()
    assert await tries(city.hanh, city.an) <= REFUSED
    await suspend(city.van, city.an)


async def test_an_office_that_has_ended_protects_nobody(city: City) -> None:
    its = Appointment.member_id == city.dung.id
    await change(city.scene.database, Appointment, its, valid_to=SINCE.replace(year=2024))
    assert (await suspend(city.hanh, city.dung))["standing"] == "SUSPENDED"


async def test_what_a_branch_did_to_a_member_is_undone_from_above(city: City) -> None:
    """Also when the ward's own secretary belongs to that branch, and after the branch's officers
    are suspended themselves."""
    await suspend(city.hanh, city.an)
    await suspend(city.van, city.hanh)
    assert (await reinstate(city.van, city.an))["standing"] == "FULL"
    await suspend(city.yen, city.thu)
    assert (await reinstate(city.tuan, city.thu))["standing"] == "FULL"
    value = await no_to(city.van, "suspendMember", memberId=city.an.id, reason="Thử")
    assert value["reason"] in REFUSED


# --- Amid a vote --------------------------------------------------------------------------------


async def test_a_suspension_amid_a_vote_stands_in_its_chain_and_on_its_roll(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    document = "subscription ($id: ID!) { vote(id: $id) { version tally { cast } } }"
    async with watch(context_of(city.binh), document, id=str(vote.id)) as watched:
        before = await watched.next()
        await suspend(city.hanh, city.an)
        assert (await watched.next())["version"] > before["version"]
    kind, told = (await chain(city, vote))[-1]
    at = told.pop("at")
    expected = {"by": str(city.hanh.id), "member": str(city.an.id)}
    assert (kind, told) == ("SUSPENDED", expected)
    for person, sees in ((city.hanh, at), (city.binh, None)):
        lines = (await look(person, vote, ROLL))["roll"]
        (line,) = [one for one in lines if one["member"]["id"] == str(city.an.id)]
        assert (line["isEntitled"], line["leftOut"], line["suspendedAt"]) == (False, None, sees)
    await reinstate(city.dung, city.an)
    assert (await chain(city, vote))[-1][0] == "REINSTATED"
    mine = await look(city.an, vote, "myRollLine { isEntitled suspendedAt }")
    assert mine["myRollLine"] == {"isEntitled": True, "suspendedAt": None}
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert turnout(closed) == (1, 0)
    assert list(problems(await export(city, vote))) == []


async def test_votes_that_do_not_concern_the_member_say_nothing(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await vote_after(city.yen, "openVote", city.other_vote)
    ended = city.scene.vote(city.meeting, position=60)
    await city.scene.save()
    await vote_after(city.hanh, "openVote", ended)
    await vote_after(city.hanh, "closeVote", ended)
    await suspend(city.hanh, city.an)
    told = [[kind for kind, _ in await chain(city, one)] for one in (vote, city.other_vote, ended)]
    assert ["SUSPENDED" in kinds for kinds in told] == [True, False, False]
    await suspend(city.yen, city.thu)  # attached to the first branch, and on the roll of both
    told = [[kind for kind, _ in await chain(city, one)] for one in (vote, city.other_vote)]
    assert [kinds.count("SUSPENDED") for kinds in told] == [2, 1]


@pytest.mark.parametrize("beside", ["openVote", "closeVote"])
async def test_a_suspension_beside_a_vote_s_opening_or_closing_is_told_by_one_of_them(
    city: City, beside: str
) -> None:
    """Whoever is suspended is on the roll as such, or the chain says that it came later."""
    numbers = rounds(city.scene.database, 25, 6)
    hanh, dung = elsewhere(city.hanh), elsewhere(city.dung)
    for number, vote in zip(numbers, await new_votes(city, numbers), strict=True):
        if beside == "closeVote":
            await open_vote(city.hanh, vote)
        why: dict[str, Any] = {"memberId": city.an.id, "reason": "Cùng lúc"}
        answers = await at_once(
            number,
            act(context_of(hanh), beside, voteId=vote.id),
            act(context_of(dung), "suspendMember", **why),
        )
        assert [what(answer) for answer in answers] == ["Vote", "Member"]
        kinds = [kind for kind, _ in await chain(city, vote)]
        (line,) = [
            one
            for one in (await look(city.hanh, vote, ROLL))["roll"]
            if one["member"]["id"] == str(city.an.id)
        ]
        if beside == "openVote":
            assert (line["leftOut"] == "SUSPENDED") is ("SUSPENDED" not in kinds)
            assert line["isEntitled"] is False
            await vote_after(city.hanh, "closeVote", vote)
        elif "SUSPENDED" in kinds:
            assert kinds.index("SUSPENDED") < kinds.index("CLOSED")
        assert list(problems(await export(city, vote))) == []
        await reinstate(city.hanh, city.an)
    assert await count(city, Suspension) == len(numbers)
    assert await count(city, Member, Member.standing == Standing.SUSPENDED) == 1  # Sơn
