"""An id of another branch is answered like an id of nothing: by every query, act and subscription
that takes ids, for each of them, and after as much reading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
)

from schema.schema import schema
from tests.support.asking import REFUSED, execute, watch
from tests.support.database_log import statements, unchanged
from tests.support.factories import City, Person, context_of
from tests.support.voting import vote_after

ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

NO_SUBJECTS = {"key"}
"""Ids that name nothing of ours."""


def _root(operation: str) -> GraphQLObjectType:
    found = getattr(schema._schema, f"{operation}_type")
    assert isinstance(found, GraphQLObjectType)
    return found


def asked_by_id(operation: str) -> Iterator[tuple[str, dict[str, GraphQLArgument]]]:
    """The fields of an operation that take an id, somewhere."""
    for name, field in _root(operation).fields.items():
        if any(_ids_in(argument.type, (key,)) for key, argument in field.args.items()):
            yield name, field.args


def _ids_in(of_type: GraphQLInputType, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The paths of all ids in an argument."""
    named = get_named_type(of_type)
    if isinstance(named, GraphQLInputObjectType):
        inner = ((name, field.type) for name, field in named.fields.items())
        return [found for name, one in inner for found in _ids_in(one, (*path, name))]
    return [path] if named.name == "ID" and path[-1] not in NO_SUBJECTS else []


def value_of(of_type: GraphQLInputType, path: tuple[str, ...], known: dict[Any, Any]) -> Any:
    """A value that fits, with the ids of `known` by the path or the name of the argument."""
    if path in known or path[-1] in known:
        value = known.get(path, known.get(path[-1]))
        return [value] if _is_list(of_type) else value
    inner = of_type.of_type if isinstance(of_type, GraphQLNonNull) else of_type
    if isinstance(inner, GraphQLList):
        return [value_of(inner.of_type, path, known)]
    if isinstance(inner, GraphQLInputObjectType):
        fields = inner.fields.items()
        return {name: value_of(one.type, (*path, name), known) for name, one in fields}
    if isinstance(inner, GraphQLEnumType):
        return next(iter(inner.values))
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    plain = {"String": "Vì sao", "Int": 60, "Boolean": True, "DateTime": later, "Float": 1.0}
    return plain[inner.name]


def _is_list(of_type: GraphQLInputType) -> bool:
    inner = of_type.of_type if isinstance(of_type, GraphQLNonNull) else of_type
    return isinstance(inner, GraphQLList)


def own_ids(city: City) -> dict[str, str]:
    """Good ids by the name of the argument, for all but the one that is tried."""
    ids = {
        "id": city.meeting.id,
        "unitId": city.branch,
        "meetingId": city.meeting.id,
        "voteId": city.vote.id,
        "itemId": city.meeting.items[0],
        "memberId": city.binh.id,
        "memberIds": city.binh.id,
        "holderId": city.binh.id,
        "recused": city.binh.id,
        "optionId": city.vote.for_,
        "choices": city.vote.for_,
        "chosen": city.vote.for_,
        "seniority": city.vote.for_,
        "key": "key",
    }
    return {name: str(value) for name, value in ids.items()}


def other_ids(city: City) -> dict[str, UUID]:
    return {
        "meeting": city.other_meeting.id,
        "item": city.other_meeting.items[0],
        "vote": city.other_vote.id,
        "option": city.other_vote.for_,
        "member": city.yen.id,
        "unit": city.other_branch,
    }


def document_of(operation: str, field: str, arguments: dict[str, GraphQLArgument]) -> str:
    declared = ", ".join(f"${name}: {one.type}" for name, one in arguments.items())
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    inside = "__typename" if operation != "mutation" else f"__typename {REFUSED}"
    return f"{operation} ({declared}) {{ {field}({passed}) {{ {inside} }} }}"


async def answer(person: Person, document: str, variables: dict[str, Any], wrong: str) -> str:
    """The whole answer as text, whatever it is, without the id that was asked for."""
    if document.startswith("subscription"):
        async with watch(context_of(person), document, **variables) as watched:
            told: Any = await watched._take()
    else:
        result = await execute(context_of(person), document, **variables)
        told = (result.data, [error.formatted for error in result.errors or ()])
    return str(told).replace(wrong, "the id")


@ON_ONE_DATABASE
@pytest.mark.parametrize("operation", ["query", "mutation", "subscription"])
async def test_an_id_of_another_branch_is_answered_like_an_id_of_nothing(
    city: City, operation: str
) -> None:
    await vote_after(city.hanh, "openVote", city.vote)
    await vote_after(city.yen, "openVote", city.other_vote)
    tried = 0
    async with unchanged(city.scene.database):
        for field, arguments in asked_by_id(operation):
            document = document_of(operation, field, arguments)
            paths = [path for name, one in arguments.items() for path in _ids_in(one.type, (name,))]
            for path in paths:
                for kind, other in other_ids(city).items():
                    for person in (city.hanh, city.an):
                        told = []
                        for wrong in (str(other), str(uuid4())):
                            known: dict[Any, Any] = {**own_ids(city), path: wrong}
                            variables = {
                                name: value_of(one.type, (name,), known)
                                for name, one in arguments.items()
                            }
                            told.append(await answer(person, document, variables, wrong))
                        assert told[0] == told[1], (field, path, kind, person.name)
                        assert "'reason':" in told[0], (field, path, kind, told[0])
                        tried += 1
    assert tried >= {"query": 80, "mutation": 250, "subscription": 30}[operation]


@pytest.mark.parametrize(
    ("field", "kind"),
    [("meeting", "meeting"), ("vote", "vote"), ("member", "member"), ("unit", "unit")],
)
async def test_as_much_is_read_for_what_others_know_as_for_what_is_not_there(
    city: City, field: str, kind: str
) -> None:
    """How long an answer takes tells nothing either."""
    document = f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}"
    read = []
    for wanted in (other_ids(city)[kind], uuid4()):
        with statements(city.scene.database) as executed:
            assert (await execute(context_of(city.an), document, id=str(wanted))).errors
        read.append(executed)
    assert read[0] == read[1]


@ON_ONE_DATABASE
async def test_what_one_may_see_and_not_do_is_refused_as_such(city: City) -> None:
    document = "mutation ($id: ID!) { pauseMeeting(meetingId: $id) { __typename %s } }" % REFUSED  # noqa: UP031
    result = await execute(context_of(city.an), document, id=str(city.meeting.id))
    assert cast("dict[str, Any]", result.data)["pauseMeeting"]["reason"] == "NOT_ALLOWED"
