"""An exported vote is counted again by anybody, and what was tampered with is found."""

from __future__ import annotations

import copy
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from models.database import Database
from models.register.units import Membership
from models.votes.export import export_vote
from rules.votes.outcome import Outcome
from rules.votes.presets import PRESETS, Matter
from rules.votes.record.recount import problems, recount
from rules.votes.rule_sets import Comparison, TieRule
from rules.votes.ties import NextStep
from tests.support.asking import act
from tests.support.factories import ORDINARY, City, context_of
from tests.support.server_process import FINISHED_VOTE, OPEN_VOTE, branch_meetings, demo_on_sqlite
from tests.support.tampering import change, tampering
from tests.support.voting import (
    CHANGEABLE,
    HIDDEN,
    TIED,
    WEIGHTED,
    Held,
    Paper,
    cast,
    end,
    enter,
    export,
    open_motion,
    prepare,
    vote_after,
)

# --- Votes of every kind, closed ----------------------------------------------------------------


async def a_motion(city: City) -> Held:
    vote = await open_motion(city, ORDINARY)
    for person, option in zip(city.entitled[:3], vote.options.values(), strict=True):
        await cast(person, vote, option)
    await enter(city, city.chi, city.nam)
    hands = [
        {"optionId": vote.for_, "count": 1, "memberIds": [city.chi.id]},
        {"optionId": vote.against, "count": 1, "memberIds": [city.nam.id]},
    ]
    await vote_after(city.hanh, "recordHands", vote, memberIds=[], hands=hands)
    return vote


async def a_hidden_motion(city: City) -> Held:
    vote = await open_motion(city, HIDDEN)
    for person in city.entitled[:5]:
        await cast(person, vote, vote.for_)
    await cast(city.nam, vote, vote.against)
    return vote


async def a_changed_ballot(city: City) -> Held:
    vote = await open_motion(city, CHANGEABLE)
    for number, option in enumerate([vote.for_, vote.against, vote.for_]):
        await cast(city.an, vote, option, key=f"key-{number}")
    return vote


async def weighted_ballots(city: City) -> Held:
    regular = Membership.member_id == city.an.id
    await change(city.scene.database, Membership, regular, weight=7)
    vote = await open_motion(city, WEIGHTED)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    return vote


async def a_proxy(city: City) -> Held:
    arguments = {"meetingId": city.meeting.id, "holderId": city.binh.id}
    await act(context_of(city.an), "giveProxy", **arguments)
    vote = await open_motion(city, replace(ORDINARY, proxies=1))
    await cast(city.binh, vote, vote.for_)
    return vote


async def a_late_comer(city: City) -> Held:
    vote = await open_motion(city, ORDINARY)
    khanh = city.scene.member("Khánh", city.branch)
    await city.scene.save()
    await vote_after(city.hanh, "amendRoll", vote, memberId=khanh.id)
    await cast(khanh, vote, vote.for_)
    return vote


async def a_tie(city: City) -> Held:
    vote = await open_motion(city, TIED)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    return vote


async def _election(city: City, matter: Matter, names: list[str], **draft: Any) -> Paper:
    paper = await prepare(city.hanh, city.meeting.items[0], matter, names, **draft)
    await vote_after(city.hanh, "openVote", paper)
    return paper


async def an_election_by_yes_and_no(city: City) -> Held:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    paper = await _election(city, Matter.ELECTION, ["Mai", "Long"], seats=2)
    await cast(city.an, paper, paper.box("Mai", "FOR"), paper.box("Long", "AGAINST"))
    await cast(city.binh, paper, *paper.of_kind("FOR"))
    for person in (city.chi, city.minh, city.nam):
        await cast(person, paper)
    return paper


async def an_election_by_lot(city: City) -> Held:
    rule = replace(
        PRESETS["de-verein"][Matter.ELECTION], threshold=Comparison.PLURALITY, tie=TieRule.LOT
    )
    city.scene.rule(city.branch, rule, Matter.ELECTION)
    await city.scene.save()
    paper = await _election(city, Matter.ELECTION, ["Mai", "Long", "Phúc"])
    for person, name in [(city.an, "Mai"), (city.binh, "Long")]:
        await cast(person, paper, paper.box(name))
    await cast(city.chi, paper, *paper.of_kind("CHOICE"))
    return paper


async def measures(city: City) -> Held:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    labels = ["Khai trừ", "Cảnh cáo", "Khiển trách"]
    paper = await _election(city, Matter.DISCIPLINE, labels)
    for person, name in zip(city.entitled, [*labels, *labels], strict=False):
        await cast(person, paper, paper.box(name))
    return paper


async def a_vote_of_nobody(city: City) -> Held:
    return await open_motion(city, ORDINARY)


VOTES: list[Callable[[City], Awaitable[Held]]] = [
    a_motion,
    a_hidden_motion,
    a_changed_ballot,
    weighted_ballots,
    a_proxy,
    a_late_comer,
    a_tie,
    an_election_by_yes_and_no,
    an_election_by_lot,
    measures,
    a_vote_of_nobody,
]


async def close(city: City, vote: Held) -> dict[str, Any]:
    """Close the vote, break its tie if it has one, and export it; a hidden one is published."""
    await end(city, vote)
    before = await export(city, vote)
    if "withheld" in before:
        assert list(problems(before)) == []
        await vote_after(city.hanh, "publishVote", vote)
        before = await export(city, vote)
    assert list(problems(before)) == []
    outcome = Outcome.from_data(before["outcome"])
    if outcome.next_step in {NextStep.CHAIR_MUST_CAST, NextStep.LOT}:
        await vote_after(city.hanh, "breakTie", vote, chosen=list(outcome.next_options[:1]))
    return await export(city, vote)


@pytest.mark.parametrize("hold", VOTES, ids=lambda hold: hold.__name__)
async def test_a_recount_of_the_export_equals_the_outcome(
    city: City, hold: Callable[[City], Awaitable[Held]]
) -> None:
    vote = await hold(city)
    data = json.loads(json.dumps(await close(city, vote)))
    assert list(problems(data)) == []
    assert recount(data).to_data() == data["outcome"]
    await vote_after(city.hanh, "publishVote", vote)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    if data["secrecy"] == "UNATTRIBUTED":
        await act(context_of(city.dung), "confirmAnnulment", voteId=vote.id)
    annulled = await export(city, vote)
    assert (annulled["state"], list(problems(annulled))) == ("ANNULLED", [])


async def test_an_unattributed_export_joins_no_member_and_paper(city: City) -> None:
    data = await close(city, await a_hidden_motion(city))
    assert [ballot["member"] for ballot in data["ballots"]] == [None] * 6
    members = {line["member"] for line in data["roll"]}
    assert members.isdisjoint(ballot["id"] for ballot in data["ballots"])


async def test_only_votes_that_have_ended_are_exported(city: City) -> None:
    vote = await a_motion(city)
    async with city.scene.database.snapshot() as session:
        for one in (vote, city.vote, city.meeting):
            assert await export_vote(session, one.id) is None
    await vote_after(city.hanh, "closeVote", vote)
    async with city.scene.database.snapshot() as session:
        assert await export_vote(session, vote.id) is not None


# --- Tampering ----------------------------------------------------------------------------------

Place = tuple[str | int, ...]

OF_EACH_SORT = [a_motion, a_hidden_motion, weighted_ballots, a_tie, an_election_by_yes_and_no]

UNSEEN = {
    # The number of a ballot is its voter's own to compare.
    "ballots.*.id",
    # Found where it would change the base, and so the outcome.
    "roll.*.isElsewhere",
    "roll.*.isExcused",
    "roll.*.isPresent",
    "roll.*.isSummoned",
    "roll.*.wasPresentAtOpening",
}


def places(data: Any, path: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Everything in the export, the leaves and what holds them."""
    if path:
        yield path, data
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from places(value, (*path, key))


def altered(data: Any, path: Place, change: Callable[[Any, Any], None]) -> Any:
    whole = copy.deepcopy(data)
    inside = whole
    for key in path[:-1]:
        inside = inside[key]
    change(inside, path[-1])
    return whole


def edit(inside: Any, key: Any) -> None:
    value = inside[key]
    match value:
        case bool():
            inside[key] = not value
        case int():
            inside[key] = value + 1
        case str():
            inside[key] = value[:-1] + ("1" if value[-1:] == "0" else "0")
        case _:
            inside[key] = "x"


def remove(inside: Any, key: Any) -> None:
    del inside[key]


def is_found(data: Any) -> bool:
    try:
        return list(problems(data)) != []
    except (ValueError, KeyError, TypeError, AttributeError):
        return True  # no export any more; the command says so


def pattern(path: Place) -> str:
    return ".".join("*" if isinstance(key, int) else key for key in path)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hold", OF_EACH_SORT, ids=lambda hold: hold.__name__)
async def test_whatever_is_edited_in_an_export_is_found(
    city: City, hold: Callable[[City], Awaitable[Held]]
) -> None:
    data = await close(city, await hold(city))
    leaves = [path for path, value in places(data) if not isinstance(value, dict | list)]
    unseen = {pattern(path) for path in leaves if not is_found(altered(data, path, edit))}
    assert unseen <= UNSEEN
    seen = {pattern(path) for path in leaves} - unseen
    assert {"question", "options.*.label", "roll.*.weight", "outcome.base", "rule.name"} <= seen


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("hold", OF_EACH_SORT, ids=lambda hold: hold.__name__)
async def test_whatever_is_taken_out_of_an_export_is_found_but_its_end(
    city: City, hold: Callable[[City], Awaitable[Held]]
) -> None:
    data = await close(city, await hold(city))
    last = ("audit", len(data["audit"]) - 1)  # who kept the chain's head finds that
    for path, _ in places(data):
        if path[: len(last)] != last and pattern(path) not in UNSEEN:
            assert is_found(altered(data, path, remove)), path


async def test_a_ballot_more_a_ballot_twice_and_a_ballot_of_another_are_found(
    city: City,
) -> None:
    data = await close(city, await a_motion(city))
    first, second, *others = data["ballots"]
    stranger = {**first, "member": str(city.yen.id), "id": str(city.yen.id)}
    for ballots in (
        [first, second, *others, first],
        [first, second, *others, stranger],
        [stranger, second, *others],
        [{**second, "id": first["id"]}, second, *others],
    ):
        assert is_found({**data, "ballots": ballots})


async def test_a_paper_more_than_marks_is_found(city: City) -> None:
    data = await close(city, await a_hidden_motion(city))
    stuffed = {**data, "ballots": [*data["ballots"], {**data["ballots"][0], "id": data["vote"]}]}
    assert "the ballots and hands are not those of the members who are marked in the roll" in list(
        problems(stuffed)
    )


async def test_the_export_of_one_vote_is_not_taken_for_another_s(city: City) -> None:
    first = await close(city, await a_motion(city))
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.hanh, "closeVote", city.vote)
    second = await export(city, city.vote)
    for name in ("vote", "options", "roll", "ballots", "hands", "outcome", "audit"):
        assert is_found({**first, name: second[name]}) or first[name] == second[name], name


# --- The commands -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A demo, where one vote has ended."""
    folder = tmp_path_factory.mktemp("recount")
    url = demo_on_sqlite(tmp_path_factory, folder / "meetings.db")
    return folder, {"MEETINGS_DATABASE_URL": url}


def test_an_operator_exports_a_vote_and_anybody_recounts_it(
    demo: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    folder, settings = demo
    exported = branch_meetings(folder, "export", "vote", FINISHED_VOTE, **settings)
    assert (exported.returncode, exported.stderr) == (0, "")
    data = json.loads(exported.stdout)
    file = tmp_path / "vote.json"
    file.write_text(exported.stdout)
    counted = branch_meetings(tmp_path, "recount", "vote.json")  # needs no database
    assert (counted.returncode, counted.stderr) == (0, "")
    assert counted.stdout.startswith("Carried: ")
    data["ballots"][0]["choices"] = [data["options"][1]["id"]]
    data["ballots"][1]["choices"] = [data["options"][2]["id"]]
    file.write_text(json.dumps(data))
    wrong = branch_meetings(tmp_path, "recount", "vote.json")
    assert wrong.returncode == 1
    assert "the recount differs" in wrong.stderr


def test_what_is_no_export_is_told_in_one_line(tmp_path: Path) -> None:
    for content in ("", "[]", "{}", '{"audit": []}', "null"):
        (tmp_path / "vote.json").write_text(content)
        ended = branch_meetings(tmp_path, "recount", "vote.json")
        assert ended.returncode == 1
        (line,) = ended.stderr.splitlines()
        assert line.startswith("branch-meetings: vote.json is not an export of a vote: ")


def test_what_has_not_ended_or_is_not_there_is_told_in_one_line(
    demo: tuple[Path, dict[str, str]],
) -> None:
    folder, settings = demo
    for wrong in (OPEN_VOTE, "00000000-0000-0000-0000-000000000000", "x"):
        ended = branch_meetings(folder, "export", "vote", wrong, **settings)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert len(ended.stderr.splitlines()) == 1


async def test_verifying_finds_what_somebody_changed_in_the_database(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    settings = {"MEETINGS_DATABASE_URL": demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db")}
    verified = branch_meetings(tmp_path, "verify", **settings)
    assert (verified.returncode, verified.stderr) == (0, "")
    assert verified.stdout.splitlines() == [
        f"vote {OPEN_VOTE}: it is open, and nothing fixes the rows of ballot, ballot_choice yet.",
        "3 votes checked, 1 recounted; their chains hold.",
    ]
    database = Database(settings["MEETINGS_DATABASE_URL"])
    trick = "UPDATE vote SET outcome = replace(outcome, '\"CARRIED\"', '\"NOT_CARRIED\"')"
    try:
        async with tampering(database) as session:
            await session.execute(text(trick))
    finally:
        await database.dispose()
    found = branch_meetings(tmp_path, "verify", **settings)
    assert found.returncode == 1
    assert FINISHED_VOTE in found.stderr
    assert "the recount differs from the stored outcome" in found.stderr


def test_verify_compares_with_heads_that_were_kept_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    settings = {"MEETINGS_DATABASE_URL": demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db")}
    printed = branch_meetings(tmp_path, "heads", **settings)
    assert (printed.returncode, printed.stderr) == (0, "")
    heads = [json.loads(line) for line in printed.stdout.splitlines()]
    assert {OPEN_VOTE, FINISHED_VOTE} <= {head["vote"] for head in heads}
    file = tmp_path / "heads"
    short = [{"vote": head["vote"], "hash": head["hash"][:12]} for head in heads]
    for kept in (heads, short):
        file.write_text("".join(json.dumps(head) + "\n" for head in kept))
        verified = branch_meetings(tmp_path, "verify", "--heads", "heads", **settings)
        assert (verified.returncode, verified.stderr) == (0, "")
    gone = {"vote": str(uuid4()), "sequence": 1, "hash": "0" * 64}
    file.write_text("".join(json.dumps(head) + "\n" for head in [*heads, gone]))
    found = branch_meetings(tmp_path, "verify", "--heads", "heads", **settings)
    assert (found.returncode, len(found.stderr.splitlines())) == (1, 1)
    assert "the vote is gone" in found.stderr
    file.write_text("no heads")
    assert (
        "holds no heads"
        in branch_meetings(tmp_path, "verify", "--heads", "heads", **settings).stderr
    )
