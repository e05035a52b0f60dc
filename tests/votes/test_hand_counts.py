"""Hands raised in the room, counted into the same vote as ballots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from models.register.units import Member
from models.votes.votes import CountedHand, HandCount, Vote
from rules.register.members import Standing
from rules.votes.presets import PRESETS, Matter
from rules.votes.record.recount import problems
from rules.votes.rule_sets import LiveTally, RuleSet, Secrecy
from tests.support.factories import ORDINARY, City, Person, VoteIds
from tests.support.tampering import change
from tests.support.voting import (
    CHANGEABLE,
    WEIGHTED,
    cast,
    cast_refused,
    chain,
    count,
    counts,
    enter,
    export,
    look,
    open_motion,
    prepare,
    prepared_motion,
    reason,
    refused,
    stored,
    turnout,
    vote_after,
)


@pytest.fixture(autouse=True)
async def in_the_room(city: City) -> None:
    await enter(city, *city.entitled, city.lan, city.son)


def raised(vote: VoteIds, *members: Person, **hands: int | list[Person]) -> dict[str, Any]:
    """Arguments of recordHands: so many hands, or whose, for, against, abstain."""
    by_name = {kind.value.lower(): option for kind, option in vote.options.items()}
    return {
        "memberIds": [member.id for member in members],
        "hands": [
            {"optionId": by_name[name.strip("_")], **_hands(of)} for name, of in hands.items()
        ],
    }


def _hands(of: int | list[Person]) -> dict[str, Any]:
    if isinstance(of, int):
        return {"count": of}
    return {"count": len(of), "memberIds": [person.id for person in of]}


async def no(city: City, vote: VoteIds, arguments: dict[str, Any]) -> tuple[str, Any]:
    value = await refused(city.hanh, "recordHands", voteId=vote.id, **arguments)
    return value["reason"], value["details"]


async def test_hands_are_counted_with_the_ballots_and_marked(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    after = await vote_after(
        city.hanh, "recordHands", vote, **raised(vote, for_=[city.binh], against=[city.chi])
    )
    assert turnout(after) == (3, 2)
    assert counts(after) == dict(zip(map(str, vote.options.values()), [2, 1, 0], strict=True))
    again = await vote_after(
        city.dung, "recordHands", vote, **raised(vote, city.nam, for_=0, abstain=1)
    )
    assert again["version"] > after["version"]
    assert turnout(again) == (4, 3)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed) == dict(zip(map(str, vote.options.values()), [2, 1, 1], strict=True))
    assert list(problems(await export(city, vote))) == []


@pytest.mark.parametrize("rule", [ORDINARY, CHANGEABLE], ids=lambda rule: rule.change.value)
async def test_whose_hand_was_counted_casts_no_ballot(city: City, rule: RuleSet) -> None:
    vote = await open_motion(city, rule)
    await vote_after(city.hanh, "recordHands", vote, **raised(vote, city.binh, against=1))
    seen = await look(city.binh, vote)
    assert (seen["myReceipt"], "CAST_BALLOT" in seen["viewerMay"]) == (None, False)
    counted = ("ALREADY_VOTED", {"countedByHand": True})
    assert await cast_refused(city.binh, vote, vote.for_) == counted
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert turnout(closed) == (1, 1)
    assert counts(closed)[str(vote.against)] == 1
    assert (await cast_refused(city.binh, vote, vote.for_))[0] == "ALREADY_VOTED"


@pytest.mark.parametrize("rule", [ORDINARY, CHANGEABLE], ids=lambda rule: rule.change.value)
async def test_no_hand_is_counted_of_who_has_voted(city: City, rule: RuleSet) -> None:
    vote = await open_motion(city, rule)
    await cast(city.an, vote, vote.for_)
    told = await no(city, vote, raised(vote, city.an, city.binh, for_=2))
    assert told == ("ALREADY_VOTED", {"members": [str(city.an.id)]})
    await vote_after(city.hanh, "recordHands", vote, **raised(vote, city.binh, for_=1))
    told = await no(city, vote, raised(vote, city.binh, city.chi, for_=2))
    assert told == ("ALREADY_VOTED", {"members": [str(city.binh.id)]})


async def test_as_many_hands_are_raised_as_members_are_named_each_once(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    for_an = {"optionId": vote.for_, "count": 1, "memberIds": [city.an.id]}
    for arguments in (
        raised(vote, city.an, for_=2),
        raised(vote, city.an, city.binh, for_=1),
        raised(vote, city.an, city.an, for_=2),
        raised(vote, city.an, city.an, for_=1),
        raised(vote, city.an),
        raised(vote, for_=1),
        raised(vote, for_=0),
        raised(vote),
        raised(vote, city.an, for_=2, against=-1),
        raised(vote, city.an, for_=2**31 - 1),
        raised(vote, for_=[city.an, city.an]),
        raised(vote, for_=[city.an], against=[city.an]),
        raised(vote, city.binh, for_=[city.an]),
        raised(vote, city.an, city.binh, for_=[city.an]),
        raised(vote, city.an, city.binh, for_=[city.an], against=1),
        raised(vote, city.an, city.binh, for_=1, against=1),
        {"memberIds": [], "hands": [{**for_an, "count": 2}]},
        {"memberIds": [city.an.id], "hands": [{**for_an, "memberIds": []}]},
    ):
        assert (await no(city, vote, arguments))[0] == "INVALID_INPUT", arguments


async def test_one_option_may_be_named_twice(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    arguments = raised(vote, city.an, city.binh, for_=1)
    arguments["hands"] *= 2
    after = await vote_after(city.hanh, "recordHands", vote, **arguments)
    assert counts(after)[str(vote.for_)] == 2


async def test_only_hands_of_entitled_members_are_counted(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    suspended = Member.id == city.chi.id
    await change(city.scene.database, Member, suspended, standing=Standing.SUSPENDED)
    for person in (city.lan, city.son, city.thu, city.yen, city.chi):
        told = await no(city, vote, raised(vote, city.an, person, for_=2))
        assert told == ("NOT_ENTITLED", {"members": [str(person.id)]})
    for unknown, why in [(uuid4(), "NOT_ENTITLED"), ("x", "NOT_FOUND"), ("\ud800", "NOT_FOUND")]:
        arguments = raised(vote, city.an, for_=2)
        arguments["memberIds"].append(unknown)
        assert (await no(city, vote, arguments))[0] == why


async def test_hands_are_raised_for_an_option_of_the_vote(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    for option, why in [(city.vote.for_, "INVALID_CHOICE"), ("x", "NOT_FOUND")]:
        arguments = {"memberIds": [city.an.id], "hands": [{"optionId": option, "count": 1}]}
        assert (await no(city, vote, arguments))[0] == why


async def test_hands_are_counted_only_while_the_vote_is_open(city: City) -> None:
    vote = await prepared_motion(city, ORDINARY)
    assert (await no(city, vote, raised(vote, city.an, for_=1)))[0] == "VOTE_NOT_OPEN"
    await vote_after(city.hanh, "openVote", vote)
    await vote_after(city.hanh, "closeVote", vote)
    assert (await no(city, vote, raised(vote, city.an, for_=1)))[0] == "VOTE_CLOSED"


async def test_hands_are_counted_before_the_time_is_over(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    past = datetime.now(UTC) - timedelta(milliseconds=1)
    await change(city.scene.database, Vote, Vote.id == vote.id, closes_at=past)
    assert (await no(city, vote, raised(vote, city.an, for_=1)))[0] == "VOTE_CLOSED"


async def test_hands_choose_nobody_and_weigh_nothing(city: City) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    election = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai"])
    await vote_after(city.hanh, "openVote", election)
    arguments = {
        "voteId": election.id,
        "memberIds": [city.an.id],
        "hands": [{"optionId": election.box("Mai", "FOR"), "count": 1}],
    }
    assert await reason(city.hanh, "recordHands", **arguments) == "INVALID_RULE"
    for rule in (WEIGHTED, replace(ORDINARY, proxies=1)):
        vote = city.scene.vote(
            city.meeting, position=60 + rule.is_weighted + rule.weights, rule=rule
        )
        await city.scene.save()
        await vote_after(city.hanh, "openVote", vote)
        assert (await no(city, vote, raised(vote, city.an, for_=1)))[0] == "INVALID_RULE"


async def test_measures_may_be_chosen_by_hand(city: City) -> None:
    discipline = PRESETS["vi-party"][Matter.DISCIPLINE]
    by_name = replace(discipline, secrecy=Secrecy.OPEN, live_tally=LiveTally.ALWAYS)
    city.scene.rule(city.branch, by_name, Matter.DISCIPLINE)
    await city.scene.save()
    paper = await prepare(
        city.hanh, city.meeting.items[0], Matter.DISCIPLINE, ["Cảnh cáo", "Khiển trách"]
    )
    await vote_after(city.hanh, "openVote", paper)
    await cast(city.an, paper, paper.box("Cảnh cáo"))
    hands = [{"optionId": paper.box("Khiển trách"), "count": 2}]
    counted = {"memberIds": [city.binh.id, city.chi.id], "hands": hands}
    await vote_after(city.hanh, "recordHands", paper, **counted)
    closed = await vote_after(city.hanh, "closeVote", paper)
    assert turnout(closed) == (3, 2)
    assert counts(closed)[paper.box("Khiển trách")] == 2
    assert list(problems(await export(city, paper))) == []


async def test_the_chain_names_whose_hand_was_counted_for_what(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    arguments = raised(vote, for_=[city.an], against=[city.binh])
    await vote_after(city.dung, "recordHands", vote, **arguments)
    choices = {str(city.an.id): str(vote.for_), str(city.binh.id): str(vote.against)}
    told = {"by": str(city.dung.id), "members": sorted(choices), "choices": choices}
    kind, payload = (await chain(city, vote))[-1]
    assert (kind, payload) == ("HANDS_RECORDED", {**told, "sealed": payload["sealed"]})
    rows = await stored(city, select(CountedHand.member_id, CountedHand.option_id))
    assert {str(row.member_id): str(row.option_id) for row in rows} == choices
    assert await count(city, HandCount) == 0
