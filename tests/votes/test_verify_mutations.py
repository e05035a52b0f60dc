"""`verify` finds whatever is done to a vote's rows, one change at a time, but for a named list.

Each column of each row is changed, and exchanged with each other row's; each row is taken out, and
one more is put in. That is done to what was read, so that all of it can be tried; what it is like
in the databases themselves a few changes show.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import text

from models.base import Base
from models.votes.record import read_chains, read_record
from rules.votes.presets import PRESETS, Matter
from rules.votes.record.chain import TABLES
from rules.votes.record.verify import UNTOLD_COLUMNS, UNTOLD_WHILE_OPEN, Record, verify_record
from rules.votes.rule_sets import Comparison, TieRule
from tests.support.asking import act
from tests.support.factories import City, context_of
from tests.support.tampering import tampering
from tests.support.voting import (
    CHANGEABLE,
    HIDDEN,
    TIED,
    Held,
    cast,
    enter,
    look,
    open_motion,
    prepare,
    vote_after,
)

COLUMNS = {name: tuple(Base.metadata.tables[name].c.keys()) for name in TABLES}
UNSEEN = {"open_paper": "papers of an open vote, which nobody may look at; the closing counts them"}
"""A table that has a vote's id and is not verified, with the reason."""

# --- Votes --------------------------------------------------------------------------------------


async def a_closed_motion(city: City) -> Held:
    """With a changed ballot, hands, a late-comer, an extension; published and repeated."""
    vote = await open_motion(city, CHANGEABLE)
    await cast(city.an, vote, vote.for_)
    await cast(city.an, vote, vote.against, key="second")
    await cast(city.binh, vote, vote.for_)
    later = datetime.now(UTC) + timedelta(hours=1)
    await vote_after(city.hanh, "extendVote", vote, closesAt=later)
    khanh = city.scene.member("Khánh", city.branch)
    await city.scene.save()
    await vote_after(city.hanh, "amendRoll", vote, memberId=khanh.id)
    await cast(khanh, vote, vote.for_)
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "repeatVote", vote)
    return vote


async def a_hidden_motion(city: City) -> Held:
    vote = await open_motion(city, HIDDEN)
    for person, option in zip(city.entitled, [vote.for_] * 4 + [vote.against] * 3, strict=True):
        await cast(person, vote, option)
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "publishVote", vote)
    return vote


async def an_annulled_motion(city: City) -> Held:
    vote = await a_closed_motion(city)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    return vote


async def a_broken_tie(city: City) -> Held:
    vote = await open_motion(city, TIED)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    await vote_after(city.hanh, "closeVote", vote)
    await vote_after(city.hanh, "breakTie", vote, chosen=[str(vote.for_)])
    return vote


async def an_election(city: City) -> Held:
    city.scene.preset(city.branch, "vi-party")
    await city.scene.save()
    item = city.meeting.items[0]
    recused = [str(city.minh.id)]
    draft = {"recused": recused, "seats": 3}
    paper = await prepare(city.hanh, item, Matter.ELECTION, ["Mai", "Long"], **draft)
    await vote_after(city.hanh, "nominate", paper, name="Phúc")
    await vote_after(city.hanh, "openVote", paper)
    for person in [one for one in city.entitled if one not in (city.minh, city.binh)]:
        await cast(person, paper, paper.box("Mai", "FOR"), paper.box("Long", "AGAINST"))
    await cast(city.binh, paper, paper.box("Long", "FOR"))
    await vote_after(city.hanh, "closeVote", paper)
    return paper


async def a_proposed_annulment(city: City) -> Held:
    vote = await a_hidden_motion(city)
    await vote_after(city.hanh, "annulVote", vote, reason="Sai")
    return vote


async def an_annulled_hidden_motion(city: City) -> Held:
    vote = await a_proposed_annulment(city)
    await act(context_of(city.dung), "confirmAnnulment", voteId=vote.id)
    return vote


async def a_motion_with_hands(city: City) -> Held:
    """Two counted, a third taken back, a fourth contested by its member."""
    vote = await open_motion(city, CHANGEABLE)
    await enter(city, *city.entitled)
    for option, members in (
        (vote.for_, (city.an, city.binh)),
        (vote.against, (city.chi, city.nam)),
    ):
        hands = [{"optionId": option, "memberIds": [one.id for one in members], "count": 2}]
        await vote_after(city.hanh, "recordHands", vote, memberIds=[], hands=hands)
    await vote_after(city.hanh, "takeBackHands", vote, memberIds=[city.chi.id])
    await act(context_of(city.nam), "contestHand", voteId=vote.id)
    await cast(city.nam, vote, vote.for_)
    await vote_after(city.hanh, "closeVote", vote)
    return vote


async def a_drawn_lot(city: City) -> Held:
    """Among three who have as many votes each."""
    rule = replace(
        PRESETS["de-verein"][Matter.ELECTION], tie=TieRule.LOT, threshold=Comparison.PLURALITY
    )
    city.scene.rule(city.branch, rule, Matter.ELECTION)
    await city.scene.save()
    names = ["Mai", "Long", "Phúc"]
    paper = await prepare(
        city.hanh, city.meeting.items[0], Matter.ELECTION, names, recused=[str(city.minh.id)]
    )
    await vote_after(city.hanh, "openVote", paper)
    for number, person in enumerate(one for one in city.entitled if one is not city.minh):
        await cast(person, paper, paper.box(names[number % 3]))
    await vote_after(city.hanh, "closeVote", paper)
    if (await look(city.hanh, paper))["rule"]["secrecy"] == "UNATTRIBUTED":
        await vote_after(city.hanh, "publishVote", paper)
    await vote_after(city.hanh, "breakTie", paper)
    return paper


async def an_open_motion(city: City) -> Held:
    vote = await open_motion(city, CHANGEABLE)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    return vote


async def an_open_hidden_motion(city: City) -> Held:
    vote = await open_motion(city, HIDDEN)
    await cast(city.an, vote, vote.for_)
    await cast(city.binh, vote, vote.against)
    return vote


async def a_prepared_motion(city: City) -> Held:
    return city.later_vote


HELD: list[Callable[[City], Awaitable[Held]]] = [
    a_closed_motion,
    a_hidden_motion,
    an_annulled_motion,
    a_broken_tie,
    an_election,
    a_proposed_annulment,
    an_annulled_hidden_motion,
    a_motion_with_hands,
    a_drawn_lot,
    an_open_motion,
    an_open_hidden_motion,
    a_prepared_motion,
]

# --- What is done to the rows -------------------------------------------------------------------

Change = tuple[str, Record]
"""What was done, such as `ballot.key edited`, and what is then stored."""


def mutations(record: Record) -> Iterator[Change]:
    """Each column, each row and each pair of rows of the vote, one at a time."""
    assert record.vote is not None
    yield "vote removed", replace(record, vote=None)
    for column, value in record.vote.items():
        changed = {**record.vote, column: edited(value)}
        yield f"vote.{column} edited", replace(record, vote=changed)
    for name, rows in record.tables.items():
        for what, changed_rows in row_mutations(name, rows, COLUMNS[name]):
            yield what, replace(record, tables={**record.tables, name: changed_rows})
    for what, changed_rows in row_mutations("audit", record.audit, tuple(record.audit[0])):
        yield what, replace(record, audit=changed_rows)


def row_mutations(
    name: str, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for place, row in enumerate(rows):
        others = [*rows[:place], *rows[place + 1 :]]
        yield f"{name} removed", others
        yield from ((f"{name}.{c} edited", [*others, {**row, c: edited(row[c])}]) for c in columns)
    for one, other in combinations(range(len(rows)), 2):
        for column in columns:
            changed = swapped(rows, one, other, column)
            if any(row not in rows for row in changed):  # otherwise they only changed places
                yield f"{name}.{column} swapped", changed
    yield f"{name} added", [*rows, dict.fromkeys(columns, "more")]
    if rows:
        yield f"{name} doubled", [*rows, rows[-1]]


def swapped(
    rows: Sequence[Mapping[str, Any]], one: int, other: int, column: str
) -> list[Mapping[str, Any]]:
    """The column's values of two rows exchanged."""
    changed = [dict(row) for row in rows]
    changed[one][column], changed[other][column] = rows[other][column], rows[one][column]
    return list(changed)


def edited(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case str():
            return value[:-1] + ("1" if value[-1:] == "0" else "0")
        case dict():
            return {**value, "more": 1}
        case _:
            return 1


# --- Whether it is found ------------------------------------------------------------------------


async def record_of(city: City, vote: Held) -> Record:
    async with city.scene.database.snapshot() as session:
        return await read_record(session, vote.id)


def may_be_missed(what: str, *, is_open: bool) -> bool:
    """Whether `verify` itself says, with a reason, that nobody can find it."""
    table, _, column = what.partition(" ")[0].partition(".")
    if table == "vote":
        return column in UNTOLD_COLUMNS
    return is_open and table in UNTOLD_WHILE_OPEN


@pytest.mark.parametrize("hold", HELD, ids=lambda hold: hold.__name__)
async def test_whatever_is_done_to_one_row_is_found(
    city: City, hold: Callable[[City], Awaitable[Held]]
) -> None:
    record = await record_of(city, await hold(city))
    assert verify_record(record).problems == []
    tried = [(what, verify_record(changed).problems) for what, changed in mutations(record)]
    missed = {what for what, problems in tried if not problems}
    is_open = "open" in hold.__name__
    assert {what for what in missed if not may_be_missed(what, is_open=is_open)} == set()
    assert {f"{table} added" for table in (*TABLES, "audit")} <= {what for what, _ in tried}
    assert "vote.row_version edited" in missed


OWNERS_TRICKS = (
    "UPDATE ballot SET key = key || 'x'",
    "UPDATE ballot SET cast_at = opened_at FROM vote WHERE vote.id = ballot.vote_id",
    "UPDATE ballot_choice SET option_id = (SELECT id FROM vote_option WHERE kind = 'ABSTAIN'"
    " AND vote_option.vote_id = ballot_choice.vote_id)",
    "UPDATE roll_entry SET weight = weight + 1",
    "UPDATE roll_entry SET was_present_at_closing = NOT was_present_at_closing",
    "UPDATE vote_option SET label = label || ' '",
    "UPDATE vote SET published_at = NULL WHERE closed_at IS NOT NULL",
    "UPDATE vote SET closes_at = closed_at WHERE closed_at IS NOT NULL",
    "UPDATE audit SET payload = '{}' WHERE sequence = 3",
    "DELETE FROM audit WHERE sequence = 4",
    "DELETE FROM ballot_choice",
)
"""What somebody with the owner's role writes, past triggers and foreign keys."""


async def test_what_the_owner_of_the_tables_writes_is_found(city: City) -> None:
    vote = await a_closed_motion(city)
    async with tampering(city.scene.database) as session:
        for trick in OWNERS_TRICKS:
            async with session.begin_nested() as savepoint:
                await session.execute(text(trick))
                record = await read_record(session, vote.id)
                assert verify_record(record).problems, trick
                await savepoint.rollback()
        assert verify_record(await read_record(session, vote.id)).problems == []


async def test_rows_whose_vote_is_gone_are_found(city: City) -> None:
    vote = await a_closed_motion(city)
    record = replace(await record_of(city, vote), vote=None)
    assert verify_record(record).problems == ["there is no vote to these rows"]
    async with city.scene.database.snapshot() as session:
        assert str(vote.id) in await read_chains(session)


def test_every_table_of_a_vote_is_verified_or_named() -> None:
    of_a_vote = {table.name for table in Base.metadata.sorted_tables if "vote_id" in table.c}
    assert of_a_vote == {*TABLES, "audit", *UNSEEN}


async def test_every_column_of_a_vote_is_told_or_named(city: City) -> None:
    vote = await a_closed_motion(city)
    async with city.scene.database.snapshot() as session:
        findings = verify_record(await read_record(session, vote.id))
    assert (findings.problems, findings.untold) == ([], [])
