"""A lot that nobody in the vote can foresee or steer, and anybody can check."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from models.votes.votes import Lot
from rules.votes.lot import commitment_of, lot_seed
from rules.votes.presets import PRESETS, Matter
from rules.votes.record.audit import canonical_json
from rules.votes.record.recount import problems
from rules.votes.rule_sets import Comparison, LiveTally, Secrecy, TieRule
from rules.votes.ties import draw_lot
from tests.support.database_log import dump
from tests.support.factories import City, Person
from tests.support.tampering import tampering
from tests.support.voting import (
    Paper,
    cast,
    chain,
    count,
    end,
    export,
    look,
    prepare,
    stored,
    vote_after,
)

NAMES = ["Mai", "Long", "Phúc"]
RESULT = "outcome { nextStep tie { tied chosen seed secret } }"


async def an_election(city: City, secrecy: Secrecy) -> Paper:
    live = LiveTally.ALWAYS if secrecy is Secrecy.OPEN else LiveTally.AFTER_CLOSE
    rule = replace(
        PRESETS["de-verein"][Matter.ELECTION],
        tie=TieRule.LOT,
        secrecy=secrecy,
        live_tally=live,
        threshold=Comparison.PLURALITY,
    )
    city.scene.rule(city.branch, rule, Matter.ELECTION)
    await city.scene.save()
    paper = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, NAMES)
    await vote_after(city.hanh, "openVote", paper)
    return paper


def voters(city: City) -> list[Person]:
    return [person for person in city.entitled if person is not city.minh]


async def cast_equally(city: City, paper: Paper) -> None:
    for number, person in enumerate(voters(city)):
        await cast(person, paper, paper.box(NAMES[number % 3]), key=f"key-of-{number}")


async def draw(city: City, paper: Paper) -> Any:
    await end(city, paper)
    if (await look(city.hanh, paper))["rule"]["secrecy"] == "UNATTRIBUTED":
        await vote_after(city.hanh, "publishVote", paper)
    await vote_after(city.hanh, "breakTie", paper)
    await vote_after(city.hanh, "publishVote", paper)
    return (await look(city.an, paper, RESULT))["outcome"]["tie"]


async def secret_of(city: City, paper: Paper) -> bytes:
    ((secret,),) = await stored(city, select(Lot.secret).where(Lot.vote_id == paper.id))
    return bytes(secret)


@pytest.mark.parametrize("secrecy", Secrecy)
async def test_the_seed_comes_from_a_secret_fixed_at_opening_and_every_key(
    city: City, secrecy: Secrecy
) -> None:
    paper = await an_election(city, secrecy)
    secret = await secret_of(city, paper)
    assert len(secret) == 32
    opened = dict(await chain(city, paper))["OPENED"]
    assert opened["lot"] == hashlib.sha256(secret).hexdigest()
    await cast_equally(city, paper)
    tie = await draw(city, paper)
    keys = [f"key-of-{number}" for number in range(6)]
    assert tie["secret"] == secret.hex()
    assert tie["seed"] == hashlib.sha256(secret + canonical_json(keys)).hexdigest()
    assert tie["chosen"] == [str(draw_lot(tie["seed"], [UUID(one) for one in tie["tied"]])[0])]
    told = dict(await chain(city, paper))["TIE_BROKEN"]["outcome"]["tie"]
    assert (told["secret"], told["seed"]) == (tie["secret"], tie["seed"])
    exported = json.loads(json.dumps(await export(city, paper)))
    assert exported["keys"] == keys
    assert list(problems(exported)) == []


@pytest.mark.parametrize("secrecy", Secrecy)
async def test_nothing_shows_the_secret_before_the_lot_is_drawn(
    city: City, secrecy: Secrecy
) -> None:
    paper = await an_election(city, secrecy)
    secret = await secret_of(city, paper)
    await cast_equally(city, paper)
    await end(city, paper)
    await vote_after(city.hanh, "publishVote", paper) if secrecy is not Secrecy.OPEN else None
    exported = await export(city, paper)
    assert secret.hex() not in json.dumps(exported)
    assert exported["outcome"]["tie"]["seed"] is None
    assert "keys" not in exported
    holders = [
        table
        for table, rows in (await dump(city.scene.database)).items()
        if any(secret.hex() in row or repr(secret) in row for row in rows)
    ]
    assert holders == ["lot"]


async def test_times_and_order_have_no_hand_in_the_seed(city: City) -> None:
    paper = await an_election(city, Secrecy.OPEN)
    secret = await secret_of(city, paper)
    people = list(enumerate(voters(city)))
    for number, person in reversed(people):
        moment = datetime.now(UTC) + timedelta(hours=1, microseconds=7919 * number)
        await vote_after(city.hanh, "extendVote", paper, closesAt=moment)
        await cast(person, paper, paper.box(NAMES[number % 3]), key=f"key-of-{number}")
    tie = await draw(city, paper)
    assert tie["seed"] == lot_seed(secret, [f"key-of-{number}" for number, _ in people])


async def test_two_votes_have_two_secrets_and_others_have_none(city: City) -> None:
    first = await an_election(city, Secrecy.OPEN)
    second = await prepare(city.hanh, city.meeting.items[0], Matter.ELECTION, NAMES)
    await vote_after(city.hanh, "openVote", second)
    assert await secret_of(city, first) != await secret_of(city, second)
    await vote_after(city.hanh, "openVote", city.vote)
    assert await count(city, Lot) == 2
    assert "lot" not in dict(await chain(city, city.vote))["OPENED"]


async def test_a_recount_finds_another_secret_another_seed_and_other_keys(city: City) -> None:
    paper = await an_election(city, Secrecy.UNATTRIBUTED)
    await cast_equally(city, paper)
    await draw(city, paper)
    whole = json.loads(json.dumps(await export(city, paper)))

    def changed(change: Any) -> list[str]:
        other = copy.deepcopy(whole)
        change(other)
        return list(problems(other))

    forged = bytes(32)
    own = {"secret": forged.hex(), "seed": lot_seed(forged, whole["keys"])}
    assert changed(lambda other: other["keys"].pop())
    assert changed(lambda other: other["keys"].append("one more"))
    assert changed(lambda other: other["outcome"]["tie"].update(secret=forged.hex()))
    assert changed(lambda other: other["outcome"]["tie"].update(seed=own["seed"]))
    found = changed(lambda other: other["outcome"]["tie"].update(own))
    assert any("fixed at opening" in sentence for sentence in found)


async def test_a_vote_that_opened_before_secrets_were_drawn_has_its_chain_for_a_seed(
    city: City,
) -> None:
    paper = await an_election(city, Secrecy.OPEN)
    async with tampering(city.scene.database) as session:
        await session.execute(text("DELETE FROM lot"))
    await cast_equally(city, paper)
    await end(city, paper)
    head = (await look(city.hanh, paper))["auditHead"]
    await vote_after(city.hanh, "breakTie", paper)
    tie = (await look(city.hanh, paper, RESULT))["outcome"]["tie"]
    assert (tie["seed"], tie["secret"]) == (head, None)


def test_the_commitment_is_the_secret_s_hash() -> None:
    assert commitment_of(b"x") == hashlib.sha256(b"x").hexdigest()
