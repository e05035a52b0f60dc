"""Whoever is refused keeps nobody waiting: the permission is asked before any lock."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from models.locks import hold_alone, hold_vote_alone
from models.register.units import Member
from rules.register.members import Standing
from tests.meetings.test_mutations import calls
from tests.support.asking import PATIENCE, act
from tests.support.database_log import statements
from tests.support.factories import City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import vote_after

MEMBERS_MAY = ("checkIn", "castBallot", "giveProxy", "contestHand")


async def refused_while_all_is_held(
    city: City, person: Person, asked: dict[str, dict[str, Any]]
) -> None:
    """Every call is refused while somebody else holds the meeting, its vote and the member."""
    database = city.scene.database
    async with database.writing() as session:
        await hold_vote_alone(session, city.vote.id)
        await hold_alone(session, city.an.id)
        await session.connection()  # on SQLite this is the lock
        with statements(database) as executed:
            for mutation, arguments in asked.items():
                async with asyncio.timeout(PATIENCE / 4):
                    value = await act(context_of(person), mutation, **arguments)
                assert value["reason"] in {"NOT_ALLOWED", "NOT_FOUND", "NOT_ENTITLED"}, mutation
    assert not [one for one in executed if "advisory" in one or "BEGIN IMMEDIATE" in one]
    assert not [one for one in executed if "put_ballots" in one or "INSERT" in one]


async def test_a_stranger_s_act_takes_no_lock(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await refused_while_all_is_held(city, city.yen, calls(city))


async def test_a_member_s_act_that_is_the_chair_s_takes_no_lock(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    asked = {name: call for name, call in calls(city).items() if name not in MEMBERS_MAY}
    for person in (city.binh, city.oanh, city.son):
        await refused_while_all_is_held(city, person, asked)


async def test_a_ballot_of_who_is_not_entitled_does_not_come_to_the_box(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    ballot = {"castBallot": calls(city)["castBallot"]}
    for person in (city.lan, city.son, city.thu, city.oanh, city.yen):
        await refused_while_all_is_held(city, person, ballot)


@pytest.mark.parametrize("mutation", ["closeVote", "pauseMeeting", "recordHands", "suspendMember"])
async def test_who_loses_the_permission_while_waiting_for_the_lock_is_refused(
    city: City, mutation: str
) -> None:
    database = city.scene.database
    await vote_after(city.hanh, "openVote", city.vote)
    async with database.writing() as session:
        await hold_vote_alone(session, city.vote.id)
        await hold_alone(session, city.an.id)
        await session.connection()
        asked = asyncio.create_task(act(context_of(city.dung), mutation, **calls(city)[mutation]))
        await asyncio.wait([asked], timeout=0.3)
        assert not asked.done()
        if database.dialect == "sqlite":
            await session.execute(
                Member.__table__.update()  # type: ignore[attr-defined]
                .where(Member.id == city.dung.id)
                .values(standing=Standing.SUSPENDED)
            )
        else:
            who = Member.id == city.dung.id
            await change(database, Member, who, standing=Standing.SUSPENDED)
        await session.commit()
    assert (await asked)["reason"] == "NOT_FOUND"
