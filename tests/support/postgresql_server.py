"""A PostgreSQL server of our own."""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.own_server import STARTS_WITHIN, STOPS_WITHIN, Server
from tests.support.processes import children_of, is_running
from tests.support.server_programs import find_postgresql


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
