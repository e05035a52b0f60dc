"""What is compared: each scenario starts its servers one after the other and measures them."""

import math
import statistics
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks._fanout_load import JOIN_TIMEOUT
from benchmarks._fanout_ours import Voting, meeting_page, ours, roll
from benchmarks._fanout_peers import PEER_NAMES, Target, peer
from benchmarks._fanout_run import IDLE_CASTS, SETTLES_IN, WARM_UP, Watched, watching
from tests.support.valkey_server import Valkey

Measured = dict[str, float]
OURS = "ours"

GONE_WITHIN = 90.0  # seconds
STORM = 2000
ROUNDS_OF_MANY = 5
STALLED_UPDATES, STALLED_PACE = 100, 0.5  # longer than stalled readers are to be borne
SIZES = (1000, 2000, 4000, 8000, 15_000)


@dataclass(frozen=True)
class Options:
    subscribers: int
    updates: int
    pace: float
    only: Collection[str]
    floor: Path
    generator: Path

    def wants(self, name: str) -> bool:
        return not self.only or name in self.only


Scenario = Callable[[Options], Iterator[tuple[str, Measured]]]


def peers(options: Options) -> Iterator[tuple[str, Measured]]:
    """One tally, the same number of subscribers and updates on every server."""
    for name in (OURS, *PEER_NAMES):
        if options.wants(name):
            yield name, _measure(_server(name, options.subscribers, options), options)


def many(options: Options) -> Iterator[tuple[str, Measured]]:
    """500 meetings of 30, five updates in each, beside one meeting."""
    yield "one meeting", _measure(_server(OURS, options.subscribers, options), options)
    with (
        ours(branches=500, members=30) as target,
        watching(target, options.generator, ROUNDS_OF_MANY) as watched,
    ):
        yield "500 meetings of 30", asdict(watched.measure(ROUNDS_OF_MANY, options.pace))


def stalled(options: Options) -> Iterator[tuple[str, Measured]]:
    """A tenth stop reading, beside the same without: long states, so that buffers fill."""
    count, updates = options.subscribers, STALLED_UPDATES
    for name, stalls in (("all read", 0), ("10 % stalled", count // 10)):
        server = ours(members=_members(0, updates), sockets=count, operation=roll)
        with (
            server as target,
            watching(target, options.generator, updates, stalled=stalls) as watched,
        ):
            yield name, _with_stalled(watched, stalls)


def _with_stalled(watched: Watched, stalls: int) -> Measured:
    processes = watched.target.processes
    remain = processes.connections() - stalls
    watched.generator.ask("stall")
    before = processes.memory()
    with ThreadPoolExecutor(1) as pool:
        gone = pool.submit(_seconds_until, lambda: processes.connections() <= remain)
        figures = asdict(watched.measure(STALLED_UPDATES, STALLED_PACE))
        grown = (processes.memory() - before) / 2**20
        return figures | {"gone_s": gone.result() if stalls else 0.0, "grown_mb": grown}


def _seconds_until(condition: Callable[[], bool]) -> float:
    """How long it takes; infinite beyond GONE_WITHIN."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + GONE_WITHIN:
            return math.inf
        time.sleep(0.5)
    return time.monotonic() - began


def storm(options: Options) -> Iterator[tuple[str, Measured]]:
    """2,000 connect at once, after all have lost their connection at once."""
    with ours(members=STORM) as target, watching(target, options.generator, 1, STORM) as watched:
        yield "joining first", _joining(watched.joined, watched.join_cpu)
        watched.generator.ask("drop")
        time.sleep(SETTLES_IN)
        before = target.processes.cpu()
        answer = watched.generator.ask("join", JOIN_TIMEOUT)
        yield "coming back", _joining(answer, target.processes.cpu() - before)


def _joining(answer: dict[str, float], cpu: float) -> Measured:
    return {
        "subscribers": answer["joined"],
        "failed": answer["failed"],
        "join_ms": cpu / answer["joined"] * 1e3,
        "join_wall_s": (answer["ended"] - answer["began"]) / 1e9,
        "join_p50_s": answer["p50"] / 1e9,
        "join_p99_s": answer["p99"] / 1e9,
    }


def workers(options: Options) -> Iterator[tuple[str, Measured]]:
    """One, two and four workers on the one core; several hear of changes through Valkey."""
    for count in (1, 2, 4):
        members = _members(options.subscribers, options.updates)
        server = ours(members=members, sockets=options.subscribers, workers=count)
        yield f"{count} worker{'s' if count > 1 else ''}", _measure(server, options)


def outage(options: Options) -> Iterator[tuple[str, Measured]]:
    """Two workers; the broker is killed under all subscribers while members vote, and returns."""
    phases = {"before": 10, "broker away": 20, "broker back": 10}
    members = _members(options.subscribers, sum(phases.values()))
    with (
        Valkey() as broker,
        ours(members=members, sockets=options.subscribers, workers=2, broker=broker) as target,
        watching(target, options.generator, sum(phases.values())) as watched,
    ):
        first = 1
        for name, count in phases.items():
            if name == "broker away":
                broker.kill()
            elif name == "broker back":
                broker.start()
            seconds = watched.seconds_of_updates(range(first, first + count))
            first += count
            yield (
                name,
                {
                    "subscribers": options.subscribers,
                    "updates": count,
                    "last_p50_ms": statistics.median(seconds) * 1e3,
                    "longest_ms": max(seconds) * 1e3,
                },
            )


def client(options: Options) -> Iterator[tuple[str, Measured]]:
    """The web client's subscriptions, queries and mutations, mixed as its pages mix them."""
    yield "the tally only", _measure(_server(OURS, options.subscribers, options), options)
    server = ours(
        members=_members(options.subscribers, options.updates),
        sockets=options.subscribers,
        operation=meeting_page,
        act=Voting.as_the_page_does,
    )
    yield "the web client's", _measure(server, options)


def growth(options: Options) -> Iterator[tuple[str, Measured]]:
    """One tally with 1,000 to 15,000 subscribers, 15 of them to a member."""
    for count in SIZES:
        for name in (OURS, "floor"):
            if options.wants(name):
                server = _server(name, count, options)
                yield f"{name}, {count:,}", _measure(server, options)


def _server(name: str, sockets: int, options: Options) -> AbstractContextManager[Target]:
    if name == OURS:
        return ours(members=_members(sockets, options.updates), sockets=sockets)
    return peer(name, sockets, options.floor)


def _members(sockets: int, updates: int) -> int:
    """One for each socket up to 1,000, but as many as will cast."""
    return max(min(sockets, 1000), WARM_UP + IDLE_CASTS + updates)


def _measure(server: AbstractContextManager[Target], options: Options) -> Measured:
    with server as target, watching(target, options.generator, options.updates) as watched:
        return asdict(watched.measure(options.updates, options.pace))


SCENARIOS: dict[str, Scenario] = {
    scenario.__name__: scenario
    for scenario in (peers, many, stalled, storm, workers, outage, client, growth)
}
