"""The C programs of `peers/`: building them, and driving the load generator."""

import json
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.processes import die_with_parent

PEERS = Path(__file__).parent / "peers"
ANSWER_TIMEOUT = 60.0  # seconds
JOIN_TIMEOUT = 900.0


class Missing(RuntimeError):
    """A tool is not installed; the message is one line for whoever runs the benchmark."""


def compile_program(name: str, folder: Path) -> Path:
    """Build one of the C programs from `name.c` and `name_*.c`. Raises Missing."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise Missing("a C compiler for the load generator and the floor: install gcc")
    program = folder / name
    sources = [PEERS / f"{name}.c", *sorted(PEERS.glob(f"{name}_*.c"))]
    subprocess.run([compiler, "-O2", "-o", str(program), *map(str, sources)], check=True)
    return program


@dataclass(frozen=True)
class Subscriber:
    """What one socket sends. Those of one group follow the same vote; groups count from 0."""

    group: int
    init: str
    subscribe: str


class Generator:
    """A running load generator; docs at the top of `peers/subscribers.c`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, command: str, timeout: float = ANSWER_TIMEOUT) -> dict[str, Any]:
        """Raises TimeoutError when the answer does not come in that many seconds."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        if not select.select([self._process.stdout], [], [], timeout)[0]:
            raise TimeoutError(f"the load generator did not answer to {command!r}")
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def join(self) -> dict[str, Any]:
        """Connect all who are away. Raises RuntimeError if somebody was not let in."""
        answer = self.ask("join", JOIN_TIMEOUT)
        if answer["failed"]:
            raise RuntimeError(f"{answer['failed']} subscribers could not join")
        return answer


@contextmanager
def generating(
    program: Path,
    port: int,
    subscribers: Sequence[Subscriber],
    updates: int,
    window: int = 50,
    stalled: int = 0,
) -> Iterator[Generator]:
    """At most `window` join at the same time; `stalled` of them stop reading when told to."""
    with tempfile.NamedTemporaryFile("w", prefix="fanout-", suffix=".tsv") as file:
        for one in subscribers:
            file.write(f"{one.group}\t{one.init}\t{one.subscribe}\n")
        file.flush()
        process = subprocess.Popen(
            [str(program), str(port), file.name, str(updates), str(window), str(stalled)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent(9),
        )
        try:
            yield Generator(process)
        finally:
            process.kill()
            process.wait()
