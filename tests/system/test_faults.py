"""Votes hold under faults, and the program that says so notices when they do not.

`python -m benchmarks.faults` for longer runs, other seeds and the other planted mistakes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import die_with_parent
from tests.support.server_process import run_to_end

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent
ENDS_WITHIN = 300.0  # seconds; a busy machine needs long for what is killed and started again


def run_faults(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.faults", *arguments]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    return run_to_end(process, ENDS_WITHIN)


def test_votes_hold_while_workers_database_and_broker_are_killed() -> None:
    run = run_faults("--rounds", "5", "--seed", "1")
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_program_finds_a_planted_mistake() -> None:
    run = run_faults("--rounds", "5", "--plant", "no-idempotency")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "the key was refused" in run.stdout


def test_the_program_finds_that_a_suspended_member_is_shown_more() -> None:
    run = run_faults("--rounds", "3", "--plant", "missed-revocation")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "a socket is open" in run.stdout
