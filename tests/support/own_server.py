"""A server process for tests, without root and without Docker; see services.py."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.support.processes import die_with_parent, folder_for, free_port, unprivileged_user
from tests.support.server_programs import Program

STARTS_WITHIN = 60.0  # seconds; a busy machine needs several for the first start
STOPS_WITHIN = 20.0

used: dict[str, None] = {}  # an ordered set of what describe() tells


class Server:
    """One server process of our own. `kill()` and `start()` keep its port and its data."""

    stop_signal = signal.SIGTERM
    url: str

    def __init__(self, program: Program) -> None:
        self.port = free_port()
        self._program = program
        self._user = unprivileged_user()
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
        used[self.describe()] = None
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
