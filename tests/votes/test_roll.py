"""The electoral roll: frozen at opening, with reasons, weights and proxies; amended by an act."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from models.register.units import Member, Membership
from models.votes.votes import RollEntry
from rules.meetings.meetings import MeetingState
from rules.register.members import MembershipKind, Standing
from rules.votes.record.audit import canonical_json
from rules.votes.rule_sets import Base, Exclusion, RuleSet
from tests.support.asking import act, ask
from tests.support.database_log import unchanged
from tests.support.factories import ORDINARY, City, Person, context_of
from tests.support.tampering import change
from tests.support.voting import (
    WEIGHTED,
    Held,
    cast,
    cast_refused,
    chain,
    counts,
    look,
    open_motion,
    prepare,
    prepared_motion,
    reason,
    refused,
    set_state,
    stored,
    vote_after,
)

PROXIES = replace(ORDINARY, base=Base.ENTITLED, base_exclusions=frozenset[Exclusion](), proxies=1)


async def comes(city: City, name: str, standing: Standing = Standing.FULL) -> Person:
    """Somebody joins the branch now."""
    person = city.scene.member(name, city.branch, standing)
    await city.scene.save()
    return person


async def lines(city: City, vote: Held) -> dict[UUID, Any]:
    rows = await stored(city, select(RollEntry).where(RollEntry.vote_id == vote.id))
    return {row.RollEntry.member_id: row.RollEntry for row in rows}


async def hash_of_roll(city: City, vote: Held) -> str:
    """SHA-256 over what the database holds, computed here once more."""
    rows = sorted(
        [str(member), line.weight, line.left_out.value if line.left_out else None]
        for member, line in (await lines(city, vote)).items()
    )
    return hashlib.sha256(canonical_json(rows)).hexdigest()


# --- Late-comers --------------------------------------------------------------------------------


async def test_a_late_comer_votes_when_the_chair_has_put_them_on_the_roll(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    khanh = await comes(city, "Khánh")
    assert (await cast_refused(khanh, vote, vote.for_))[0] == "NOT_ENTITLED"
    before = await look(city.hanh, vote)
    after = await vote_after(city.dung, "amendRoll", vote, memberId=khanh.id)
    assert after["version"] > before["version"]
    assert after["tally"]["eligible"] == before["tally"]["eligible"] + 1
    amended = [line for line in after["roll"] if line["amendedAt"] is not None]
    assert [line["member"]["id"] for line in amended] == [str(khanh.id)]
    assert (amended[0]["leftOut"], amended[0]["weight"]) == (None, 1)
    await cast(khanh, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == 1
    # Nobody summoned her: she is in the base because she voted.
    assert closed["outcome"]["base"] == 6


async def test_the_amended_roll_is_in_the_chain_with_who_did_it(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    opened = (await chain(city, vote))[-1]
    assert opened[1]["roll"] == await hash_of_roll(city, vote)
    khanh = await comes(city, "Khánh")
    await vote_after(city.dung, "amendRoll", vote, memberId=khanh.id)
    kind, payload = (await chain(city, vote))[-1]
    assert (kind, payload["by"]) == ("ROLL_AMENDED", str(city.dung.id))
    assert payload["member"] == str(khanh.id)
    assert payload["roll"] == await hash_of_roll(city, vote) != opened[1]["roll"]


async def test_a_late_comer_without_a_vote_is_on_the_roll_with_the_reason(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    khanh = await comes(city, "Khánh", Standing.PROBATIONARY)
    after = await vote_after(city.hanh, "amendRoll", vote, memberId=khanh.id)
    assert after["tally"]["eligible"] == 7
    told = await cast_refused(khanh, vote, vote.for_)
    assert told == ("NOT_ENTITLED", {"leftOut": "PROBATIONARY"})


async def test_nobody_is_put_on_the_roll_twice(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    khanh = await comes(city, "Khánh")
    await vote_after(city.hanh, "amendRoll", vote, memberId=khanh.id)
    for person in (khanh, city.an, city.lan, city.son):
        arguments = {"voteId": vote.id, "memberId": person.id}
        assert await reason(city.hanh, "amendRoll", **arguments) == "WRONG_STATE"


async def test_only_members_of_the_branch_come_late(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    for unknown in (city.yen.id, uuid4(), "x", "\ud800"):
        arguments = {"voteId": vote.id, "memberId": unknown}
        assert await reason(city.hanh, "amendRoll", **arguments) == "NOT_FOUND"


async def test_the_roll_is_amended_only_while_the_vote_is_open(city: City) -> None:
    vote = await prepared_motion(city, ORDINARY)
    khanh = await comes(city, "Khánh")
    arguments = {"voteId": vote.id, "memberId": khanh.id}
    assert await reason(city.hanh, "amendRoll", **arguments) == "VOTE_NOT_OPEN"
    await change(
        city.scene.database,
        Membership,
        Membership.member_id == khanh.id,
        unit_id=city.other_branch,
    )
    await vote_after(city.hanh, "openVote", vote)
    await vote_after(city.hanh, "closeVote", vote)
    assert await reason(city.hanh, "amendRoll", **arguments) == "VOTE_CLOSED"


# --- Who is left out, and why -------------------------------------------------------------------


async def test_the_roll_names_everybody_of_the_branch_with_the_reason(city: City) -> None:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], recused=[city.chi.id])
    opened = await vote_after(city.hanh, "openVote", paper)
    left_out = {line["member"]["id"]: line["leftOut"] for line in opened["roll"]}
    assert left_out == {
        str(person.id): why
        for person, why in [
            *((person, None) for person in city.entitled if person is not city.chi),
            (city.chi, "RECUSED"),
            (city.lan, "PROBATIONARY"),
            (city.son, "SUSPENDED"),
            (city.thu, "TEMPORARY_ATTACHMENT"),
        ]
    }
    assert {line["amendedAt"] for line in opened["roll"]} == {None}
    box = paper.of_kind("FOR")[0]
    assert await cast_refused(city.chi, paper, box) == ("NOT_ENTITLED", {"leftOut": "RECUSED"})


async def test_what_becomes_of_members_after_the_opening_changes_no_line(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    before = await lines(city, vote)
    database = city.scene.database
    await change(database, Member, Member.id == city.lan.id, standing=Standing.FULL)
    await change(database, Member, Member.id == city.an.id, standing=Standing.SUSPENDED)
    await act(context_of(city.binh), "checkIn", meetingId=city.meeting.id)
    after = await lines(city, vote)
    assert {m: (r.standing, r.left_out, r.weight) for m, r in after.items()} == {
        m: (r.standing, r.left_out, r.weight) for m, r in before.items()
    }
    assert (await chain(city, vote))[-1][1]["roll"] == await hash_of_roll(city, vote)


# --- Weights ------------------------------------------------------------------------------------


async def weigh(city: City, **weights: int) -> None:
    for name, weight in weights.items():
        person: Person = getattr(city, name)
        regular = Membership.member_id == person.id, Membership.kind == MembershipKind.REGULAR
        await change(city.scene.database, Membership, *regular, weight=weight)


async def test_where_the_rule_weighs_votes_a_ballot_weighs_what_the_roll_says(city: City) -> None:
    await weigh(city, an=5, binh=3)
    vote = await open_motion(city, WEIGHTED)
    await weigh(city, an=1, chi=100)  # too late for this vote
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    await cast(city.chi, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert (closed["tally"]["cast"], closed["tally"]["eligible"]) == (3, 7)
    assert counts(closed) == dict(zip(map(str, vote.options.values()), [6, 3, 0], strict=True))
    # Seven entitled, the suspended one in the base as well: 5 + 3 + six of one each.
    assert (closed["outcome"]["base"], closed["outcome"]["needed"]) == (14, 8)


async def test_where_it_does_not_every_ballot_is_one(city: City) -> None:
    await weigh(city, an=5)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    assert counts(await look(city.an, vote))[str(vote.for_)] == 1
    assert {line["weight"] for line in (await look(city.an, vote))["roll"]} == {1}


# --- Proxies ------------------------------------------------------------------------------------


async def give(city: City, giver: Person, holder: Person) -> None:
    arguments = {"meetingId": city.meeting.id, "holderId": holder.id}
    value = await act(context_of(giver), "giveProxy", **arguments)
    assert value["__typename"] == "Meeting", value


async def test_who_holds_a_proxy_votes_for_the_absent_member_too(city: City) -> None:
    await give(city, city.an, city.binh)
    vote = await open_motion(city, PROXIES)
    roll = await lines(city, vote)
    assert (roll[city.an.id].weight, roll[city.binh.id].weight) == (0, 2)
    told = await cast_refused(city.an, vote, vote.for_)
    assert told == ("NOT_ENTITLED", {"leftOut": "REPRESENTED"})
    await cast(city.binh, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == 2
    assert (closed["tally"]["cast"], closed["tally"]["eligible"]) == (1, 6)


async def test_who_came_after_all_votes_in_person(city: City) -> None:
    await give(city, city.an, city.binh)
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    vote = await open_motion(city, PROXIES)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.for_)
    assert counts(await look(city.an, vote))[str(vote.for_)] == 2


async def test_a_proxy_given_anew_replaces_the_one_before_and_counts_in_later_votes(
    city: City,
) -> None:
    await give(city, city.an, city.binh)
    await give(city, city.an, city.chi)
    vote = await open_motion(city, PROXIES)
    await give(city, city.minh, city.chi)
    weights = {m: line.weight for m, line in (await lines(city, vote)).items()}
    assert (weights[city.an.id], weights[city.binh.id], weights[city.chi.id]) == (0, 1, 2)
    assert weights[city.minh.id] == 1


PROXIES_OF_VIEWER = """query ($id: ID!) {
  proxies(meetingId: $id) { holder { id } givers { id } }
}"""


async def proxies_of(person: Person, city: City) -> tuple[str | None, list[str]]:
    told = (await ask(context_of(person), PROXIES_OF_VIEWER, id=str(city.meeting.id)))["proxies"]
    holder = told["holder"]["id"] if told["holder"] else None
    return holder, [giver["id"] for giver in told["givers"]]


async def test_giver_and_holder_are_told_of_a_proxy_and_nobody_else(city: City) -> None:
    await give(city, city.an, city.binh)
    await give(city, city.an, city.chi)
    await give(city, city.minh, city.chi)
    assert await proxies_of(city.an, city) == (str(city.chi.id), [])
    givers = sorted([str(city.an.id), str(city.minh.id)])
    holder, told = await proxies_of(city.chi, city)
    assert (holder, sorted(told)) == (None, givers)
    assert await proxies_of(city.binh, city) == (None, [])
    assert await proxies_of(city.hanh, city) == (None, [])


@pytest.mark.parametrize("rule", [ORDINARY, WEIGHTED], ids=["ordinary", "weighted"])
async def test_where_the_rule_knows_no_proxies_they_change_nothing(
    city: City, rule: RuleSet
) -> None:
    await give(city, city.an, city.binh)
    vote = await open_motion(city, rule)
    await cast(city.an, vote, vote.for_)
    assert (await lines(city, vote))[city.binh.id].weight == 1


async def test_a_proxy_is_given_to_another_member_of_the_branch_before_it_ends(
    city: City,
) -> None:
    for holder in (city.an.id, city.yen.id, uuid4(), "x", "\ud800"):
        arguments = {"meetingId": city.meeting.id, "holderId": holder}
        assert await reason(city.an, "giveProxy", **arguments) == "NOT_FOUND"
    async with unchanged(city.scene.database):
        other = {"meetingId": city.other_meeting.id, "holderId": city.yen.id}
        assert (await refused(city.an, "giveProxy", **other))["reason"] == "NOT_FOUND"
    await set_state(city, MeetingState.CLOSED)
    arguments = {"meetingId": city.meeting.id, "holderId": city.binh.id}
    assert await reason(city.an, "giveProxy", **arguments) == "WRONG_STATE"
