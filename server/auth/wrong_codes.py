"""How many wrong codes there were lately: the more, the later are answers and turns."""

from collections.abc import Hashable

from rules.rate_limit import Buckets, Rate

OF_ADDRESS = Rate(1 / 30, 10)
OF_HALF = Rate(1 / 60, 10)
"""Wrong codes a second that are forgiven, and half of those that are counted at most."""
ADDRESSES, HALVES = 10_000, 20_000
"""That are remembered."""

FIRST_DELAY = 0.25
LONGEST_DELAY = 10.0
"""Seconds. The web client waits 15 for an answer."""


class WrongCodes:
    """Counts them by the address that they came from, and by each half of the code: whoever knows
    a part of a card guesses around it, from wherever.

    A right code makes up for a wrong one of its address: in a hall, which is one address, many
    mistype, and many more do not.
    """

    def __init__(self) -> None:
        self._of_address = Buckets(OF_ADDRESS, ADDRESSES)
        self._of_half = Buckets(OF_HALF, HALVES)

    def note_wrong(self, address: str, halves: tuple[Hashable, ...], now: float) -> float:
        """Gives the seconds after which it may be told: twice as many with each one more."""
        self._of_address.spend(address, now, 1)
        for half in halves:
            self._of_half.spend(half, now, 1)
        count = max(self._count(address, now), *(self._count_of_half(half, now) for half in halves))
        return min(LONGEST_DELAY, FIRST_DELAY * 2 ** (count - 1))

    def note_right(self, address: str, now: float) -> None:
        self._of_address.spend(address, now, -1)

    def rank(self, address: str, halves: tuple[Hashable, ...], now: float) -> int:
        """Whose turn it is first: 0 where nothing was wrong lately, 1 where the address was, 2
        where a half was (the card's owner, too, while others guess around it), 3 for both."""
        is_guessed_at = any(self._count_of_half(half, now) > 0 for half in halves)
        return 2 * is_guessed_at + (self._count(address, now) > 0)

    def _count(self, address: str, now: float) -> float:
        return self._of_address.wait(address, now, OF_ADDRESS.size) * OF_ADDRESS.rate

    def _count_of_half(self, half: Hashable, now: float) -> float:
        return self._of_half.wait(half, now, OF_HALF.size) * OF_HALF.rate
