"""Python's garbage collector, kept from stopping everything while a thousand pages are waiting.

A full collection visits each object of each connection: with 1,000 of them it stops the event loop
for about a tenth of a second. What ends is freed by its count of references at once; the collector
is for cycles only, of which connections, pushes and ballots make none. So it looks at young objects
seldom, and at all of them when nothing has happened for a while.
"""

import gc

YOUNG = 20_000
"""Objects made, less those freed, between two looks at the youngest."""

OFTEN_ENOUGH = 50
"""Looks at one generation between two looks at the next older one."""


def spare_the_collector() -> None:
    """Call it when the process has started: what exists by then stays for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OFTEN_ENOUGH, OFTEN_ENOUGH * 100)


class Collector:
    """Looks for cycles among all objects once after each time of work, when nobody is waiting."""

    def __init__(self, quiet_looks: float) -> None:
        self._quiet_looks = quiet_looks
        self._deliveries = self._looks = 0

    def look(self, deliveries: int) -> None:
        """Call it from time to time with the pushes so far: as many looks without a new one as
        were named when this was made are quiet enough."""
        if deliveries != self._deliveries:
            self._deliveries, self._looks = deliveries, 0
        elif self._looks < self._quiet_looks and deliveries:
            self._looks += 1
            if self._looks >= self._quiet_looks:
                gc.collect()
