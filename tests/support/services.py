"""Real PostgreSQL and Valkey for tests and benchmarks, without root and without Docker.

    with postgresql() as url:
        database = create_database(url)

Looked for in this order: TEST_DATABASE_URL and TEST_REDIS_URL (a server of yours), an installed
program, the wheel in the development group. TEST_POSTGRESQL and TEST_VALKEY, `installed` or
`wheel`, force one of the last two. Nothing is skipped: without a server there is an error that
says what to install.

A server started here listens on 127.0.0.1 only, keeps everything in one temporary folder, and is
gone with that folder when its `with` ends. Start it from the main thread: on Linux the kernel
stops it when the thread that started it dies, so that a killed test run leaves no server behind.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from redis import Redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS as SLOTS
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.server_programs import Program, find_postgresql, find_valkey

STARTS_WITHIN = 60.0  # seconds; a busy machine needs several for the first start
STOPS_WITHIN = 20.0

_used: dict[str, None] = {}  # an ordered set of what describe() tells
_created_databases: list[str] = []


@contextmanager
def postgresql(durable: bool = False) -> Iterator[str]:
    """A PostgreSQL server; gives the URL of its maintenance database.

    With `durable`, a server started here flushes every commit to the disk (fsync on), which
    tests of durability need; other tests are faster without.
    """
    if url := os.environ.get("TEST_DATABASE_URL"):
        _used["PostgreSQL at TEST_DATABASE_URL"] = None
        try:
            yield make_url(url).set(drivername="postgresql+asyncpg").render_as_string(False)
        finally:
            while _created_databases:
                _execute(url, f"DROP DATABASE IF EXISTS {_created_databases.pop()} WITH (FORCE)")
    else:
        with PostgreSQL(durable) as server:
            yield server.url


@contextmanager
def valkey_cluster() -> Iterator[str]:
    """Three Valkey servers of one cluster; gives the URL that names them all."""
    with ValkeyCluster() as cluster:
        yield cluster.url


@contextmanager
def valkey() -> Iterator[str]:
    """A Valkey (or Redis) server; gives its URL."""
    if url := os.environ.get("TEST_REDIS_URL"):
        _used["Valkey at TEST_REDIS_URL"] = None
        yield url
    else:
        with Valkey() as server:
            yield server.url


def create_database(url: str) -> str:
    """A new empty database on the server of `url`; gives the new database's URL.

    It blocks for about a tenth of a second and may be called inside a running event loop.
    """
    name = f"test_{uuid4().hex}"
    _execute(url, f"CREATE DATABASE {name}")
    _created_databases.append(name)
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def describe() -> str:
    """The servers used so far, for the summary: `PostgreSQL 15.18 (installed), Valkey …`."""
    return ", ".join(_used)


def _execute(url: str, statement: str) -> None:
    """Run one statement outside a transaction, in a thread, where no event loop is running."""

    async def execute() -> None:
        driver = make_url(url).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(driver, isolation_level="AUTOCOMMIT")
        async with engine.connect() as connection:
            await connection.execute(text(statement))
        await engine.dispose()

    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, execute()).result()


class Server:
    """One server process of our own. `kill()` and `start()` keep its port and its data."""

    stop_signal = signal.SIGTERM
    url: str

    def __init__(self, program: Program) -> None:
        self.port = free_port()
        self._program = program
        self._user = _unprivileged_user()
        self._folder = folder_for(self._user)
        self._own(self._folder)
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            if not self._can_run():
                self._copy_program()
            self._prepare()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        _used[self.describe()] = None
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop()
        finally:
            shutil.rmtree(self._folder)

    @property
    def pid(self) -> int:
        """The process id of the (main) server process, while it runs."""
        assert self._process is not None, "the server is not running"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def describe(self) -> str:
        """Name, version and origin, such as `PostgreSQL 15.18 (installed)`."""
        return f"{self._program.version()} ({self._program.origin})"

    def start(self) -> None:
        """Start the server and return when it answers."""
        with (self._folder / "log").open("ab") as log:
            self._process = self._spawn(self._command(), log.fileno())
        self.wait_until(self._is_ready)

    def stop(self) -> None:
        """Stop the server in order; kill it if it does not obey."""
        if self._process is None:
            return
        self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(STOPS_WITHIN)
            self._process = None
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the server without a warning, as a power cut would, and wait until it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOPS_WITHIN)
            self._process = None

    def _can_run(self) -> bool:
        """Whether the user that will run the server can reach its program."""
        try:
            command = [str(self._program.path), "--version"]
            return self._spawn(command, subprocess.DEVNULL).wait(STARTS_WITHIN) == 0
        except PermissionError:
            return False

    def _copy_program(self) -> None:
        """To where that user can reach it: a checkout may be in a home that is its owner's only."""
        copy = self._folder / "program"
        self._program = self._program.copy_to(copy)
        for path in (copy, *copy.rglob("*")):
            self._own(path)

    def _prepare(self) -> None:
        """What must be done once, before the first start."""

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _is_ready(self) -> bool:
        raise NotImplementedError

    def _spawn(self, command: Sequence[str], output: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=self._folder,  # a folder that the other user may enter
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            user=self._user and self._user.pw_uid,
            group=self._user and self._user.pw_gid,
            extra_groups=self._user and [],
            start_new_session=True,  # Ctrl-C reaches us, and we stop the server in order
            preexec_fn=die_with_parent(self.stop_signal),
        )

    def _own(self, path: Path) -> None:
        if self._user:
            os.chown(path, self._user.pw_uid, self._user.pw_gid)

    def wait_until(self, is_done: Callable[[], bool], seconds: float = STARTS_WITHIN) -> None:
        deadline = time.monotonic() + seconds
        while not is_done():
            ended = self._process is not None and self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                log = (self._folder / "log").read_text(errors="replace")
                raise RuntimeError(f"{self.describe()} did not start:\n{log[-2000:]}")
            time.sleep(0.01)


class Valkey(Server):
    """A Valkey server that keeps nothing on the disk, but a cluster's node its cluster."""

    def __init__(self, is_node: bool = False) -> None:
        super().__init__(find_valkey())
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.bus_port = free_port() if is_node else None

    def tell(self, *command: Any, password: str | None = None) -> Any:
        """Run one command; gives its reply as it comes, without redis-py's reading of it."""
        with Redis(port=self.port, protocol=2, password=password) as client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def wait_until_it_says(self, line: str, *command: Any) -> None:
        self.wait_until(lambda: line.encode() in self.tell(*command).splitlines())

    def _command(self) -> Sequence[str]:
        listen = ["--bind", "127.0.0.1", "--port", str(self.port)]
        if self.bus_port is not None:
            listen += ["--cluster-enabled", "yes", "--cluster-port", str(self.bus_port)]
            listen += ["--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"]
        return [str(self._program.path), *listen, "--save", "", "--dir", str(self._folder)]

    def _is_ready(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(5) == b"+PONG"
        return False


class ValkeyCluster:
    """Three Valkey servers that share the slots of one cluster, each slot on one of them."""

    def __init__(self) -> None:
        self.nodes: list[Valkey] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with self._stack:
            for _ in range(3):
                self.nodes.append(self._stack.enter_context(Valkey(is_node=True)))
            self._share_slots()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)

    def owner_of(self, slot: int) -> Valkey:
        """The server of the slot, as whichever runs knows it."""
        running = next(node for node in self.nodes if node.is_running)
        for first, last, (_, port, *_), *_ in running.tell("CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.port == port)
        raise LookupError(slot)

    def move_slot(self, slot: int, to: Valkey) -> None:
        """Give a slot without keys to another server."""
        old, new = self.owner_of(slot).tell("CLUSTER", "MYID"), to.tell("CLUSTER", "MYID")
        to.tell("CLUSTER", "SETSLOT", slot, "IMPORTING", old)
        self.owner_of(slot).tell("CLUSTER", "SETSLOT", slot, "MIGRATING", new)
        for node in (to, *self.nodes):
            node.tell("CLUSTER", "SETSLOT", slot, "NODE", new)

    def add_replica(self, primary: Valkey) -> Valkey:
        replica = self._stack.enter_context(Valkey(is_node=True))
        self.nodes.append(replica)
        self._introduce(replica)
        replica.tell("CLUSTER", "REPLICATE", primary.tell("CLUSTER", "MYID"))
        replica.wait_until_it_says("master_link_status:up", "INFO", "REPLICATION")
        self.wait_until_ok()  # it can take over only the slots that it knows of
        return replica

    def wait_until_ok(self) -> None:
        """Every server sees all slots served."""
        for node in self.nodes:
            node.wait_until_it_says("cluster_state:ok", "CLUSTER", "INFO")

    def _share_slots(self) -> None:
        size = SLOTS // len(self.nodes)
        for number, node in enumerate(self.nodes):
            last = SLOTS - 1 if node is self.nodes[-1] else (number + 1) * size - 1
            node.tell("CLUSTER", "ADDSLOTSRANGE", number * size, last)
            node.tell("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        self._introduce(*self.nodes[1:])
        self.wait_until_ok()

    def _introduce(self, *nodes: Valkey) -> None:
        for node in nodes:
            self.nodes[0].tell("CLUSTER", "MEET", "127.0.0.1", node.port, node.bus_port)
        # By their ids: while two shake hands, each counts the other under a name of its own making.
        ids = [node.tell("CLUSTER", "MYID") for node in self.nodes]
        for node in self.nodes:
            node.wait_until(partial(_knows, node, ids))


def _knows(node: Valkey, ids: Sequence[bytes]) -> bool:
    nodes = node.tell("CLUSTER", "NODES")
    return all(one in nodes for one in ids)


class PostgreSQL(Server):
    """A PostgreSQL server with a data directory of its own."""

    stop_signal = signal.SIGINT  # "fast": ends sessions, does not wait for them

    def __init__(self, durable: bool = False) -> None:
        super().__init__(find_postgresql())
        self.url = f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/postgres"
        self._durable = durable

    def kill(self) -> None:
        """Kill the postmaster and every process it started."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGSTOP)  # it must not start another child meanwhile
        children = children_of(self._process.pid)
        super().kill()
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        # A postmaster refuses a data directory whose shared memory is still in use.
        self.wait_until(lambda: not any(map(is_running, children)), STOPS_WITHIN)

    def _prepare(self) -> None:
        initdb = [str(self._program.path.with_name("initdb")), "-D", str(self._data)]
        trust = ["--username=postgres", "--auth=trust"]  # loopback, for the time of a test run
        flags = ["--no-sync", "--locale=C.UTF-8", "--encoding=UTF8"]
        with (self._folder / "log").open("ab") as log:
            process = self._spawn([*initdb, *trust, *flags], log.fileno())
        if process.wait(STARTS_WITHIN) != 0:
            raise RuntimeError(f"initdb failed:\n{(self._folder / 'log').read_text()}")

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _command(self) -> Sequence[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.port,
            "unix_socket_directories": self._folder,
            "max_connections": 200,
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        flags = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._program.path), "-D", str(self._data), *flags]

    def _is_ready(self) -> bool:
        # Its first line is the process id, which a file left by a killed server has not, and
        # its eighth the state.
        with suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return lines[:1] == [str(self.pid)] and [s.strip() for s in lines[7:8]] == ["ready"]
        return False


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to run a server as: PostgreSQL refuses root. None means: as we are."""
    if os.geteuid() != 0:
        return None
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def folder_for(user: pwd.struct_passwd | None) -> Path:
    """A new temporary folder that the user may enter; TMPDIR may be in a home of root."""
    usual = Path(tempfile.gettempdir())
    is_open = all(path.stat().st_mode & stat.S_IXOTH for path in (usual, *usual.parents))
    return Path(tempfile.mkdtemp("", "test-server-", usual if is_open or not user else "/tmp"))  # noqa: S108


def free_port() -> int:
    """A free port below the range that outgoing connections use.

    A client that retries against a stopped server in that range may be given the server's own
    port as its source, connect to itself, and so keep the server from coming back.
    """
    while True:
        port = 15_000 + secrets.randbelow(15_000)
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def die_with_parent(signal_number: int) -> Callable[[], object] | None:
    """For `preexec_fn`: the kernel sends the signal when the thread that started it ends."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    set_parent_death_signal = 1
    return lambda: prctl(set_parent_death_signal, signal_number)


def children_of(pid: int) -> list[int]:
    """None elsewhere than on Linux; there PostgreSQL's notice by themselves that it died."""
    with suppress(FileNotFoundError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_running(pid: int) -> bool:
    """Whether the process runs; one that only waits for its new parent to notice does not."""
    with suppress(FileNotFoundError, ProcessLookupError):
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state not in "ZX"
    return False
