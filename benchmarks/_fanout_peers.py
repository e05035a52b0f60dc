"""The servers that ours is compared with, each alone on its core."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from uuid import uuid4

from benchmarks._fanout_load import PEERS, Missing, Subscriber
from benchmarks._fanout_process import Processes
from benchmarks.casting import wait_for
from tests.support.processes import die_with_parent, free_port

SERVER_CORE, OTHER_CORE = 0, 1

SUBSCRIBE = """subscription ($id: ID!) {
  vote(id: $id) { id version tally { cast eligible options { optionId count } } }
}"""
CAST = "mutation ($vote: ID!) { castBallot(voteId: $vote) { id version } }"

STATE_LENGTH = 297  # characters of the vote above as JSON
KEPT_ALIVE = 2.0  # seconds; uvicorn closes what was idle for 5
STOPS_WITHIN = 20.0


@dataclass(frozen=True)
class Target:
    """A running server that somebody can subscribe to, and how one update is brought about."""

    port: int
    processes: Processes
    subscribers: Sequence[Subscriber]
    update: Callable[[int], None]
    """Casts one more ballot in the vote of a group; returns when that is answered."""


def subscriber(
    query: str, variables: dict[str, str], group: int = 0, token: str | None = None
) -> Subscriber:
    """One socket's messages, as compact as clients write them, with an id as graphql-ws makes."""
    init = {"type": "connection_init"} | ({"payload": {"token": token}} if token else {})
    payload = {"query": query, "variables": variables}
    subscribe = {"id": str(uuid4()), "type": "subscribe", "payload": payload}
    return Subscriber(group, _compact(init), _compact(subscribe))


def _compact(message: object) -> str:
    return json.dumps(message, separators=(",", ":"))


class Line(threading.local):
    """An HTTP connection of each thread that stays open from one request to the next, as far as
    servers let it."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._used = time.monotonic()

    def post(self, body: object, token: str | None = None) -> bytes:
        """One GraphQL request; gives the body of the answer. Raises RuntimeError on errors."""
        if time.monotonic() - self._used > KEPT_ALIVE:
            self._connection.close()  # it opens itself again
        headers = {"content-type": "application/json"}
        if token:
            headers["authorization"] = f"Bearer {token}"
        self._connection.request("POST", "/graphql", json.dumps(body), headers)
        answer = self._connection.getresponse().read()
        self._used = time.monotonic()
        if b'"errors"' in answer:
            raise RuntimeError(f"no update: {answer[:400]!r}")
        return answer


@contextmanager
def peer(name: str, sockets: int, floor_program: Path) -> Iterator[Target]:
    """One of PEER_NAMES. Raises Missing."""
    port = free_port()
    with running(_command(name, port, floor_program)) as processes:
        wait_for(port)
        line = Line(port)
        body = {"query": CAST, "variables": {"vote": "1"}}
        subscribers = [subscriber(SUBSCRIBE, {"id": "1"}) for _ in range(sockets)]
        yield Target(port, processes, subscribers, lambda _: void(line.post(body)))


def void(_: object) -> None:
    """For callbacks whose caller wants no answer."""


PEER_NAMES = ("plain Strawberry", "graphql-ws", "mercurius", "floor")


def _command(name: str, port: int, floor_program: Path) -> list[str]:
    match name:
        case "plain Strawberry":
            app = ["benchmarks._fanout_plain:app", "--ws", "websockets-sansio"]
            quiet = ["--no-access-log", "--log-level", "warning"]
            return [sys.executable, "-m", "uvicorn", *app, *quiet, "--port", str(port)]
        case "floor":
            return [str(floor_program), str(port), str(STATE_LENGTH)]
        case _:
            return [node(), str(PEERS / f"{name.replace('-', '_')}.mjs"), str(port)]


def node() -> str:
    """The path of Node, with the packages of `peers/` in place. Raises Missing."""
    program = shutil.which("node")
    if program is None:
        raise Missing("Node for graphql-ws and mercurius: install Node 20.19 or newer")
    if not (PEERS / "node_modules").is_dir():
        raise Missing("the npm packages of benchmarks/peers: npm ci there, or make bench")
    return program


@contextmanager
def running(command: Sequence[str], settings: dict[str, str] | None = None) -> Iterator[Processes]:
    """A server process kept to the server's core, in production mode where it has one."""
    process = subprocess.Popen(
        list(command),
        env={**os.environ, "NODE_ENV": "production", **(settings or {})},
        preexec_fn=_on_the_servers_core,
    )
    try:
        yield Processes(process.pid)
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _on_the_servers_core() -> None:
    os.sched_setaffinity(0, {SERVER_CORE})
    if die := die_with_parent(15):
        die()
