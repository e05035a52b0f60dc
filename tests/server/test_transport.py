"""graphql-transport-ws, frame by frame, against a real server; docs/realtime.md is the protocol."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from rules.votes.ballots import OptionKind
from server.demo import data as demo_data
from tests.support.graphql_socket import PROTOCOL, Socket, open_socket
from tests.support.server_process import (
    A_PROBATIONARY_MEMBER,
    AN_OFFICER,
    CAST,
    CREDENTIALS,
    FINISHED_VOTE,
    MEETING,
    OPEN_VOTE,
    THE_CHAIR,
    THREE_MEMBERS,
    TLS,
    ServerProcess,
    demo_server,
    option,
)

WATCH = "subscription ($id: ID!) { meeting(id: $id) { version turnout { present } } }"
WATCH_VOTE = "subscription ($id: ID!) { vote(id: $id) { version tally { cast } } }"
WHO = "{ viewer { member { name } } }"
CHECK_IN = "mutation ($id: ID!) { checkIn(meetingId: $id) { ... on Meeting { version } } }"
UNKNOWN_ID = "00000000-0000-0000-0000-000000000000"

PLACES = iter(demo_data.places_present()[1:])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server
    faults = [line for line in server.errors().splitlines() if "from origin" not in line]
    assert faults == [], "no test here may end in a fault"


@pytest.fixture
async def socket(server: ServerProcess) -> AsyncIterator[Socket]:
    """The chair's."""
    async with open_socket(server.ws, THE_CHAIR) as socket:
        yield socket


@pytest.fixture
def a_change(server: ServerProcess) -> Callable[[], None]:
    """Something that changes the meeting and its open vote: a ballot of somebody new."""

    def cast() -> None:
        # The last twelve who are present have cast already; the first have not.
        token = CREDENTIALS.demo_token(demo_data.member_id(1, next(PLACES)))
        assert server.cast(token, OPEN_VOTE) == "Receipt"

    return cast


async def is_open(socket: Socket) -> bool:
    data = await socket.ask("{ __typename }")
    return bool(data == {"__typename": "Query"})


# --- The door ----------------------------------------------------------------------------------


async def test_a_token_opens_the_connection(server: ServerProcess) -> None:
    async with open_socket(server.ws) as socket:
        assert socket.connection.subprotocol == PROTOCOL
        await socket.send("connection_init", payload={"token": THE_CHAIR})
        assert await socket.receive() == {"type": "connection_ack"}
        assert (await socket.ask(WHO))["viewer"]["member"]["name"] == "Bùi Hữu Thủy"


async def test_our_own_page_opens_the_connection_with_its_cookie(server: ServerProcess) -> None:
    async with open_socket(server.ws, origin=server.site, cookie=THE_CHAIR) as socket:
        await socket.send("connection_init")
        assert await socket.receive() == {"type": "connection_ack"}
        assert (await socket.ask(WHO))["viewer"] is not None


async def test_a_token_counts_more_than_the_cookie(server: ServerProcess) -> None:
    async with open_socket(server.ws, origin=server.site, cookie=THE_CHAIR) as socket:
        await socket.sign_in(THREE_MEMBERS[0])
        assert (await socket.ask(WHO))["viewer"]["member"]["name"] == "Lý Hữu Yến"


@pytest.mark.parametrize("origin", ["http://evil.example", "https://127.0.0.1", "null"])
async def test_a_foreign_page_is_turned_away(server: ServerProcess, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with open_socket(server.ws, origin=origin, cookie=THE_CHAIR):
            pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    "payload", [None, {}, {"token": "unknown"}, {"token": ""}, {"token": 1}, {"token": None}]
)
async def test_nobody_is_turned_away(server: ServerProcess, payload: Any) -> None:
    async with open_socket(server.ws) as socket:
        await socket.send("connection_init", **({"payload": payload} if payload else {}))
        assert await socket.closed() == (4401, "Not signed in")


async def test_a_wrong_token_does_not_fall_back_on_the_cookie(server: ServerProcess) -> None:
    async with open_socket(server.ws, origin=server.site, cookie=THE_CHAIR) as socket:
        await socket.send("connection_init", payload={"token": "unknown"})
        assert (await socket.closed())[0] == 4401


@pytest.mark.parametrize("protocols", [("graphql-ws",), ("chat",), ()])
async def test_no_other_protocol_is_spoken(
    server: ServerProcess, protocols: tuple[str, ...]
) -> None:
    async with open_socket(server.ws, protocols=protocols) as socket:
        assert socket.connection.subprotocol is None
        assert (await socket.closed())[0] == 4406


async def test_the_older_protocol_is_passed_over(server: ServerProcess) -> None:
    async with open_socket(server.ws, protocols=("graphql-ws", PROTOCOL)) as socket:
        assert socket.connection.subprotocol == PROTOCOL


async def test_who_does_not_introduce_themselves_is_sent_away(server: ServerProcess) -> None:
    async with open_socket(server.ws) as socket:
        assert (await socket.closed())[0] == 4408


async def test_introducing_oneself_twice_ends_the_connection(socket: Socket) -> None:
    await socket.send("connection_init", payload={"token": THE_CHAIR})
    assert (await socket.closed())[0] == 4429


async def test_subscribing_before_the_acknowledgement_ends_the_connection(
    server: ServerProcess,
) -> None:
    async with open_socket(server.ws) as socket:
        await socket.subscribe("watch", WATCH, id=MEETING)
        assert (await socket.closed())[0] == 4401


# --- Messages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        "null",
        "1",
        '"ping"',
        "{}",
        '{"type": null}',
        '{"type": ["ping"]}',
        '{"type": "start"}',
        '{"type": "next", "id": "1", "payload": {}}',
        '{"type": "connection_ack"}',
        '{"type": "connection_init", "payload": null}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "ping", "payload": 1}',
        '{"type": "ping", "payload": {"a": NaN}}',
        pytest.param(
            '{"type": "ping", "payload": {"a": ' + "[" * 300 + "]" * 300 + "}}", id="a deep ping"
        ),
        pytest.param(
            '{"type": "subscribe", "id": "1", "payload": {"query": "subscription { meeting(id: 1)'
            ' { id } }", "variables": {"a": ' + "[" * 300 + "]" * 300 + "}}}",
            id="deep variables",
        ),
        '{"type": "complete"}',
        '{"type": "complete", "id": 1}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": null}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": null}}',
        '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "\\ud800", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "variables": "b"}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ a }", "operationName": 1}}',
        pytest.param(
            f'{{"type": "subscribe", "id": "{"i" * 65}", "payload": {{"query": "{{ a }}"}}}}',
            id="a long id",
        ),
        pytest.param("[" * 50_000, id="nested"),
        pytest.param('{"type": "ping", "payload": ' + '{"a": ' * 10_000, id="a nested payload"),
        pytest.param(b'{"type": "ping"}', id="a binary frame"),
        pytest.param(b"\xff\x00", id="a binary frame of noise"),
    ],
)
async def test_a_malformed_message_ends_the_connection_with_4400(
    socket: Socket, message: str | bytes
) -> None:
    await socket.connection.send(message)
    code, reason = await socket.closed()
    assert code == 4400
    assert reason


@pytest.mark.parametrize("message", ["[" * 100_000, "x" * 65_537, b"x" * 65_537])
async def test_a_message_over_64_kb_ends_the_connection_with_1009(
    socket: Socket, message: str | bytes
) -> None:
    await socket.connection.send(message)
    assert (await socket.closed())[0] == 1009


async def test_a_message_of_64_kb_is_read(socket: Socket) -> None:
    message = json.dumps({"type": "ping", "payload": {"text": ""}})
    await socket.send("ping", payload={"text": "x" * (65_536 - len(message))})
    assert (await socket.receive())["type"] == "pong"


@pytest.mark.parametrize("rest", [{}, {"payload": {}}, {"payload": {"at": [1, {"ố": None}]}}])
async def test_a_ping_is_echoed(socket: Socket, rest: dict[str, Any]) -> None:
    await socket.send("ping", **rest)
    assert await socket.receive() == {"type": "pong", **rest}


async def test_a_ping_is_answered_before_anybody_signs_in(server: ServerProcess) -> None:
    async with open_socket(server.ws) as socket:
        await socket.send("ping")
        assert await socket.receive() == {"type": "pong"}


async def test_a_pong_and_a_late_complete_are_heard_in_silence(socket: Socket) -> None:
    await socket.send("pong", payload={"at": 1})
    await socket.send("complete", id="long gone")
    assert await is_open(socket)


async def test_a_long_reason_is_cut_to_what_a_close_frame_carries(socket: Socket) -> None:
    name = "ộ" * 64  # three bytes each
    await socket.subscribe(name, WATCH, id=MEETING)
    await socket.subscribe(name, WATCH, id=MEETING)
    code, reason = await socket.closed()
    assert code == 4409
    assert 100 < len(reason.encode()) <= 123


async def test_an_id_in_use_ends_the_connection(socket: Socket) -> None:
    await socket.subscribe("watch", WATCH, id=MEETING)
    await socket.subscribe("watch", WATCH, id=MEETING)
    assert (await socket.closed())[0] == 4409


# --- Operations --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "",
        "{",
        "{" * 30_000,
        "subscription { meeting(id: }",
        "{ a" + "{ a" * 300,
        "{ nope }",
        "subscription { meeting { version } }",
        "subscription ($id: ID!) { meeting(id: $id) { version } }",
        "subscription { meeting(id: 1) { version } vote(id: 1) { version } }",
        "fragment F on Query { __typename }",
        "{ viewer {" + " member {" * 2_000,
    ],
    ids=lambda query: query[:40],
)
async def test_a_document_that_cannot_be_run_ends_in_an_error_of_its_own(
    socket: Socket, query: str
) -> None:
    await socket.subscribe("bad", query)
    answer = await socket.message("bad")
    assert answer["type"] == "error"
    assert answer["payload"][0]["message"]
    assert "our side" not in answer["payload"][0]["message"]
    assert await is_open(socket)
    await socket.subscribe("bad", WATCH, id=MEETING)
    assert await socket.next("bad"), "the id is free again"


async def test_an_unknown_operation_name_ends_in_an_error(socket: Socket) -> None:
    payload = {"query": "query A { __typename }", "operationName": "B"}
    await socket.send("subscribe", id="bad", payload=payload)
    answer = await socket.message("bad")
    assert (answer["type"], answer["payload"][0]["message"]) == (
        "error",
        'Unknown operation named "B".',
    )


@pytest.mark.parametrize(
    ("query", "subject"),
    [(WATCH, MEETING), (WATCH_VOTE, OPEN_VOTE), (WATCH_VOTE, FINISHED_VOTE)],
)
async def test_a_strangers_subscription_ends_in_not_found(
    server: ServerProcess, query: str, subject: str
) -> None:
    async with open_socket(server.ws, AN_OFFICER) as socket:
        await socket.subscribe("watch", query, id=subject)
        answer = await socket.message("watch")
        assert answer["type"] == "error"
        assert [error["extensions"]["reason"] for error in answer["payload"]] == ["NOT_FOUND"]
        assert await is_open(socket)


@pytest.mark.parametrize("query", [WATCH, WATCH_VOTE])
@pytest.mark.parametrize("subject", [UNKNOWN_ID, "no id", ""])
async def test_a_subscription_to_nothing_ends_in_not_found(
    socket: Socket, query: str, subject: str
) -> None:
    await socket.subscribe("watch", query, id=subject)
    answer = await socket.message("watch")
    assert answer["type"] == "error"
    assert [error["extensions"]["reason"] for error in answer["payload"]] == ["NOT_FOUND"]


async def test_queries_and_mutations_work_over_the_socket(server: ServerProcess) -> None:
    async with open_socket(server.ws, A_PROBATIONARY_MEMBER) as socket:
        assert (await socket.ask(WHO))["viewer"]["member"]["name"] == "Đặng Kim Phúc"
        before = await socket.ask("query ($id: ID!) { meeting(id: $id) { version } }", id=MEETING)
        after = await socket.ask(CHECK_IN, id=MEETING)
        assert after["checkIn"]["version"] > before["meeting"]["version"]
        choice = option(OPEN_VOTE, OptionKind.FOR)
        refused = await socket.ask(CAST, vote=OPEN_VOTE, choice=choice, key="probationary")
        assert refused["castBallot"]["reason"] == "NOT_ENTITLED"


async def test_a_refusal_in_a_query_comes_with_what_could_be_answered(socket: Socket) -> None:
    await socket.subscribe("ask", f'{{ __typename meeting(id: "{UNKNOWN_ID}") {{ id }} }}')
    answer = await socket.message("ask")
    assert answer["payload"]["data"] == {"__typename": "Query", "meeting": None}
    assert answer["payload"]["errors"][0]["extensions"]["reason"] == "NOT_FOUND"
    assert (await socket.message("ask"))["type"] == "complete"


async def test_every_change_is_pushed_with_a_higher_version(
    socket: Socket, a_change: Callable[[], None]
) -> None:
    await socket.subscribe("watch", WATCH_VOTE, id=OPEN_VOTE)
    first = (await socket.next("watch"))["vote"]
    a_change()
    second = (await socket.next("watch"))["vote"]
    assert second["tally"]["cast"] == first["tally"]["cast"] + 1
    assert second["version"] > first["version"]


async def test_completing_ends_the_pushes(socket: Socket, a_change: Callable[[], None]) -> None:
    await socket.subscribe("ended", WATCH_VOTE, id=OPEN_VOTE)
    await socket.subscribe("going on", WATCH_VOTE, id=OPEN_VOTE)
    await socket.next("ended")
    await socket.next("going on")
    await socket.send("complete", id="ended")
    assert await is_open(socket), "so the server has read what came before"
    a_change()
    answer = await socket.receive()
    assert (answer["id"], answer["type"]) == ("going on", "next")
    assert await is_open(socket)
    assert not socket._passed_over, "nothing more is said of an operation that was completed"


async def test_a_completed_id_can_be_used_again(socket: Socket) -> None:
    for _ in range(3):
        await socket.subscribe("watch", WATCH, id=MEETING)
        await socket.next("watch")
        await socket.send("complete", id="watch")
    assert await is_open(socket)


async def test_a_connection_has_at_most_20_subscriptions(socket: Socket) -> None:
    for number in range(20):
        await socket.subscribe(f"watch {number}", WATCH, id=MEETING)
    await socket.subscribe("one more", WATCH, id=MEETING)
    assert (await socket.message("one more"))["type"] == "error"
    for number in range(20):
        await socket.next(f"watch {number}")
    await socket.send("complete", id="watch 7")
    assert await is_open(socket), "there is room for one again"


async def test_operations_on_one_socket_do_not_disturb_each_other(
    socket: Socket, a_change: Callable[[], None]
) -> None:
    full = """subscription ($id: ID!) { meeting(id: $id) {
      version attendance { status member { name } } agenda { title votes { id } }
      votes { id version tally { cast eligible options { count } } viewerMay } } }"""
    queries = [full, WATCH, full.replace("subscription", "query"), WHO]
    for number, query in enumerate(queries * 4):
        await socket.subscribe(f"op {number}", query, id=MEETING)
        if number in (5, 9):
            a_change()
    for number, query in enumerate(queries * 4):
        data = await socket.next(f"op {number}")
        if query == full:
            meeting = data["meeting"]
            assert len(meeting["attendance"]) == demo_data.BRANCH_SIZE
            for vote in meeting["votes"]:
                assert vote["tally"]["cast"] == sum(o["count"] for o in vote["tally"]["options"])
    for number, query in enumerate(queries * 4):
        if not query.startswith("subscription"):
            assert (await socket.message(f"op {number}"))["type"] == "complete"


async def test_everything_in_one_push_is_of_one_moment(
    server: ServerProcess, socket: Socket, a_change: Callable[[], None]
) -> None:
    both = """subscription ($id: ID!) { meeting(id: $id) { version
      votes { id version tally { cast options { count } } } again: votes { version } } }"""
    await socket.subscribe("watch", both, id=MEETING)
    await socket.next("watch")
    await asyncio.gather(*(asyncio.to_thread(a_change) for _ in range(6)))
    version = f'{{ meeting(id: "{MEETING}") {{ version }} }}'
    last = server.ask(version, THE_CHAIR)["meeting"]["version"]
    seen = 0
    while seen < last:
        meeting = (await socket.next("watch"))["meeting"]
        assert meeting["version"] > seen
        seen = meeting["version"]
        for vote, again in zip(meeting["votes"], meeting["again"], strict=True):
            assert vote["version"] == again["version"]
            assert vote["tally"]["cast"] == sum(o["count"] for o in vote["tally"]["options"])
    assert seen == last


# --- The end of a session ----------------------------------------------------------------------


async def test_a_session_that_ended_closes_its_sockets_at_the_next_change(
    server: ServerProcess, socket: Socket, a_change: Callable[[], None]
) -> None:
    token = CREDENTIALS.demo_token(demo_data.member_id(1, next(PLACES)))
    async with open_socket(server.ws, token) as ended:
        for number in range(5):
            await ended.subscribe(f"watch {number}", WATCH_VOTE, id=OPEN_VOTE)
            await ended.next(f"watch {number}")
        await socket.subscribe("watch", WATCH_VOTE, id=OPEN_VOTE)
        await socket.next("watch")
        headers = {"authorization": f"Bearer {token}"}
        answer = httpx2.delete(f"{server.site}/session", headers=headers, verify=TLS)
        assert answer.status_code == 204
        a_change()
        assert (await ended.closed())[0] == 4401
        assert await socket.next("watch"), "others go on"


async def test_a_session_that_ended_subscribes_to_nothing(server: ServerProcess) -> None:
    token = CREDENTIALS.demo_token(demo_data.member_id(1, next(PLACES)))
    async with open_socket(server.ws, token) as socket:
        headers = {"authorization": f"Bearer {token}"}
        httpx2.delete(f"{server.site}/session", headers=headers, verify=TLS)
        await socket.subscribe("watch", WATCH, id=MEETING)
        assert (await socket.closed())[0] == 4401


async def test_a_member_who_vanishes_leaves_nothing_behind(
    server: ServerProcess, socket: Socket, a_change: Callable[[], None]
) -> None:
    for _ in range(3):
        async with open_socket(server.ws, THREE_MEMBERS[1]) as vanishing:
            await vanishing.subscribe("watch", WATCH_VOTE, id=OPEN_VOTE)
            await vanishing.next("watch")
            vanishing.connection.transport.abort()
    await socket.subscribe("watch", WATCH_VOTE, id=OPEN_VOTE)
    before = (await socket.next("watch"))["vote"]["version"]
    a_change()
    assert (await socket.next("watch"))["vote"]["version"] > before
