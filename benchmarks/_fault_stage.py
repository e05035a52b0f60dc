"""Where the fault harness plays: a branch with prepared votes, two workers, database and broker."""

import asyncio
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import text

from models import migrate
from models.database import Database
from realtime.feed import Feed
from rules.meetings.meetings import MeetingState
from rules.register.members import Role, Standing
from rules.votes.rule_sets import RuleSet
from tests.support.factories import ORDINARY, Person, Scene, VoteIds
from tests.support.own_server import Server
from tests.support.postgresql_server import PostgreSQL
from tests.support.processes import die_with_parent, free_port
from tests.support.services import create_database
from tests.support.valkey_server import Valkey

ROOT = Path(__file__).parent.parent

AServer = TypeVar("AServer", bound=Server)

VOTERS = 24
HEALS_WITHIN = 60.0  # seconds; a busy machine needs several for one worker


@dataclass(frozen=True)
class Branch:
    chair: Person
    voters: list[Person]
    votes: list[VoteIds]
    """Prepared, not open yet."""
    suspended: Person
    """Casts no ballot, and is suspended again and again."""


async def prepare(
    url: str, votes: int, rules: Sequence[RuleSet] = (ORDINARY,), voters: int = VOTERS
) -> Branch:
    """A migrated database with one branch that is meeting; its votes have the rules in turn."""
    database = Database(url)
    await migrate.upgrade(database)
    async with Feed.from_url("memory://") as feed:
        scene = Scene(database, feed)
        unit = scene.unit("Branch")
        chair = scene.member("Chair", unit, role=Role.SECRETARY)
        members = scene.members([f"Voter {number}" for number in range(voters)], unit)
        suspended = scene.member("Suspended", unit, Standing.PROBATIONARY)
        meeting = scene.meeting(unit, MeetingState.IN_SESSION, [chair, *members], chair=chair)
        prepared = [
            scene.vote(meeting, position=position, rule=rule)
            for position, rule in zip(range(1, votes + 1), cycle(rules), strict=False)
        ]
        await scene.save()
    await database.dispose()
    return Branch(chair, members, prepared, suspended)


class Worker:
    """One worker process on a port of its own, as `branch-meetings serve` runs it."""

    def __init__(self, app: str, settings: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self._app = app
        self._settings = settings
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        serve = f"serve_app({self._app!r}, '127.0.0.1', {self.port}, workers=1)"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", f"from server.runtime.process import serve_app; {serve}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **self._settings},
                preexec_fn=die_with_parent(signal.SIGKILL),
            )

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.tell(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def tell(self, signal_number: int) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)

    async def health(self) -> dict[str, Any]:
        """What /healthz says; empty while nobody answers."""
        with suppress(OSError, EOFError, orjson.JSONDecodeError):
            async with asyncio.timeout(1.0):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    writer.write(b"GET /healthz HTTP/1.0\r\nhost: 127.0.0.1\r\n\r\n")
                    answer = await reader.read()
                finally:
                    writer.close()
                health: dict[str, Any] = orjson.loads(answer.partition(b"\r\n\r\n")[2])
                return health
        return {}


class Proxy:
    """A TCP proxy between one worker and the broker, for partitions."""

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._is_whole = asyncio.Event()
        self._is_whole.set()
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()
            self.heal(drop=True)

    def cut(self) -> None:
        """From now on nothing passes, and neither end is told."""
        self._is_whole.clear()

    def heal(self, *, drop: bool) -> None:
        """Let everything pass again; with `drop`, only over new connections."""
        if drop:
            for writer in self._writers:
                writer.transport.abort()
        self._is_whole.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, there[1]}
        try:
            await asyncio.gather(self._pass(reader, there[1]), self._pass(there[0], writer))
        finally:
            self._writers -= {writer, there[1]}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                await self._is_whole.wait()
                writer.write(data)
                await writer.drain()
        writer.close()


@dataclass
class Stage:
    branch: Branch
    url: str
    postgresql: PostgreSQL
    valkey: Valkey
    proxies: list[Proxy]
    workers: list[Worker]
    servers: ThreadPoolExecutor
    """The one thread that starts and stops database and broker: they die with who started them."""

    @property
    def ports(self) -> list[int]:
        return [worker.port for worker in self.workers]

    def describe(self) -> str:
        """The versions that results depend on."""
        servers = f"{self.postgresql.describe()}, {self.valkey.describe()}"
        return f"{servers}, Python {platform.python_version()}, fsync on"

    async def heal(self) -> None:
        """Wait until everything runs and is connected. Raises TimeoutError."""
        deadline = time.monotonic() + HEALS_WITHIN
        for worker in self.workers:
            while not _is_well(health := await worker.health()):
                if time.monotonic() > deadline:
                    raise TimeoutError(f"a worker does not come back: {health}")
                await asyncio.sleep(0.05)


def _is_well(health: dict[str, Any]) -> bool:
    return health.get("status") == "ok" and health.get("broker") == "up"


@asynccontextmanager
async def staged(
    votes: int,
    plant: str | None = None,
    rules: Sequence[RuleSet] = (ORDINARY,),
    *,
    may_be_cut: bool = True,
) -> AsyncIterator[Stage]:
    """Everything runs: durable PostgreSQL, Valkey, and twice a worker with a proxy before the
    broker; without the proxies where nothing is going to be cut."""
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as folder,
        ThreadPoolExecutor(max_workers=1) as servers,
    ):
        async with (
            _running(PostgreSQL(durable=True), servers) as postgresql,
            _running(Valkey(), servers) as valkey,
        ):
            url = create_database(postgresql.url)
            if plant == "synchronous-commit-off":
                await _write_late(url)
            branch = await prepare(url, votes, rules)
            proxies = [Proxy(valkey.port) for _ in range(2)]
            workers = [
                _worker(proxy.port if may_be_cut else valkey.port, url, plant, Path(folder, log))
                for proxy, log in zip(proxies, ("0.log", "1.log"), strict=True)
            ]
            stage = Stage(branch, url, postgresql, valkey, proxies, workers, servers)
            async with proxies[0].serving(), proxies[1].serving(), _working(stage):
                yield stage


@asynccontextmanager
async def _running(server: AServer, servers: ThreadPoolExecutor) -> AsyncIterator[AServer]:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(servers, server.__enter__)
    try:
        yield server
    finally:
        await loop.run_in_executor(servers, server.__exit__)


@asynccontextmanager
async def _working(stage: Stage) -> AsyncIterator[None]:
    try:
        for worker in stage.workers:
            worker.start()
        await stage.heal()
        yield
    finally:
        for worker in stage.workers:
            worker.kill()


def _worker(broker: int, url: str, plant: str | None, log: Path) -> Worker:
    settings = {
        "MEETINGS_DATABASE_URL": url,
        "MEETINGS_MEMBER_ALLOWANCE": "1000",
        "MEETINGS_BROADCAST_URL": f"redis://127.0.0.1:{broker}/0",
    }
    if plant is None:
        return Worker("server.asgi:create_app", settings, log)
    settings["BENCHMARKS_PLANT"] = plant
    return Worker("benchmarks._planted:create_app", settings, log)


async def _write_late(url: str) -> None:
    """Let the server keep commits that nobody waits for in memory as long as it may."""
    database = Database(url)
    async with database.glance() as connection:
        await connection.execute(text("ALTER SYSTEM SET wal_writer_delay = '10s'"))
        await connection.execute(text("ALTER SYSTEM SET wal_writer_flush_after = '1GB'"))
        await connection.execute(text("SELECT pg_reload_conf()"))
    await database.dispose()
