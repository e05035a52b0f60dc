"""Production has nothing of the demo: anybody may know the tokens of its people."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text

from models.database import Database
from models.demo_mark import held_demo
from models.migrate import downgrade, upgrade
from server.auth.credentials import ServerCredentials
from server.cli.serving import check_ready
from server.demo import demo
from server.settings import Mode, Settings, SettingsError
from tests.support.city_server import PRODUCTION, SECRET, city_server
from tests.support.database_log import unchanged
from tests.support.factories import City
from tests.support.processes import free_port
from tests.support.server_process import (
    TLS,
    ServerProcess,
    branch_meetings,
    demo_on_sqlite,
    fill_demo,
)
from tests.support.services import create_database
from tests.support.tampering import empty

WHO = "{ viewer { member { name } } }"
OWN_HEADER = {"x-requested-by": "test"}
BEFORE_THE_MARK = "0008"


@pytest.fixture(params=["sqlite", "postgresql"])
def demo_url(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> str:
    """The URL of a database with a fresh demo."""
    if request.param == "sqlite":
        return demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db")
    url = create_database(request.getfixturevalue("postgresql_server"))
    fill_demo(url)
    return url


@pytest.fixture
async def demo_database(demo_url: str) -> AsyncIterator[Database]:
    database = Database(demo_url)
    yield database
    await database.dispose()


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, City]]:
    with city_server(tmp_path_factory.mktemp("production"), **PRODUCTION) as (server, city):
        yield server, city
        assert server.errors() == ""


async def test_a_database_that_held_the_demo_is_not_served(demo_database: Database) -> None:
    await check_ready(demo_database, Settings())
    for whatever_happens in ("UPDATE unit SET name = 'Another'", "DELETE FROM session"):
        with pytest.raises(SettingsError, match="production refuses a database that held the demo"):
            await check_ready(demo_database, replace(Settings(), mode=Mode.PRODUCTION))
        async with demo_database.writing() as session:
            await session.execute(text(whatever_happens))
            await session.commit()


def test_who_serves_the_demo_in_production_reads_one_line(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path
) -> None:
    url = demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db")
    settings = {"MEETINGS_DATABASE_URL": url, "MEETINGS_PORT": str(free_port())}
    ended = branch_meetings(tmp_path, "serve", **PRODUCTION, **settings)
    refusal = "branch-meetings: production refuses a database that held the demo; make a new one\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", refusal)


async def test_a_demo_from_before_the_mark_is_marked_by_the_migration(
    demo_database: Database,
) -> None:
    await downgrade(demo_database, BEFORE_THE_MARK)
    await upgrade(demo_database)
    assert await held_demo(demo_database)


async def test_an_organisation_is_no_demo(city: City) -> None:
    assert not await held_demo(city.scene.database)


async def test_no_demo_is_made_among_an_organisation(city: City) -> None:
    database = city.scene.database
    async with unchanged(database):
        with pytest.raises(LookupError, match="holds an organisation"):
            await demo.fill(database, ServerCredentials(Settings()))


async def test_making_the_demo_again_needs_no_second_mark(database: Database) -> None:
    await empty(database)
    for is_new in (True, False):
        assert await demo.fill(database, ServerCredentials(Settings())) is is_new
        assert await held_demo(database)
    await empty(database)


@pytest.mark.parametrize("secret", [SECRET, Settings().secret])
def test_a_token_of_the_demo_opens_nothing(
    production: tuple[ServerProcess, City], secret: str
) -> None:
    server, _ = production
    credentials = ServerCredentials(Settings(secret=secret))
    for _, member_id in demo.PARTS:
        bearer = {"authorization": f"Bearer {credentials.demo_token(member_id)}"}
        for method, path in (("POST", "/session"), ("DELETE", "/session")):
            answer = httpx2.request(method, server.site + path, headers=bearer, verify=TLS)
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers
        answer = httpx2.post(server.http, json={"query": WHO}, headers=bearer, verify=TLS)
        assert answer.status_code == 401


# --- The page ----------------------------------------------------------------------------------


def test_the_page_takes_tokens_from_links_in_development_only(
    production: tuple[ServerProcess, City], tmp_path: Path
) -> None:
    with city_server(tmp_path) as (development, _):
        assert "demo-links" in page_of(development).text
    for path in ("/", "/sign-in", "/index.html", "/meetings/1"):
        assert "demo-links" not in page_of(production[0], path).text


def page_of(server: ServerProcess, path: str = "/", **headers: str) -> httpx2.Response:
    return httpx2.get(server.site + path, headers=headers, verify=TLS)


@pytest.mark.parametrize(
    ("host", "sockets"),
    [
        ("meetings.example.org", " wss://meetings.example.org"),
        ("meetings.example.org:8443", " wss://meetings.example.org:8443"),
        ("[::1]:8000", " wss://[::1]:8000"),
        ("a.example; script-src *", ""),
        ("a.example https://b.example", ""),
        ("*", ""),
        ("a.example,b.example", ""),
    ],
)
def test_a_page_reaches_its_own_site_and_nobody_else(
    production: tuple[ServerProcess, City], host: str, sockets: str
) -> None:
    policy = page_of(production[0], host=host).headers["content-security-policy"]
    assert re.findall(r"connect-src ([^;]*);", policy) == [f"'self'{sockets}"]
    assert "*" not in policy


# --- The cookie --------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"x-forwarded-proto": "http"}, {"host": "a.example"}])
def test_the_cookie_of_production_never_travels_in_the_clear(
    production: tuple[ServerProcess, City], headers: dict[str, str]
) -> None:
    """Whatever the scheme is taken for, as behind a proxy on a machine that is not believed."""
    server, city = production
    bearer = {"authorization": f"Bearer {city.an.token}"}
    answer = httpx2.post(f"{server.site}/session", headers=headers | bearer, verify=TLS)
    check_cookie(answer, city.an.token)
    ended = httpx2.post(
        server.http,
        json={"query": WHO},
        headers={**headers, **OWN_HEADER, "cookie": "__Host-session=unknown"},
        verify=TLS,
    )
    assert ended.status_code == 401
    check_cookie(ended, "")


def check_cookie(answer: httpx2.Response, value: str) -> None:
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.replace('"', "") == f"__Host-session={value}"
    assert {"secure", "httponly", "path=/"} <= {text.lower() for text in attributes}
    assert not any(text.lower().startswith("domain") for text in attributes)


def test_production_takes_no_other_cookie(production: tuple[ServerProcess, City]) -> None:
    server, city = production

    def ask(cookie: str) -> httpx2.Response:
        headers = {"cookie": cookie, **OWN_HEADER}
        return httpx2.post(server.http, json={"query": WHO}, headers=headers, verify=TLS)

    # A document of no page's, which is taken from members only.
    stranger = ask(f"session={city.an.token}")
    assert stranger.status_code == 401
    assert [one["extensions"]["reason"] for one in stranger.json()["errors"]] == ["NOT_SIGNED_IN"]
    member = ask(f"__Host-session={city.an.token}")
    assert member.json() == {"data": {"viewer": {"member": {"name": city.an.name}}}}
