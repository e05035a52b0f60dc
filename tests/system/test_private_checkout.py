"""The servers that tests start run although only its owner may enter the folder of the checkout."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes import folder_for
from tests.support.server_programs import Program, find_postgresql, find_valkey

CHECKOUT = Path(__file__).parent.parent.parent
IS_ROOT = os.geteuid() == 0
FIND: dict[str, Callable[[str], Program]] = {"PostgreSQL": find_postgresql, "Valkey": find_valkey}

RUN = """
import encodings.idna  # at once: this Python, too, may lie where only root may enter
import os, sys
from tests.support import services
if user := int(sys.argv[2]):
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
with getattr(services, sys.argv[1])() as server:
    print(server.describe())
"""


def installed(server: str) -> Program | None:
    """The installed program; where Valkey is not, the wheel's, put where one would be."""
    try:
        return FIND[server]("installed")
    except RuntimeError:
        wheel = FIND[server]("wheel").path
        return Program(wheel, "installed", (wheel,)) if server == "Valkey" else None


PROGRAMS = [
    (server, program)
    for server in FIND
    for program in (FIND[server]("wheel"), installed(server))
    if program
]


@pytest.fixture(params=[0, pwd.getpwnam("nobody").pw_uid] if IS_ROOT else [os.geteuid()])
def user(request: pytest.FixtureRequest) -> int:
    """Who runs the tests: root, or anybody else."""
    return int(request.param)


@pytest.fixture
def home(user: int) -> Iterator[Path]:
    """A folder that this user only may enter."""
    folder = folder_for(pwd.getpwuid(user))
    yield folder
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("server", "program"), PROGRAMS, ids=[f"{s}-{p.origin}" for s, p in PROGRAMS]
)
def test_a_server_runs_from_a_folder_that_nobody_else_may_enter(
    server: str, program: Program, user: int, home: Path
) -> None:
    copy = program.copy_to(home / "programs")
    for path in (home, *home.rglob("*")):
        os.chown(path, user, -1)
    environment = {
        "PATH": f"{copy.path.parent}:{os.defpath}",
        "PYTHONPATH": f"{copy.parts[0].parent}:{CHECKOUT}",
        f"TEST_{server.upper()}": "installed" if program.origin == "installed" else "wheel",
        "TMPDIR": str(home),
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, server, str(user)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == f"{program.version()} ({program.origin})\n", done.stderr
