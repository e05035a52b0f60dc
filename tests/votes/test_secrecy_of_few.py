"""A vote that hides who chose what is for enough people, and its end surprises nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.register.units import Member
from resolvers.votes.due_votes import close_due_votes
from rules.register.members import Standing
from rules.votes.explain.sentences import Language, explain
from rules.votes.outcome import Outcome
from rules.votes.presets import Matter
from rules.votes.record.recount import problems, recount
from rules.votes.rule_sets import Base, Method
from tests.support.asking import act
from tests.support.factories import ORDINARY, City, Person, VoteIds, context_of
from tests.support.tampering import change
from tests.support.voting import (
    HIDDEN,
    Held,
    cast,
    chain,
    counts,
    draft_of,
    end,
    export,
    look,
    open_motion,
    prepare,
    prepared_motion,
    reason,
    refused,
    run_out,
    vote_after,
)
from tests.votes.test_unattributed import all_they_see, figures_in


@pytest.fixture
async def vote(city: City) -> VoteIds:
    """A hidden motion that is open, for seven."""
    return await open_motion(city, HIDDEN)


async def check_in(city: City, *people: Person) -> None:
    for person in people:
        await act(context_of(person), "checkIn", meetingId=city.meeting.id)


async def everybody_casts(city: City, vote: Held, number: int = 7) -> None:
    option = vote.for_ if isinstance(vote, VoteIds) else vote.of_kind("FOR")[0]
    for person in city.entitled[:number]:
        await cast(person, vote, option)


# --- Opening ------------------------------------------------------------------------------------


async def test_a_hidden_vote_does_not_open_for_too_few(city: City) -> None:
    city.scene.rule(city.branch, HIDDEN)
    await city.scene.save()
    item = city.meeting.items[0]
    isolated = [person.id for person in city.entitled[1:]]
    for recused, entitled in ((isolated, 1), (isolated[:3], 4)):
        vote = await prepare(city.hanh, item, recused=recused)
        told = await refused(city.hanh, "openVote", voteId=vote.id)
        assert told["reason"] == "TOO_FEW_VOTERS_FOR_SECRECY"
        assert told["details"] == {"entitled": entitled, "needed": 5}
    five = await prepare(city.hanh, item, recused=isolated[:2])
    assert (await vote_after(city.hanh, "openVote", five))["tally"]["eligible"] == 5


async def test_how_few_is_what_the_rule_says(city: City) -> None:
    for least, is_opened in ((7, True), (8, False)):
        vote = city.scene.vote(
            city.meeting, position=50 + least, rule=replace(HIDDEN, min_voters_for_secret=least)
        )
        await city.scene.save()
        value = await act(context_of(city.hanh), "openVote", voteId=vote.id)
        assert (value["__typename"] == "Vote") is is_opened


async def test_who_is_suspended_is_not_among_those_who_may_vote(city: City) -> None:
    for person in (city.an, city.binh, city.chi):
        await change(
            city.scene.database, Member, Member.id == person.id, standing=Standing.SUSPENDED
        )
    vote = await prepared_motion(city, HIDDEN)
    assert await reason(city.hanh, "openVote", voteId=vote.id) == "TOO_FEW_VOTERS_FOR_SECRECY"


async def test_the_branch_knows_who_is_recused_before_the_vote_opens_and_so_does_the_chain(
    city: City,
) -> None:
    city.scene.rule(city.branch, HIDDEN)
    await city.scene.save()
    recused = sorted([str(city.an.id), str(city.binh.id)])
    vote = await prepare(city.hanh, city.meeting.items[0], recused=recused)
    for person in (city.hanh, city.chi, city.oanh):
        seen = await look(person, vote, "state recused { id name }")
        assert seen["state"] == "PREPARED"
        assert [one["id"] for one in seen["recused"]] == recused
    await vote_after(city.hanh, "openVote", vote)
    told = dict(await chain(city, vote))
    assert told["CREATED"]["recused"] == told["OPENED"]["recused"] == recused


# --- Too few ballots ----------------------------------------------------------------------------


@pytest.mark.parametrize("ballots", [0, 1, 4])
async def test_of_too_few_ballots_nobody_ever_sees_a_figure(
    city: City, vote: VoteIds, ballots: int
) -> None:
    await everybody_casts(city, vote, ballots)
    closed = await end(city, vote)
    assert closed["publishedAt"] is not None, "there is nothing to wait for"
    await nobody_sees_figures(city, vote, ballots)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    await act(context_of(city.dung), "confirmAnnulment", voteId=vote.id)
    await nobody_sees_figures(city, vote, ballots)


async def nobody_sees_figures(city: City, vote: Held, ballots: int) -> None:
    for person in (city.hanh, city.dung, city.an, city.lan, city.oanh):
        for seen in (await all_they_see(person, city, vote))[:2]:
            assert seen["outcome"]["verdict"] == "TOO_FEW_BALLOTS"
            assert seen["outcome"]["nextStep"] == "VOTE_AGAIN"
            assert set(counts(seen).values()) == {None}
            assert (seen["tally"]["blanks"], seen["tally"]["invalid"]) == (None, None)
            assert (seen["tally"]["cast"], seen["record"]) == (ballots, None)
    exported = json.loads(json.dumps(await export(city, vote)))
    assert (exported["ballots"], exported["withheld"]) == ([], "TOO_FEW_BALLOTS")
    assert exported["outcome"]["counts"] == []
    assert list(problems(exported)) == []
    assert recount(exported).to_data() == exported["outcome"]
    audited = json.dumps(await chain(city, vote))
    assert not any(str(option) in audited for option in exported["options"])


async def test_five_ballots_are_enough(city: City, vote: VoteIds) -> None:
    await everybody_casts(city, vote, 5)
    await end(city, vote)
    published = await vote_after(city.hanh, "publishVote", vote)
    assert counts(published)[str(vote.for_)] == 5
    assert "withheld" not in await export(city, vote)


@pytest.mark.parametrize("method", [Method.CHOOSE_UP_TO, Method.YES_NO_PER_CANDIDATE])
async def test_too_few_papers_elect_nobody_and_show_nothing(city: City, method: Method) -> None:
    preset = "vi-party" if method is Method.YES_NO_PER_CANDIDATE else "de-verein"
    city.scene.preset(city.branch, preset)
    await city.scene.save()
    vote = await prepare(
        city.hanh, city.meeting.items[0], Matter.ELECTION, ["Mai", "Long"], seats=2
    )
    await vote_after(city.hanh, "openVote", vote)
    choice = (vote.of_kind("CHOICE") or vote.of_kind("FOR"))[0]
    for person in city.entitled[:4]:
        await cast(person, vote, choice)
    closed = await end(city, vote)
    outcome = (await look(city.hanh, vote, "outcome { candidates { votes } verdict }"))["outcome"]
    assert outcome == {"candidates": [], "verdict": "TOO_FEW_BALLOTS"}
    assert figures_in(closed["tally"]) == []
    again = await vote_after(city.hanh, "repeatVote", vote)
    assert (again["rule"]["seats"], len(again["options"])) == (2, len(vote.options))


async def test_too_few_ballots_are_told_in_a_sentence(city: City, vote: VoteIds) -> None:
    await everybody_casts(city, vote, 3)
    outcome = (await end(city, vote))["outcome"]
    assert outcome["en"] == (
        "Too few ballots: 3 of 7 entitled members voted, and fewer than 5 ballots could show who"
        " chose what; nobody is shown any figures."
    )
    assert outcome["vi"].startswith("Quá ít phiếu: 3/7 người có quyền biểu quyết đã bỏ phiếu")
    whole = Outcome.from_data((await export(city, vote))["outcome"])
    assert explain(whole, Language.EN) == outcome["en"]


async def test_a_base_of_ballots_is_no_figure_either(city: City) -> None:
    rule = replace(HIDDEN, base=Base.BALLOTS_CAST, base_exclusions=frozenset())
    vote = await open_motion(city, rule)
    await everybody_casts(city, vote, 2)
    await end(city, vote)
    outcome = (await export(city, vote))["outcome"]
    figures = ("base", "votes_for", "votes_against", "hundredths", "abstentions", "blanks")
    assert {outcome[name] for name in figures} == {0}


async def test_who_is_suspended_meanwhile_does_not_make_few_ballots_many(
    city: City, vote: VoteIds
) -> None:
    await everybody_casts(city, vote, 4)
    for person in city.entitled[4:]:
        await change(
            city.scene.database, Member, Member.id == person.id, standing=Standing.SUSPENDED
        )
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert closed["outcome"]["verdict"] == "TOO_FEW_BALLOTS"


# --- Closing early ------------------------------------------------------------------------------


async def test_the_chair_does_not_close_while_somebody_present_has_not_voted(
    city: City, vote: VoteIds
) -> None:
    await check_in(city, *city.entitled[:6], city.lan)
    await everybody_casts(city, vote, 1)
    told = await refused(city.hanh, "closeVote", voteId=vote.id)
    assert (told["reason"], told["details"]["waiting"]) == ("STILL_VOTING", 5)
    assert not any(str(person.id) in json.dumps(told) for person in city.entitled)
    await everybody_casts(city, vote, 5)
    assert await reason(city.hanh, "closeVote", voteId=vote.id) == "STILL_VOTING"
    await cast(city.entitled[5], vote, vote.against)
    # Nam has not come.
    assert (await vote_after(city.hanh, "closeVote", vote))["state"] == "CLOSED"


async def test_where_nobody_has_checked_in_everybody_is_waited_for(
    city: City, vote: VoteIds
) -> None:
    await everybody_casts(city, vote, 6)
    assert await reason(city.hanh, "closeVote", voteId=vote.id) == "STILL_VOTING"
    await cast(city.entitled[6], vote, vote.for_)
    await vote_after(city.hanh, "closeVote", vote)


async def test_nobody_waits_for_who_may_not_vote(city: City, vote: VoteIds) -> None:
    await check_in(city, *city.entitled, city.lan)
    await everybody_casts(city, vote, 6)
    last = Member.id == city.entitled[6].id
    await change(city.scene.database, Member, last, standing=Standing.SUSPENDED)
    await vote_after(city.hanh, "closeVote", vote)


async def test_a_vote_that_is_closed_is_closed_whoever_has_not_voted(
    city: City, vote: VoteIds
) -> None:
    await end(city, vote)
    assert await reason(city.hanh, "closeVote", voteId=vote.id) == "VOTE_CLOSED"


async def test_an_open_vote_closes_whenever_the_chair_says(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await check_in(city, *city.entitled)
    await cast(city.an, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == 1


async def test_the_chair_announces_an_end_and_the_vote_closes_by_itself(
    city: City, vote: VoteIds
) -> None:
    await check_in(city, *city.entitled)
    await everybody_casts(city, vote, 5)
    now = datetime.now(UTC)
    for soon in (0, 1, 25):
        told = await refused(
            city.hanh, "extendVote", voteId=vote.id, closesAt=now + timedelta(seconds=soon)
        )
        assert (told["reason"], told["details"]) == ("INVALID_INPUT", {"noticeSeconds": 30})
    hour = now + timedelta(hours=1)
    await vote_after(city.hanh, "extendVote", vote, closesAt=hour)
    nearer = now + timedelta(minutes=2)
    told = await vote_after(city.hanh, "extendVote", vote, closesAt=nearer)
    assert datetime.fromisoformat(told["closesAt"]) == nearer
    assert await reason(city.hanh, "closeVote", voteId=vote.id) == "STILL_VOTING"
    await run_out(city, vote)
    await close_due_votes(context_of(city.nobody))
    assert (await look(city.an, vote))["state"] == "CLOSED"


async def test_the_end_of_an_open_vote_only_moves_away(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    now = datetime.now(UTC)
    await vote_after(city.hanh, "extendVote", vote, closesAt=now + timedelta(minutes=9))
    earlier = {"voteId": vote.id, "closesAt": now + timedelta(minutes=8)}
    assert await reason(city.hanh, "extendVote", **earlier) == "INVALID_INPUT"


@pytest.mark.parametrize("rule", [ORDINARY, HIDDEN], ids=["open", "hidden"])
@pytest.mark.parametrize(
    "moment",
    [
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59.999999+00:00",
        "0001-01-01T00:00:00+14:00",
        "2999-01-01T00:00:00Z",
        "2026-01-01T00:00:00",
    ],
)
async def test_a_moment_that_no_vote_lasts_until_is_refused(
    city: City, rule: Any, moment: str
) -> None:
    vote = await open_motion(city, rule)
    arguments = {"voteId": vote.id, "closesAt": moment}
    assert await reason(city.hanh, "extendVote", **arguments) == "INVALID_INPUT"
    tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=1)
    told = await refused(city.hanh, "extendVote", voteId=vote.id, closesAt=tomorrow)
    assert told["details"] == {"longestSeconds": 86_400}


@pytest.mark.parametrize(("seconds", "is_taken"), [(29, False), (30, True), (86_401, False)])
async def test_a_hidden_vote_lasts_long_enough_for_everybody(
    city: City, seconds: int, is_taken: bool
) -> None:
    city.scene.rule(city.branch, HIDDEN)
    await city.scene.save()
    draft = draft_of(city.meeting.items[0], seconds=seconds)
    value = await act(context_of(city.hanh), "prepareVote", draft=draft)
    assert (value["__typename"] == "Vote") is is_taken, value


# --- Who has voted ------------------------------------------------------------------------------


async def test_no_answer_says_by_name_who_has_voted(city: City, vote: VoteIds) -> None:
    """The chair asks for everything there is, and tries what might tell."""
    await check_in(city, *city.entitled)
    before = await all_they_see(city.hanh, city, vote)
    await cast(city.an, vote, vote.for_)
    after = await all_they_see(city.hanh, city, vote)
    number = re.compile(r'"(version|cast)": \d+')
    assert number.sub("", json.dumps(after)) == number.sub("", json.dumps(before))
    assert await reason(city.hanh, "amendRoll", voteId=vote.id, memberId=city.an.id) == (
        await reason(city.hanh, "amendRoll", voteId=vote.id, memberId=city.binh.id)
    )


async def test_present_at_another_meeting_is_not_present_here(city: City, vote: VoteIds) -> None:
    await act(context_of(city.yen), "checkIn", meetingId=city.other_meeting.id)
    await everybody_casts(city, vote, 1)
    told = await refused(city.hanh, "closeVote", voteId=vote.id)
    assert told["details"]["waiting"] == 6
    assert await reason(city.an, "closeVote", voteId=vote.id) == "NOT_ALLOWED"
