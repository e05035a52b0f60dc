"""Rate limits: token buckets, one or one for each key.

A bucket holds up to `size` tokens and gains `rate` of them a second. Whoever acts takes some, and
is refused when there are too few. Time is an argument, in seconds of any clock that never goes
back.
"""

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """`rate` tokens a second, and up to `size` at once after a quiet time."""

    rate: float
    size: float


class TokenBucket:
    """One bucket, which begins full."""

    __slots__ = ("_at", "_limit", "_tokens")

    def __init__(self, limit: Rate, now: float) -> None:
        self._limit = limit
        self._tokens = limit.size
        self._at = now

    def take(self, now: float, tokens: float = 1.0) -> bool:
        """Take so many tokens. False, and none is taken, when there are too few."""
        self._fill(now)
        if self._tokens < tokens:
            return False
        self._tokens -= tokens
        return True

    def spend(self, now: float, tokens: float) -> bool:
        """Take tokens for what has already happened: they are gone even if there were too few,
        which is told by False. The debt, no more than `size`, is paid off before others are
        taken."""
        self._fill(now)
        self._tokens = max(-self._limit.size, self._tokens - tokens)
        return self._tokens >= 0

    def wait(self, now: float, tokens: float = 1.0) -> float:
        """Seconds until so many can be taken, 0 when they can be taken now."""
        self._fill(now)
        return max(0.0, (min(tokens, self._limit.size) - self._tokens) / self._limit.rate)

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self._tokens >= self._limit.size

    def _fill(self, now: float) -> None:
        gained = (now - self._at) * self._limit.rate
        self._tokens = min(self._limit.size, self._tokens + gained)
        self._at = now


class Buckets:
    """A bucket for each key, of at most so many keys.

    A bucket that is full again says nothing more than one that never was, and is forgotten. Where
    all are in use, the one longest unused is: who comes with a new key each time is stopped by a
    limit for all of them together, not by this one.
    """

    def __init__(self, limit: Rate, most: int) -> None:
        self.limit = limit
        self._most = most
        self._buckets: dict[Hashable, TokenBucket] = {}
        """In the order of their last use."""

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Hashable, now: float, tokens: float = 1.0) -> bool:
        """Take so many of the key's tokens. False, and none is taken, when there are too few."""
        return self._of(key, now).take(now, tokens)

    def spend(self, key: Hashable, now: float, tokens: float) -> bool:
        """Take tokens for what has already happened; False when there were too few."""
        return self._of(key, now).spend(now, tokens)

    def wait(self, key: Hashable, now: float, tokens: float = 1.0) -> float:
        """Seconds until so many of the key's tokens can be taken, 0 when they can be now."""
        bucket = self._buckets.get(key)
        return bucket.wait(now, tokens) if bucket else 0.0

    def _of(self, key: Hashable, now: float) -> TokenBucket:
        bucket = self._buckets.pop(key, None)
        if bucket is None:
            bucket = TokenBucket(self.limit, now)
            self._make_room(now)
        self._buckets[key] = bucket
        return bucket

    def _make_room(self, now: float) -> None:
        """Forget up to two that are not needed, so that who adds one at a time never waits."""
        for _ in range(2):
            oldest = next(iter(self._buckets), None)
            if oldest is None or not (
                self._buckets[oldest].is_full(now) or len(self._buckets) >= self._most
            ):
                return
            del self._buckets[oldest]
