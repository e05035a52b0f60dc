"""Python's garbage collector, kept from stopping everything while a thousand pages are waiting.

A full collection visits each object of each connection: with 1,000 of them it stops the event loop
for about a tenth of a second. What ends is freed by its count of references at once; the collector
is for cycles only, of which connections and pushes make none. So it looks at young objects seldom,
and at all of them when nothing has happened for a while.
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
