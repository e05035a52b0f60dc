"""How much of the process's time one member's own groups may take."""

from collections.abc import Hashable

COST_A_SECOND = 20_000.0
"""Fields of one member's own groups: each takes some five microseconds, so a tenth of the time."""

AHEAD = 0.05
"""Seconds' worth that may be taken at one moment."""

LEAST = 100
"""What a group costs at least, whatever it selects."""

KEPT = 10_000


class Shares:
    """Fair queueing: whoever has taken their share waits until it is theirs again, and the first
    execution after a rest never waits. Groups of several members are nobody's own."""

    def __init__(self) -> None:
        self._taken_until: dict[Hashable, float] = {}

    def take(self, owner: Hashable, cost: float, now: float) -> float:
        """Note an execution of the owner's; gives the seconds that it has to wait."""
        if len(self._taken_until) >= KEPT:
            self._forget(now)
        begin = max(now, self._taken_until.get(owner, now))
        self._taken_until[owner] = begin + (LEAST + cost) / COST_A_SECOND
        return max(0.0, begin - now - AHEAD)

    def _forget(self, now: float) -> None:
        self._taken_until = {one: until for one, until in self._taken_until.items() if until > now}
