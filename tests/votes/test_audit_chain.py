"""A vote's audit chain: made by real mutations, and broken by whatever is done to its rows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select, update

from models.votes.votes import AuditRow, RollEntry
from rules.votes.outcome import Outcome
from rules.votes.record.audit import BEGINNING, AuditKind, canonical_json, chain_hash
from rules.votes.record.recount import broken_links
from rules.votes.rule_sets import RuleSet
from tests.support.asking import act
from tests.support.factories import City, VoteIds, context_of
from tests.support.tampering import tampering


@dataclass(frozen=True)
class Link:
    """One row of the chain."""

    sequence: int
    kind: AuditKind
    payload: dict[str, Any]
    previous_hash: bytes
    hash: bytes


def is_unbroken(chain: Sequence[Link]) -> bool:
    """What `branch-meetings verify` says of the rows."""
    rows = [
        {
            "sequence": link.sequence,
            "kind": link.kind.value,
            "payload": link.payload,
            "previousHash": link.previous_hash.hex(),
            "hash": link.hash.hex(),
        }
        for link in chain
    ]
    return not list(broken_links(rows))


async def read_chain(city: City, vote: VoteIds) -> list[Link]:
    statement = select(AuditRow).where(AuditRow.vote_id == vote.id).order_by(AuditRow.sequence)
    async with city.scene.database.snapshot() as session:
        return [
            Link(row.sequence, row.kind, row.payload, row.previous_hash, row.hash)
            for row in await session.scalars(statement)
        ]


async def hold_vote(city: City) -> list[Link]:
    """The chain of a vote that was opened, cast in and closed, and so published."""
    ids = {"voteId": city.vote.id}
    await act(context_of(city.hanh), "openVote", **ids)
    for person in (city.an, city.binh):
        ballot = {"choices": [city.vote.for_], "key": "key"}
        receipt = await act(context_of(person), "castBallot", **ids, **ballot)
        assert receipt["__typename"] == "Receipt"
    await act(context_of(city.dung), "closeVote", **ids)
    return await read_chain(city, city.vote)


async def test_a_vote_leaves_an_unbroken_chain(city: City) -> None:
    chain = await hold_vote(city)
    assert [link.kind for link in chain] == [
        AuditKind.CREATED,
        AuditKind.OPENED,
        AuditKind.CLOSED,
        AuditKind.PUBLISHED,
    ]
    assert is_unbroken(chain)
    previous = BEGINNING
    for number, link in enumerate(chain, start=1):
        told = canonical_json({"kind": link.kind.value, **link.payload})
        assert (link.sequence, link.previous_hash) == (number, previous)
        assert link.hash == hashlib.sha256(previous + told).digest()
        previous = link.hash


async def test_the_chain_says_who_opened_and_closed_and_what_was_decided(city: City) -> None:
    created, opened, closed, published = await hold_vote(city)
    assert opened.payload["by"] == str(city.hanh.id)
    assert opened.payload["eligible"] == 7
    assert closed.payload["by"] == published.payload["by"] == str(city.dung.id)
    outcome = Outcome.from_data(closed.payload["outcome"])
    assert (outcome.votes_for, outcome.base) == (2, 5)
    assert RuleSet.from_data(created.payload["rule"]).name == "vi-party.ordinary"


async def test_the_chain_fixes_the_roll(city: City) -> None:
    _, opened, *_ = await hold_vote(city)
    statement = select(RollEntry).where(RollEntry.vote_id == city.vote.id)
    async with city.scene.database.snapshot() as session:
        rows = (await session.scalars(statement)).all()
    lines = sorted(
        [str(row.member_id), row.weight, row.left_out.value if row.left_out else None]
        for row in rows
    )
    assert opened.payload["roll"] == hashlib.sha256(canonical_json(lines)).hexdigest()


async def test_the_chain_names_nobody_s_choice(city: City) -> None:
    created, opened, closed, published = (link.payload for link in await hold_vote(city))
    for person in (city.an, city.binh):
        assert str(person.id) not in str([created, opened, closed, published])
    counts = closed["outcome"].pop("counts")
    assert [count["heads"] for count in counts] == [2, 0, 0]
    for option in city.vote.options.values():
        assert str(option) not in str([created, opened, closed, published])


async def test_refused_acts_add_no_link(city: City) -> None:
    before = await hold_vote(city)
    for mutation in ("openVote", "closeVote"):
        value = await act(context_of(city.hanh), mutation, voteId=city.vote.id)
        assert value["__typename"] == "Refused"
    assert await read_chain(city, city.vote) == before


async def test_each_vote_has_a_chain_of_its_own(city: City) -> None:
    await hold_vote(city)
    assert len(await read_chain(city, city.later_vote)) == 1
    assert is_unbroken(await read_chain(city, city.later_vote))


def reordered(chain: list[Link]) -> list[Link]:
    first, second, third, fourth = chain
    return [first, replace(third, sequence=2), replace(second, sequence=3), fourth]


def relinked(chain: list[Link]) -> list[Link]:
    """Somebody deletes a row and mends the links, but not every hash."""
    first, _, third, fourth = chain
    linked = replace(third, sequence=2, previous_hash=first.hash)
    return [first, linked, replace(fourth, sequence=3)]


TAMPERED: dict[str, Callable[[list[Link]], list[Link]]] = {
    "all rows are gone": lambda chain: [],
    "the first row is gone": lambda chain: chain[1:],
    "a row between is gone": lambda chain: [chain[0], *chain[2:]],
    "a row between is gone and the next one linked": relinked,
    "two rows changed places": lambda chain: [chain[0], chain[2], chain[1], chain[3]],
    "two rows changed places and numbers": reordered,
    "a row is there twice": lambda chain: [*chain, chain[3]],
    "a kind was edited": lambda chain: [*chain[:3], replace(chain[3], kind=AuditKind.ANNULLED)],
    "a payload was edited": lambda chain: [
        chain[0],
        replace(chain[1], payload={**chain[1].payload, "eligible": 8}),
        *chain[2:],
    ],
    "a payload was edited and its hash computed anew": lambda chain: [
        chain[0],
        replace(
            chain[1],
            payload={"eligible": 8},
            hash=chain_hash(chain[1].previous_hash, chain[1].kind, {"eligible": 8}),
        ),
        *chain[2:],
    ],
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
async def test_whatever_is_done_to_the_rows_is_found(
    city: City, tamper: Callable[[list[Link]], list[Link]]
) -> None:
    chain = await hold_vote(city)
    assert not is_unbroken(tamper(chain))


async def test_an_edit_in_the_database_itself_is_found(city: City) -> None:
    _, _, closed, _ = await hold_vote(city)
    outcome = {**closed.payload["outcome"], "verdict": "CARRIED"}
    async with tampering(city.scene.database) as session:
        await session.execute(
            update(AuditRow)
            .where(AuditRow.vote_id == city.vote.id, AuditRow.sequence == 3)
            .values(payload={**closed.payload, "outcome": outcome})
        )
    assert not is_unbroken(await read_chain(city, city.vote))


async def test_who_kept_the_last_hash_finds_that_the_end_was_cut_off(city: City) -> None:
    chain = await hold_vote(city)
    assert is_unbroken(chain[:3])
    assert chain[2].hash != chain[3].hash


def test_canonical_json_is_the_same_for_equal_values_and_refuses_what_is_no_json() -> None:
    assert canonical_json({"b": 1, "a": [None, "ễ"]}) == '{"a":[null,"ễ"],"b":1}'.encode()
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})
    with pytest.raises(ValueError, match="JSON"):
        canonical_json(float("nan"))
