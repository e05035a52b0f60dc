"""Processes of our own: as whom they run and where, and that they end with us."""

from __future__ import annotations

import ctypes
import os
import pwd
import secrets
import socket
import stat
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def unprivileged_user() -> pwd.struct_passwd | None:
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
