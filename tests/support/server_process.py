"""The real command `branch-meetings`, and real servers with a demo of their own.

    with ServerProcess(folder, "serve", MEETINGS_DATABASE_URL=url) as server:
        answer = server.ask("{ viewer { member { name } } }", token=THE_CHAIR)

A server listens on a free port of 127.0.0.1 and works in a folder of the test's. When its `with`
ends it has stopped, however that came about, and so has every process that it started.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import httpx2
import pytest

from models import migrate
from models.database import Database
from rules.votes.ballots import OptionKind
from server.auth.credentials import ServerCredentials
from server.demo import data as demo_data
from server.demo import demo
from server.settings import Settings
from tests.support.processes import die_with_parent, free_port, is_running

STARTS_WITHIN = 60.0  # seconds; a busy machine needs several
STOPS_WITHIN = 20.0
ANSWERS_WITHIN = 30.0

TLS = ssl.create_default_context()
"""For httpx2, which would make one for every client, and take longer for it than for a request."""

COMMAND = Path(sys.executable).with_name("branch-meetings")

CREDENTIALS = ServerCredentials(Settings())

NODE_PACKAGES = Path(__file__).parent.parent.parent / "web-client" / "node_modules"

THE_CHAIR, *THREE_MEMBERS, A_PROBATIONARY_MEMBER, AN_OFFICER = (
    CREDENTIALS.demo_token(member_id) for _, member_id in demo.PARTS
)
"""Tokens of the demo. The officer is the ward's, and a stranger in the branch that meets."""

MEETING = str(demo_data.MEETING_ID)
FINISHED_VOTE, OPEN_VOTE, PREPARED_VOTE = map(
    str, (demo_data.FINISHED_ID, demo_data.OPEN_ID, demo_data.PREPARED_ID)
)

CAST = """mutation ($vote: ID!, $choice: ID!, $key: ID!) {
  castBallot(voteId: $vote, choices: [$choice], key: $key) {
    __typename ... on Receipt { id } ... on Refused { reason message }
  }
}"""
CLOSE = """mutation ($vote: ID!) {
  closeVote(voteId: $vote) { __typename ... on Refused { reason message } }
}"""


def option(vote: str, kind: OptionKind) -> str:
    """The id of one of a demo vote's options."""
    return str(demo_data.option_id(next(v for v in _VOTES if str(v) == vote), kind))


_VOTES = (demo_data.FINISHED_ID, demo_data.OPEN_ID, demo_data.PREPARED_ID)


def branch_meetings(
    folder: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end, in the folder and with these settings only."""
    command = (str(COMMAND), *arguments)
    process = _start(folder, command, settings, subprocess.PIPE, subprocess.PIPE)
    return run_to_end(process, STARTS_WITHIN)


def node(*arguments: str, seconds: float) -> subprocess.CompletedProcess[str]:
    """Run Node to its end, with the web client's packages."""
    program = shutil.which("node")
    if program is None or not (NODE_PACKAGES / "graphql-ws").is_dir():
        raise RuntimeError("Node or web-client/node_modules is missing; run: make install")
    process = subprocess.Popen(
        [program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    return run_to_end(process, seconds)


def run_to_end(
    process: subprocess.Popen[bytes], seconds: float
) -> subprocess.CompletedProcess[str]:
    """Wait for the process and whatever it started; end them all when it takes too long."""
    with process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except BaseException:
            end_group(process)
            raise
    eventually(lambda: not group_members(process.pid), STOPS_WITHIN)
    return subprocess.CompletedProcess(
        process.args, process.returncode, output.decode(), errors.decode()
    )


class ServerProcess:
    """One `branch-meetings run` or `serve`, with its workers. `kill` and `start` keep its port."""

    command: tuple[str, ...] = (str(COMMAND),)

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.http = f"{self.site}/graphql"
        self.ws = f"ws://127.0.0.1:{self.port}/graphql"
        self._arguments = arguments
        # Tests share a few members' tokens.
        many = {"MEETINGS_MEMBER_ALLOWANCE": "1000"}
        self._settings = {**many, **settings, "MEETINGS_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            self.kill()

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server is not running"
        return self._process.pid

    def output(self) -> str:
        return (self.folder / f"{self.port}.out").read_text()

    def errors(self) -> str:
        return (self.folder / f"{self.port}.err").read_text()

    def start(self) -> None:
        """Start it, and return when it answers."""
        with (
            (self.folder / f"{self.port}.out").open("ab") as output,
            (self.folder / f"{self.port}.err").open("ab") as errors,
        ):
            command = (*self.command, *self._arguments)
            self._process = _start(
                self.folder, command, self._settings, output.fileno(), errors.fileno()
            )
        eventually(self._is_well, STARTS_WITHIN)

    def tell(self, signal_number: int) -> None:
        """Send it a signal; its workers get none."""
        os.kill(self.pid, signal_number)

    def stop(self) -> None:
        """End it in order, as a service manager would: SIGTERM, and wait."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(STOPS_WITHIN)
        eventually(lambda: not group_members(self.pid), STOPS_WITHIN)
        self._process = None

    def kill(self) -> None:
        """End it with all its workers at once, without a warning."""
        if self._process is not None:
            end_group(self._process)
            self._process = None

    def wait(self, seconds: float) -> int:
        """Wait until it has ended by itself; gives its exit code."""
        assert self._process is not None, "the server is not running"
        return self._process.wait(seconds)

    def ask(self, query: str, token: str | None = None, **variables: Any) -> Any:
        """The `data` of an answer without errors."""
        headers = {"authorization": f"Bearer {token}"} if token else {}
        body = {"query": query, "variables": variables}
        answer = httpx2.post(
            self.http, json=body, headers=headers, timeout=ANSWERS_WITHIN, verify=TLS
        )
        assert answer.status_code == 200, answer.text
        assert "errors" not in answer.json(), answer.text
        return answer.json()["data"]

    def demo(self) -> dict[str, Any]:
        """What `branch-meetings demo tokens --json` prints, for programs that take part."""
        who = "{ viewer { member { name } } }"
        people = [
            demo.Person(self.ask(who, token)["viewer"]["member"]["name"], part, token)
            for part, member_id in demo.PARTS
            for token in [CREDENTIALS.demo_token(member_id)]
        ]
        return demo.as_data(people, self.site)

    def cast(
        self, token: str, vote: str, kind: OptionKind = OptionKind.FOR, key: str = "test"
    ) -> str:
        """Cast the ballot of whose token it is; gives `Receipt`, or the reason of a refusal."""
        answer = self.ask(CAST, token, vote=vote, choice=option(vote, kind), key=key)
        return str(answer["castBallot"].get("reason", answer["castBallot"]["__typename"]))

    def _is_well(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise AssertionError(f"the server has ended:\n{self.errors()}")
        with suppress(httpx2.HTTPError):
            answer = httpx2.get(f"{self.site}/healthz", timeout=ANSWERS_WITHIN, verify=TLS)
            return answer.status_code == 200
        return False


@contextmanager
def demo_server(
    tmp_path_factory: pytest.TempPathFactory, *arguments: str, **settings: str
) -> Iterator[ServerProcess]:
    """A server with a fresh demo on SQLite, which nobody else uses."""
    folder = tmp_path_factory.mktemp("server")
    url = demo_on_sqlite(tmp_path_factory, folder / "meetings.db")
    settings = {"MEETINGS_DATABASE_URL": url, **settings}
    with ServerProcess(folder, *(arguments or ("serve",)), **settings) as server:
        yield server


def demo_on_sqlite(tmp_path_factory: pytest.TempPathFactory, file: Path) -> str:
    """Make the file a database with a fresh demo; gives its URL. Made once, copied each time."""
    template = tmp_path_factory.getbasetemp() / "demo.db"
    if not template.exists():
        fill_demo(f"sqlite+aiosqlite:///{template}.new")
        template.with_suffix(".db.new").rename(template)
    shutil.copy(template, file)
    return f"sqlite+aiosqlite:///{file}"


def fill_demo(url: str) -> None:
    """Migrate the database and make the demo, as the first `branch-meetings run` does."""

    async def fill() -> None:
        database = Database(url)
        try:
            await migrate.upgrade(database)
            await demo.fill(database, CREDENTIALS)
            await demo.sign_in_people(database, CREDENTIALS)
        finally:
            await database.dispose()

    # In a thread, where no event loop is running.
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, fill()).result()


def eventually(is_true: Callable[[], bool], seconds: float = ANSWERS_WITHIN) -> None:
    """Return as soon as it is true; fail when it is not within the time."""
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)


def group_members(pid: int) -> list[int]:
    """The running processes of the group that a process of ours leads: itself and its workers."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == pid and is_running(int(folder.name)):
                found.append(int(folder.name))
    return found


def end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(STOPS_WITHIN)
    eventually(lambda: not group_members(process.pid), STOPS_WITHIN)


def _start(
    folder: Path, command: tuple[str, ...], settings: dict[str, str], output: int, errors: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=errors,
        cwd=folder,
        env={
            "PATH": os.defpath,
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "200",
            "PYTHONWARNINGS": "error",
            **settings,
        },
        start_new_session=True,  # a group of its own, which ends as a whole
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
