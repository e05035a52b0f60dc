"""What Prometheus reads at /metrics, who may read it, and what the dashboard makes of it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from realtime.histogram import Histogram
from server.runtime.worker_channel import Siblings
from tests.support.graphql_socket import open_socket
from tests.support.server_process import (
    OPEN_VOTE,
    STARTS_WITHIN,
    THE_CHAIR,
    THREE_MEMBERS,
    TLS,
    ServerProcess,
    demo_server,
    eventually,
    fill_demo,
)
from tests.support.services import create_database

DASHBOARD = Path(__file__).parent.parent.parent / "docs" / "grafana-dashboard.json"
TOKEN = "a token of thirty-two characters or more"
WATCH = "subscription ($id: ID!) { vote(id: $id) { version tally { cast } } }"

Labels = frozenset[tuple[str, str]]


class Figures:
    """One answer, by name and labels; the label `worker` is left out, and its values added up."""

    def __init__(self, text: str) -> None:
        self.names: set[str] = set()
        self._values: dict[tuple[str, Labels], float] = {}
        for family in text_string_to_metric_families(text):
            self.names.add(f"{family.name}_total" if family.type == "counter" else family.name)
            for sample in family.samples:
                self.names.add(sample.name)
                labels = {k: v for k, v in sample.labels.items() if k != "worker"}
                key = sample.name, frozenset(labels.items())
                self._values[key] = self._values.get(key, 0) + sample.value

    def __call__(self, name: str, **labels: str) -> float:
        return self._values.get((name, frozenset(labels.items())), 0)


def get(server: ServerProcess, token: str | None = None, **headers: str) -> httpx2.Response:
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return httpx2.get(f"{server.site}/metrics", headers=headers, verify=TLS)


def figures(server: ServerProcess) -> Figures:
    answer = get(server, TOKEN)
    assert answer.status_code == 200, answer.text
    return Figures(answer.text)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with demo_server(tmp_path_factory, MEETINGS_METRICS=TOKEN) as server:
        yield server


# --- Who may read them ------------------------------------------------------------------------


def test_metrics_are_off_unless_asked_for(tmp_path_factory: pytest.TempPathFactory) -> None:
    with demo_server(tmp_path_factory) as server:
        for token in (None, "open"):
            answer = get(server, token)
            assert (answer.status_code, "meetings_" in answer.text) == (404, False)


def test_metrics_may_be_open_in_development(tmp_path_factory: pytest.TempPathFactory) -> None:
    with demo_server(tmp_path_factory, MEETINGS_METRICS="open") as server:
        assert "meetings_sockets" in get(server).text


@pytest.mark.parametrize("token", [None, "open", TOKEN[:-1], TOKEN + "x"])
def test_only_the_token_opens_the_metrics(server: ServerProcess, token: str | None) -> None:
    answer = get(server, token)
    assert (answer.status_code, "meetings_" in answer.text) == (401, False)
    assert answer.headers["www-authenticate"] == "Bearer"


def test_a_members_token_opens_nothing_and_keeps_their_cookie(server: ServerProcess) -> None:
    answer = get(server, THE_CHAIR)
    assert answer.status_code == 401
    answer = get(server, cookie=f"session={THE_CHAIR}")
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


# --- What they tell ---------------------------------------------------------------------------


async def test_a_ballot_is_counted_on_its_whole_way(server: ServerProcess) -> None:
    before = figures(server)
    async with (
        open_socket(server.ws, THE_CHAIR) as one,
        open_socket(server.ws, THREE_MEMBERS[0]) as other,
    ):
        for socket in (one, other):
            await socket.subscribe("vote", WATCH, id=OPEN_VOTE)
            cast = (await socket.next("vote"))["vote"]["tally"]["cast"]
        now = figures(server)
        assert now("meetings_sockets") == before("meetings_sockets") + 2
        assert now("meetings_subscribers") == 2
        assert now("meetings_groups") == 2, "the chair and members see different things"
        assert now("meetings_members_connected") == 2
        assert now("meetings_executions_total") == before("meetings_executions_total") + 2
        assert server.cast(THREE_MEMBERS[1], OPEN_VOTE) == "Receipt"
        for socket in (one, other):
            await socket.next_until("vote", lambda data: data["vote"]["tally"]["cast"] > cast)
        after = figures(server)
    for name, more in {
        "meetings_ballots_written_total": 1,
        "meetings_ballot_batch_size_count": 1,
        "meetings_ballot_batch_size_sum": 1,
        "meetings_hints_total": 2,
        "meetings_deliveries_total": 2,
    }.items():
        assert after(name) - now(name) == more, name
    assert after("meetings_ballot_batch_size_bucket", le="1") == 1
    assert after("meetings_push_seconds_count", kind="counts") == 2
    assert 0 < after("meetings_push_seconds_sum", kind="counts") < 2 * 30
    assert after("meetings_push_seconds_count", kind="state") == 0
    assert after("meetings_broker_up") == 1
    assert after("meetings_publish_failures_total") == 0
    assert after("process_resident_memory_bytes") > 1_000_000
    limit = after("meetings_database_connections_limit")
    assert 0 <= after("meetings_database_connections_in_use") <= limit
    assert limit >= 1


async def test_closed_sockets_are_counted_by_code_and_by_who_closed(
    server: ServerProcess,
) -> None:
    def closed(code: int, by: str) -> float:
        return figures(server)("meetings_sockets_closed_total", code=str(code), by=by)

    bad, left = closed(4400, "server"), closed(1000, "peer")
    async with open_socket(server.ws, THE_CHAIR) as socket:
        await socket.connection.send("no JSON")
        assert (await socket.closed())[0] == 4400
    async with open_socket(server.ws, THE_CHAIR) as socket:
        await socket.connection.close()
    await asyncio.to_thread(eventually, lambda: closed(1000, "peer") == left + 1)
    assert closed(4400, "server") == bad + 1
    assert closed(4400, "peer") == 0
    assert figures(server)("meetings_sockets") == 0


def test_the_answer_has_the_type_that_was_asked_for(server: ServerProcess) -> None:
    assert get(server, TOKEN).headers["content-type"].startswith("text/plain")
    newer = get(server, TOKEN, accept="application/openmetrics-text; version=1.0.0")
    assert newer.headers["content-type"].startswith("application/openmetrics-text")
    assert newer.text.endswith("# EOF\n")


def test_no_figure_names_a_person_or_a_meeting(server: ServerProcess) -> None:
    labels = re.findall(r"(\w+)=\"", get(server, TOKEN).text)
    assert set(labels) <= {"worker", "code", "by", "kind", "le"}


def test_whichever_worker_is_asked_answers_for_all(
    postgresql_server: str, valkey_server: str, tmp_path: Path
) -> None:
    url = create_database(postgresql_server)
    fill_demo(url)
    settings = {
        "MEETINGS_DATABASE_URL": url,
        "MEETINGS_BROADCAST_URL": valkey_server,
        "MEETINGS_METRICS": TOKEN,
    }
    with ServerProcess(tmp_path, "serve", "--workers", "2", **settings) as server:
        eventually(lambda: figures(server)("meetings_worker_up") == 2, STARTS_WITHIN)
        assert server.cast(THREE_MEMBERS[1], OPEN_VOTE) == "Receipt"
        told = {figures(server)("meetings_ballots_written_total") for _ in range(10)}
        assert told == {1}, "each of the answers tells of the ballot, once"
        assert set(re.findall(r'worker="(\d+)"', get(server, TOKEN).text)) == {"0", "1"}


# --- Workers asking each other ----------------------------------------------------------------


async def test_workers_have_numbers_and_ask_each_other(tmp_path: Path) -> None:
    async with (
        Siblings.of_folder(tmp_path, lambda: b"zero") as zero,
        Siblings.of_folder(tmp_path, lambda: b"one" * 100_000) as one,
    ):
        assert (zero.number, one.number) == (0, 1)
        assert await zero.ask() == {1: b"one" * 100_000}
        assert await one.ask() == {0: b"zero"}
    async with Siblings.of_folder(tmp_path, lambda: b"again") as again:
        assert again.number == 0
        assert await again.ask() == {}


async def test_a_worker_that_was_killed_is_told_and_its_number_taken_again(
    tmp_path: Path,
) -> None:
    async with Siblings.of_folder(tmp_path, lambda: b"zero") as zero:
        server = await asyncio.start_unix_server(lambda *_: None, tmp_path / "1.socket")
        server.close()
        (tmp_path / "1.socket").touch()  # what a kill leaves behind
        assert await zero.ask() == {1: None}
        async with Siblings.of_folder(tmp_path, lambda: b"one") as one:
            assert one.number == 1
            assert await zero.ask() == {1: b"one"}


async def test_a_worker_alone_asks_nobody() -> None:
    async with Siblings.of_environment(lambda: b"") as alone:
        assert (alone.number, await alone.ask()) == (0, {})


def test_a_histogram_counts_each_value_in_the_range_that_ends_with_it() -> None:
    histogram = Histogram((1, 2, 5))
    for value in (0, 1, 1.5, 2, 5, 6):
        histogram.observe(value)
    assert histogram.counts == [2, 2, 1, 1]
    assert histogram.sum == 15.5


# --- The dashboard ----------------------------------------------------------------------------


def test_the_dashboard_asks_for_figures_that_there_are(server: ServerProcess) -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [one["definition"] for one in board["templating"]["list"] if "definition" in one]
    asked = {name for query in queries for name in re.findall(r"\b(?:meetings|process)_\w+", query)}
    there = figures(server).names
    assert asked <= there, asked - there
    ours = {name for name in there if name.startswith("meetings_")}
    whole = {re.sub("_(bucket|sum|count|created)$", "", name) for name in asked}
    shown = (
        asked | whole | {f"{name}{end}" for name in whole for end in ("_sum", "_count", "_bucket")}
    )
    assert ours <= shown, f"not on the dashboard: {ours - shown}"
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    assert all(panel["title"] for panel in board["panels"])
