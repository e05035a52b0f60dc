"""Nobody waits for a connection of the database while holding another one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from resolvers.votes.ballots import cast_ballot
from rules.refusals import Reason, Refusal
from rules.votes.rule_sets import Change
from schema.schema import schema
from tests.support.asking import act
from tests.support.database_log import is_put, statements
from tests.support.factories import ORDINARY, City, VoteIds, context_of

AT_ONCE = 24  # more than a process has connections
ANSWERED_WITHIN = 15.0  # seconds; who waits for a connection in vain gives up after 30


@pytest.fixture
async def changeable(city: City) -> VoteIds:
    """An open vote in which ballots may be changed."""
    vote = city.scene.vote(
        city.meeting, position=3, rule=replace(ORDINARY, change=Change.LAST_COUNTS)
    )
    await city.scene.save()
    await act(context_of(city.hanh), "openVote", voteId=vote.id)
    return vote


async def test_many_who_come_too_late_to_change_their_ballots_are_all_refused(
    city: City, changeable: VoteIds
) -> None:
    await act(context_of(city.hanh), "closeVote", voteId=changeable.id)

    async def cast(key: str) -> Reason | None:
        context = context_of(city.an)
        try:
            await cast_ballot(context, str(changeable.id), [str(changeable.for_)], key)
        except Refusal as refusal:
            return refusal.reason
        finally:
            await context.release()
        return None

    with statements(city.scene.database) as executed:
        async with asyncio.timeout(ANSWERED_WITHIN):
            answers = await asyncio.gather(*(cast(f"key-{n}") for n in range(AT_ONCE)))
    assert answers == [Reason.VOTE_CLOSED] * AT_ONCE
    # Those who come together try once, together, and learn the reason together.
    casts = [one for one in executed if is_put(one) or "INSERT INTO ballot" in one]
    assert 0 < len(casts) <= AT_ONCE / 4
    assert len(executed) < AT_ONCE


async def test_many_who_send_two_mutations_in_one_operation_are_all_answered(city: City) -> None:
    check_in = "checkIn(meetingId: $meeting) { __typename ... on Meeting { unit { name } } }"
    query = f"mutation ($meeting: ID!) {{ one: {check_in} two: {check_in} }}"

    async def check_in_twice() -> object:
        result = await schema.execute(
            query,
            variable_values={"meeting": str(city.meeting.id)},
            context_value=context_of(city.an),
        )
        return result.errors

    async with asyncio.timeout(ANSWERED_WITHIN):
        errors = await asyncio.gather(*(check_in_twice() for _ in range(AT_ONCE)))
    assert errors == [None] * AT_ONCE
