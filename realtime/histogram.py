"""How often a figure lay in which range, in plain integers: adding one costs next to nothing."""

from bisect import bisect_left
from collections.abc import Sequence


class Histogram:
    """Counts of values up to each of the bounds, which rise, and beyond the last."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value
