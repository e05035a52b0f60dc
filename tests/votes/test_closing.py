"""How votes end: closed once by whoever is there, decided, published, annulled, repeated."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from models.register.units import Member
from models.votes.votes import Vote
from realtime.topics import channel_of_meeting, topic_of_vote
from resolvers.votes import due_votes
from resolvers.votes.due_votes import close_due_votes
from resolvers.votes.votes import close_held_vote
from rules.register.members import Standing
from rules.votes.ballots import OptionKind
from rules.votes.presets import PRESETS, Matter
from rules.votes.record.recount import problems
from rules.votes.rule_sets import Comparison, LiveTally, Secrecy, TieRule
from rules.votes.ties import draw_lot
from server.runtime import due_votes as closer
from tests.support.asking import PATIENCE, act, eventually
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City, Scene, VoteIds, context_of
from tests.support.tampering import change
from tests.support.voting import (
    HIDDEN,
    TIED,
    Held,
    Paper,
    cast,
    cast_refused,
    chain,
    counts,
    enter,
    export,
    look,
    open_motion,
    paper_of,
    prepare,
    prepared_motion,
    reason,
    run_out,
    vote_after,
)

WHEN_ALL_VOTED = replace(ORDINARY, closes_when_all_voted=True)


async def close_due(city: City, workers: int = 1) -> list[float]:
    """What every worker does now and then, several of them at once."""
    contexts = [
        context_of(replace(city.nobody, scene=Scene(city.scene.database, city.scene.feed)))
        for _ in range(workers)
    ]
    look_again_within = await asyncio.gather(*map(close_due_votes, contexts))
    for context in contexts:
        await context.release()
    return look_again_within


async def kinds(city: City, vote: Held) -> list[str]:
    return [kind for kind, _ in await chain(city, vote)]


# --- By the clock -------------------------------------------------------------------------------


async def test_when_the_time_is_over_no_ballot_is_taken_though_nobody_closed_the_vote(
    city: City,
) -> None:
    vote = await open_motion(city, ORDINARY)
    receipt = await cast(city.an, vote, vote.for_)
    await run_out(city, vote)
    assert (await cast_refused(city.binh, vote, vote.for_))[0] == "VOTE_CLOSED"
    seen = await look(city.binh, vote)
    assert (seen["state"], "CAST_BALLOT" in seen["viewerMay"]) == ("OPEN", False)
    assert await cast(city.an, vote, vote.for_) == receipt


async def test_of_several_workers_one_closes_a_vote_whose_time_is_over(city: City) -> None:
    votes = [
        city.scene.vote(city.meeting, position=80 + number, rule=rule)
        for number, rule in enumerate([ORDINARY, replace(HIDDEN, min_voters_for_secret=1), TIED])
    ]
    await city.scene.save()
    for vote in votes:
        await vote_after(city.hanh, "openVote", vote)
        await cast(city.an, vote, vote.for_)
        await run_out(city, vote)
    await close_due(city, workers=5)
    for vote in votes:
        seen = await look(city.hanh, vote)
        assert (seen["state"], seen["tally"]["cast"]) == ("CLOSED", 1)
        assert counts(seen)[str(vote.for_)] == (None if vote is votes[1] else 1)
        told = await chain(city, vote)
        assert [kind for kind, _ in told].count("CLOSED") == 1
        assert dict(told)["CLOSED"]["by"] is None
        assert list(problems(await export(city, vote))) == []
        is_published = seen["publishedAt"] is not None
        assert is_published is ("PUBLISHED" in dict(told)) is (vote is not votes[1])
    async with unchanged(city.scene.database):
        await close_due(city)


async def test_what_is_not_due_stays_open(city: City) -> None:
    later = replace(ORDINARY, duration_seconds=3_600)
    vote = await open_motion(city, later)
    await vote_after(city.hanh, "openVote", city.vote)
    async with unchanged(city.scene.database):
        await close_due(city)
    assert (await look(city.an, vote))["closesAt"] is not None


async def test_the_next_look_is_as_soon_as_an_open_vote_needs_it(city: City) -> None:
    assert await close_due(city) == [due_votes.LOOK_SELDOM]
    vote = await open_motion(city, replace(ORDINARY, duration_seconds=3_600))
    assert await close_due(city) == [due_votes.LOOK_SELDOM]
    soon = datetime.now(UTC) + timedelta(seconds=due_votes.LOOK_SELDOM / 2)
    await change(city.scene.database, Vote, Vote.id == vote.id, closes_at=soon)
    (seconds,) = await close_due(city)
    assert 0 <= seconds <= due_votes.LOOK_SELDOM / 2
    later = {"closes_at": soon + timedelta(hours=1), "closes_when_all_voted": True}
    await change(city.scene.database, Vote, Vote.id == vote.id, **later)
    assert await close_due(city) == [due_votes.LOOK_OFTEN]


async def test_a_vote_is_closed_at_its_time_not_at_the_next_seldom_look(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(due_votes, "LOOK_SELDOM", 10 * PATIENCE)
    vote = await open_motion(city, ORDINARY)
    soon = datetime.now(UTC) + timedelta(milliseconds=300)
    await change(city.scene.database, Vote, Vote.id == vote.id, closes_at=soon)
    async with (
        city.scene.feed.join(channel_of_meeting(city.meeting.id)) as mailbox,
        closer.closing_due_votes(lambda: context_of(city.nobody)),
        asyncio.timeout(PATIENCE),
    ):
        assert topic_of_vote(vote.id) in await mailbox.next()
    (link,) = [payload for kind, payload in await chain(city, vote) if kind == "CLOSED"]
    assert link["by"] is None


async def test_the_server_closes_votes_by_itself_and_tells_subscribers(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await run_out(city, vote)
    async with (
        city.scene.feed.join(channel_of_meeting(city.meeting.id)) as mailbox,
        closer.closing_due_votes(lambda: context_of(city.nobody)),
        asyncio.timeout(PATIENCE),
    ):
        assert topic_of_vote(vote.id) in await mailbox.next()
    assert (await look(city.an, vote))["state"] == "CLOSED"


async def test_a_vote_that_cannot_be_closed_holds_up_no_other(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = [city.scene.vote(city.meeting, position=80 + n) for n in range(2)]
    await city.scene.save()
    for vote in (broken, other):
        await vote_after(city.hanh, "openVote", vote)
        await run_out(city, vote)

    async def fail(transaction: Any, vote_id: UUID, *rest: Any) -> Vote:
        if vote_id == broken.id:
            raise ValueError("its rule cannot be read")
        return await close_held_vote(transaction, vote_id, *rest)

    monkeypatch.setattr(due_votes, "close_held_vote", fail)
    with capture_logs() as logs:
        assert await close_due(city) == [due_votes.LOOK_OFTEN]
    assert [entry["vote"] for entry in logs] == [str(broken.id)]
    seen = [(await look(city.an, vote))["state"] for vote in (broken, other)]
    assert seen == ["OPEN", "CLOSED"]
    monkeypatch.undo()
    assert await close_due(city) == [0.0], "others may have become due meanwhile"
    assert (await look(city.an, broken))["state"] == "CLOSED"


async def test_a_database_that_is_away_for_a_while_only_delays_closing(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[bool] = []
    close = close_due_votes

    async def fail_first(context: Any) -> float:
        calls.append(True)
        if len(calls) <= 2:
            raise OSError("connection refused")
        return await close(context) * 0

    monkeypatch.setattr(closer, "LOOK_OFTEN", 0.0)
    monkeypatch.setattr(closer, "APART", 0.01)
    monkeypatch.setattr(closer, "close_due_votes", fail_first)
    vote = await open_motion(city, ORDINARY)
    await run_out(city, vote)
    with capture_logs() as logs:
        async with closer.closing_due_votes(lambda: context_of(city.nobody)):
            await eventually(lambda: len(calls) >= 4)
    assert (await look(city.an, vote))["state"] == "CLOSED"
    assert [entry["log_level"] for entry in logs] == ["warning"] * 2


# --- When all have voted ------------------------------------------------------------------------


async def test_where_the_rule_says_so_a_vote_closes_when_all_have_voted(city: City) -> None:
    vote = await open_motion(city, WHEN_ALL_VOTED)
    *most, last = city.entitled
    await enter(city, most[0])
    hands = {"memberIds": [most[0].id], "hands": [{"optionId": vote.for_, "count": 1}]}
    await vote_after(city.hanh, "recordHands", vote, **hands)
    for person in most[1:]:
        await cast(person, vote, vote.for_)
    async with unchanged(city.scene.database):
        await close_due(city)
    await cast(last, vote, vote.against)
    await close_due(city, workers=3)
    seen = await look(city.an, vote)
    assert (seen["state"], seen["tally"]["cast"]) == ("CLOSED", 7)
    assert (await kinds(city, vote)).count("CLOSED") == 1


async def test_an_unattributed_vote_too_closes_when_all_have_voted(city: City) -> None:
    vote = await open_motion(city, replace(HIDDEN, closes_when_all_voted=True))
    for person in city.entitled:
        await close_due(city)
        await cast(person, vote, vote.for_)
    await close_due(city)
    assert (await look(city.an, vote))["state"] == "CLOSED"


async def test_nobody_waits_for_who_was_suspended_meanwhile(city: City) -> None:
    vote = await open_motion(city, WHEN_ALL_VOTED)
    for person in city.entitled[:-1]:
        await cast(person, vote, vote.for_)
    last = Member.id == city.entitled[-1].id
    await change(city.scene.database, Member, last, standing=Standing.SUSPENDED)
    await close_due(city)
    assert (await look(city.an, vote))["state"] == "CLOSED"


async def test_otherwise_a_vote_stays_open_though_all_have_voted(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    for person in city.entitled:
        await cast(person, vote, vote.for_)
    async with unchanged(city.scene.database):
        await close_due(city)


# --- Extending ----------------------------------------------------------------------------------


async def test_more_time_is_given_until_a_later_moment(city: City) -> None:
    vote = await open_motion(city, replace(ORDINARY, duration_seconds=3_600))
    closes_at = datetime.fromisoformat((await look(city.an, vote))["closesAt"])
    later = closes_at + timedelta(hours=1)
    extended = await vote_after(city.dung, "extendVote", vote, closesAt=later)
    assert datetime.fromisoformat(extended["closesAt"]) == later
    kind, payload = (await chain(city, vote))[-1]
    assert (kind, payload["by"]) == ("EXTENDED", str(city.dung.id))
    assert datetime.fromisoformat(payload["closesAt"]) == later
    for wrong in (later, closes_at, datetime.now(UTC) - timedelta(days=1)):
        arguments = {"voteId": vote.id, "closesAt": wrong}
        assert await reason(city.hanh, "extendVote", **arguments) == "INVALID_INPUT"
    naive = {"voteId": vote.id, "closesAt": "2999-01-01T00:00:00"}
    assert await reason(city.hanh, "extendVote", **naive) == "INVALID_INPUT"


async def test_only_an_open_vote_is_extended(city: City) -> None:
    vote = await prepared_motion(city, ORDINARY)
    arguments = {"voteId": vote.id, "closesAt": datetime.now(UTC) + timedelta(hours=1)}
    assert await reason(city.hanh, "extendVote", **arguments) == "VOTE_NOT_OPEN"
    await vote_after(city.hanh, "openVote", vote)
    await run_out(city, vote)
    assert await reason(city.hanh, "extendVote", **arguments) == "VOTE_CLOSED"
    await vote_after(city.hanh, "closeVote", vote)
    assert await reason(city.hanh, "extendVote", **arguments) == "VOTE_CLOSED"


# --- Ties ---------------------------------------------------------------------------------------

RESULT = """state publishedAt viewerMay outcome {
  verdict nextStep nextOptions tie { tied places rule chosen seed }
  candidates { optionId votes isElected } } """


async def tied_motion(city: City) -> VoteIds:
    vote = await open_motion(city, TIED)
    for person, option in [(city.an, vote.for_), (city.binh, vote.against)]:
        await cast(person, vote, option)
    await vote_after(city.hanh, "closeVote", vote)
    return vote


async def test_a_tie_that_the_chair_decides_waits_for_the_chair(city: City) -> None:
    vote = await tied_motion(city)
    seen = await look(city.hanh, vote, RESULT)
    assert (seen["publishedAt"], seen["outcome"]["verdict"]) == (None, "UNDECIDED")
    assert seen["outcome"]["nextStep"] == "CHAIR_MUST_CAST"
    assert seen["viewerMay"] == ["BREAK_TIE", "ANNUL_VOTE"]
    assert (await look(city.an, vote, RESULT))["outcome"] is None
    assert await reason(city.hanh, "publishVote", voteId=vote.id) == "WRONG_STATE"
    decided = await vote_after(city.hanh, "breakTie", vote, chosen=[vote.for_])
    assert decided["outcome"]["verdict"] == "CARRIED"
    assert decided["viewerMay"] == ["PUBLISH_VOTE", "ANNUL_VOTE"]
    published = await vote_after(city.hanh, "publishVote", vote)
    assert published["outcome"]["carried"] is True
    assert (await look(city.an, vote))["outcome"]["carried"] is True
    assert (await kinds(city, vote))[-3:] == ["CLOSED", "TIE_BROKEN", "PUBLISHED"]
    assert list(problems(await export(city, vote))) == []


async def test_what_breaks_no_tie_is_refused(city: City) -> None:
    vote = await tied_motion(city)
    both = [vote.for_, vote.against]
    abstain = vote.options[OptionKind.ABSTAIN]
    for chosen in ([], both, [vote.for_, vote.for_], [city.vote.for_], [abstain]):
        arguments = {"voteId": vote.id, "chosen": chosen}
        assert await reason(city.hanh, "breakTie", **arguments) == "INVALID_CHOICE", chosen
    assert await reason(city.hanh, "breakTie", voteId=vote.id, chosen=["x"]) == "NOT_FOUND"
    arguments = {"voteId": vote.id, "seniority": both}
    assert await reason(city.hanh, "breakTie", **arguments) == "INVALID_CHOICE"
    assert await reason(city.an, "breakTie", voteId=vote.id) == "NOT_ALLOWED"


async def test_a_tie_is_broken_once_and_only_where_there_is_one(city: City) -> None:
    vote = await tied_motion(city)
    arguments = {"voteId": vote.id, "chosen": [vote.against]}
    decided = await vote_after(city.hanh, "breakTie", vote, chosen=[vote.against])
    assert decided["outcome"]["verdict"] == "NOT_CARRIED"
    assert await reason(city.hanh, "breakTie", **arguments) == "WRONG_STATE"
    await vote_after(city.hanh, "publishVote", vote)
    assert await reason(city.hanh, "breakTie", **arguments) == "WRONG_STATE"
    await vote_after(city.hanh, "openVote", city.vote)
    arguments = {"voteId": city.vote.id, "chosen": [city.vote.for_]}
    assert await reason(city.hanh, "breakTie", **arguments) == "VOTE_STILL_OPEN"
    await vote_after(city.hanh, "closeVote", city.vote)
    assert await reason(city.hanh, "breakTie", **arguments) == "WRONG_STATE"


async def tied_election(city: City, tie: TieRule, names: list[str]) -> Paper:
    """Each of the names has one vote, for one seat."""
    hidden = PRESETS["de-verein"][Matter.ELECTION]
    rule = replace(hidden, tie=tie, secrecy=Secrecy.OPEN, threshold=Comparison.PLURALITY)
    city.scene.rule(city.branch, rule, Matter.ELECTION)
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, names)
    await vote_after(city.hanh, "openVote", paper)
    for person, name in zip(city.entitled, names, strict=False):
        await cast(person, paper, paper.box(name))
    await vote_after(city.hanh, "closeVote", paper)
    return paper


async def test_a_lot_is_drawn_whatever_the_chair_wishes_and_anybody_draws_it_again(
    city: City,
) -> None:
    names = ["Mai", "Long", "Phúc"]
    paper = await tied_election(city, TieRule.LOT, names)
    assert (await look(city.hanh, paper, RESULT))["outcome"]["nextStep"] == "LOT"
    await vote_after(city.hanh, "breakTie", paper, chosen=[paper.box("Mai")])
    tie = (await look(city.hanh, paper, RESULT))["outcome"]["tie"]
    drawn = draw_lot(tie["seed"], [UUID(option) for option in reversed(tie["tied"])])
    assert tie["chosen"] == [str(drawn[0])]
    await vote_after(city.hanh, "publishVote", paper)
    outcome = (await look(city.an, paper, RESULT))["outcome"]
    elected = [one["optionId"] for one in outcome["candidates"] if one["isElected"]]
    assert (outcome["verdict"], elected) == ("CARRIED", tie["chosen"])
    assert list(problems(await export(city, paper))) == []


async def test_seniority_names_everybody_who_is_tied(city: City) -> None:
    paper = await tied_election(city, TieRule.SENIORITY, ["Mai", "Long", "Phúc"])
    mai, long, phuc = (paper.box(name) for name in ("Mai", "Long", "Phúc"))
    arguments = {"voteId": paper.id, "seniority": [long, mai]}
    assert await reason(city.hanh, "breakTie", **arguments) == "INVALID_CHOICE"
    await vote_after(city.hanh, "breakTie", paper, seniority=[long, phuc, mai])
    outcome = (await look(city.hanh, paper, RESULT))["outcome"]
    assert outcome["tie"]["chosen"] == [long]
    assert list(problems(await export(city, paper))) == []


async def test_a_tie_that_is_voted_on_again_is_published_and_repeated_with_those_tied(
    city: City,
) -> None:
    paper = await tied_election(city, TieRule.REVOTE_TIED, ["Mai", "Long"])
    await vote_after(city.hanh, "publishVote", paper)
    seen = await look(city.an, paper, RESULT)
    assert seen["outcome"]["nextStep"] == "REVOTE"
    again = paper_of(await vote_after(city.hanh, "repeatVote", paper))
    assert [option["label"] for option in again.options] == ["Mai", "Long"]


# --- Publishing ---------------------------------------------------------------------------------


async def test_publishing_twice_is_the_same_as_once(city: City) -> None:
    vote = await open_motion(city, HIDDEN)
    assert await reason(city.hanh, "publishVote", voteId=vote.id) == "VOTE_STILL_OPEN"
    for person in city.entitled:
        await cast(person, vote, vote.for_)
    await vote_after(city.hanh, "closeVote", vote)
    first = await vote_after(city.hanh, "publishVote", vote)
    async with unchanged(city.scene.database):
        second = await vote_after(city.dung, "publishVote", vote)
    own = {"myReceipt": second["myReceipt"]}
    assert second == first | own
    assert await reason(city.hanh, "publishVote", voteId=city.vote.id) == "WRONG_STATE"


async def test_what_everybody_has_seen_all_along_is_published_at_once(city: City) -> None:
    for position, (live, is_published) in enumerate(
        [(LiveTally.ALWAYS, True), (LiveTally.CHAIR, False), (LiveTally.AFTER_CLOSE, False)], 80
    ):
        rule = replace(ORDINARY, live_tally=live)
        vote = city.scene.vote(city.meeting, position=position, rule=rule)
        await city.scene.save()
        await vote_after(city.hanh, "openVote", vote)
        await cast(city.an, vote, vote.for_)
        for person, sees in [
            (city.hanh, live is not LiveTally.AFTER_CLOSE),
            (city.an, live is LiveTally.ALWAYS),
        ]:
            seen = counts(await look(person, vote))[str(vote.for_)]
            assert seen == (1 if sees else None), (live, person.name)
        closed = await vote_after(city.hanh, "closeVote", vote)
        assert (closed["publishedAt"] is not None) is is_published


# --- Annulling and repeating --------------------------------------------------------------------


async def test_an_annulled_vote_keeps_its_ballots_its_outcome_and_the_reason(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    receipt = await cast(city.an, vote, vote.for_)
    assert await reason(city.hanh, "annulVote", voteId=vote.id, reason="x") == "VOTE_STILL_OPEN"
    closed = await vote_after(city.hanh, "closeVote", vote)
    why = "Kiểm phiếu sai\nở hàng thứ hai"
    annulled = await vote_after(city.hanh, "annulVote", vote, reason=f" {why} ")
    assert (annulled["state"], annulled["annulment"]) == ("ANNULLED", why)
    for name in ("tally", "outcome", "record", "roll", "closedAt"):
        assert annulled[name] == closed[name], name
    assert await cast(city.an, vote, vote.for_) == receipt
    kind, payload = (await chain(city, vote))[-1]
    assert (kind, payload["reason"]) == ("ANNULLED", why)
    assert list(problems(await export(city, vote))) == []


async def test_a_reason_that_is_none_is_refused(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await vote_after(city.hanh, "closeVote", vote)
    for wrong in ("", " \n", "\x00", "a\x00b", "\ud800", "\u202e", "x" * 1_001):
        arguments = {"voteId": vote.id, "reason": wrong}
        assert await reason(city.hanh, "annulVote", **arguments) == "INVALID_INPUT"
    await vote_after(city.hanh, "annulVote", vote, reason="x" * 1_000)


async def all_acts_refused(city: City, vote: VoteIds, expected: dict[str, str]) -> None:
    acts: dict[str, dict[str, Any]] = {
        "openVote": {},
        "closeVote": {},
        "extendVote": {"closesAt": datetime.now(UTC) + timedelta(hours=1)},
        "amendRoll": {"memberId": city.thu.id},
        "recordHands": {
            "memberIds": [city.binh.id],
            "hands": [{"optionId": vote.for_, "count": 1}],
        },
        "breakTie": {},
        "publishVote": {},
        "annulVote": {"reason": "x"},
        "nominate": {"name": "x"},
    }
    assert set(acts) == set(expected)
    for mutation, arguments in acts.items():
        told = await reason(city.hanh, mutation, voteId=vote.id, **arguments)
        assert told == expected[mutation], mutation
    assert (await cast_refused(city.binh, vote, vote.for_))[0] == "VOTE_CLOSED"


async def test_no_act_brings_an_annulled_vote_back(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    closed = dict.fromkeys(
        ["openVote", "closeVote", "extendVote", "amendRoll", "recordHands"], "VOTE_CLOSED"
    )
    wrong = dict.fromkeys(["breakTie", "publishVote", "annulVote", "nominate"], "WRONG_STATE")
    await all_acts_refused(city, vote, closed | wrong)


async def test_a_repetition_is_a_new_vote_that_names_the_old_one_once(city: City) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    vote = await prepare(city.hanh, city.meeting.items[0], recused=[city.chi.id])
    await vote_after(city.hanh, "openVote", vote)
    assert await reason(city.hanh, "repeatVote", voteId=vote.id) == "WRONG_STATE"
    await cast(city.an, vote, vote.of_kind("FOR")[0])
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    again = await vote_after(city.hanh, "repeatVote", vote)
    assert (again["state"], again["repeatOf"]) == ("PREPARED", str(vote.id))
    assert again["tally"]["cast"] == 0
    old = await look(city.an, vote)
    assert (old["state"], old["repeatedBy"]) == ("ANNULLED", again["id"])
    assert again["rule"] == old["rule"]
    paper = paper_of(again)
    assert {o["id"] for o in paper.options}.isdisjoint(o["id"] for o in vote.options)
    assert await reason(city.hanh, "repeatVote", voteId=vote.id) == "WRONG_STATE"
    # Whom the matter concerned, it still concerns.
    opened = await vote_after(city.hanh, "openVote", paper)
    assert [
        line["leftOut"] for line in opened["roll"] if line["member"]["id"] == str(city.chi.id)
    ] == ["RECUSED"]


async def test_a_hidden_result_is_published_before_the_vote_is_repeated(city: City) -> None:
    vote = await open_motion(city, HIDDEN)
    for person in city.entitled:
        await cast(person, vote, vote.for_)
    await vote_after(city.hanh, "closeVote", vote)
    assert await reason(city.hanh, "repeatVote", voteId=vote.id) == "WRONG_STATE"
    await vote_after(city.hanh, "publishVote", vote)
    await vote_after(city.hanh, "repeatVote", vote)


async def test_a_further_round_is_for_the_seats_still_open_and_who_was_not_elected(
    city: City,
) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    names = ["Mai", "Long", "Phúc", "Quý"]
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, names, seats=4)
    await vote_after(city.hanh, "openVote", paper)
    for person in city.entitled:
        await cast(person, paper, paper.box("Mai", "FOR"), paper.box("Long", "AGAINST"))
    await vote_after(city.hanh, "closeVote", paper)
    await vote_after(city.hanh, "publishVote", paper)
    seen = (await look(city.an, paper, RESULT))["outcome"]
    assert (seen["verdict"], seen["nextStep"]) == ("UNDECIDED", "FURTHER_ROUND")
    again = await vote_after(city.hanh, "repeatVote", paper)
    assert again["rule"]["seats"] == 3
    boxes = [(option["label"], option["kind"]) for option in again["options"]]
    assert boxes == [(name, kind) for name in names[1:] for kind in ("FOR", "AGAINST")]
    round_two = paper_of(again)
    await vote_after(city.hanh, "openVote", round_two)
    await cast(city.an, round_two, round_two.box("Long", "FOR"))


async def test_a_vote_is_repeated_only_while_its_item_is_not_done(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await vote_after(city.hanh, "closeVote", vote)
    items = {"meetingId": city.meeting.id, "itemId": city.meeting.items[1]}
    await act(context_of(city.hanh), "moveAgenda", **items)
    assert await reason(city.hanh, "repeatVote", voteId=vote.id) == "WRONG_STATE"
