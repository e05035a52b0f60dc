"""Casting ballots of every method, changing them where the rule lets, and finding them again."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain as joined
from itertools import repeat
from typing import Any

import pytest
from sqlalchemy import select

from models.register.units import Member
from models.votes.votes import Ballot, BallotChoice
from rules.meetings.meetings import MeetingState
from rules.register.members import Role, Standing, UnitKind
from rules.votes.presets import PRESETS, Matter
from rules.votes.rule_sets import Empty, LiveTally, Overvote, RuleSet
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City, Scene
from tests.support.tampering import change
from tests.support.voting import (
    CHANGEABLE,
    Paper,
    cast,
    cast_refused,
    count,
    counts,
    end,
    look,
    open_motion,
    prepare,
    stored,
    vote_after,
)

OPENLY = replace(
    PRESETS["de-verein"][Matter.ELECTION],
    secrecy=ORDINARY.secrecy,
    live_tally=LiveTally.ALWAYS,
)
"""One box a candidate, most marks win, and everybody sees who voted how."""


async def open_election(
    city: City, rule: RuleSet, names: list[str], seats: int = 1, matter: Matter = Matter.ELECTION
) -> Paper:
    city.scene.rule(city.branch, rule, matter)
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], matter, names, seats=seats)
    await vote_after(city.hanh, "openVote", paper)
    return paper


# --- CHOOSE_UP_TO -------------------------------------------------------------------------------


async def test_whoever_marks_more_than_there_are_seats_has_spoilt_the_ballot(city: City) -> None:
    """Test vector 16: the ballot is invalid, and counted as returned."""
    paper = await open_election(city, OPENLY, ["Mai", "Long", "Phúc"], seats=2)
    mai, long, phuc = (paper.box(name) for name in ("Mai", "Long", "Phúc"))
    assert set((await cast(city.an, paper, mai, long))["choices"]) == {mai, long}
    assert (await cast(city.binh, paper, mai))["choices"] == [mai]
    assert (await cast(city.chi, paper, mai, long, phuc))["choices"] == []
    assert (await cast(city.nam, paper))["choices"] == []
    vote = await vote_after(city.hanh, "closeVote", paper)
    tally = vote["tally"]
    assert (tally["cast"], tally["blanks"], tally["invalid"]) == (4, 1, 1)
    assert counts(vote) == {mai: 2, long: 1, phuc: 0}
    validity = {ballot["member"]["id"]: ballot["validity"] for ballot in vote["record"]}
    assert validity == {
        str(city.an.id): "VALID",
        str(city.binh.id): "VALID",
        str(city.chi.id): "INVALID",
        str(city.nam.id): "BLANK",
    }


async def test_where_the_rule_says_so_a_wrong_ballot_is_not_even_taken(city: City) -> None:
    strict = replace(OPENLY, overvote=Overvote.REFUSED, empty=Empty.REFUSED)
    paper = await open_election(city, strict, ["Mai", "Long", "Phúc"], seats=2)
    everybody = paper.of_kind("CHOICE")
    told = await cast_refused(city.an, paper, *everybody)
    assert told == ("INVALID_CHOICE", {"chosen": 3, "allowed": 2})
    told = await cast_refused(city.an, paper)
    assert told == ("INVALID_CHOICE", {"chosen": 0, "allowed": 2})
    assert (await cast_refused(city.an, paper, everybody[0], everybody[0]))[0] == "INVALID_CHOICE"
    assert (await cast_refused(city.an, paper, city.vote.for_))[0] == "INVALID_CHOICE"
    await cast(city.an, paper, *everybody[:2])


async def test_those_with_the_most_votes_are_elected(city: City) -> None:
    paper = await open_election(city, OPENLY, ["Mai", "Long", "Phúc"], seats=2)
    mai, long, phuc = (paper.box(name) for name in ("Mai", "Long", "Phúc"))
    for person, marks in [
        (city.an, [mai, phuc]),
        (city.binh, [mai, phuc]),
        (city.chi, [mai, long]),
        (city.nam, [phuc]),
    ]:
        await cast(person, paper, *marks)
    await vote_after(city.hanh, "closeVote", paper)
    fields = "outcome { verdict candidates { optionId votes rank isElected } }"
    outcome = (await look(city.an, paper, fields))["outcome"]
    assert outcome["verdict"] == "CARRIED"
    assert outcome["candidates"] == [
        {"optionId": mai, "votes": 3, "rank": 1, "isElected": True},
        {"optionId": phuc, "votes": 3, "rank": 1, "isElected": True},
        {"optionId": long, "votes": 1, "rank": 3, "isElected": False},
    ]


# --- YES_NO_PER_CANDIDATE -----------------------------------------------------------------------


async def test_both_boxes_marked_is_no_vote_for_that_candidate(city: City) -> None:
    """Test vector 9: the ballot is valid all the same."""
    party = replace(
        PRESETS["vi-party"][Matter.ELECTION],
        secrecy=ORDINARY.secrecy,
        live_tally=LiveTally.ALWAYS,
    )
    paper = await open_election(city, party, ["Mai", "Long"], seats=2)
    yes = {name: paper.box(name, "FOR") for name in ("Mai", "Long")}
    no = {name: paper.box(name, "AGAINST") for name in ("Mai", "Long")}
    receipt = await cast(city.an, paper, yes["Mai"], no["Mai"], yes["Long"])
    assert receipt["choices"] == [yes["Long"]]
    await cast(city.binh, paper, yes["Mai"], no["Long"])
    await cast(city.chi, paper, no["Mai"])
    vote = await vote_after(city.hanh, "closeVote", paper)
    assert counts(vote) == {yes["Mai"]: 1, no["Mai"]: 1, yes["Long"]: 1, no["Long"]: 1}
    assert (vote["tally"]["cast"], vote["tally"]["invalid"]) == (3, 0)


async def test_more_yes_than_seats_spoils_the_ballot_and_any_number_of_no_does_not(
    city: City,
) -> None:
    city.scene.rule(
        city.branch,
        replace(PRESETS["vi-party"][Matter.ELECTION], max_surplus=None),
        Matter.ELECTION,
    )
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai", "Long"])
    await vote_after(city.hanh, "openVote", paper)
    await cast(city.an, paper, *paper.of_kind("FOR"))
    await cast(city.binh, paper, *paper.of_kind("AGAINST"))
    for person in (city.chi, city.minh, city.nam):
        await cast(person, paper, paper.box("Mai", "FOR"), paper.box("Long", "AGAINST"))
    await end(city, paper)
    vote = await vote_after(city.hanh, "publishVote", paper)
    assert (vote["tally"]["cast"], vote["tally"]["invalid"]) == (5, 1)
    assert list(counts(vote).values()) == [3, 1, 0, 4]


# --- ORDERED_CUMULATIVE -------------------------------------------------------------------------


async def test_the_heaviest_measure_that_enough_support_is_chosen(city: City) -> None:
    """Test vector 8: expel 6 < 14, dismiss 6 + 3 < 11, warn 6 + 3 + 4 ≥ 11: a warning."""
    scene: Scene = city.scene
    branch = scene.unit("Chi bộ 8", UnitKind.BRANCH, city.ward)
    chair = scene.member("Thư", branch, role=Role.SECRETARY)
    voters = [chair, *scene.members([f"Đảng viên {n}" for n in range(19)], branch)]
    meeting = scene.meeting(branch, MeetingState.IN_SESSION, voters, chair=chair)
    scene.preset(city.city, "vi-party")
    await scene.save()
    measures = ["Khai trừ", "Cách chức", "Cảnh cáo", "Khiển trách"]
    paper = await prepare(chair, meeting.items[0], Matter.DISCIPLINE, measures)
    await vote_after(chair, "openVote", paper)
    support = zip(measures, [6, 3, 4, 7], strict=True)
    marks = joined.from_iterable(repeat(paper.box(name), times) for name, times in support)
    for voter, mark in zip(voters, marks, strict=True):
        await cast(voter, paper, mark)
    await vote_after(chair, "closeVote", paper)
    await vote_after(chair, "publishVote", paper)
    fields = """outcome { carried base measure
      measures { optionId votes cumulative needed hasReached } sentence }"""
    outcome = (await look(voters[5], paper, fields))["outcome"]
    assert (outcome["carried"], outcome["base"]) == (True, 20)
    assert outcome["measure"] == paper.box("Cảnh cáo")
    figures = [
        (one["votes"], one["cumulative"], one["needed"], one["hasReached"])
        for one in outcome["measures"]
    ]
    assert figures == [(6, 6, 14, False), (3, 9, 11, False), (4, 13, 11, True), (7, 20, 11, True)]
    assert "Cảnh cáo" in outcome["sentence"]


# --- LAST_COUNTS --------------------------------------------------------------------------------


async def test_a_later_ballot_replaces_the_earlier_one_which_stays_on_record(city: City) -> None:
    vote = await open_motion(city, CHANGEABLE)
    first = await cast(city.an, vote, vote.for_, key="first")
    await cast(city.binh, vote, vote.for_)
    before = await look(city.an, vote)
    assert "CAST_BALLOT" in before["viewerMay"]
    second = await cast(city.an, vote, vote.against, key="second")
    after = await look(city.an, vote)
    assert after["version"] > before["version"]
    assert after["myReceipt"] == {name: second[name] for name in after["myReceipt"]}
    assert after["tally"]["cast"] == 2
    assert counts(after)[str(vote.for_)] == counts(after)[str(vote.against)] == 1
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert closed["tally"]["cast"] == 2
    trackers = {one["member"]["id"]: one["tracker"] for one in closed["record"]}
    assert trackers[str(city.an.id)] == second["tracker"] != first["tracker"]
    assert len(closed["record"]) == 2
    rows = await stored(
        city,
        select(Ballot.key, Ballot.sequence, BallotChoice.option_id)
        .join(BallotChoice, BallotChoice.ballot_id == Ballot.id)
        .where(Ballot.member_id == city.an.id)
        .order_by(Ballot.sequence),
    )
    assert rows == [("first", 1, vote.for_), ("second", 2, vote.against)]


async def test_the_key_of_a_replaced_ballot_gives_its_receipt_and_brings_it_not_back(
    city: City,
) -> None:
    vote = await open_motion(city, CHANGEABLE)
    first = await cast(city.an, vote, vote.for_, key="first")
    second = await cast(city.an, vote, vote.against, key="second")
    async with unchanged(city.scene.database):
        assert await cast(city.an, vote, vote.for_, key="first") == first
        assert await cast(city.an, vote, vote.against, key="second") == second
    assert (await cast_refused(city.an, vote, vote.against, key="first"))[0] == "KEY_REUSED"
    assert counts(await look(city.an, vote))[str(vote.against)] == 1
    await cast(city.an, vote, vote.for_, key="third")
    assert counts(await look(city.an, vote))[str(vote.for_)] == 1
    await vote_after(city.hanh, "closeVote", vote)
    assert await cast(city.an, vote, vote.for_, key="first") == first
    assert (await cast_refused(city.an, vote, vote.for_, key="fourth"))[0] == "VOTE_CLOSED"
    assert await count(city, Ballot) == 3


async def test_where_ballots_are_final_none_is_replaced(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_, key="first")
    assert "CAST_BALLOT" not in (await look(city.an, vote))["viewerMay"]
    assert (await cast_refused(city.an, vote, vote.against, key="second"))[0] == "ALREADY_VOTED"


# --- The record ---------------------------------------------------------------------------------


def _of(member: Any, record: Any) -> Any:
    (found,) = [ballot for ballot in record if ballot["member"]["id"] == str(member.id)]
    return found


async def test_the_record_names_choices_when_an_open_vote_is_published(city: City) -> None:
    later = replace(ORDINARY, live_tally=LiveTally.AFTER_CLOSE)
    vote = await open_motion(city, later)
    receipt = await cast(city.an, vote, vote.against)
    await cast(city.binh, vote, vote.for_)
    assert len(receipt["tracker"]) == 12
    await vote_after(city.hanh, "closeVote", vote)
    for person in (city.hanh, city.an, city.oanh):
        assert (await look(person, vote))["record"] is None, "not before it is published"
    await vote_after(city.hanh, "publishVote", vote)
    for person in (city.hanh, city.an, city.lan, city.oanh):
        record = (await look(person, vote))["record"]
        assert len(record) == 2
        assert _of(city.an, record)["tracker"] == receipt["tracker"]
        assert _of(city.an, record)["choices"] == [str(vote.against)]
        assert _of(city.binh, record)["choices"] == [str(vote.for_)]


async def test_while_a_vote_is_open_nobody_reads_who_voted_how(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.against)
    for person in (city.hanh, city.an, city.oanh):
        seen = await look(person, vote)
        assert (seen["record"], seen["outcome"]) == (None, None)
    assert (await look(city.binh, vote))["myReceipt"] is None


# --- Suspended meanwhile ------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [ORDINARY, CHANGEABLE], ids=["final", "last counts"])
async def test_who_is_suspended_after_the_opening_casts_no_more_and_what_they_cast_stays(
    city: City, rule: RuleSet
) -> None:
    vote = await open_motion(city, rule)
    receipt = await cast(city.an, vote, vote.for_)
    suspended = Member.id.in_([city.an.id, city.binh.id])
    await change(city.scene.database, Member, suspended, standing=Standing.SUSPENDED)
    told = await cast_refused(city.binh, vote, vote.for_)
    assert told == ("NOT_ENTITLED", {"leftOut": "SUSPENDED"})
    again = await cast_refused(city.an, vote, vote.against, key="another")
    assert again[0] == ("ALREADY_VOTED" if rule is ORDINARY else "NOT_ENTITLED")
    assert await cast(city.an, vote, vote.for_) == receipt
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == closed["tally"]["cast"] == 1
