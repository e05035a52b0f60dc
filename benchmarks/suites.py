"""Public suites and a fuzzer, against servers of their own. Figure against bar; exit 1 if missed.

    python -m benchmarks.suites [--only http,fuzz] [--tools .venv-audit]

`make audit` installs what they need: graphql-http from npm, and schemathesis, sqlmap and
clairvoyance into an environment of their own, `--tools`.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._attack_stage import Stage, staged
from benchmarks._suite_fuzz import fuzz
from benchmarks._suite_sqlmap import PARAMETERS, control, is_injectable
from tests.support.processes import die_with_parent
from tests.support.server_process import THE_CHAIR, ServerProcess, fill_demo

ROOT = Path(__file__).parent.parent
SCHEMA = ROOT / "schema" / "schema.graphql"
LONGEST = 900.0  # seconds, for one run of a tool

SCHEMATHESIS_CASES = 1000
EXAMPLES = "40"  # of each operation
INPUTS = 2000
"""That the fuzzer sends."""

FIELDS = ("viewer", "unit", "unitLive", "member", "meeting", "proxies", "meetings", "rules", "vote")


@dataclass(frozen=True)
class Servers:
    """One in development mode with the demo on SQLite, and two workers in production mode."""

    development: ServerProcess
    production: Stage
    tools: Path
    folder: Path

    def run(self, *command: str | Path, cwd: Path | None = None) -> str:
        """What a tool says; its exit code does not count."""
        done = subprocess.run(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            cwd=cwd or self.folder,
            timeout=LONGEST,
            preexec_fn=die_with_parent(9),
        )
        return done.stdout + done.stderr

    def tool(self, name: str, *arguments: str) -> str:
        return self.run(self.tools / "bin" / name, *arguments)


Suite = Callable[[Servers], Iterator[tuple[str, str, bool]]]
"""Gives rows: what was asked, figure and bar, and whether it holds."""


def http(servers: Servers) -> Iterator[tuple[str, str, bool]]:
    """GraphQL over HTTP."""
    for mode, url, token in (
        ("development", servers.development.http, ""),
        ("production", servers.production.server.http, servers.production.target.chair),
    ):
        said = servers.run("node", "audit_http.mjs", url, token, cwd=ROOT / "benchmarks/peers")
        counts = json.loads(said.splitlines()[-1])
        wrong = counts["warn"] + counts["error"]
        figure = f"{counts['ok']} ok, {counts['notice']} notices, {wrong} others (bar: 0 others)"
        yield f"graphql-http, {mode}", figure, wrong == 0 and counts["ok"] > 50


def schemathesis(servers: Servers) -> Iterator[tuple[str, str, bool]]:
    """Arguments of all kinds for every operation, as the chair. To schemathesis a refusal is an
    error; a fault of ours is in the server's log."""
    before = servers.development.errors()
    said = servers.tool(
        "schemathesis",
        *("run", str(SCHEMA), "--url", servers.development.http),
        *("--header", f"Authorization: Bearer {THE_CHAIR}", "--exclude-name", "Mutation.signOut"),
        *("--checks", "not_a_server_error", "--phases", "fuzzing", "--continue-on-failure"),
        *("--max-examples", EXAMPLES, "--seed", "1", "--suppress-health-check", "all"),
        "--no-color",
    )
    found = re.search(r"(\d+) generated", said)
    cases = int(found[1]) if found else 0
    faults = servers.development.errors().removeprefix(before).count("[error")
    figure = f"{faults} faults in {cases} cases (bar: 0 in at least {SCHEMATHESIS_CASES})"
    yield "schemathesis", figure, faults == 0 and cases >= SCHEMATHESIS_CASES


def sqlmap(servers: Servers) -> Iterator[tuple[str, str, bool]]:
    """Strings of all operations, and first a server that is known to be open."""
    with control() as url:
        is_found = is_injectable(servers.tool, url, '{"id": "1*"}', "")
    yield "sqlmap, control", f"found: {is_found} (bar: True)", is_found
    production = servers.production
    for database, url, token in (
        ("SQLite", servers.development.http, THE_CHAIR),
        ("PostgreSQL", production.server.http, production.target.chair),
    ):
        found = [
            name
            for name, body in PARAMETERS.items()
            if is_injectable(servers.tool, url, body, token)
        ]
        figure = f"{len(found)} of {len(PARAMETERS)} parameters {found or ''} (bar: 0)"
        yield f"sqlmap, {database}", figure, not found


def clairvoyance(servers: Servers) -> Iterator[tuple[str, str, bool]]:
    """Names that suggestions tell a member who almost knows them; who guesses one knows it."""
    words, found = servers.folder / "words", servers.folder / "found.json"
    guesses = [name[:-1] for name in FIELDS]
    words.write_text("\n".join(guesses))
    servers.tool(
        "clairvoyance",
        *("-w", str(words), "-o", str(found), "-c", "1", "-m", "1"),
        *("-H", f"Authorization: Bearer {servers.production.target.members[0]}"),
        servers.production.server.http,
    )
    told = _fields_of(found) - {*guesses, "dummy"}  # which it makes up
    yield "clairvoyance, production", f"{len(told)} names told (bar: 0)", not told


def _fields_of(file: Path) -> set[str]:
    """The names of all fields in the result of an introspection; none where it came to none."""
    if not file.exists():
        return set()
    types = json.loads(file.read_text())["data"]["__schema"]["types"]
    return {field["name"] for kind in types for field in kind.get("fields") or []}


def fuzzing(servers: Servers) -> Iterator[tuple[str, str, bool]]:
    """Handshakes, frames and heads of HTTP with bytes changed."""
    before = servers.production.workers()
    unanswered = fuzz(servers.production.target, INPUTS)
    figure = f"{unanswered} of {INPUTS} neither answered nor closed (bar: 0)"
    yield "raw protocols", figure, unanswered == 0
    ended = len(set(before) - set(servers.production.workers()))
    yield "workers that ended", f"{ended} (bar: 0)", ended == 0
    faults = servers.production.server.errors().count("Traceback")
    yield "tracebacks in the log", f"{faults} (bar: 0)", faults == 0


SUITES: dict[str, Suite] = {
    "http": http,
    "fuzz": fuzzing,
    "clairvoyance": clairvoyance,
    "schemathesis": schemathesis,
    "sqlmap": sqlmap,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SUITES), help="names, separated by commas")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv-audit")
    options = parser.parse_args()
    missed = []
    with running(options.tools.absolute()) as servers:
        for name in options.only.split(","):
            for what, figure, holds in SUITES[name](servers):
                print(f"{'holds ' if holds else 'MISSED'} {what}: {figure}", flush=True)
                missed += [] if holds else [what]
    sys.exit(bool(missed))


@contextmanager
def running(tools: Path) -> Iterator[Servers]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        url = f"sqlite+aiosqlite:///{folder}/meetings.db"
        fill_demo(url)
        server = ServerProcess(folder, "serve", MEETINGS_DATABASE_URL=url)
        development = stack.enter_context(server)
        yield Servers(development, stack.enter_context(staged()), tools, folder)


if __name__ == "__main__":
    main()
