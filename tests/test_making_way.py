"""Ballots stand back for a moment when somebody begins to close their vote, and for no longer."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from models.ballot_box import CastBallot, put_ballots
from resolvers import casting
from tests.asking import PATIENCE, act
from tests.factories import ORDINARY, City, context_of
from tests.voting import cast, open_motion, reason, vote_after

MOMENT = 0.2  # seconds


async def test_ballots_wait_for_a_closing_that_begins_and_get_in_when_it_is_refused(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", MOMENT)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    asked = time.monotonic()
    assert await reason(city.binh, "closeVote", voteId=vote.id) == "NOT_ALLOWED"
    await cast(city.binh, vote, vote.for_)
    assert time.monotonic() - asked >= MOMENT


async def test_a_ballot_that_is_being_written_is_answered_when_way_was_made(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", MOMENT)
    vote = await open_motion(city, ORDINARY)
    shared = context_of(city.binh).casting
    asked = 0.0

    async def put_amid_a_closing(*arguments: Any) -> list[CastBallot | None]:
        nonlocal asked
        taken = await put_ballots(*arguments)
        asked = time.monotonic()
        shared.make_way(vote.id)
        return taken

    monkeypatch.setattr(casting, "put_ballots", put_amid_a_closing)
    await cast(city.binh, vote, vote.for_)
    assert time.monotonic() - asked >= MOMENT


async def test_ballots_that_waited_for_the_closing_are_told_of_it(city: City) -> None:
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    closed, late = await asyncio.gather(
        vote_after(city.hanh, "closeVote", vote),
        act(context_of(city.binh), "castBallot", voteId=vote.id, choices=[vote.for_], key="key"),
    )
    assert (closed["tally"]["cast"], late["reason"]) == (1, "VOTE_CLOSED")


async def test_who_asks_to_close_again_and_again_keeps_nobody_waiting(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casting, "MAKES_WAY_EVERY", 3_600.0)
    vote = await open_motion(city, ORDINARY)
    await cast(city.an, vote, vote.for_)
    assert await reason(city.an, "closeVote", voteId=vote.id) == "NOT_ALLOWED"
    monkeypatch.setattr(casting, "MAKES_WAY_FOR", 3_600.0)
    assert await reason(city.an, "closeVote", voteId=vote.id) == "NOT_ALLOWED"
    async with asyncio.timeout(PATIENCE):
        await cast(city.binh, vote, vote.for_)
