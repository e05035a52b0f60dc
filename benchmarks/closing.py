"""How long the chair waits for `closeVote` while 24 members vote without pause.

    python -m benchmarks.closing [--closes 200] [--seed 1]

Two workers with PostgreSQL (fsync on) and Valkey. In each vote a member may change the ballot until
closing, and each of 24 connections casts again as soon as it has its answer, until it is told that
the vote is closed. The chair closes at a random moment. For comparison every fourth vote is closed
when all 24 have voted once and nobody votes any more. Everything runs on one machine: the chair's
client is this process, the members' are another one, which gives way to server and chair
(`_voting_crowd`). Each vote's stored outcome is compared with a recount.

`until no ballot is taken` is the part from the request to the moment, by the database's clock, at
which the vote was closed: the way through the worker and the wait for ballots under way. `until the
outcome is stored` is the next part, by the same clock: presence is frozen, the ballots are counted.
The rest is the audit row, the commit, the hint and the answer.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from benchmarks._fault_checks import Violation, judge, read_stored
from benchmarks._fault_clients import CLOSE, OPEN, Line
from benchmarks._fault_stage import Stage, staged
from benchmarks._history import RECEIPT, VOTE_CLOSED, History
from benchmarks._voting_crowd import Crowd, crowd
from models.database import Database
from rules.votes.rule_sets import Change
from tests.support.factories import ORDINARY, VoteIds

WARM_UP = 10  # votes
LOG_FILES = 12  # of 16 MB
IDLE_EACH = 4  # votes
LEAST_OPEN, LONGEST_OPEN = 0.1, 0.4  # seconds
IDLE_AFTER = 0.8  # seconds; all have voted by then, and been answered


@dataclass(frozen=True)
class Closing:
    is_idle: bool
    milliseconds: float
    milliseconds_open: float
    """Of them, those until no ballot was taken any more."""
    milliseconds_deciding: float
    """Of them, the next ones, until the outcome was stored."""
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
    async with (
        staged(closes + WARM_UP, rules=[rule], may_be_cut=False) as stage,
        crowd(stage.ports, stage.branch.voters, random.getrandbits(32)) as voters,
    ):
        print(stage.describe())
        database = Database(stage.url)
        await _keep_log_files(database)
        chair = Line(stage.ports[0])
        closings = [
            await _hold(stage, database, vote, voters, chair, random, number % IDLE_EACH == 0)
            for number, vote in enumerate(stage.branch.votes, start=1)
        ]
        chair.close()
        await database.dispose()
    return closings[WARM_UP:]


async def _keep_log_files(database: Database) -> None:
    """Have the server's write-ahead log as it is after some days: its old files are used again. A
    fresh server makes each anew, and every commit waits for that, for 20 to 70 ms."""
    async with database.glance() as connection:
        for _ in range(LOG_FILES):
            await connection.execute(text("SELECT pg_logical_emit_message(false, '', '')"))
            await connection.execute(text("SELECT pg_switch_wal()"))
        await connection.execute(text("CHECKPOINT"))


async def _hold(
    stage: Stage,
    database: Database,
    vote: VoteIds,
    voters: Crowd,
    chair: Line,
    random: Random,
    is_idle: bool,
) -> Closing:
    token, variables = stage.branch.chair.token, {"vote": str(vote.id)}
    assert "reason" not in await chair.ask(token, OPEN, variables)
    opened = time.monotonic()
    voters.vote(vote, once=is_idle)
    await asyncio.sleep(IDLE_AFTER if is_idle else random.uniform(LEAST_OPEN, LONGEST_OPEN))
    began, began_at = time.monotonic(), time.time()
    told = await chair.ask(token, CLOSE, variables, patience=30)
    ended = time.monotonic()
    assert "reason" not in told, told
    casts = await voters.casts()
    known = [cast.answered for cast in casts if cast.answer == VOTE_CLOSED]
    history = History(vote.id, casts, closed_known_at=min([ended, *known]))
    taken = sum(cast.answer == RECEIPT for cast in casts)
    stored = await read_stored(database, vote.id)
    closed_at, published_at = stored.vote.closed_at, stored.vote.published_at
    assert closed_at is not None
    assert published_at is not None
    until_closed = closed_at.timestamp() - began_at
    return Closing(
        is_idle,
        (ended - began) * 1e3,
        until_closed * 1e3,
        (published_at - closed_at) / timedelta(milliseconds=1),
        taken,
        ended - opened,
        judge(history, stored),
    )


def print_closings(closings: Sequence[Closing]) -> None:
    busy = [closing for closing in closings if not closing.is_idle]
    idle = [closing for closing in closings if closing.is_idle]
    table = Table(title="closeVote while 24 vote without pause", title_justify="left")
    for name in ("milliseconds", "p50", "p95", "p99", "longest"):
        table.add_column(name, justify="left" if name == "milliseconds" else "right")
    for name, times in (
        ("request to answer", [closing.milliseconds for closing in busy]),
        ("… until no ballot is taken", [closing.milliseconds_open for closing in busy]),
        ("… until the outcome is stored", [closing.milliseconds_deciding for closing in busy]),
        ("the same when nobody votes", [closing.milliseconds for closing in idle]),
        ("… until no ballot is taken", [closing.milliseconds_open for closing in idle]),
        ("… until the outcome is stored", [closing.milliseconds_deciding for closing in idle]),
    ):
        percent = statistics.quantiles(times, n=100, method="inclusive")
        figures = (percent[49], percent[94], percent[98], max(times))
        table.add_row(name, *(f"{figure:.1f}" for figure in figures))
    console = Console()
    console.print(table)
    casts = sum(closing.casts for closing in busy)
    per_second = casts / sum(closing.seconds_open for closing in busy)
    console.print(
        f"{len(busy)} closings while all voted, {len(idle)} while nobody did;"
        f" {casts:,} ballots acknowledged, {per_second:,.0f} a second;"
        f" {sum(len(c.violations) for c in closings)} violations",
        highlight=False,
        soft_wrap=True,
    )
    for violation in [v for closing in closings for v in closing.violations][:1]:
        console.print(str(violation), markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    main()
