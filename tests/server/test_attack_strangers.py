"""What strangers ask over HTTP is limited by their address, and members do not notice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack

import httpx2
import pytest
from sqlalchemy import event
from starlette.applications import Starlette
from starlette.routing import Route
from websockets.frames import Opcode

from rules.rate_limit import Buckets, Rate
from server.http.files import CLIENT
from server.http.health import Health
from server.limits import strangers
from server.limits.connections import AT_ONCE
from server.settings import Settings
from tests.support.factories import City, context_of
from tests.support.raw_socket import HANDSHAKE, RawSocket, frame, head, message
from tests.support.server_process import THE_CHAIR, THREE_MEMBERS, TLS, ServerProcess, demo_server

RATE = 2
BURST = AT_ONCE * RATE
ADDRESS_CONNECTIONS = 20
WHO = b'{"query":"{ viewer { member { name } } }"}'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(
        tmp_path_factory,
        MEETINGS_ADDRESS_REQUESTS=str(RATE),
        MEETINGS_ADDRESS_CONNECTIONS=str(ADDRESS_CONNECTIONS),
    ) as server:
        yield server


@pytest.fixture
def address(request: pytest.FixtureRequest) -> str:
    """A new one for each test, as the proxy before the server would tell it."""
    return f"2001:db8:{abs(hash(request.node.nodeid)) % 0xFFFF:x}::1"


def get(path: str, address: str, **headers: str) -> bytes:
    return head({"Host": "a", "X-Forwarded-For": address, **headers}, f"GET {path} HTTP/1.1")


def post(address: str, token: str | None = None) -> bytes:
    headers = {
        "Host": "a",
        "X-Forwarded-For": address,
        "Content-Type": "application/json",
        "Content-Length": str(len(WHO)),
        "Authorization": f"Bearer {token}" if token else "",
    }
    return head(headers, "POST /graphql HTTP/1.1") + WHO


def statuses(server: ServerProcess, request: bytes, times: int) -> list[int]:
    with RawSocket(server.port) as peer:
        found = []
        for _ in range(times):
            peer.send(request)
            found.append(peer.response()[0])
            if found[-1] == 429:
                assert int(peer.fields[b"retry-after"]) >= 1
                break
        return found


def exhaust(server: ServerProcess, address: str) -> None:
    assert statuses(server, get("/healthz", address), 3 * BURST)[-1] == 429


@pytest.mark.parametrize("path", ["/healthz", "/", "/icon.svg", "/no/such/screen", "/metrics"])
def test_what_is_asked_without_end_is_refused_and_told_when_to_come_again(
    server: ServerProcess, address: str, path: str
) -> None:
    answered = statuses(server, get(path, address), 3 * BURST)
    assert answered[-1] == 429
    assert len(answered) <= 2 * BURST, "some were given back meanwhile"


def test_operations_of_strangers_cost_more(server: ServerProcess, address: str) -> None:
    answered = statuses(server, post(address), 3 * BURST)
    assert answered[-1] == 429
    assert len(answered) <= 2 * BURST / strangers.OPERATION


def test_tokens_that_are_none_are_paid_for(server: ServerProcess, address: str) -> None:
    answered = statuses(server, post(address, "guess"), 3 * BURST)
    assert set(answered) == {401, 429}
    assert len(answered) <= 2 * BURST / strangers.FAILURE + 1


def test_other_addresses_and_members_are_answered_all_the_while(
    server: ServerProcess, address: str
) -> None:
    assert statuses(server, post(address, THE_CHAIR), 1) == [200]
    exhaust(server, address)
    assert statuses(server, post(address), 1) == [429]
    assert set(statuses(server, post(address, THE_CHAIR), 2 * BURST)) == {200}
    assert statuses(server, get("/healthz", "198.51.100.1"), 1) == [200]


def test_members_ask_as_much_as_they_like(server: ServerProcess, address: str) -> None:
    assert set(statuses(server, post(address, THREE_MEMBERS[0]), 2 * BURST)) == {200}


def test_handshakes_are_refused_with_429(server: ServerProcess, address: str) -> None:
    found = []
    for _ in range(BURST):
        with RawSocket(server.port) as peer:
            peer.send(head(HANDSHAKE | {"X-Forwarded-For": address}))
            found.append(peer.response()[0])
            if found[-1] == 429:
                assert peer.receive() == b"", "it has closed"
    assert set(found) == {101, 429}
    with RawSocket(server.port) as peer:
        peer.shake_hands(**{"X-Forwarded-For": "198.51.100.2"})
        peer.send(message("ping"))
        assert peer.messages(1) == [{"type": "pong"}]
    assert "without completing handshake" not in server.errors()


def test_handshakes_that_are_none_are_refused_with_429_in_the_end(
    server: ServerProcess, address: str
) -> None:
    found = []
    for _ in range(BURST):
        with RawSocket(server.port) as peer:
            peer.send(head(HANDSHAKE | {"X-Forwarded-For": address, "Sec-WebSocket-Key": "x"}))
            found.append(peer.answer())
    assert set(found) == {400, 429}


def test_an_address_has_so_many_sockets_and_no_more(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    settings = {"MEETINGS_ADDRESS_CONNECTIONS": "20", "MEETINGS_CONNECTIONS": "30"}
    with demo_server(tmp_path_factory, **settings) as server, ExitStack() as stack:

        def opened(address: str) -> RawSocket:
            peer = stack.enter_context(RawSocket(server.port))
            peer.send(head(HANDSHAKE | {"X-Forwarded-For": address}))
            return peer

        peers = [opened("192.0.2.1") for _ in range(20)]
        assert {peer.response()[0] for peer in peers} == {101}
        assert opened("192.0.2.1").response()[0] == 429
        assert opened("192.0.2.2").response()[0] == 101
        peers[0].send(frame(Opcode.CLOSE))
        assert peers[0].is_closed()
        assert opened("192.0.2.1").response()[0] == 101
        others = [stack.enter_context(RawSocket(server.port)) for _ in range(30)]
        for other in others[-15:]:
            assert other.answer() == 503


def test_a_hall_of_500_who_join_within_a_minute_is_no_attack() -> None:
    """Each opens the page, its files, signs in and opens a socket."""
    rate = Settings().address_requests
    hall = Buckets(Rate(rate, AT_ONCE * rate), 10)
    size = sum(file.stat().st_size for file in (CLIENT / "assets").iterdir())
    each = 12 + size / strangers.ANSWERED + 2 * strangers.OPERATION + 2 * strangers.HANDSHAKE
    assert all(hall.take("hall", 60 * phone / 500, each) for phone in range(500))


async def test_health_asks_the_database_once_however_many_ask(city: City) -> None:
    asked: list[str] = []
    engine = city.scene.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", lambda *execution: asked.append(execution[2]))
    app = Starlette(routes=[Route("/healthz", Health().answer)])
    app.state.new_context = lambda: context_of(city.nobody)
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://a", verify=TLS) as client:
        answers = await asyncio.gather(*(client.get("/healthz") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert asked.count("SELECT 1") == 1


def test_a_file_that_one_has_is_not_sent_again(server: ServerProcess, address: str) -> None:
    headers = {"x-forwarded-for": address}
    first = httpx2.get(f"{server.site}/", headers=headers, verify=TLS)
    headers["if-none-match"] = first.headers["etag"]
    again = httpx2.get(f"{server.site}/", headers=headers, verify=TLS)
    assert (again.status_code, again.content) == (304, b"")
