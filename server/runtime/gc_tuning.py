"""Python's garbage collector, kept from stopping everything while a thousand pages are waiting.

A full collection visits each object of each connection: with 1,000 of them it stops the event loop
for about a tenth of a second. What ends is freed by its count of references at once; the collector
is for cycles only, of which connections, pushes and ballots make none. So it looks at young objects
seldom, and at all of them when nothing has happened for a while, or when the process has grown:
where something makes cycles after all, memory is what tells.
"""

import gc
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_SELF, getpagesize, getrusage

YOUNG = 20_000
"""Objects made, less those freed, between two looks at the youngest."""

OFTEN_ENOUGH = 50
"""Looks at one generation between two looks at the next older one."""


def spare_the_collector() -> None:
    """Call it when the process has started: what exists by then stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OFTEN_ENOUGH, OFTEN_ENOUGH * 100)


GROWTH = 32 * 1024 * 1024
"""Bytes by which a process has to grow between two looks at all objects, but at least by a quarter:
where thousands connect one look costs as much as all those before."""

STATM = Path("/proc/self/statm")


class Collector:
    """Looks for cycles among all objects once after each time of work, when nobody is waiting, and
    whenever the process has grown by much."""

    def __init__(self, quiet_looks: float, memory: Callable[[], int] | None = None) -> None:
        self._quiet_looks = quiet_looks
        self._memory = memory or resident_memory
        self._least = self._memory()
        self._deliveries = self._looks = 0

    def look(self, deliveries: int) -> None:
        """Call it from time to time with the pushes so far: as many looks without a new one as
        were named when this was made are quiet enough."""
        if self._has_grown():
            gc.collect()
            self._least = self._memory()
        if deliveries != self._deliveries:
            self._deliveries, self._looks = deliveries, 0
        elif self._looks < self._quiet_looks and deliveries:
            self._looks += 1
            if self._looks >= self._quiet_looks:
                gc.collect()

    def _has_grown(self) -> bool:
        memory = self._memory()
        self._least = min(self._least, memory)
        return memory - self._least > max(GROWTH, self._least // 4)


def resident_memory() -> int:
    """Bytes that the process has in memory; where the system does not tell, the most it had."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * getpagesize()
    return getrusage(RUSAGE_SELF).ru_maxrss  # bytes on macOS
