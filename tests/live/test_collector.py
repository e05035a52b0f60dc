"""What an operation used is freed with it: to find it the collector would stop everybody."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from realtime.fanout import Fanout
from resolvers.context import Context, Snapshot
from resolvers.loading import Loaders
from schema.live.execution import Execution
from schema.live.prepare import read_operation
from schema.live.run import Live
from schema.schema import schema
from server.auth.credentials import hash_token
from server.runtime.gc_tuning import Collector
from tests.support.asking import OWN_MEETING, OWN_VOTE, act, ask, eventually, push_each
from tests.support.factories import City, Person, context_of
from tests.support.voting import RECEIPT

OURS = (Context, Snapshot, Loaders, Execution, Fanout)
WATCH = "subscription ($id: ID!) { vote(id: $id) { version tally { cast options { count } } } }"


async def left_by(operation: Callable[[], Awaitable[object]]) -> Counter[str]:
    """What of ours only the collector finds afterwards, by type."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        await operation()
        await asyncio.sleep(0)  # what the event loop still holds is not left behind
        gc.collect()
        return Counter(type(one).__name__ for one in gc.garbage if isinstance(one, OURS))
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()


async def test_a_ballot_leaves_nothing(city: City) -> None:
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)

    async def cast() -> None:
        ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
        await act(context_of(city.an), "castBallot", RECEIPT, **ballot)

    assert await left_by(cast) == {}


@pytest.mark.parametrize("field", ["vote", "meeting"])
async def test_a_query_with_everything_leaves_nothing(city: City, field: str) -> None:
    selection = {"vote": OWN_VOTE, "meeting": OWN_MEETING}[field]
    document = f"query ($id: ID!) {{ {field}(id: $id) {{ {selection} }} }}"

    async def query() -> None:
        await ask(context_of(city.an), document, id=str(getattr(city, field).id))

    assert await left_by(query) == {}


class Page:
    """Somebody who is shown a state."""

    def __init__(self) -> None:
        self.states = 0

    def push(self, state: bytes) -> None:
        self.states += 1

    def end(self, error: object) -> None:
        raise AssertionError(error)


@pytest.mark.parametrize("is_compiled", [True, False], ids=["compiled", "by graphql-core"])
async def test_pushes_leave_nothing_and_keep_nothing(
    city: City, is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema.documents.forget()
    if not is_compiled:
        monkeypatch.setattr("schema.live.prepare.compiled", lambda *_: None)
    await act(context_of(city.hanh), "openVote", voteId=city.vote.id)
    live = Live(context_of(city.nobody), push_each)
    access = await live.audiences.admit(hash_token(city.binh.token))
    operation = read_operation(WATCH, None)
    assert access is not None
    assert operation is not None
    plan = await live.plan(access, operation, {"id": str(city.vote.id)})
    page = Page()
    live.join(plan, page)
    await eventually(lambda: page.states == 1)
    assert (plan.key[0].compiled is not None) is is_compiled
    executor = plan.key[0].executor
    kept = len(executor._relevant_sub_fields)
    assert kept > 0

    async def cast(person: Person) -> None:
        ballot = {"voteId": city.vote.id, "choices": [city.vote.for_], "key": "key"}
        states = page.states
        await act(context_of(person), "castBallot", RECEIPT, **ballot)
        await eventually(lambda: page.states == states + 1)

    assert await left_by(lambda: cast(city.an)) == {}
    await cast(city.binh)
    assert len(executor._relevant_sub_fields) == kept
    await live.stop()
    schema.documents.forget()


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


def test_a_process_that_has_grown_is_looked_through() -> None:
    memory = 100 * 1024 * 1024
    collector = Collector(quiet_looks=60, memory=lambda: memory)

    def looks_after_growing_by(megabytes: int) -> int:
        nonlocal memory
        memory += megabytes * 1024 * 1024
        before = full_collections()
        collector.look(0)
        return full_collections() - before

    assert looks_after_growing_by(32) == 0
    assert looks_after_growing_by(1) == 1
    assert looks_after_growing_by(30) == 0
    assert looks_after_growing_by(-60) == 0
    assert looks_after_growing_by(33) == 1
    assert looks_after_growing_by(900) == 1
    assert looks_after_growing_by(200) == 0  # a fifth
