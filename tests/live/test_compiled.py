"""Compiled selections: the same answers as graphql-core's, and the long way where there is none."""

from __future__ import annotations

import asyncio
import enum
import gc
import json
import re
from collections.abc import Awaitable
from datetime import UTC, datetime
from typing import Any
from unittest.mock import ANY
from uuid import UUID

import orjson
import pytest
import strawberry
from graphql import parse
from graphql.execution import Executor
from graphql.execution.collect_fields import collect_fields
from strawberry.scalars import JSON
from strawberry.types import ExecutionResult
from structlog.testing import capture_logs

from benchmarks._fanout_client import SOURCES, document
from resolvers.votes.loaders import VoteLoaders
from schema.live.compiler import Compiled, DoesNotFit, compiled
from schema.live.prepare import Prepared, read_operation
from schema.live.run import Live
from tests.support.asking import execute, finding, push_each
from tests.support.factories import City, Person, context_of
from tests.support.voting import cast, vote_after


async def pushed(
    city: City, person: Person, document: str, **variables: Any
) -> tuple[Any, Prepared]:
    """The payload of a subscription's state, and how it was prepared."""
    shared = context_of(city.nobody)
    live = Live(shared, push_each)
    access = await finding(context_of(person))()
    operation = read_operation(document, None)
    assert access is not None
    assert operation is not None
    plan = await live.plan(access, operation, variables)
    (state,) = await live._run_together([plan.key])
    await live.stop()
    await shared.release()
    assert isinstance(state, bytes), state
    return json.loads(state), plan.key[0]


async def asked(person: Person, document: str, **variables: Any) -> Any:
    """What a query of the same selection answers; graphql-core executes it."""
    query = re.sub(r"^subscription", "query", document)
    result = await execute(context_of(person), query, **variables)
    payload: dict[str, Any] = {"data": result.data}
    if result.errors:
        payload["errors"] = [error.formatted for error in result.errors]
    return json.loads(json.dumps(payload))


SELECTIONS = {
    "aliases": "a: question b: question tally { all: cast }",
    "type names": "__typename kind: __typename tally { __typename } options { __typename }",
    "fragments": "...F tally { cast } ... on Vote { tally { eligible } state } ... { id }",
    "left out": "question @skip(if: $yes) state @include(if: $yes) rule @include(if: $no) { name }",
    "lists": "options { id kind label candidateId } roll { weight leftOut member { name } }",
    "nulls": "closedAt outcome { carried } record { tracker } annulment repeatOf",
    "enums and times": "state openedAt rule { method base measureThresholds { strict } }",
    "an argument": "outcome { a: sentence(language: VI) sentence b: sentence(language: $language)}",
}
FRAGMENT = "fragment F on Vote { id tally { byHand options { optionId count } } }"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("named", SELECTIONS)
@pytest.mark.parametrize("state", ["OPEN", "PUBLISHED"])
async def test_the_answer_is_graphql_core_s(
    city: City, named: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vote = city.vote
    await vote_after(city.hanh, "openVote", vote)
    await cast(city.an, vote, vote.for_)
    if state == "PUBLISHED":
        await vote_after(city.hanh, "closeVote", vote)
        await vote_after(city.hanh, "publishVote", vote)
    variables: dict[str, Any] = {"id": str(vote.id)}
    declared = "$id: ID!"
    if "$yes" in SELECTIONS[named]:
        declared += ", $yes: Boolean!, $no: Boolean = false"
        variables["yes"] = True
    if "$language" in SELECTIONS[named]:
        declared += ", $language: Language!"
        variables["language"] = "VI"
    document = f"subscription ({declared}) {{ vote(id: $id) {{ {SELECTIONS[named]} }} }}"
    document += FRAGMENT if "...F" in document else ""
    answer = await asked(city.an, document, **variables)
    assert "errors" not in answer
    monkeypatch.setattr("schema.live.run.execute_subscription_event", None)
    payload, prepared = await pushed(city, city.an, document, **variables)
    assert prepared.compiled is not None
    assert payload == answer
    assert orjson.dumps(payload) == orjson.dumps(answer), "the fields are in the same order"


WATCHED = [
    name
    for path in sorted(SOURCES.rglob("*.graphql"))
    for name in re.findall(r"^subscription (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", WATCHED)
async def test_what_the_web_client_watches_is_compiled(
    city: City, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = city.branch if name == "WatchUnit" else city.meeting.id
    answer = await asked(city.an, document(name), id=str(subject))
    monkeypatch.setattr("schema.live.run.execute_subscription_event", None)
    assert (await pushed(city, city.an, document(name), id=str(subject)))[0] == answer


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_one_compilation_is_for_all_votes_and_another_for_each_language(city: City) -> None:
    document = """subscription ($id: ID!, $language: Language = EN) {
      vote(id: $id) { question outcome { sentence(language: $language) } }
    }"""
    votes = [str(city.vote.id), str(city.later_vote.id)]
    found = {
        (vote, language): (await pushed(city, city.hanh, document, id=vote, language=language))[1]
        for vote in votes
        for language in ("VI", "EN")
    }
    assert len({prepared.compiled for prepared in found.values()}) == 2
    for language in ("VI", "EN"):
        assert len({found[vote, language].compiled for vote in votes}) == 1


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("fields", "is_null"),
    [("repeatedBy question", {"repeatedBy"}), ("question again: repeatedBy", {"again"})],
)
async def test_where_a_field_fails_the_answer_and_its_errors_are_graphql_core_s(
    city: City, fields: str, is_null: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: VoteLoaders) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(VoteLoaders, "repetition", property(fail))
    document = f"subscription ($id: ID!) {{ vote(id: $id) {{ {fields} }} }}"
    answer = await asked(city.an, document, id=str(city.vote.id))
    payload, _ = await pushed(city, city.an, document, id=str(city.vote.id))
    for of in (answer, payload):
        (error,) = of["errors"]
        assert error.pop("extensions").keys() == {"correlationId"}
        error["locations"] = None  # a query's name is shorter
    assert payload == answer
    assert {name for name, value in payload["data"]["vote"].items() if value is None} == is_null


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_an_argument_that_is_wrong_is_that_field_s_error(city: City) -> None:
    document = """subscription W($id: ID!, $language: Language = EN) {
      vote(id: $id) { question outcome { sentence(language: $language) } }
    }"""
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.hanh, "closeVote", city.vote)
    variables = {"id": str(city.vote.id), "language": None}
    answer = await asked(city.hanh, document, **variables)
    payload, prepared = await pushed(city, city.hanh, document, **variables)
    assert prepared.compiled is None
    for of in (answer, payload):
        (error,) = of["errors"]
        error["locations"] = None
    assert payload == answer
    assert payload["data"]["vote"]["question"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_is_compiled_for_values_that_anybody_sends_is_kept_while_it_is_shown(
    city: City,
) -> None:
    document = """subscription V($id: ID!, $yes: Boolean!) {
      vote(id: $id) { question state @include(if: $yes) }
    }"""
    operation = read_operation(document, None)
    assert operation is not None
    for yes in (True, False, True):
        variables = {"id": str(city.vote.id), "yes": yes}
        payload, prepared = await pushed(city, city.hanh, document, **variables)
        assert payload == await asked(city.hanh, document, **variables)
        assert prepared in operation.prepared.values()
        assert [prepared.compiled] == list(operation.compiled.values())[-1:]
        del prepared
    gc.collect()
    assert not operation.prepared
    assert not operation.compiled


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_what_only_graphql_core_can_execute_after_all_is_logged(city: City) -> None:
    document = "subscription X($id: ID!) { vote(id: $id) { id question } }"
    _, prepared = await pushed(city, city.hanh, document, id=str(city.vote.id))

    def fail(*_: object) -> None:
        raise DoesNotFit

    assert prepared.compiled is not None
    prepared.compiled._complete = fail
    with capture_logs() as logs:
        payload, _ = await pushed(city, city.hanh, document, id=str(city.vote.id))
    assert payload["data"]["vote"]["question"]
    assert [(log["event"], log["field"]) for log in logs] == [("live.compiled_in_vain", "vote")]


# --- Whatever else a schema may have -----------------------------------------------------------


@strawberry.enum
class Colour(enum.Enum):
    RED = "r"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Leaf(Named):
    number: int | None = None


@strawberry.type
class Plain:
    name: str


@strawberry.type
class Thing:
    text: str
    number: int | None
    colours: list[Colour]
    times: list[datetime | None]
    leaf: Leaf
    leaves: list[Leaf | None] | None
    anything: Named
    words: list[str]
    data: JSON
    plain: Plain
    number_of: UUID
    numbers_of: list[UUID | None]

    @strawberry.field
    async def late(self, wait: float = 0, also: int = 1) -> int:
        await asyncio.sleep(wait)
        if isinstance(self.text, Exception):
            raise self.text
        done.append(wait)
        return also

    @strawberry.field
    async def fails(self) -> int:
        raise RuntimeError("a mistake")

    @strawberry.field
    async def nested(self) -> list[Thing]:
        return [thing_of(self.text), thing_of(self.text)]


done: list[float] = []
"""How long those waited that have come to an end."""


def thing_of(what: Any) -> Thing:
    return Thing(
        text=what,
        number=what,
        colours=what,
        times=what,
        leaf=what,
        leaves=what,
        anything=what,
        words=what,
        data=what,
        plain=what,
        number_of=what,
        numbers_of=what,
    )


shown: list[Any] = []
"""What the thing is made of."""


@strawberry.type
class Query:
    @strawberry.field
    def thing(self) -> Thing:
        return thing_of(shown[-1])


SCHEMA = strawberry.Schema(query=Query, types=[Leaf])


def compile_query(text: str) -> Compiled | None:
    executor = SCHEMA.execution_context_class.build(SCHEMA._schema, parse(text))
    assert isinstance(executor, Executor)
    query = SCHEMA._schema.query_type
    assert query is not None
    collected = collect_fields(
        executor.schema,
        executor.fragments,
        executor.variable_values,
        query,
        executor.operation,
        executor.hide_suggestions,
    )
    return compiled(executor, query.fields["thing"].type, collected.grouped_field_set["thing"])


def compiled_thing(selection: str, what: Any) -> Awaitable[Any]:
    """The answer about a thing made of `what`."""
    found = compile_query(f"{{ thing {{ {selection} }} }}")
    assert found is not None
    return found.answer(thing_of(what), context_of_nobody)


async def graphql_core_s(selection: str, what: Any) -> ExecutionResult:
    shown.append(what)
    return await SCHEMA.execute(f"{{ thing {{ {selection} }} }}")


context_of_nobody: Any = None


@pytest.mark.parametrize(
    ("selection", "what", "answer"),
    [
        ("text", "words", {"text": "words"}),
        ("number", None, {"number": None}),
        ("number", 2**31 - 1, {"number": 2**31 - 1}),
        ("colours", (Colour.RED,), {"colours": ["RED"]}),
        ("colours", [], {"colours": []}),
        ("times", [None, datetime(2026, 1, 2, tzinfo=UTC)], {"times": [None, ANY]}),
        ("leaf { name }", Leaf(name="a"), {"leaf": {"name": "a"}}),
        ("leaves { number }", None, {"leaves": None}),
        ("leaves { number }", [None, Leaf(name="a")], {"leaves": [None, {"number": None}]}),
        ("words", ("a", "b"), {"words": ["a", "b"]}),
        ("data", {"a": [1, None]}, {"data": {"a": [1, None]}}),
        ("numberOf", UUID(int=1), {"numberOf": str(UUID(int=1))}),
        ("numbersOf", [None], {"numbersOf": [None]}),
        ("late", 0, {"late": 1}),
        ("late(also: 3) __typename", 0, {"late": 3, "__typename": "Thing"}),
        ("nested { late nested { late } }", 0, ANY),
    ],
)
async def test_values_of_every_kind(selection: str, what: Any, answer: Any) -> None:
    assert await compiled_thing(selection, what) == answer
    result = await graphql_core_s(selection, what)
    assert not result.errors
    assert result.data == {"thing": answer}


@pytest.mark.parametrize(
    ("selection", "what"),
    [
        ("text", None),
        ("text", ["no text"]),
        ("words", "abc"),
        ("words", {"a": "mapping"}),
        ("words", b"bytes"),
        ("data", None),
        ("numberOf", None),
        ("number", 2**31),
        ("number", "no number"),
        ("colours", "RED"),
        ("colours", [Colour.RED, None]),
        ("leaf { name }", None),
        ("leaf { __typename }", None),
        ("plain { __typename }", None),
        ("leaf { __typename }", object()),
        ("leaves { name }", Leaf(name="no list")),
        ("leaves { name }", [Leaf(name=None)]),  # type: ignore[arg-type]
        ("late", ValueError("a mistake")),
        ("nested { late }", ValueError("a mistake")),
    ],
)
async def test_what_does_not_fit_is_left_to_graphql_core(selection: str, what: Any) -> None:
    with pytest.raises(Exception):  # noqa: B017, PT011 - which one it is, nobody is told
        await compiled_thing(selection, what)
    assert (await graphql_core_s(selection, what)).errors


def test_an_interface_is_left_to_graphql_core() -> None:
    assert compile_query("{ thing { text anything { name } } }") is None


async def test_nothing_is_under_way_when_a_field_has_failed() -> None:
    done.clear()
    before = asyncio.all_tasks()
    with pytest.raises(RuntimeError):
        await compiled_thing("fails late(wait: 0.05)", "a")
    assert done == [0.05]
    assert asyncio.all_tasks() == before
