"""How long the chair waits for `closeVote` while 24 members vote without pause.

    python -m benchmarks.closing [--closes 200] [--seed 1]

Two workers with PostgreSQL (fsync on) and Valkey. In each vote a member may change the ballot until
closing, and each of 24 connections casts again as soon as it has its answer, until it is told that
the vote is closed. The chair closes at a random moment. Everything runs on one machine, the clients
too. Each vote's stored outcome is compared with a recount.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from benchmarks._fault_checks import Violation, judge, read_stored
from benchmarks._fault_clients import CLOSE, OPEN, Booth, Line, Paper
from benchmarks._fault_stage import VOTERS, Stage, staged
from benchmarks._history import RECEIPT, History
from models.database import Database
from rules.rule_sets import Change
from tests.factories import ORDINARY, Person, VoteIds

WARM_UP = 10  # votes
LEAST_OPEN, LONGEST_OPEN = 0.1, 0.4  # seconds


@dataclass(frozen=True)
class Closing:
    milliseconds: float
    casts: int
    seconds_open: float
    violations: list[Violation]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--closes", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # A terminated run then ends like an interrupted one: it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    closings = asyncio.run(measure(options.closes, Random(options.seed)))  # noqa: S311
    print_closings(closings)
    sys.exit(any(closing.violations for closing in closings))


async def measure(closes: int, random: Random) -> list[Closing]:
    """The closings after a warm-up."""
    rule = replace(ORDINARY, change=Change.LAST_COUNTS)
    async with staged(closes + WARM_UP, rules=[rule]) as stage:
        print(stage.describe())
        database = Database(stage.url)
        lines = [Line(stage.ports[n % 2]) for n in range(VOTERS)]
        chair = Line(stage.ports[0])
        votes = stage.branch.votes
        closings = [await _hold(stage, database, v, lines, chair, random) for v in votes]
        for line in (*lines, chair):
            line.close()
        await database.dispose()
    return closings[WARM_UP:]


async def _hold(
    stage: Stage,
    database: Database,
    vote: VoteIds,
    lines: Sequence[Line],
    chair: Line,
    random: Random,
) -> Closing:
    history = History(vote.id)
    booth = Booth(vote, stage.ports, history, random)
    token, variables = stage.branch.chair.token, {"vote": str(vote.id)}
    assert "reason" not in await chair.ask(token, OPEN, variables)
    opened = time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number, (voter, line) in enumerate(zip(stage.branch.voters, lines, strict=True)):
            group.create_task(_vote_without_pause(booth, voter, number % 2, line, random))
        await asyncio.sleep(random.uniform(LEAST_OPEN, LONGEST_OPEN))
        began = time.monotonic()
        told = await chair.ask(token, CLOSE, variables, patience=30)
        ended = time.monotonic()
    assert "reason" not in told, told
    history.hear_of_closing()
    taken = sum(cast.answer == RECEIPT for cast in history.casts)
    violations = judge(history, await read_stored(database, vote.id))
    return Closing((ended - began) * 1e3, taken, ended - opened, violations)


async def _vote_without_pause(
    booth: Booth, voter: Person, worker: int, line: Line, random: Random
) -> None:
    answer: str | None = RECEIPT
    while answer == RECEIPT:
        choice = random.choice(list(booth.vote.options.values()))
        answer = (await booth.cast(Paper(voter, uuid4().hex, choice), worker, line)).answer


def print_closings(closings: Sequence[Closing]) -> None:
    times = sorted(closing.milliseconds for closing in closings)
    percent = statistics.quantiles(times, n=100, method="inclusive")
    casts = sum(closing.casts for closing in closings)
    table = Table(title="closeVote while 24 vote without pause", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_row("closings", f"{len(times):,}")
    for name, value in (("p50", percent[49]), ("p95", percent[94]), ("p99", percent[98])):
        table.add_row(f"{name} of closeVote", f"{value:.1f} ms")
    table.add_row("longest", f"{times[-1]:.1f} ms")
    table.add_row("ballots acknowledged", f"{casts:,}")
    table.add_row("… each second", f"{casts / sum(c.seconds_open for c in closings):,.0f}")
    table.add_row("violations", f"{sum(len(c.violations) for c in closings):,}")
    console = Console()
    console.print(table)
    for violation in [v for closing in closings for v in closing.violations][:1]:
        console.print(str(violation), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
