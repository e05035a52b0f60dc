"""A whole meeting with the reference client of the subscription protocol, npm's graphql-ws."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.graphql_socket import PROTOCOL
from tests.support.server_process import ServerProcess, demo_server, node

SCRIPT = Path(__file__).with_name("graphql_ws_client.mjs")
WITHIN = 120.0  # seconds


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory) as server:
        yield server
    assert server.errors() == ""


@pytest.fixture(scope="module")
def evening(server: ServerProcess) -> dict[str, Any]:
    """What a chair and three members saw and were answered; graphql_ws_client.mjs tells what."""
    demo = server.folder / "demo.json"
    demo.write_text(json.dumps(server.demo()))
    ended = node("--experimental-websocket", str(SCRIPT), str(demo), seconds=WITHIN)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def followed(evening: dict[str, Any], subject: str) -> list[Any]:
    return [watched for watched in evening["followed"] if watched["subject"] == subject]


def test_every_act_is_answered_as_the_rules_say(evening: dict[str, Any]) -> None:
    members = ["member 1", "member 2", "member 3"]
    assert evening["answers"] == {
        **{f"{member}: check in": "Meeting" for member in members},
        **{f"{member}: cast in open": "Receipt" for member in members},
        "chair 0: close open": "Vote",
        "chair 0: open next": "Vote",
        **{f"{person}: cast in next": "Receipt" for person in ["chair 0", *members]},
        "chair 0: close next": "Vote",
        "chair 0: move to the last item": "Meeting",
        "chair 0: close the meeting": "Meeting",
        "member 1: cast in a closed vote": "ALREADY_VOTED",
    }


def test_what_every_subscriber_holds_at_the_end_is_what_a_fresh_query_says(
    evening: dict[str, Any],
) -> None:
    assert len(evening["followed"]) == 12
    for watched in evening["followed"]:
        assert watched["failed"] is None
        assert watched["last"] == watched["fresh"]


def test_versions_only_grow(evening: dict[str, Any]) -> None:
    for watched in evening["followed"]:
        versions = watched["versions"]
        assert versions == sorted(set(versions))
        assert len(versions) >= 2, "the first state, and at least one change"


def test_the_evening_ends_with_everything_closed(evening: dict[str, Any]) -> None:
    for watched in followed(evening, "meeting"):
        meeting = watched["last"]
        assert meeting["state"] == "CLOSED"
        assert {vote["state"] for vote in meeting["votes"]} == {"CLOSED"}
        assert [item["state"] for item in meeting["agenda"]][-1] == "DONE"
        assert meeting["currentItem"] is None
    for watched in followed(evening, "open vote") + followed(evening, "prepared vote"):
        vote = watched["last"]
        assert vote["state"] == "CLOSED"
        assert vote["tally"]["cast"] == sum(o["count"] for o in vote["tally"]["options"])
        assert vote["outcome"]["sentence"].startswith(
            "Được thông qua: " if vote["outcome"]["carried"] else "Không được thông qua: "
        )


def test_everyone_is_shown_their_own_receipt_only(evening: dict[str, Any]) -> None:
    receipts = [watched["last"]["myReceipt"] for watched in followed(evening, "prepared vote")]
    assert len({receipt["id"] for receipt in receipts}) == 4
    tally = followed(evening, "prepared vote")[0]["last"]["tally"]
    chosen = sorted(choice for receipt in receipts for choice in receipt["choices"])
    counted = sorted(o["optionId"] for o in tally["options"] for _ in range(o["count"]))
    assert chosen == counted


def test_the_client_leaves_in_order(evening: dict[str, Any]) -> None:
    assert len(evening["closed"]) >= 4
    assert set(evening["closed"]) == {1000}


FINAL = [1009, 4400, 4401, 4409, 4429]
RETRIED = [1012, 4403, 4408, 4508, 4509]
"""Our own client takes 4403 and 4408 for final, too: web-client/src/server/close-codes.ts."""


async def test_the_client_honours_each_close_code() -> None:
    async def close(connection: ServerConnection) -> None:
        assert connection.request is not None
        with suppress(ConnectionClosed):  # who has seen enough leaves
            await connection.recv()
            await connection.send('{"type": "connection_ack"}')
            await connection.recv()
        await connection.close(int(connection.request.path.strip("/")), "as told")

    async with serve(close, "127.0.0.1", 0, subprotocols=[Subprotocol(PROTOCOL)]) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        codes = [str(code) for code in (*FINAL, *RETRIED)]
        ended = await asyncio.to_thread(
            node,
            "--experimental-websocket",
            str(SCRIPT.with_name("graphql_ws_codes.mjs")),
            f"ws://127.0.0.1:{port}",
            *codes,
            seconds=WITHIN,
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert json.loads(ended.stdout) == {
        **{str(code): "fails" for code in FINAL},
        **{str(code): "connects again" for code in RETRIED},
    }


def test_without_its_packages_the_client_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.server_process.NODE_PACKAGES", tmp_path / "node_modules")
    with pytest.raises(RuntimeError, match="make install"):
        node("--version", seconds=WITHIN)
