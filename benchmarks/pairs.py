"""What a live update costs, server against server in the same moments: to see what a change did.

    python -m benchmarks.pairs [--against CHECKOUT] [--subscribers 1000] [--updates 150]

Ours, ours from another checkout of this repository, and the floor of `fanout` all run on one core,
each with its subscribers; each is updated in turn, in an order that changes. So the machine's good
and bad moments are everybody's, and a tenth less can be seen, which `fanout` cannot show. CPU is
counted from before a cast to 20 ms after the last delivery: most pings are left out.
"""

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks._fanout_load import Generator, compile_program, generating
from benchmarks._fanout_ours import ours
from benchmarks._fanout_peers import OTHER_CORE, Target, peer
from benchmarks._fanout_process import keep_to
from benchmarks._fanout_run import WARM_UP, Casts

# All in seconds.
SETTLES_IN = 1.0
COUNTS_UNTIL = 0.02
ROUND = 0.4
"""For one update of each server."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="another checkout with the same migrations")
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=150)
    chosen = parser.parse_args()
    keep_to(OTHER_CORE)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pairs-")))
        floor = compile_program("floor", folder)
        targets = {"ours": stack.enter_context(ours(members=chosen.subscribers))}
        if chosen.against:
            other = ours(members=chosen.subscribers, checkout=chosen.against)
            targets["the other"] = stack.enter_context(other)
        targets["floor"] = stack.enter_context(peer("floor", chosen.subscribers, floor))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        program = compile_program("subscribers", folder)
        watched = {}
        for name, target in targets.items():
            casts = Casts(target, pool)
            for _ in range(WARM_UP):
                casts.everywhere()
            load = generating(program, target.port, target.subscribers, chosen.updates)
            watched[name] = Watched(target, casts, stack.enter_context(load))
        report(measure(watched, chosen.updates))


class Watched:
    """A server whose subscribers have joined."""

    def __init__(self, target: Target, casts: Casts, generator: Generator) -> None:
        self._target = target
        self._casts = casts
        self._generator = generator
        generator.join()

    def update(self, number: int) -> float:
        """Microseconds of CPU for each delivery."""
        before = self._target.processes.cpu()
        self._casts.everywhere()
        self._generator.ask(f"wait {number}")
        time.sleep(COUNTS_UNTIL)
        used = self._target.processes.cpu() - before
        return used / len(self._target.subscribers) * 1e6


def measure(watched: dict[str, Watched], updates: int) -> dict[str, list[float]]:
    used: dict[str, list[float]] = {name: [] for name in watched}
    time.sleep(SETTLES_IN)
    order = list(watched)
    for number in range(1, updates + 1):
        random.shuffle(order)
        for name in order:
            due = time.monotonic() + ROUND / len(order)
            used[name].append(watched[name].update(number))
            time.sleep(max(0.0, due - time.monotonic()))
    return used


def report(used: dict[str, list[float]]) -> None:
    for name, values in used.items():
        ratios = [
            f"{ratio(values, others):.2f} of {other}"
            for other, others in used.items()
            if other != name
        ]
        print(f"{name:10} {statistics.median(values):6.2f} µs a delivery; {', '.join(ratios)}")


def ratio(values: Sequence[float], others: Sequence[float]) -> float:
    """The median of what each update took of the other's in the same round."""
    return statistics.median(one / other for one, other in zip(values, others, strict=True))


if __name__ == "__main__":
    main()
