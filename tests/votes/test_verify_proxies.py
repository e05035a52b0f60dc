"""Who votes for whom stands on the roll and in the chain, from the opening on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rules.votes.record.recount import problems
from tests.support.asking import act
from tests.support.factories import ORDINARY, City, Person, VoteIds, context_of
from tests.support.voting import cast, chain, counts, export, look, open_motion, vote_after

BY_PROXY = replace(ORDINARY, proxies=2)
ROLL = "roll { member { id } weight isEntitled representedBy { id name } }"


async def give(city: City, giver: Person, holder: Person) -> None:
    arguments = {"meetingId": city.meeting.id, "holderId": holder.id}
    value = await act(context_of(giver), "giveProxy", **arguments)
    assert value["__typename"] == "Meeting"


async def line_of(viewer: Person, vote: VoteIds, person: Person) -> dict[str, Any]:
    lines = (await look(viewer, vote, ROLL))["roll"]
    (line,) = [one for one in lines if one["member"]["id"] == str(person.id)]
    return {name: value for name, value in line.items() if name != "member"}


async def test_everybody_in_the_branch_sees_who_votes_for_whom(city: City) -> None:
    await give(city, city.an, city.binh)
    await give(city, city.chi, city.binh)
    vote = await open_motion(city, BY_PROXY)
    holder = {"id": str(city.binh.id), "name": "Bình"}
    for viewer in (city.hanh, city.lan, city.an):
        for giver in (city.an, city.chi):
            seen = await line_of(viewer, vote, giver)
            assert seen == {"weight": 0, "isEntitled": False, "representedBy": holder}
        seen = await line_of(viewer, vote, city.binh)
        assert seen == {"weight": 3, "isEntitled": True, "representedBy": None}


async def test_the_chain_tells_who_votes_for_whom_and_a_recount_agrees(city: City) -> None:
    await give(city, city.an, city.binh)
    vote = await open_motion(city, BY_PROXY)
    kind, opened = (await chain(city, vote))[-1]
    assert (kind, opened["proxies"]) == ("OPENED", {str(city.an.id): str(city.binh.id)})
    await cast(city.binh, vote, vote.for_)
    closed = await vote_after(city.hanh, "closeVote", vote)
    assert counts(closed)[str(vote.for_)] == 2
    data = await export(city, vote)
    assert list(problems(data)) == []
    (link,) = [row for row in data["audit"] if row["kind"] == "OPENED"]
    link["payload"]["proxies"] = {str(city.an.id): str(city.hanh.id)}
    assert list(problems(data)) != []


async def test_the_chain_of_a_vote_without_proxies_tells_of_none(city: City) -> None:
    """An's counts nowhere: the rule knows no proxies."""
    await give(city, city.an, city.binh)
    vote = await open_motion(city, ORDINARY)
    assert "proxies" not in (await chain(city, vote))[-1][1]
    assert (await line_of(city.lan, vote, city.an))["representedBy"] is None


async def test_what_is_given_amid_a_vote_counts_in_later_ones(city: City) -> None:
    """The roll is drawn up at the opening: a proxy given, or taken from somebody, changes nothing
    of it and so leaves no link."""
    await give(city, city.an, city.binh)
    vote = await open_motion(city, BY_PROXY)
    links = await chain(city, vote)
    await give(city, city.an, city.chi)
    await give(city, city.minh, city.chi)
    await act(context_of(city.an), "checkIn", meetingId=city.meeting.id)
    assert await chain(city, vote) == links
    assert (await line_of(city.lan, vote, city.an))["representedBy"]["name"] == "Bình"
    assert (await line_of(city.lan, vote, city.minh))["isEntitled"] is True
    await vote_after(city.hanh, "closeVote", vote)
    later = city.scene.vote(city.meeting, position=60, rule=BY_PROXY)
    await city.scene.save()
    await vote_after(city.hanh, "openVote", later)
    given = (await chain(city, later))[-1][1]["proxies"]
    assert given == {str(city.minh.id): str(city.chi.id)}  # An is here
