"""What taking a state costs: compiled, beside the same executed by graphql-core.

    python -m benchmarks.states [--members 30 1000] [--states 40] [--runs 5]

One process, no sockets: for each selection one state after the other is read from PostgreSQL and
encoded, in turn one way and the other. Prints the CPU time of this process for one state, with its
statements, medians of the runs, and their ratio. Each pair of states is checked to be the same.
"""

import argparse
import asyncio
import gc
import statistics
import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks._fanout_client import document
from benchmarks._fanout_ours import Branch, prepare
from benchmarks._fanout_peers import SUBSCRIBE
from models.database import Database
from realtime.feed import Feed
from resolvers.context import Context, Snapshot, Viewpoint
from resolvers.process import Process
from schema.live.prepare import read_operation
from schema.live.run import Live, Run
from server.auth.credentials import ServerCredentials, hash_token
from server.settings import Settings
from tests.support.postgresql_server import PostgreSQL
from tests.support.services import create_database

TALLY = "the tally of `fanout`"
WATCHED = ("WatchMeetingSummary", "WatchMeeting", "WatchRollCall")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--members", type=int, nargs="*", default=[30, 1000])
    parser.add_argument("--states", type=int, default=40)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    gc.disable()
    with PostgreSQL() as postgresql:
        for members in options.members:
            url = create_database(postgresql.url)
            (branch,) = asyncio.run(prepare(url, 1, members))
            asyncio.run(compare(url, branch, options.states, options.runs))


async def compare(url: str, branch: Branch, states: int, runs: int) -> None:
    database = Database(url)
    async with Feed.from_url("memory://") as feed:
        context = Context(Process(database, feed, ServerCredentials(Settings(database_url=url))))
        live = Live(context, push=lambda *_: None)
        for name in (TALLY, *WATCHED):
            run = await run_of(live, branch, name)
            prepared, audience = run
            ways = [run, (replace(prepared, compiled=None), audience)]
            taken = [await take_in_turn(live, database, ways, states) for _ in range(runs)]
            print_line(name, len(branch.members), taken)
        await live.stop()
    await database.dispose()


async def run_of(live: Live, branch: Branch, name: str) -> Run:
    """A member's."""
    access = await live.audiences.admit(hash_token(branch.members[-1].token))
    operation = read_operation(SUBSCRIBE if name == TALLY else document(name), None)
    if access is None or operation is None:
        raise RuntimeError("no session, or no subscription")
    about = branch.vote.id if name == TALLY else branch.meeting.id
    return (await live.plan(access, operation, {"id": str(about)})).key


async def take_in_turn(
    live: Live, database: Database, ways: Sequence[Run], states: int
) -> list[float]:
    """Microseconds of CPU for one state each way."""
    used = [0.0] * len(ways)
    for number in range(states):
        found = set()
        gc.collect()  # between them, as the server does: else it is one way's by chance
        for turn in range(len(ways)):
            way = (number + turn) % len(ways)
            prepared, audience = ways[way]
            before = time.process_time()
            snapshot = Snapshot(database)
            found.add(await live._run(prepared, Viewpoint(audience), snapshot))
            await snapshot.release()
            used[way] += time.process_time() - before
        if len(found) != 1 or not all(isinstance(state, bytes) for state in found):
            raise RuntimeError(f"the states differ, or there is none: {found}")
    return [seconds / states * 1e6 for seconds in used]


def print_line(name: str, members: int, taken: Sequence[Sequence[float]]) -> None:
    compiled, executed = (statistics.median(each) for each in zip(*taken, strict=True))
    ratio = statistics.median(one / other for one, other in taken)
    print(
        f"{members:5} members, {name:22} compiled {compiled:8,.0f} µs,"
        f" by graphql-core {executed:8,.0f} µs, ratio {ratio:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
