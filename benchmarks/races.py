"""24 voters race a chair who closes, a thousand times, on PostgreSQL.

    python -m benchmarks.races [--rounds 1000] [--seed 1]

In one process, but over the resolvers of three "workers" that share nothing but the database: each
has connections and a writer of ballots of its own. A third of the voters cast twice at once, at two
workers, with the same key or with two. Each round begins with another order of events; afterwards
the stored outcome is compared with the rows. Exits with 1 if a ballot was late, doubled or lost.
"""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from random import Random
from uuid import UUID

from rich.console import Console
from rich.table import Table

from benchmarks._fault_checks import Violation, Wrong, judge, read_stored
from benchmarks._fault_clients import Paper
from benchmarks._fault_stage import Branch, prepare
from benchmarks._history import RECEIPT, VOTE_CLOSED, Cast, History
from models.database import Database
from realtime.feed import Feed
from resolvers.context import Context
from resolvers.process import Process
from resolvers.votes.ballots import cast_ballot
from resolvers.votes.votes import close_vote, open_vote
from rules.refusals import Refusal
from server.auth.credentials import ServerCredentials
from server.settings import Settings
from tests.support.factories import Person, VoteIds
from tests.support.postgresql_server import PostgreSQL
from tests.support.services import create_database

WITHIN = 0.1  # seconds, in which the voters come and the chair closes


class Desk:
    """What one worker shares among its operations."""

    def __init__(self, database: Database, feed: Feed) -> None:
        self.database = database
        self._process = Process(database, feed, ServerCredentials(Settings()))

    def context(self, person: Person) -> Context:
        return Context(self._process, person.viewer)


@asynccontextmanager
async def desk(url: str) -> AsyncIterator[Desk]:
    database = Database(url)
    try:
        async with Feed.from_url("memory://") as feed:
            yield Desk(database, feed)
    finally:
        await database.dispose()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    # A terminated run then ends like an interrupted one: it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with PostgreSQL(durable=True) as postgresql:
        url = create_database(postgresql.url)
        print(f"{postgresql.describe()}, Python {sys.version.split()[0]}, fsync on")
        races = asyncio.run(race(url, options.rounds, options.seed))
    sys.exit(print_races(*races))


async def race(
    url: str, rounds: int, seed: int
) -> tuple[list[History], list[Violation], list[float]]:
    """Every round's history, all violations, and how long each closing took, in milliseconds."""
    branch = await prepare(url, rounds)
    histories, violations, closings = [], [], []
    async with desk(url) as one, desk(url) as two, desk(url) as three:
        for number, vote in enumerate(branch.votes):
            random = Random(f"{seed}:{number}")  # noqa: S311
            history = History(vote.id)
            closings.append(await _play(history, branch, vote, (one, two, three), random))
            violations += judge(history, await read_stored(three.database, vote.id))
            histories.append(history)
    return histories, violations, closings


async def _play(
    history: History, branch: Branch, vote: VoteIds, desks: Sequence[Desk], random: Random
) -> float:
    chair = desks[2].context(branch.chair)
    await open_vote(chair, str(vote.id))
    await chair.release()
    async with asyncio.TaskGroup() as group:
        for voter in branch.voters:
            for paper, worker in _draw_papers(voter, vote, random):
                at = random.uniform(0, WITHIN)
                group.create_task(_cast(history, desks[worker], paper, worker, at))
        closing = group.create_task(_close(history, chair, random.uniform(0.2, 1.5) * WITHIN))
    return closing.result()


def _draw_papers(voter: Person, vote: VoteIds, random: Random) -> list[tuple[Paper, int]]:
    """One ballot; or the same twice; or two of one member."""
    options: list[UUID] = list(vote.options.values())
    first, second = (
        Paper(voter, f"{random.getrandbits(64):016x}", random.choice(options)) for _ in range(2)
    )
    worker = random.randrange(2)
    more = random.choice([None, None, None, None, first, second])
    return [(first, worker), *([(more, 1 - worker)] if more else [])]


async def _cast(history: History, desk: Desk, paper: Paper, worker: int, at: float) -> None:
    await asyncio.sleep(at)
    context = desk.context(paper.voter)
    sent = time.monotonic()
    receipt = None
    try:
        cast = await cast_ballot(context, str(history.vote_id), [str(paper.choice)], paper.key)
        answer, receipt = RECEIPT, (str(cast.id), cast.cast_at.isoformat())
    except Refusal as refusal:
        answer = refusal.reason.value
    finally:
        await context.release()
    now = time.monotonic()
    if answer == VOTE_CLOSED:
        history.hear_of_closing()
    history.casts.append(
        Cast(paper.voter.id, paper.key, paper.choice, worker, sent, now, answer, receipt)
    )


async def _close(history: History, chair: Context, at: float) -> float:
    await asyncio.sleep(at)
    began = time.monotonic()
    await close_vote(chair, str(history.vote_id))
    await chair.release()
    history.hear_of_closing()
    return (time.monotonic() - began) * 1e3


def print_races(
    histories: Sequence[History], violations: Sequence[Violation], closings: Sequence[float]
) -> int:
    """Gives the exit status."""
    casts = [cast for history in histories for cast in history.casts]
    percent = statistics.quantiles(closings, n=100, method="inclusive")
    wrong = Counter(violation.wrong for violation in violations)
    table = Table(title="24 voters against a closing chair", title_justify="left")
    table.add_column("what")
    table.add_column("number", justify="right")
    table.add_row("races", f"{len(histories):,}")
    table.add_row("casts", f"{len(casts):,}")
    acknowledged = {
        (c.member_id, c.key, h.vote_id) for h in histories for c in h.casts if c.receipt
    }
    table.add_row("ballots acknowledged", f"{len(acknowledged):,}")
    table.add_row("refused", f"{sum(cast.receipt is None for cast in casts):,}")
    for kind in (Wrong.LATE, Wrong.DOUBLED, Wrong.LOST, Wrong.RECOUNT, Wrong.RECEIPT, Wrong.CHAIN):
        table.add_row(kind.value, f"{wrong[kind]:,}")
    table.add_row("p50 / p99 of close_vote", f"{percent[49]:.1f} / {percent[98]:.1f} ms")
    console = Console()
    console.print(table)
    for violation in violations[:1]:
        console.print(str(violation), markup=False, highlight=False, soft_wrap=True)
    return 1 if violations else 0


if __name__ == "__main__":
    main()
