"""Faults while a branch votes: real workers, PostgreSQL and Valkey, and a judge.

    python -m benchmarks.faults [--seconds 60] [--rounds N] [--seed 1] [--plant NAME]

Each round 24 voters cast over two workers while the chair closes, and subscribers watch: in turn a
vote with final ballots, one whose ballots may be changed, and an UNATTRIBUTED one. A member who
watches is suspended amid it. Workers, database and broker are killed with `kill -9`, paused and
cut off, replies are cut. Then what the clients were told and shown is compared with the database.
With --plant, the workers run with a known mistake, and the program has to find it.

Exits with 0 if nothing was wrong, with 1 at the first round in which something was, and with 2
where it cannot judge: something did not answer, or did not come back.
"""

import argparse
import asyncio
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from random import Random

from rich.console import Console
from rich.table import Table

from benchmarks._fault_checks import Violation, Wrong
from benchmarks._fault_injection import Fault, draw_faults
from benchmarks._fault_round import Result, play_round
from benchmarks._fault_stage import staged
from rules.votes.rule_sets import Change, LiveTally, Secrecy
from tests.support.factories import ORDINARY

PLANTED: dict[str, tuple[Fault, ...]] = {
    "check-then-insert": (),
    "lock-and-check-together": (),
    "synchronous-commit-off": (Fault.DATABASE_KILLED,),
    "no-idempotency": (),
    "stale-push": (),
    "missed-revocation": (),
}
"""The mistakes that can be planted, and the faults that bring each to light."""

RULES = (
    ORDINARY,
    replace(ORDINARY, change=Change.LAST_COUNTS),
    replace(
        ORDINARY,
        secrecy=Secrecy.UNATTRIBUTED,
        live_tally=LiveTally.AFTER_CLOSE,
        min_voters_for_secret=1,
        duration_seconds=1,
    ),
)
"""Of the rounds, in turn; a planted mistake is looked for under the first. A hidden vote ends by
the clock: nobody closes it before while some have not voted."""

MOST_ROUNDS = 2_000


@dataclass
class Report:
    """What all rounds together came to."""

    faults: Counter[str] = field(default_factory=Counter)
    rounds: int = 0
    calls: int = 0
    unknown: int = 0
    acknowledged: int = 0
    refused: int = 0
    frames: int = 0
    recounts_equal: int = 0
    wrong: Counter[Wrong] = field(default_factory=Counter)
    first: Violation | None = None

    def add(self, result: Result) -> None:
        history, found = result.history, Counter(v.wrong for v in result.violations)
        self.rounds += 1
        self.faults.update(name for _, name in history.faults)
        self.calls += len(history.casts)
        self.unknown += sum(cast.answer is None for cast in history.casts)
        self.acknowledged += len({(c.member_id, c.key) for c in history.casts if c.receipt})
        self.refused += sum(c.answer is not None and not c.receipt for c in history.casts)
        self.frames += sum(map(len, history.frames.values()))
        self.recounts_equal += not found[Wrong.RECOUNT]
        self.wrong.update(found)
        self.first = self.first or next(iter(result.violations), None)

    def print(self, console: Console, title: str) -> None:
        table = Table(title=title, title_justify="left")
        table.add_column("what")
        table.add_column("number", justify="right")
        for name, number in self._lines():
            table.add_row(name, f"{number:,}" if isinstance(number, int) else number)
        console.print(table)

    def _lines(self) -> Iterator[tuple[str, int | str]]:
        yield "rounds", self.rounds
        for name in (*(fault.value for fault in Fault), "reply cut"):
            yield f"fault: {name}", self.faults[name]
        yield "calls of castBallot", self.calls
        yield "… without an answer that tells", self.unknown
        yield "… refused", self.refused
        yield "ballots acknowledged", self.acknowledged
        yield "frames pushed", self.frames
        yield "recounts equal", f"{self.recounts_equal:,} of {self.rounds:,}"
        for wrong in Wrong:
            yield wrong.value, self.wrong[wrong]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--rounds", type=int, default=MOST_ROUNDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plant", choices=PLANTED)
    options = parser.parse_args()
    # A terminated run then ends like an interrupted one: it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    started = time.monotonic()
    try:
        report = asyncio.run(play(options.seconds, options.rounds, options.seed, options.plant))
    except Exception:
        console.print_exception()
        sys.exit(2)
    seconds = time.monotonic() - started
    kind = f"planted: {options.plant}" if options.plant else "nothing planted"
    report.print(console, f"{kind}, seed {options.seed}, {seconds:.0f} s")
    if report.first is not None:
        console.print(
            f"round {report.rounds} of seed {options.seed}: {report.first.wrong.value}:"
            f" {report.first.details}",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    sys.exit(1 if report.first else 0)


async def play(seconds: float, rounds: int, seed: int, plant: str | None) -> Report:
    """Rounds until the time is over, or until the first that shows something wrong."""
    report = Report()
    faults = draw_faults(PLANTED[plant] if plant else Fault, Random(seed))  # noqa: S311
    votes = min(rounds, MOST_ROUNDS, int(seconds * 2) + 10)
    async with staged(votes, plant, RULES[:1] if plant else RULES) as stage:
        print(stage.describe())
        deadline = time.monotonic() + seconds
        for number, vote in enumerate(stage.branch.votes, start=1):
            random = Random(f"{seed}:{number}")  # noqa: S311
            report.add(await play_round(stage, vote, next(faults), random))
            if report.first is not None or time.monotonic() > deadline:
                break
    return report


if __name__ == "__main__":
    main()
