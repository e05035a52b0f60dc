"""In production, strangers send the web client's documents, as its build has them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import pytest
from graphql import get_operation_ast, parse

from schema.live.limits import MAXIMUM_COST, measure
from schema.schema import schema
from server.http.files import CLIENT
from server.http.manifest import read_manifest
from tests.support.city_server import city_server
from tests.support.factories import City
from tests.support.server_process import TLS, ServerProcess

DOCUMENT = r"new \w+\(`(\s*(?:query|mutation|subscription) .*?)`\)"

PRODUCTION = {"MEETINGS_MODE": "production"}


def documents_of_the_build() -> dict[str, str]:
    """By the names of their operations, from the program that browsers get."""
    (program,) = (CLIENT / "assets").glob("index-*.js")
    texts = re.findall(DOCUMENT, program.read_text(), re.DOTALL)
    found = {}
    for text in texts:
        operation = get_operation_ast(parse(text))
        assert operation is not None
        assert operation.name is not None
        found[operation.name.value] = text
    return found


def test_the_manifest_has_every_document_of_the_build_and_no_other() -> None:
    documents = documents_of_the_build()
    assert {"SignIn", "Viewer", "WatchMeeting", "CastBallot"} <= set(documents)
    hashes = {sha256(text.encode()).hexdigest() for text in documents.values()}
    assert hashes == set(read_manifest())


def test_without_a_build_there_is_none(tmp_path: Path) -> None:
    assert read_manifest(tmp_path / "documents.json") == []


def test_what_the_page_asks_for_costs_a_quarter_of_the_most() -> None:
    for text in documents_of_the_build().values():
        assert measure(schema._schema, parse(text)).cost <= MAXIMUM_COST / 4


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, City]]:
    with city_server(tmp_path_factory.mktemp("production"), **PRODUCTION) as served:
        yield served


def ask(
    server: ServerProcess, query: str, token: str | None = None, **variables: Any
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"query": query, "variables": variables}
    return httpx2.post(server.http, json=body, headers=headers, timeout=30, verify=TLS)


def test_the_page_signs_in_in_production(production: tuple[ServerProcess, City]) -> None:
    server, _ = production
    documents = documents_of_the_build()
    answer = ask(server, documents["SignIn"], code="no code")
    assert answer.json()["data"]["signIn"]["reason"] == "INVALID_CODE"
    assert ask(server, documents["Viewer"]).json() == {"data": {"viewer": None}}


def test_others_documents_are_taken_from_members(production: tuple[ServerProcess, City]) -> None:
    server, city = production
    document = "{ viewer { member { name } } }"
    assert ask(server, document).status_code == 401
    answer = ask(server, document, city.an.token)
    assert answer.json()["data"]["viewer"]["member"] == {"name": city.an.name}
    assert ask(server, document).status_code == 401
    assert ask(server, document + " ").json()["errors"][0]["extensions"] == {
        "reason": "NOT_SIGNED_IN",
        "details": {},
    }
