"""GraphQL over HTTP, the browser's session, and the page's files, asked of a real server."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from sqlalchemy import insert, select, update

from models.accounts.accounts import Account, ActivationCard, Session
from models.database import Database
from server.auth.credentials import hash_token, new_code
from server.demo import data as demo_data
from server.http.files import CLIENT, DEMO_LINKS
from server.http.heads import READS_ANSWER_WITHIN
from tests.support.city_server import PRODUCTION, city_server
from tests.support.server_process import (
    AN_OFFICER,
    CREDENTIALS,
    MEETING,
    THE_CHAIR,
    TLS,
    ServerProcess,
    demo_server,
)

WHO = "{ viewer { member { name } } }"
SIGN_IN = """mutation ($code: String!) {
  signIn(code: $code) {
    ... on SignedIn { token expiresAt viewer { member { name } } }
    ... on Refused { reason }
  }
}"""
THE_CHAIRS_NAME = "Bùi Hữu Thủy"
OWN_HEADER = {"x-requested-by": "test"}
NEW_MEDIA_TYPE = "application/graphql-response+json"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server
    assert server.errors() == "", "no test here may end in a fault"


@pytest.fixture
def client(server: ServerProcess) -> Iterator[httpx2.Client]:
    """A browser of its own: it keeps cookies."""
    with httpx2.Client(base_url=server.site, timeout=30, verify=TLS) as client:
        yield client


@pytest.fixture
def code(server: ServerProcess) -> str:
    """A fresh activation code of the chair's."""
    code = new_code()

    async def issue() -> None:
        database = Database(f"sqlite+aiosqlite:///{server.folder}/meetings.db")
        async with database.writing() as session:
            account_id = await session.scalar(
                select(Account.id).where(Account.member_id == demo_data.member_id(1, 1))
            )
            await session.execute(
                insert(ActivationCard).values(
                    account_id=account_id,
                    code_hash=await CREDENTIALS.hash_code(code),
                    expires_at=datetime.now(UTC) + timedelta(days=1),
                )
            )
            await session.commit()
        await database.dispose()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, issue()).result()
    return code


@pytest.fixture
def token(client: httpx2.Client, code: str) -> str:
    """A session of the chair's that a test may end."""
    answer = ask(client, SIGN_IN, variables={"code": code}).json()
    return str(answer["data"]["signIn"]["token"])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def ask(
    client: httpx2.Client,
    query: str,
    headers: dict[str, str] | None = None,
    **body: Any,
) -> httpx2.Response:
    return client.post("/graphql", json={"query": query, **body}, headers=headers)


def message(answer: httpx2.Response) -> str:
    """The one error of an answer that has no data, which is JSON in the shape of GraphQL."""
    body = answer.json()
    assert list(body) == ["errors"], body
    (error,) = body["errors"]
    return str(error["message"])


def reasons(answer: httpx2.Response) -> list[str]:
    return [error["extensions"]["reason"] for error in answer.json()["errors"]]


# --- Who asks ----------------------------------------------------------------------------------


def test_a_bearer_token_signs_a_request_in(client: httpx2.Client) -> None:
    answer = ask(client, WHO, bearer(THE_CHAIR))
    assert answer.status_code == 200
    assert answer.json() == {"data": {"viewer": {"member": {"name": THE_CHAIRS_NAME}}}}


def test_nobody_is_nobody(client: httpx2.Client) -> None:
    assert ask(client, WHO).json() == {"data": {"viewer": None}}


@pytest.mark.parametrize("token", ["unknown", "ÿ", THE_CHAIR + "x", THE_CHAIR[:-1]])
def test_an_unknown_token_is_told_to_sign_in(client: httpx2.Client, token: str) -> None:
    answer = client.post(
        "/graphql",
        json={"query": WHO},
        headers=[(b"authorization", f"Bearer {token}".encode())],
    )
    assert answer.status_code == 401
    assert reasons(answer) == ["NOT_SIGNED_IN"]


def test_a_query_that_needs_a_member_is_told_to_sign_in(client: httpx2.Client) -> None:
    answer = ask(client, f'{{ meeting(id: "{MEETING}") {{ title }} }}')
    assert answer.status_code == 401
    assert answer.json()["data"] == {"meeting": None}
    assert reasons(answer) == ["NOT_SIGNED_IN"]


def test_a_mutation_that_needs_a_member_is_refused_as_a_value(client: httpx2.Client) -> None:
    check_in = f'mutation {{ checkIn(meetingId: "{MEETING}") {{ ... on Refused {{ reason }} }} }}'
    assert ask(client, check_in).json() == {"data": {"checkIn": {"reason": "NOT_SIGNED_IN"}}}


def test_a_stranger_is_told_that_there_is_no_such_meeting(client: httpx2.Client) -> None:
    answer = ask(client, f'{{ meeting(id: "{MEETING}") {{ title }} }}', bearer(AN_OFFICER))
    assert answer.status_code == 200
    assert reasons(answer) == ["NOT_FOUND"]


def test_an_activation_code_signs_in_once(client: httpx2.Client, code: str) -> None:
    typed = f" {code[:5].lower()}-{code[5:]} "
    first = ask(client, SIGN_IN, variables={"code": typed}).json()["data"]["signIn"]
    assert first["viewer"] == {"member": {"name": THE_CHAIRS_NAME}}
    assert ask(client, WHO, bearer(first["token"])).json()["data"]["viewer"] is not None
    second = ask(client, SIGN_IN, variables={"code": code}).json()["data"]["signIn"]
    assert second == {"reason": "INVALID_CODE"}


# --- The browser's session ---------------------------------------------------------------------


def test_the_browser_keeps_its_session_where_no_script_can_read_it(
    client: httpx2.Client, token: str
) -> None:
    answer = client.post("/session", headers=bearer(token))
    assert answer.status_code == 204
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name == f"session={token}"
    assert {text.lower() for text in attributes} == {"httponly", "path=/", "samesite=strict"}
    assert ask(client, WHO, OWN_HEADER).json()["data"]["viewer"] is not None


def test_a_cookie_without_our_own_header_does_nothing(client: httpx2.Client, token: str) -> None:
    client.post("/session", headers=bearer(token))
    for answer in (
        ask(client, WHO),
        client.get("/graphql", params={"query": WHO}),
        client.delete("/session"),
    ):
        assert answer.status_code == 403
        assert "x-requested-by" in message(answer)


def test_only_a_good_token_becomes_a_cookie(client: httpx2.Client) -> None:
    for headers in ({}, bearer("unknown"), {"authorization": f"Basic {THE_CHAIR}"}):
        answer = client.post("/session", headers=headers)
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert reasons(answer) == ["NOT_SIGNED_IN"]


def test_signing_out_ends_the_session_everywhere(client: httpx2.Client, token: str) -> None:
    client.post("/session", headers=bearer(token))
    answer = client.delete("/session", headers=OWN_HEADER)
    assert answer.status_code == 204
    assert "session" not in client.cookies
    assert ask(client, WHO, bearer(token)).status_code == 401
    assert ask(client, WHO, bearer(THE_CHAIR)).status_code == 200, "other sessions go on"


def test_a_program_signs_out_with_its_token(client: httpx2.Client, token: str) -> None:
    assert client.delete("/session", headers=bearer(token)).status_code == 204
    assert client.delete("/session", headers=bearer(token)).status_code == 401


def test_whoever_is_not_signed_in_can_sign_out(client: httpx2.Client) -> None:
    assert client.delete("/session").status_code == 204


def test_a_browser_with_an_ended_session_can_sign_in_again(
    client: httpx2.Client, token: str, code: str
) -> None:
    client.post("/session", headers=bearer(token))
    httpx2.delete(f"{client.base_url}/session", headers=bearer(token), verify=TLS)
    ended = ask(client, WHO, OWN_HEADER)
    assert ended.status_code == 401
    assert "session" not in client.cookies, "or every later answer would be 401 too"
    assert ask(client, WHO, OWN_HEADER).json() == {"data": {"viewer": None}}


@pytest.mark.parametrize(
    "asked",
    [
        WHO,
        f'{{ viewer {{ member {{ id }} }} meeting(id: "{MEETING}") {{ id }} }}',
        f'mutation {{ checkIn(meetingId: "{MEETING}") {{ ... on Refused {{ reason }} }} }}',
    ],
    ids=["viewer", "query", "mutation"],
)
def test_a_session_that_somebody_ends_in_the_database_is_over_at_once(
    server: ServerProcess, client: httpx2.Client, token: str, asked: str
) -> None:
    assert client.post("/session", headers=bearer(token)).status_code == 204
    assert ask(client, WHO, OWN_HEADER).status_code == 200

    async def end() -> None:
        database = Database(f"sqlite+aiosqlite:///{server.folder}/meetings.db")
        async with database.writing() as session:
            of_token = Session.token_hash == hash_token(token)
            await session.execute(
                update(Session).where(of_token).values(revoked_at=Session.created_at)
            )
            await session.commit()
        await database.dispose()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, end()).result()
    ended = ask(client, asked, OWN_HEADER)
    assert ended.status_code == 401
    assert reasons(ended) == ["NOT_SIGNED_IN"]
    assert "session" not in client.cookies, "or nobody could sign in anew"
    assert client.post("/session", headers=bearer(token)).status_code == 401
    assert ask(client, WHO, bearer(token)).status_code == 401


def test_a_wrong_token_of_a_program_leaves_the_browsers_cookie(
    client: httpx2.Client, token: str
) -> None:
    client.post("/session", headers=bearer(token))
    assert ask(client, WHO, bearer("unknown")).status_code == 401
    assert ask(client, WHO, OWN_HEADER).json()["data"]["viewer"] is not None


# --- What is no request ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "\xff",
        "null",
        "1",
        '"text"',
        "{}",
        '{"query": null}',
        '{"query": ""}',
        '{"query": 1}',
        '{"query": "\\ud800"}',
        '{"query": "{ __typename }", "variables": []}',
        '{"query": "{ __typename }", "variables": {"a": NaN}}',
        '{"query": "{ __typename }", "operationName": "other"}',
        '{"query": "{ __typename }", "operationName": ["other"]}',
        '{"query": "{ __typename }", "extensions": 1}',
        '{"query": "fragment F on Query { __typename }"}',
        '[{"query": "{ __typename }"}]',
        "[]",
        pytest.param("[" * 100_000, id="nested"),
        pytest.param('{"a":' * 40_000, id="nested objects"),
    ],
)
def test_a_body_that_is_no_request_is_a_bad_request(client: httpx2.Client, body: str) -> None:
    answer = client.post(
        "/graphql",
        content=body.encode("latin-1"),
        headers={**bearer(THE_CHAIR), "content-type": "application/json"},
    )
    assert answer.status_code == 400
    assert message(answer)


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ nope }",
        "query ($id: ID!) { meeting(id: $id) { id } }",
        "{ a" + "{ a" * 300,
        pytest.param("{ viewer {" + " member {" * 5_000, id="many tokens"),
        pytest.param(
            "{ viewer { member { unit { parent { parent { parent { parent { parent { parent"
            " { id } } } } } } } } } }",
            id="deep",
        ),
    ],
)
def test_a_document_that_cannot_be_run_is_told_why(client: httpx2.Client, query: str) -> None:
    older = ask(client, query, bearer(THE_CHAIR))
    newer = ask(client, query, {**bearer(THE_CHAIR), "accept": NEW_MEDIA_TYPE})
    assert (older.status_code, newer.status_code) == (200, 400)
    assert older.headers["content-type"].startswith("application/json")
    assert newer.headers["content-type"].startswith(NEW_MEDIA_TYPE)
    assert older.json() == newer.json()
    assert list(older.json()) == ["errors"]
    assert "our side" not in older.text


def test_the_newer_media_type_is_spoken_when_asked_for(client: httpx2.Client) -> None:
    answer = ask(client, WHO, {**bearer(THE_CHAIR), "accept": f"{NEW_MEDIA_TYPE}, */*;q=0.1"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(NEW_MEDIA_TYPE)
    assert answer.json()["data"]["viewer"] is not None


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "text/plain",
        "text/plain; application/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json-lines",
    ],
)
def test_only_json_is_read(client: httpx2.Client, content_type: str | None) -> None:
    headers = bearer(THE_CHAIR) | ({"content-type": content_type} if content_type else {})
    answer = client.post("/graphql", content=json.dumps({"query": WHO}).encode(), headers=headers)
    assert answer.status_code == 415
    assert "application/json" in message(answer)


def test_json_is_read_with_its_character_set_named(client: httpx2.Client) -> None:
    headers = bearer(THE_CHAIR) | {"content-type": "application/json; charset=utf-8"}
    answer = client.post("/graphql", content=json.dumps({"query": WHO}).encode(), headers=headers)
    assert answer.json()["data"]["viewer"] is not None


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_subscription_is_sent_to_the_socket(client: httpx2.Client, method: str) -> None:
    query = f'subscription {{ meeting(id: "{MEETING}") {{ version }} }}'
    if method == "GET":
        answer = client.get("/graphql", params={"query": query}, headers=bearer(THE_CHAIR))
    else:
        answer = ask(client, query, bearer(THE_CHAIR))
    assert answer.status_code == 400
    assert "WebSocket" in message(answer)


def test_nothing_is_changed_by_get(client: httpx2.Client, token: str) -> None:
    answer = client.get("/graphql", params={"query": "mutation { signOut }"}, headers=bearer(token))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert message(answer)
    assert ask(client, WHO, bearer(token)).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_not_allowed(client: httpx2.Client, method: str) -> None:
    answer = client.request(method, "/graphql")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, POST"
    assert message(answer)


def test_a_body_over_256_kb_is_too_large(client: httpx2.Client) -> None:
    headers = bearer(THE_CHAIR) | {"content-type": "application/json"}
    fits = json.dumps({"query": WHO}).encode().ljust(256 * 1024)
    assert client.post("/graphql", content=fits, headers=headers).status_code == 200
    assert client.post("/graphql", content=fits + b" ", headers=headers).status_code == 413

    def in_chunks() -> Iterator[bytes]:
        yield from [fits, b" "]

    assert client.post("/graphql", content=in_chunks(), headers=headers).status_code == 413


@pytest.mark.parametrize("size", [300_000, 1_000_000, 10_000_000])
def test_who_sends_too_large_a_body_reads_why_and_asks_again(
    server: ServerProcess, client: httpx2.Client, size: int
) -> None:
    """The answer comes amid the body. It says that it is the connection's last one, and is there
    for who sends everything before they read."""
    headers = bearer(THE_CHAIR) | {"content-type": "application/json"}
    for _ in range(5):
        answer = client.post("/graphql", content=b" " * size, headers=headers)
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        assert ask(client, WHO, bearer(THE_CHAIR)).status_code == 200
        for more in ({}, {"connection": "close"}):
            with closing(http.client.HTTPConnection("127.0.0.1", server.port, 30)) as plain:
                plain.request("POST", "/graphql", b" " * size, headers | more)
                assert plain.getresponse().status == 413


def test_who_is_refused_reads_why_though_their_body_comes_slowly(server: ServerProcess) -> None:
    """Longer than anybody waits for who sends nothing more."""
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {THE_CHAIR}\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as slow:
        slow.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode())
        for _ in range(16):
            time.sleep(READS_ANSWER_WITHIN / 8)
            slow.sendall(b" " * 1000)
        assert slow.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_leaves_amid_its_request_is_no_fault(server: ServerProcess) -> None:
    """The server's log stays empty, which the fixture looks at in the end."""
    head = f"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {THE_CHAIR}\r\n"
    for body in ("Content-Length: 100\r\n\r\n", 'Content-Length: 100\r\n\r\n{"query": '):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as leaving:
            leaving.sendall(f"{head}Content-Type: application/json\r\n{body}".encode())
    assert httpx2.get(f"{server.site}/healthz", verify=TLS).status_code == 200


# --- The explorer ------------------------------------------------------------------------------


def test_development_offers_queries_and_introspection_by_get(client: httpx2.Client) -> None:
    query = "{ __schema { queryType { name } } }"
    answer = client.get("/graphql", params={"query": query, "variables": "{}"})
    assert answer.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}
    assert client.get("/graphql", params={"query": query, "variables": "{"}).status_code == 400


def test_development_shows_graphiql_to_browsers(client: httpx2.Client, token: str) -> None:
    client.post("/session", headers=bearer(token))  # a browser sends its cookie, but no own header
    answer = client.get("/graphql", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200
    assert "GraphiQL" in answer.text
    assert "https:" not in answer.text + answer.headers["content-security-policy"]
    assert "script-src 'self';" in answer.headers["content-security-policy"]


def test_graphiql_is_not_for_programs(client: httpx2.Client) -> None:
    answer = client.get("/graphql", headers={"accept": "application/json"})
    assert answer.status_code == 400
    assert message(answer)


def test_production_has_neither_graphiql_nor_queries_by_get(tmp_path: Path) -> None:
    with city_server(tmp_path, **PRODUCTION) as (server, _):
        page = httpx2.get(server.http, headers={"accept": "text/html"}, verify=TLS)
        assert (page.status_code, message(page)) == (404, "Not Found")
        query = httpx2.get(server.http, params={"query": WHO}, verify=TLS)
        assert (query.status_code, query.headers["allow"]) == (405, "POST")
        assert message(query)
        assert server.ask("{ __typename }") == {"__typename": "Query"}


# --- The page and its files --------------------------------------------------------------------


def test_health_tells_of_database_and_broker(client: httpx2.Client) -> None:
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "database": "up", "broker": "up"}


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/sign-in", "/meetings/1", "/a.b/c?d=e", "/graphiql/index.html"]
)
def test_every_screen_is_the_same_page(client: httpx2.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.content == page_in_development()
    assert answer.headers["cache-control"] == "no-cache"


def page_in_development() -> bytes:
    page = (CLIENT / "index.html").read_bytes()
    return page.replace(b"</head>", f"{DEMO_LINKS}</head>".encode())


@pytest.mark.parametrize("folder", ["assets", "graphiql/assets"])
def test_hashed_files_are_kept_for_good(client: httpx2.Client, folder: str) -> None:
    file = next((CLIENT / folder).glob("*.js"))
    answer = client.get(f"/{folder}/{file.name}")
    assert answer.content == file.read_bytes()
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "javascript" in answer.headers["content-type"]


@pytest.mark.parametrize("folder", ["assets", "graphiql/assets"])
def test_a_file_of_an_older_build_is_not_found(client: httpx2.Client, folder: str) -> None:
    answer = client.get(f"/{folder}/index-00000000.js")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/../../pyproject.toml",
        "/assets/../../../pyproject.toml",
        "/%2e%2e/%2e%2e/pyproject.toml",
        "/..%2f..%2fpyproject.toml",
        "/%2e%2e%2f%2e%2e%2fpyproject.toml",
        "/..%5c..%5cpyproject.toml",
        "/" + quote(str(CLIENT.parent / "package.json"), safe=""),
        str(CLIENT.parent / "package.json"),
        "/" + str(CLIENT.parent / "package.json"),
        "//etc/passwd",
        "/%00",
        "/%ff",
        "/assets/%00",
        "/" + "a" * 5_000,
        "/" + "a/" * 5_000,
    ],
)
def test_no_path_leads_out_of_the_build(server: ServerProcess, path: str) -> None:
    # Clients tidy paths up before they send them; this one does not.
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    is_page = answer.status == 200 and body == page_in_development()
    assert is_page or answer.status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("GET", "/assets/none.js", 404),
        ("GET", "/healthz", 200),
        ("GET", "/graphql", 400),
        ("PUT", "/graphql", 405),
        ("POST", "/graphql", 415),
        ("POST", "/session", 401),
        ("DELETE", "/session", 204),
        ("DELETE", "/", 405),
    ],
)
def test_every_answer_has_the_security_headers(
    client: httpx2.Client, method: str, path: str, status: int
) -> None:
    answer = client.request(method, path, headers={"accept": "application/json"})
    assert answer.status_code == status
    check_security_headers(answer)


def test_an_answer_to_a_body_too_large_has_the_security_headers(client: httpx2.Client) -> None:
    answer = client.post("/graphql", content=b" " * 300_000)
    assert answer.status_code == 413
    check_security_headers(answer)


def check_security_headers(answer: httpx2.Response) -> None:
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    assert "cache-control" in answer.headers
