"""What casting a ballot costs, against the same GraphQL mutation doing nothing.

    python -m benchmarks.casting [--voters 4000] [--parallel 24] [--runs 5]

Two servers of one worker each answer the same document from the same number of connections: ours
with sign-in, eligibility, roll and PostgreSQL, and one whose mutation does nothing. Prints the CPU
time of the server process for each request, medians of the runs, and their ratio.
"""

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

import orjson

from benchmarks._fault_stage import prepare
from models.database import Database
from realtime.feed import Feed
from resolvers.context import Context
from resolvers.process import Process
from resolvers.votes.votes import open_vote
from server.auth.credentials import ServerCredentials
from server.settings import Settings
from tests.support.postgresql_server import PostgreSQL
from tests.support.processes import die_with_parent, free_port
from tests.support.services import create_database

CAST = """mutation ($vote: ID!, $choices: [ID!]!, $key: ID!) {
  castBallot(voteId: $vote, choices: $choices, key: $key) {
    __typename
    ... on Receipt { id voteId key castAt }
    ... on Refused { reason message }
  }
}"""

START_TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Poll:
    """One open vote and the tokens of those entitled to cast in it."""

    vote: UUID
    option: UUID
    tokens: list[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voters", type=int, default=4000)
    parser.add_argument("--parallel", type=int, default=24)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with PostgreSQL(durable=True) as postgresql:
        ours, idle = [], []
        for run in range(1, options.runs + 1):
            url = create_database(postgresql.url)
            poll = asyncio.run(open_poll(url, options.voters))
            ours.append(measure("server.asgi:create_app", poll, options.parallel, url))
            idle.append(measure("benchmarks._idle_server:create_app", poll, options.parallel, url))
            print(f"run {run}: ours {ours[-1]:.0f} µs, doing nothing {idle[-1]:.0f} µs a request")
        print(f"{postgresql.describe()}, Python {sys.version.split()[0]}, fsync on")
    print(f"median CPU of the server for one castBallot: {statistics.median(ours):.0f} µs")
    print(f"median CPU of the same mutation doing nothing: {statistics.median(idle):.0f} µs")
    ratios = [one / other for one, other in zip(ours, idle, strict=True)]
    print(f"ratio: {statistics.median(ratios):.2f} (bar: at most 3)")


async def open_poll(url: str, voters: int) -> Poll:
    """A migrated database with one branch of `voters` full members and one open vote."""
    branch = await prepare(url, votes=1, voters=voters)
    (vote,) = branch.votes
    database = Database(url)
    async with Feed.from_url("memory://") as feed:
        process = Process(database, feed, ServerCredentials(Settings()))
        chair = Context(process, branch.chair.viewer)
        await open_vote(chair, str(vote.id))
        await chair.release()
    await database.dispose()
    return Poll(vote.id, vote.for_, [voter.token for voter in branch.voters])


def measure(app: str, poll: Poll, parallel: int, url: str) -> float:
    """Microseconds of the server's CPU for one request, user and system, after a warm-up."""
    with serving(app, url) as (pid, port):
        warm_up, counted = poll.tokens[:400], poll.tokens[400:]
        asyncio.run(cast_all(port, poll, warm_up, parallel))
        before = cpu_seconds(pid)
        asyncio.run(cast_all(port, poll, counted, parallel))
        return (cpu_seconds(pid) - before) / len(counted) * 1e6


@contextmanager
def serving(app: str, url: str) -> Iterator[tuple[int, int]]:
    """A server process of one worker, as `branch-meetings serve` runs it."""
    port = free_port()
    command = [
        sys.executable,
        "-c",
        "import sys; from server.runtime.process import serve_app;"
        f" serve_app({app!r}, '127.0.0.1', {port}, workers=1)",
    ]
    environment = {
        **os.environ,
        "MEETINGS_DATABASE_URL": url,
        "MEETINGS_MEMBER_ALLOWANCE": "1000",
    }
    process = subprocess.Popen(command, env=environment, preexec_fn=die_with_parent(15))
    try:
        wait_for(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(START_TIMEOUT)


def wait_for(port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def cpu_seconds(pid: int) -> float:
    """User and system time of one process so far, all its threads."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def cast_all(port: int, poll: Poll, tokens: list[str], parallel: int) -> None:
    """Each token casts once, over `parallel` connections that stay open. Raises on any refusal."""
    waiting = iter(tokens)

    async def one_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for token in waiting:
            await cast(reader, writer, poll, token)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(one_connection() for _ in range(parallel)))


async def cast(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, poll: Poll, token: str
) -> None:
    variables = {"vote": str(poll.vote), "choices": [str(poll.option)], "key": uuid4().hex}
    body = orjson.dumps({"query": CAST, "variables": variables})
    writer.write(
        b"POST /graphql HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %b\r\ncontent-length: %d\r\n\r\n%b"
        % (token.encode(), len(body), body)
    )
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    answer = orjson.loads(await reader.readexactly(length))
    if answer["data"]["castBallot"]["__typename"] != "Receipt":
        raise RuntimeError(f"no receipt: {answer}")


if __name__ == "__main__":
    main()
