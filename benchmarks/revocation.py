"""How long a member who is suspended is still shown a meeting, at another worker.

    python -m benchmarks.revocation [--runs 60]

Two workers with PostgreSQL and Valkey. A member watches the meeting at one; the chair changes it
without a pause, and suspends the member, at the other. Prints, in milliseconds from the moment in
which the suspension was answered (which is after its commit) and from that in which it was asked
for: when the last frame came, and when the close did. Nothing may come after the close.
"""

import argparse
import asyncio
import signal
import time
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from rich.console import Console
from rich.table import Table
from websockets.exceptions import ConnectionClosed

from benchmarks._fault_clients import REINSTATE, SUSPEND, Line
from benchmarks._fault_stage import Stage, staged
from tests.support.asking import eventually
from tests.support.factories import Person
from tests.support.graphql_socket import Socket, open_socket

SUSPENDED = 4403
FRAMES_FIRST = 3
ASK_MEETING = "query ($vote: ID!) { vote(id: $vote) { meetingId } }"
WATCH = "subscription ($id: ID!) { meeting(id: $id) { version state votes { version state } } }"
TOGGLE = """mutation ($meeting: ID!) {{ {0}(meetingId: $meeting) {{ __typename }} }}"""
TOGGLES = [TOGGLE.format("pauseMeeting"), TOGGLE.format("startMeeting")]


@dataclass(frozen=True)
class Run:
    """Seconds of the monotonic clock."""

    asked: float
    answered: float
    last_frame: float
    closed: float
    frames: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args()
    # A terminated run then ends like an interrupted one: it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    runs, servers = asyncio.run(measure(options.runs))
    table = Table(title=f"{len(runs)} suspensions; {servers}", title_justify="left")
    for heading in ("milliseconds", "median", "p95", "p99", "longest"):
        table.add_column(heading, justify="left" if heading == "milliseconds" else "right")
    for name, seconds in (
        ("asked to answered", [run.answered - run.asked for run in runs]),
        ("answered to last frame", [run.last_frame - run.answered for run in runs]),
        ("answered to close", [run.closed - run.answered for run in runs]),
        ("asked to last frame", [run.last_frame - run.asked for run in runs]),
        ("asked to close", [run.closed - run.asked for run in runs]),
    ):
        cuts = quantiles(seconds, n=100, method="inclusive")
        figures = (cuts[49], cuts[94], cuts[98], max(seconds))
        table.add_row(name, *(f"{1_000 * figure:+.1f}" for figure in figures))
    Console().print(table)
    print(f"frames before: {sum(run.frames for run in runs):,}; after the close: 0")


async def measure(number: int) -> tuple[list[Run], str]:
    async with staged(votes=1) as stage:
        branch, line = stage.branch, Line(stage.ports[0])
        vote = {"vote": str(branch.votes[0].id)}
        meeting = (await line.ask(branch.chair.token, ASK_MEETING, vote))["meetingId"]
        runs = []
        for place in range(number):
            member = branch.voters[place % len(branch.voters)]
            runs.append(await suspend_once(stage, line, member, meeting))
        line.close()
        return runs, stage.describe()


async def suspend_once(stage: Stage, line: Line, member: Person, meeting: str) -> Run:
    chair, about = stage.branch.chair.token, {"member": str(member.id)}
    url = f"ws://127.0.0.1:{stage.ports[1]}/graphql"
    async with open_socket(url, member.token) as socket:
        await socket.subscribe("meeting", WATCH, id=meeting)
        await socket.next("meeting")
        frames: list[float] = []
        reading = asyncio.create_task(read(socket, frames))
        changing = asyncio.create_task(change(Line(stage.ports[0]), chair, meeting))
        await eventually(lambda: len(frames) >= FRAMES_FIRST)
        asked = time.monotonic()
        told: Any = await line.ask(chair, SUSPEND, about)
        answered = time.monotonic()
        assert told["__typename"] == "Member", told
        async with asyncio.timeout(30):
            closed = await reading
        changing.cancel()
        await asyncio.wait([changing])
    told = await line.ask(chair, REINSTATE, about)
    assert told["__typename"] == "Member", told
    return Run(asked, answered, frames[-1], closed, len(frames))


async def read(socket: Socket, frames: list[float]) -> float:
    """Note when frames come until the close; gives when that did."""
    try:
        while True:
            await socket.connection.recv()
            frames.append(time.monotonic())
    except ConnectionClosed:
        closed = time.monotonic()
    code, _ = await socket.closed()
    if code != SUSPENDED:
        raise RuntimeError(f"closed with {code}")
    return closed


async def change(line: Line, chair: str, meeting: str) -> None:
    try:
        while True:
            for toggle in TOGGLES:
                await line.ask(chair, toggle, {"meeting": meeting})
    finally:
        line.close()


if __name__ == "__main__":
    main()
