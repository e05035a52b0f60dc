"""A worker that was killed or whose event loop hangs is replaced, and everything can be stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx2
import pytest

from server.runtime.supervisor import GRACE, HANGS_AFTER, LEAST_LIFE
from tests.support.processes import children_of, is_running
from tests.support.server_process import (
    THE_CHAIR,
    TLS,
    ServerProcess,
    demo_on_sqlite,
    eventually,
    group_members,
)

CHECKOUT = Path(__file__).parent.parent.parent
REPLACED_WITHIN = 5.0  # seconds
STOPPED_WITHIN = GRACE + 2

SERVE = """
import sys
from server.runtime.process import serve_app
APP = "tests.support.hanging_app:create_app"
serve_app(APP, "127.0.0.1", int(sys.argv[1]), *map(int, sys.argv[2:]))
"""


class HangingServer(ServerProcess):
    """Workers of `tests.support.hanging_app`."""

    def __init__(self, folder: Path, workers: int, is_supervised: bool, **settings: str) -> None:
        super().__init__(folder, **settings, PYTHONPATH=str(CHECKOUT))
        arguments = (self.port, workers, int(is_supervised))
        self.command = (sys.executable, "-c", SERVE, *map(str, arguments))

    def workers(self) -> set[int]:
        return set(children_of(self.pid))

    def who_answers(self) -> int | None:
        """The process id of some worker; None if the one that got the request does not answer."""
        with suppress(httpx2.HTTPError):
            return int(httpx2.get(f"{self.site}/healthz", timeout=0.5, verify=TLS).text)
        return None

    def hang(self, path: str) -> int:
        """Have a worker hang; gives its process id."""
        before = {worker: ticks(worker) for worker in self.workers()}

        in_background(self, path)
        hung: list[int] = []

        def is_hung() -> bool:
            hung[:] = [worker for worker in before if ticks(worker) > before[worker] + 30]
            return bool(hung)

        eventually(is_hung)
        return hung[0]


def in_background(server: HangingServer, path: str) -> None:
    """Ask for what is never answered."""

    def ask() -> None:
        with suppress(httpx2.HTTPError):
            httpx2.get(f"{server.site}/{path}", timeout=60, verify=TLS)

    threading.Thread(target=ask).start()


def ticks(pid: int) -> int:
    """Hundredths of a second of CPU that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


@contextmanager
def hanging(
    folder: Path, workers: int = 2, is_supervised: bool = True, **settings: str
) -> Iterator[HangingServer]:
    with HangingServer(folder, workers, is_supervised, **settings) as server:
        yield server


def kill(server: HangingServer) -> int:
    worker = min(server.workers())
    os.kill(worker, signal.SIGKILL)
    return worker


def stop(server: HangingServer) -> int:
    worker = min(server.workers())
    os.kill(worker, signal.SIGSTOP)
    return worker


WAYS: dict[str, Callable[[HangingServer], int]] = {
    "killed": kill,
    "halted": stop,
    "looping": lambda server: server.hang("loop"),
    "matching": lambda server: server.hang("match"),
}


def replacement(server: HangingServer, way: str) -> float:
    """Have a worker end or hang in this way; gives the seconds until another has replaced it."""
    before = server.workers()
    gone = WAYS[way](server)
    since = time.monotonic()
    eventually(lambda: server.who_answers() not in (None, *before))
    seconds = time.monotonic() - since
    assert not is_running(gone)
    assert f"pid={gone}" in server.errors()
    return seconds


def test_a_worker_that_was_killed_or_hangs_is_replaced(tmp_path: Path) -> None:
    with hanging(tmp_path) as server:
        for way in WAYS:
            eventually(lambda: len(server.workers()) == 2)
            assert replacement(server, way) < REPLACED_WITHIN, way
        assert "hang_in_python" in server.errors(), "where it hung is told"


def test_the_only_worker_is_replaced_too(tmp_path: Path) -> None:
    with hanging(tmp_path, workers=1) as server:
        assert replacement(server, "matching") < REPLACED_WITHIN


def test_a_supervisor_stops_although_a_worker_hangs(tmp_path: Path) -> None:
    with hanging(tmp_path) as server:
        eventually(lambda: len(server.workers()) == 2)
        server.hang("match")
        server.tell(signal.SIGTERM)
        assert server.wait(STOPPED_WITHIN) == 0
        assert group_members(server.pid) == []


def test_a_process_without_a_supervisor_stops_although_its_loop_is_busy(tmp_path: Path) -> None:
    with hanging(tmp_path, workers=1, is_supervised=False) as server:
        in_background(server, "loop")
        eventually(lambda: server.who_answers() is None)
        server.tell(signal.SIGTERM)
        assert server.wait(STOPPED_WITHIN) == -signal.SIGALRM


def test_workers_end_when_their_supervisor_was_killed(tmp_path: Path) -> None:
    with hanging(tmp_path) as server:
        eventually(lambda: len(server.workers()) == 2)
        server.tell(signal.SIGKILL)
        server.wait(STOPPED_WITHIN)
        eventually(lambda: not group_members(server.pid), STOPPED_WITHIN)


def test_a_worker_may_take_longer_to_start_than_to_answer(tmp_path: Path) -> None:
    with hanging(tmp_path, HANGING_STARTS_AFTER=str(HANGS_AFTER + 1)) as server:
        workers = server.workers()
        assert server.who_answers() in workers
        assert server.errors() == ""


def test_a_server_whose_workers_cannot_start_says_so_and_ends(tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    server = HangingServer(tmp_path, 2, True, HANGING_BROKEN=str(tmp_path / "broken"))
    with pytest.raises(AssertionError, match="cannot start"), server:
        pass


def test_a_worker_that_cannot_start_again_is_tried_less_and_less_often(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    with hanging(tmp_path, HANGING_BROKEN=str(broken)) as server:
        eventually(partial(has_seen_all, server, set()))  # or the other would not start either
        broken.touch()
        began = time.monotonic()
        os.kill(min(server.workers()), signal.SIGKILL)
        eventually(lambda: server.errors().count("worker.ended") == 3)
        assert time.monotonic() - began > 2 * LEAST_LIFE
        eventually(lambda: server.who_answers() in server.workers())  # the others serve meanwhile
        broken.unlink()
        eventually(lambda: len(server.workers()) == 2)


def test_two_workers_of_the_command_are_replaced_with_all_that_they_do(
    valkey_server: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    settings = {
        "MEETINGS_DATABASE_URL": demo_on_sqlite(tmp_path_factory, tmp_path / "meetings.db"),
        "MEETINGS_BROADCAST_URL": valkey_server,
    }
    with ServerProcess(tmp_path, "serve", "--workers", "2", **settings) as server:
        for started, how in ((2, signal.SIGKILL), (3, signal.SIGSTOP), (4, None)):
            eventually(partial(has_started, server, started))
            if how:
                os.kill(min(children_of(server.pid)), how)
        for _ in range(8):
            assert server.ask("{ viewer { member { id } } }", THE_CHAIR)["viewer"]


def has_seen_all(server: HangingServer, seen: set[int | None]) -> bool:
    seen.add(server.who_answers())
    return server.workers() <= seen


def has_started(server: ServerProcess, workers: int) -> bool:
    return server.errors().count("feed.broker_up") == workers
