"""Work on a document is bounded, whatever somebody writes; and so is what they are told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from hashlib import sha256
from time import process_time
from typing import Any

import pytest
from graphql import GraphQLError, get_introspection_query
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Message

from resolvers.context import Context
from schema.live.documents import Asker, BadDocument, Documents
from schema.live.limits import MAXIMUM_COST, MAXIMUM_LENGTH
from schema.schema import schema
from server.http.graphql import GraphQLView, error_as_json
from server.settings import Mode, Settings
from tests.support.asking import OWN_MEETING, execute, watch
from tests.support.factories import City, context_of
from tests.support.hostile import DOCUMENTS

SECONDS = 0.05
"""Of CPU, that any document may take at most."""

DEVELOPMENT = Settings()
TOKEN = "a token that only developers know"
PRODUCTION = Settings(mode=Mode.PRODUCTION, developer_token=TOKEN)

ON_ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

Ask = Callable[[str], Awaitable[Any]]


async def post(
    context: Context, settings: Settings, document: str, token: str = "", **variables: Any
) -> tuple[int, dict[str, Any]]:
    """Send a document over HTTP as somebody; gives the status and the answer."""

    class View(GraphQLView):
        async def get_context(self, *_: Any, **__: Any) -> Context:
            return context.for_operation()

    app = Starlette(
        routes=[Route("/graphql", View(schema, settings))],
        exception_handlers={HTTPException: error_as_json},
    )
    body = json.dumps({"query": document, "variables": variables}).encode()
    headers = [(b"content-type", b"application/json"), (b"x-developer-token", token.encode())]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": headers}
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        answer.append(message)

    await app({**scope, "query_string": b"", "app": app}, receive, send)
    start, content = answer
    return start["status"], json.loads(content["body"])


async def over_http(context: Context, document: str) -> None:
    _, answer = await post(context, DEVELOPMENT, document)
    assert "our side" not in json.dumps(answer)


async def over_a_socket(context: Context, document: str) -> None:
    async with watch(context, document) as watched:
        message = await watched._take()
        assert "our side" not in json.dumps(message)


async def cpu_of(ask: Ask, document: str) -> float:
    """Seconds of CPU, the best of three times, without remembering it."""
    best = float("inf")
    for _ in range(3):
        schema.documents.forget()
        before = process_time()
        await ask(document)
        best = min(best, process_time() - before)
    return best


@ON_ONE_DATABASE
@pytest.mark.parametrize("path", [over_http, over_a_socket])
async def test_no_document_takes_long(
    city: City, path: Callable[[Context, str], Awaitable[None]]
) -> None:
    context = context_of(city.an)

    async def ask(document: str) -> None:
        await path(context, document)

    took = {name: await cpu_of(ask, document) for name, document in DOCUMENTS.items()}
    assert {name: round(cpu, 3) for name, cpu in took.items() if cpu > SECONDS} == {}


def test_the_introspection_of_tools_is_taken() -> None:
    every = dict.fromkeys(
        [
            "specified_by_url",
            "directive_is_repeatable",
            "schema_description",
            "input_value_deprecation",
        ],
        True,
    )
    assert read(get_introspection_query(**every)) == []


def read(document: str, asker: Asker = Asker.DEVELOPER) -> list[str]:
    """What a document is turned down with."""
    documents = Documents(schema._schema)
    try:
        documents.read(document, asker)
    except BadDocument as bad:
        return [error.message for error in bad.errors]
    return []


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        ("doubling fragments", "too many"),
        ("doubling fragments of nothing", "fields and fragments: at most 500"),
        ("a mesh of fragments", "too many"),
        ("fragments in circles", "is spread within itself"),
        ("unused fragments", "fragments: at most 30"),
        ("one field repeated", "fields at one place of the answer: at most 20"),
        ("one object repeated", "fields at one place of the answer: at most 20"),
        ("aliases", "aliases: at most 15"),
        ("fields nested in each other", "maximum operation depth of 8"),
        ("operations", "operations: at most 20"),
        ("a directive repeated", "directives at one place: at most 2"),
        ("a directive on each field", "directives: at most 10"),
        ("introspection many times", "introspections: at most 1"),
        ("many comments", None),
        ("a string that fills the body", f"characters: at most {MAXIMUM_LENGTH}"),
        ("a long list", None),
    ],
)
def test_a_document_over_a_limit_is_told_the_limit(shape: str, why: str | None) -> None:
    errors = read(DOCUMENTS[shape])
    if why is None:
        assert errors == []
    else:
        (error,) = errors
        assert why in error


@ON_ONE_DATABASE
async def test_what_costs_too_much_is_told_the_cost_and_the_most(city: City) -> None:
    everything = f'meeting(id: "{city.meeting.id}") {{ {OWN_MEETING} }}'
    assert (await execute(context_of(city.an), f"{{ {everything} }}")).errors is None
    figures = "votes { id question options { id label } tally { cast options { count } } }"
    meeting = f'meeting(id: "{city.meeting.id}") {{ {figures} }}'
    many = " ".join(f"a{number}: {meeting}" for number in range(15))
    result = await execute(context_of(city.an), f"{{ {many} }}")
    (error,) = result.errors or [GraphQLError("none")]
    assert error.extensions is not None
    assert error.extensions["reason"] == "TOO_COSTLY"
    assert error.extensions["maximum"] == MAXIMUM_COST < error.extensions["cost"]


@ON_ONE_DATABASE
async def test_the_length_of_a_page_counts_wherever_it_is_told(city: City) -> None:
    def paged(declared: str, first: str) -> str:
        inner = "votes { id question tally { cast } options { id label kind } roll { weight } }"
        return f"""query ($unit: ID! {declared}) {{
          meetings(unitId: $unit {first}) {{ edges {{ node {{ {inner} }} }} }}
        }}"""

    async def is_too_costly(document: str, **variables: Any) -> bool:
        unit = str(city.branch)
        result = await execute(context_of(city.an), document, unit=unit, **variables)
        reasons = [(error.extensions or {}).get("reason") for error in result.errors or ()]
        return "TOO_COSTLY" in reasons

    variable = paged("$n: Int!", "first: $n")
    assert not await is_too_costly(paged("", "first: 10"))
    assert await is_too_costly(paged("", "first: 100"))
    assert await is_too_costly(paged("", "first: 99999999999"))
    assert not await is_too_costly(variable, n=10)
    assert await is_too_costly(variable, n=100)
    assert not await is_too_costly(paged("$n: Int! = 10", "first: $n"))
    assert await is_too_costly(paged("$n: Int! = 100", "first: $n"))


# --- Strangers ----------------------------------------------------------------------------------

SIGN_IN = """mutation ($code: String!) { signIn(code: $code) {
  __typename ... on SignedIn { token viewer { member { name } } } ...Why } }
  fragment Why on Refused { reason }"""


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    "document",
    [
        "{ viewer { member { id } } }",
        "{ meeting(id: 1) { id } }",
        "{ nope }",
        "{ __schema { queryType { name } } }",
        "{ __typename a: __typename }",
        'mutation { a: signIn(code: "1") { __typename } b: signIn(code: "2") { __typename } }',
        'mutation { signIn(code: "1") { ... on SignedIn { viewer { member { standings } } } } }',
        'mutation { signIn(code: "1") { ...F } } fragment F on Member { appointments { role } }',
        "{ __typename #" + "x" * 2_000 + "\n}",
        DOCUMENTS["doubling fragments"],
    ],
)
async def test_strangers_send_what_our_client_sends_and_nothing_else(
    city: City, document: str
) -> None:
    status, answer = await post(context_of(city.nobody), PRODUCTION, document)
    (error,) = answer["errors"]
    assert (status, error["extensions"]["reason"]) == (401, "NOT_SIGNED_IN")
    assert "data" not in answer
    _, answer = await post(context_of(city.nobody), PRODUCTION, document, TOKEN)
    assert "NOT_SIGNED_IN" not in json.dumps(answer.get("errors", [])) or "data" in answer


@ON_ONE_DATABASE
async def test_strangers_may_sign_in_in_their_own_words(city: City) -> None:
    status, answer = await post(context_of(city.nobody), PRODUCTION, SIGN_IN, code="1")
    assert (status, answer) == (
        200,
        {"data": {"signIn": {"__typename": "Refused", "reason": "INVALID_CODE"}}},
    )
    status, answer = await post(context_of(city.nobody), PRODUCTION, "{ __typename }")
    assert (status, answer) == (200, {"data": {"__typename": "Query"}})


@ON_ONE_DATABASE
async def test_what_a_member_sent_is_not_taken_from_strangers_afterwards(city: City) -> None:
    document = "{ viewer { member { id name } } }"
    assert (await post(context_of(city.an), PRODUCTION, document))[0] == 200
    assert (await post(context_of(city.nobody), PRODUCTION, document))[0] == 401


DOES_NOT_FIT = "The document does not fit the schema. Its developers are told why."
PROBES = [
    "{ __typename { id } }",
    "query ($a: Meetin) { __typename }",
    "query ($a: VoteDraft) { __typename }",
    "query ($a: ID!) { __typename }",
    "query Q { __typename @include }",
    'mutation { signIn(code: "1", member: 2) { token } }',
    "mutation { signIn { __typename } }",
    "mutation { signIn(code: 1) { token { id } } }",
    'mutation { signIn(code: "1") }',
    'mutation { signIn(code: "1") { ... on Membe { id } } }',
    "{ signIn { token } }",
]


@ON_ONE_DATABASE
@pytest.mark.parametrize("probe", PROBES)
async def test_only_developers_learn_names_from_errors(city: City, probe: str) -> None:
    for person in (city.nobody, city.an):
        _, answer = await post(context_of(person), PRODUCTION, probe)
        assert [error["message"] for error in answer["errors"]] == [DOES_NOT_FIT]
    _, answer = await post(context_of(city.an), PRODUCTION, probe, TOKEN)
    assert DOES_NOT_FIT not in [error["message"] for error in answer["errors"]]


@ON_ONE_DATABASE
async def test_strangers_learn_no_names_from_errors_of_variables(city: City) -> None:
    document = "mutation P($draft: VoteDraft!) { prepareVote(draft: $draft) { __typename } }"
    schema.documents.know([sha256(document.encode()).hexdigest()])
    _, answer = await post(context_of(city.nobody), PRODUCTION, document, draft={"ite": 1})
    assert [error["message"] for error in answer["errors"]] == [DOES_NOT_FIT]


# --- What only developers are told --------------------------------------------------------------


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("settings", "token", "is_told"),
    [(DEVELOPMENT, "", True), (PRODUCTION, TOKEN, True), (PRODUCTION, "", False)],
    ids=["development", "a developer's token", "production"],
)
async def test_only_developers_are_told_of_the_schema(
    city: City, settings: Settings, token: str, is_told: bool
) -> None:
    async def ask(document: str, **variables: Any) -> str:
        _, answer = await post(context_of(city.an), settings, document, token, **variables)
        return json.dumps(answer)

    assert ("Viewer" in await ask("{ __schema { types { name } } }")) is is_told
    assert ("VoteDraft" in await ask('{ __type(name: "VoteDraft") { name } }')) is is_told
    assert ("Did you mean" in await ask("{ viewr { member { id } } }")) is is_told
    assert ("Did you mean" in await ask("{ viewer { member { nam } } }")) is is_told
    draft = {"itemId": "x", "matter": "ORDINAR", "question": "x"}
    answer = await ask(
        "mutation ($d: VoteDraft!) { prepareVote(draft: $d) { __typename } }", d=draft
    )
    assert ("Did you mean" in answer) is is_told


@ON_ONE_DATABASE
async def test_to_others_no_type_has_a_name(city: City) -> None:
    for document in (
        '{ __type(name: "Query") { name } }',
        "query ($name: String!) { __type(name: $name) { name } }",
        'query { viewer { member { id } } __type(name: "Query") { fields { name } } }',
    ):
        _, answer = await post(context_of(city.an), PRODUCTION, document, name="Query")
        assert "errors" not in answer
        assert answer["data"]["__type"] is None


@ON_ONE_DATABASE
async def test_a_socket_tells_members_no_more(city: City) -> None:
    assert read("{ __schema { types { name } } }", Asker.MEMBER) == [
        "Introspection is for the schema's developers."
    ]
    assert read("{ viewr { a } }", Asker.MEMBER) == [DOES_NOT_FIT]
