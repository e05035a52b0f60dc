"""One measured run: casts that nobody watches, all join, then updates that all are shown."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._fanout_load import Generator, generating
from benchmarks._fanout_peers import Target

WARM_UP = 10  # casts
IDLE_CASTS = 50
IDLE_ROUNDS = 2  # at least, of one cast in each group
OUTAGE_PACE = 0.5
AT_ONCE = 24
"""Members of different groups who cast at the same moment."""
IDLE_PACE = 0.1  # seconds
SETTLES_IN = 1.0  # seconds

TOO_BUSY = 0.7
"""The share of its core above which the load generator may have held the server up."""


@dataclass(frozen=True)
class Figures:
    """What one run measured, of the processes of the server only. Times are in the unit named."""

    subscribers: int
    deliveries: int
    """Frames with a state, without those sent on joining."""
    frame_bytes: float
    cast_us: float
    """CPU of one cast that nobody watches."""
    delivery_us: float
    """CPU from the first cast to the last delivery, casts included, for each delivery."""
    delivery_alone_us: float
    """The same without the casts."""
    last_p50_ms: float
    """From sending the cast to the last subscriber's having it."""
    last_p99_ms: float
    join_ms: float
    """CPU for each subscriber, from connecting to the first state."""
    join_wall_s: float
    memory_kb: float
    """Growth for each subscriber, from before joining to after the last update."""
    load_share: float
    """CPU of the load generator, of the time between first and last delivery of the updates."""


class Watched:
    """A target whose subscribers have joined, and what joining took."""

    def __init__(self, target: Target, generator: Generator, casts: Casts, cast_us: float) -> None:
        self.target = target
        self.generator = generator
        self.cast_us = cast_us
        self._casts = casts
        self.memory_before = target.processes.memory()
        before = target.processes.cpu()
        self.joined = generator.join()
        self.join_cpu = target.processes.cpu() - before
        time.sleep(SETTLES_IN)

    def measure(self, updates: int, pace: float) -> Figures:
        """Update every group so many times, one round each `pace` seconds or slower.

        Raises TimeoutError when somebody is not shown an update, and RuntimeError when somebody
        was disconnected.
        """
        before, cpu = self.generator.ask("report"), self.target.processes.cpu()
        began = [self._round(number, pace) for number in range(1, updates + 1)]
        after, cpu = self.generator.ask("report"), self.target.processes.cpu() - cpu
        delivered = after["next"] - before["next"]
        count = len(self.target.subscribers)
        if after["joined"] != count:
            lost, code = count - after["joined"], after["last_code"]
            raise RuntimeError(f"{lost} subscribers lost their connection, the last with {code}")
        seen = [
            (start, *after["updates"][group][number])
            for number, starts in enumerate(began)
            for group, start in enumerate(starts)
        ]
        latencies = [(last - start) / 1e6 for start, _, last, _ in seen]
        bursts = sum(last - first for _, first, last, _ in seen) / 1e9
        casts = updates * self._casts.groups
        return Figures(
            subscribers=count,
            deliveries=delivered,
            frame_bytes=(after["bytes"] - before["bytes"]) / delivered,
            cast_us=self.cast_us,
            delivery_us=cpu / delivered * 1e6,
            delivery_alone_us=(cpu * 1e6 - self.cast_us * casts) / delivered,
            last_p50_ms=statistics.median(latencies),
            last_p99_ms=percentile(latencies, 99),
            join_ms=self.join_cpu / count * 1e3,
            join_wall_s=(self.joined["ended"] - self.joined["began"]) / 1e9,
            memory_kb=(self.target.processes.memory() - self.memory_before) / count / 1024,
            load_share=(after["cpu"] - before["cpu"]) / bursts,
        )

    def _round(self, number: int, pace: float) -> list[int]:
        """Update each group; gives when each cast was sent, in nanoseconds."""
        deadline = time.monotonic() + pace
        began = self._casts.everywhere()
        self.generator.ask(f"wait {number}")
        time.sleep(max(0.0, deadline - time.monotonic()))
        return began

    def seconds_of_updates(self, numbers: range) -> list[float]:
        """Update the only group, one number after the other; gives how long each took from its
        cast to the last subscriber. Raises TimeoutError, and RuntimeError when a cast fails."""
        began = {number: self._round(number, OUTAGE_PACE)[0] for number in numbers}
        (seen,) = self.generator.ask("report")["updates"]
        return [(seen[number - 1][1] - start) / 1e9 for number, start in began.items()]


class Casts:
    """Brings updates about: one in each group, as many at once as meetings vote at once."""

    def __init__(self, target: Target, pool: ThreadPoolExecutor) -> None:
        self._target = target
        self._pool = pool
        self.groups = 1 + max(one.group for one in target.subscribers)

    def everywhere(self) -> list[int]:
        """One cast in each group; gives when each was sent, in nanoseconds."""
        return list(self._pool.map(self._cast, range(self.groups)))

    def _cast(self, group: int) -> int:
        began = time.monotonic_ns()
        self._target.update(group)
        return began

    def measure(self) -> float:
        """Microseconds of the server's CPU for one cast, with nobody subscribed."""
        for _ in range(max(1, WARM_UP // self.groups)):
            self.everywhere()
        rounds = max(IDLE_ROUNDS, IDLE_CASTS // self.groups)
        before = self._target.processes.cpu()
        for _ in range(rounds):
            deadline = time.monotonic() + IDLE_PACE
            self.everywhere()
            time.sleep(max(0.0, deadline - time.monotonic()))
        return (self._target.processes.cpu() - before) / rounds / self.groups * 1e6


@contextmanager
def watching(
    target: Target, program: Path, updates: int, window: int = 50, stalled: int = 0
) -> Iterator[Watched]:
    """Warm the server up, measure what casts alone cost, and let everybody join."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        casts = Casts(target, pool)
        cast_us = casts.measure()
        with generating(program, target.port, target.subscribers, updates, window, stalled) as load:
            yield Watched(target, load, casts, cast_us)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
