"""A hidden result is shown to everybody at once or to nobody: no round is tried out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from models.register.units import Member
from rules.register.members import Role, Standing
from rules.votes.ballots import OptionKind
from rules.votes.record.recount import problems, recount
from rules.votes.rule_sets import Base, TieRule, Treatment
from tests.support.asking import OWN_VOTE, act, ask, execute, watch
from tests.support.factories import City, Person, Scene, VoteIds, context_of
from tests.support.tampering import change
from tests.support.voting import (
    HIDDEN,
    cast,
    chain,
    counts,
    export,
    look,
    open_motion,
    reason,
    refused,
    vote_after,
)
from tests.votes.test_unattributed import all_they_see, everybody_casts, figures_in

EVERYBODY = ("hanh", "dung", "an", "lan", "oanh")
ANNULMENT = "... on Annulment { state why proposedBy question unit vote { id state } }"
PROPOSED = "state annulment annulmentProposed { reason at by { id } } viewerMay"
HIDDEN_TIE = replace(
    HIDDEN,
    base=Base.BALLOTS_CAST,
    base_exclusions=frozenset(),
    abstentions=Treatment.IGNORED,
    tie=TieRule.CHAIR_CASTS,
)


@pytest.fixture
async def closed(city: City) -> VoteIds:
    """A hidden motion that everybody has voted on, closed and not published."""
    vote = await open_motion(city, HIDDEN)
    await everybody_casts(city, vote)
    await vote_after(city.hanh, "closeVote", vote)
    return vote


async def nobody_sees(city: City, vote: VoteIds) -> None:
    """In no field of the API, in no push, in no export and in no link of the chain."""
    for name in EVERYBODY:
        assert figures_in(await all_they_see(getattr(city, name), city, vote)) == [], name
    exported = await export(city, vote)
    assert (exported["ballots"], exported["outcome"]) == ([], None)
    assert exported["withheld"] == "NOT_PUBLISHED"
    assert list(problems(exported)) == []
    with pytest.raises(ValueError, match="withheld"):
        recount(exported)
    told = json.dumps(exported["audit"])
    assert not any(option["id"] in told for option in exported["options"])
    document = "query ($id: ID!) { vote(id: $id) { id } unit(id: $unit) { id } }"
    upper = await execute(context_of(city.van), document, id=str(vote.id), unit=str(city.branch))
    assert upper.errors


async def annul(city: City, vote: VoteIds, proposer: Person, confirmer: Person) -> Any:
    await vote_after(proposer, "annulVote", vote, reason="Kiểm phiếu sai")
    value = await act(context_of(confirmer), "confirmAnnulment", ANNULMENT, voteId=vote.id)
    assert value["__typename"] == "Annulment", value
    return value


# --- Between closing and publishing -------------------------------------------------------------


async def test_a_closed_hidden_result_is_seen_by_nobody_until_it_is_published(
    city: City, closed: VoteIds
) -> None:
    await nobody_sees(city, closed)
    acts = (await look(city.hanh, closed))["viewerMay"]
    assert acts == ["PUBLISH_VOTE", "ANNUL_VOTE"]
    await vote_after(city.hanh, "publishVote", closed)
    seen = {name: counts(await look(getattr(city, name), closed)) for name in EVERYBODY}
    assert len({json.dumps(one, sort_keys=True) for one in seen.values()}) == 1
    exported = await export(city, closed)
    assert len(exported["ballots"]) == 7
    assert recount(exported).to_data() == exported["outcome"]


async def test_a_tie_shows_itself_to_nobody_before_publishing_and_is_then_broken_in_view(
    city: City,
) -> None:
    vote = await open_motion(city, HIDDEN_TIE)
    for number, person in enumerate(city.entitled[:6]):
        await cast(person, vote, vote.for_ if number % 2 else vote.against)
    await cast(city.entitled[6], vote, vote.options[OptionKind.ABSTAIN])
    await vote_after(city.hanh, "closeVote", vote)
    await nobody_sees(city, vote)
    assert (await look(city.hanh, vote))["viewerMay"] == ["PUBLISH_VOTE", "ANNUL_VOTE"]
    arguments = {"voteId": vote.id, "chosen": [vote.for_]}
    assert await reason(city.hanh, "breakTie", **arguments) == "WRONG_STATE"
    published = await vote_after(city.hanh, "publishVote", vote)
    assert published["viewerMay"] == ["BREAK_TIE", "ANNUL_VOTE"]
    assert (await look(city.an, vote))["outcome"]["nextStep"] == "CHAIR_MUST_CAST"
    assert await reason(city.hanh, "repeatVote", voteId=vote.id) == "WRONG_STATE"
    await vote_after(city.hanh, "breakTie", vote, chosen=[vote.for_])
    assert (await look(city.an, vote))["outcome"]["carried"] is True
    assert await reason(city.hanh, "breakTie", **arguments) == "WRONG_STATE"
    assert list(problems(await export(city, vote))) == []


async def test_everybody_is_pushed_the_same_states(city: City) -> None:
    """The chair, too, hears of the figures when the branch does."""
    vote = await open_motion(city, HIDDEN)
    await everybody_casts(city, vote)
    document = "subscription ($id: ID!) { vote(id: $id) { state outcome { carried } } }"
    async with (
        watch(context_of(city.hanh), document, id=str(vote.id)) as chair,
        watch(context_of(city.an), document, id=str(vote.id)) as member,
    ):
        for watched in (chair, member):
            assert (await watched.next())["state"] == "OPEN"
        await vote_after(city.hanh, "closeVote", vote)
        for watched in (chair, member):
            assert await watched.next() == {"state": "CLOSED", "outcome": None}
        await vote_after(city.hanh, "publishVote", vote)
        for watched in (chair, member):
            assert (await watched.next())["outcome"] == {"carried": False}


async def test_everybody_is_pushed_what_is_proposed_and_what_becomes_of_it(
    city: City, closed: VoteIds
) -> None:
    document = "subscription ($id: ID!) { vote(id: $id) { state annulmentProposed { reason } } }"
    async with watch(context_of(city.an), document, id=str(closed.id)) as watched:
        await watched.next()
        for end, state in (("withdrawAnnulment", "CLOSED"), ("confirmAnnulment", "ANNULLED")):
            await vote_after(city.hanh, "annulVote", closed, reason="Sai")
            assert (await watched.next())["annulmentProposed"] == {"reason": "Sai"}
            await act(context_of(city.dung), end, voteId=closed.id)
            assert await watched.next() == {"state": state, "annulmentProposed": None}


# --- Annulling ----------------------------------------------------------------------------------


async def test_a_hidden_vote_is_annulled_by_two_officers_and_shows_its_figures_to_nobody(
    city: City, closed: VoteIds
) -> None:
    proposed = await vote_after(city.hanh, "annulVote", closed, reason="Kiểm phiếu sai")
    assert (proposed["state"], proposed["annulment"]) == ("CLOSED", None)
    for name in EVERYBODY:
        seen = await look(getattr(city, name), closed, PROPOSED)
        told = seen["annulmentProposed"]
        assert (told["reason"], told["by"]["id"]) == ("Kiểm phiếu sai", str(city.hanh.id))
    await nobody_sees(city, closed)
    value = await act(context_of(city.dung), "confirmAnnulment", ANNULMENT, voteId=closed.id)
    assert (value["state"], value["vote"]["state"]) == ("CONFIRMED", "ANNULLED")
    after = await look(city.an, closed, PROPOSED)
    assert (after["annulment"], after["annulmentProposed"]) == ("Kiểm phiếu sai", None)
    await nobody_sees(city, closed)
    kinds = [kind for kind, _ in await chain(city, closed)]
    assert kinds[-3:] == ["CLOSED", "ANNULMENT_PROPOSED", "ANNULLED"]
    _, payload = (await chain(city, closed))[-1]
    assert (payload["by"], payload["proposedBy"]) == (str(city.dung.id), str(city.hanh.id))


async def test_nobody_confirms_what_they_have_proposed_themselves(
    city: City, closed: VoteIds
) -> None:
    await vote_after(city.hanh, "annulVote", closed, reason="Sai")
    another_device = replace(city.hanh, scene=Scene(city.scene.database, city.scene.feed))
    arguments: dict[str, Any] = {"voteId": closed.id}
    for person in (city.hanh, another_device):
        told = await reason(person, "confirmAnnulment", **arguments)
        assert told == "SECOND_OFFICER_NEEDED"
    assert await reason(city.hanh, "annulVote", **arguments, reason="Sai") == "WRONG_STATE"
    assert await reason(city.dung, "annulVote", **arguments, reason="Sai") == "WRONG_STATE"
    for person, told in [
        (city.an, "NOT_ALLOWED"),
        (city.oanh, "NOT_ALLOWED"),
        (city.yen, "NOT_FOUND"),
    ]:
        assert await reason(person, "confirmAnnulment", **arguments) == told, person.name
        assert await reason(person, "withdrawAnnulment", **arguments) == told, person.name
    own = await look(city.hanh, closed, PROPOSED)
    assert own["viewerMay"] == ["PUBLISH_VOTE", "WITHDRAW_ANNULMENT"]
    other = await look(city.dung, closed, PROPOSED)
    assert other["viewerMay"] == ["PUBLISH_VOTE", "CONFIRM_ANNULMENT", "WITHDRAW_ANNULMENT"]


async def test_the_level_above_confirms_where_the_branch_has_one_officer_only(
    city: City, closed: VoteIds
) -> None:
    await vote_after(city.hanh, "annulVote", closed, reason="Sai")
    listed = "query { annulments { voteId question why proposedBy unit vote { id } } }"
    assert (await ask(context_of(city.van), listed))["annulments"] == []
    told = await reason(city.van, "confirmAnnulment", voteId=closed.id)
    assert told == "SECOND_OFFICER_NEEDED", "the branch has a deputy"
    (waiting,) = (await ask(context_of(city.dung), listed))["annulments"]
    assert waiting["voteId"] == str(closed.id)
    suspended = Member.id == city.dung.id
    await change(city.scene.database, Member, suspended, standing=Standing.SUSPENDED)
    (waiting,) = (await ask(context_of(city.van), listed))["annulments"]
    assert (waiting["unit"], waiting["proposedBy"]) == ("Chi bộ 1", "Hạnh")
    assert (waiting["question"], waiting["vote"]) == ("Thông qua 50", None)
    assert (await ask(context_of(city.hanh), listed))["annulments"] == []
    assert (await ask(context_of(city.yen), listed))["annulments"] == []
    value = await act(context_of(city.van), "confirmAnnulment", ANNULMENT, voteId=closed.id)
    assert (value["state"], value["vote"]) == ("CONFIRMED", None)
    assert (await look(city.an, closed))["state"] == "ANNULLED"
    assert (await ask(context_of(city.van), listed))["annulments"] == []


async def test_whoever_is_officer_here_and_above_is_one_person(city: City, closed: VoteIds) -> None:
    city.scene.appoint(city.hanh, city.ward, Role.DEPUTY_SECRETARY)
    await city.scene.save()
    suspended = Member.id == city.dung.id
    await change(city.scene.database, Member, suspended, standing=Standing.SUSPENDED)
    await vote_after(city.hanh, "annulVote", closed, reason="Sai")
    assert await reason(city.hanh, "confirmAnnulment", voteId=closed.id) == "SECOND_OFFICER_NEEDED"


async def test_a_proposal_may_be_withdrawn_and_the_vote_stands(city: City, closed: VoteIds) -> None:
    assert await reason(city.dung, "confirmAnnulment", voteId=closed.id) == "WRONG_STATE"
    assert await reason(city.dung, "withdrawAnnulment", voteId=closed.id) == "WRONG_STATE"
    await vote_after(city.hanh, "annulVote", closed, reason="Sai")
    value = await act(context_of(city.dung), "withdrawAnnulment", ANNULMENT, voteId=closed.id)
    assert (value["state"], value["vote"]["state"]) == ("WITHDRAWN", "CLOSED")
    assert (await look(city.an, closed, PROPOSED))["annulmentProposed"] is None
    assert (await chain(city, closed))[-1][0] == "ANNULMENT_WITHDRAWN"
    assert await reason(city.dung, "confirmAnnulment", voteId=closed.id) == "WRONG_STATE"
    await vote_after(city.hanh, "publishVote", closed)


async def test_what_was_published_stays_shown_when_it_is_annulled(
    city: City, closed: VoteIds
) -> None:
    published = await vote_after(city.hanh, "publishVote", closed)
    await annul(city, closed, city.dung, city.hanh)
    for name in EVERYBODY:
        seen = await look(getattr(city, name), closed)
        assert (seen["state"], seen["outcome"]) == ("ANNULLED", published["outcome"])
        assert counts(seen) == counts(published)
    assert list(problems(await export(city, closed))) == []


async def test_an_open_vote_is_annulled_by_its_chair_alone(city: City) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.hanh, "closeVote", city.vote)
    annulled = await vote_after(city.hanh, "annulVote", city.vote, reason="Sai")
    assert annulled["state"] == "ANNULLED"
    told = await refused(city.dung, "confirmAnnulment", voteId=city.vote.id)
    assert told["reason"] == "WRONG_STATE"


async def test_a_repetition_says_how_many_rounds_were_annulled(city: City, closed: VoteIds) -> None:
    vote, rounds = closed, []
    for _ in range(2):
        await annul(city, vote, city.hanh, city.dung)
        again = await vote_after(city.hanh, "repeatVote", vote)
        kinds = {option["kind"]: option["id"] for option in again["options"]}
        vote = VoteIds(again["id"], {k: kinds[k.value] for k in closed.options})
        rounds.append((await look(city.an, vote, "annulledRounds"))["annulledRounds"])
        await vote_after(city.hanh, "openVote", vote)
        await everybody_casts(city, vote)
        await vote_after(city.hanh, "closeVote", vote)
    assert rounds == [1, 2]
    assert (await look(city.an, closed, "annulledRounds"))["annulledRounds"] == 0
    await vote_after(city.hanh, "publishVote", vote)
    next_one = await vote_after(city.hanh, "repeatVote", vote)
    third = VoteIds(next_one["id"], {})
    assert (await look(city.an, third, "annulledRounds"))["annulledRounds"] == 2
    document = f"query ($id: ID!) {{ vote(id: $id) {{ {OWN_VOTE} annulledRounds }} }}"
    seen = (await ask(context_of(city.an), document, id=str(vote.id)))["vote"]
    assert seen["annulledRounds"] == 2
