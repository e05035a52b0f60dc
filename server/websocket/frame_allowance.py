"""How many frames one connection may send: counted in the bytes as they come, before any parser.

A parser takes some microseconds for a frame, and an empty one has six bytes: whoever sends nothing
else keeps a whole processor busy. Control frames and fragments count like any other.
"""

from rules.rate_limit import Buckets, Rate, TokenBucket

OF_A_CONNECTION = Rate(rate=100, size=300)
"""Frames. A page sends 20 messages a second at most (`protocol.py`), and a pong now and then."""

READ = 0.25
"""Of a frame: the least that a read costs, so that single bytes are no way round this."""

OF_STRANGERS = Rate(rate=300, size=3000)
"""Frames of all connections of one address that are not introduced yet, but for `INTRODUCTION`."""

INTRODUCTION = 4.0
"""Frames, each of up to a KB, that a connection needs for introducing itself. They are free, or one
stranger in a hall, which has one address, would keep all others out."""

A_FRAME = 1024
"""Bytes of a stranger's that count as one more frame."""


class FrameAllowance:
    """Of one connection, from an address whose `strangers` share a bucket."""

    __slots__ = ("_bucket", "_free", "_head", "_rest", "_strangers", "address")

    def __init__(self, address: str, strangers: Buckets, now: float) -> None:
        self.address = address
        self._bucket = TokenBucket(OF_A_CONNECTION, now)
        self._strangers: Buckets | None = strangers
        self._free = INTRODUCTION
        self._rest = 0
        """Bytes of the last frame's payload that are still to come."""
        self._head = b""
        """The beginning of a frame, where not enough of it came to know its length."""

    def introduce(self) -> None:
        """Who it is is known: from now on it counts for itself alone."""
        self._strangers = None

    @property
    def is_between_frames(self) -> bool:
        return not self._rest and not self._head

    def take_pong(self, now: float) -> bool:
        """Count one frame that came alone, and whole."""
        return self._bucket.take(now) and self._is_taken_for_strangers(now, 1)

    def take(self, data: bytes, now: float) -> bool:
        """Count what came. False when it is more than is allowed: then nobody counts any more."""
        frames = max(READ, self._count(data))
        if not self._bucket.take(now, frames):
            return False
        return self._is_taken_for_strangers(now, frames + len(data) / A_FRAME)

    def _is_taken_for_strangers(self, now: float, frames: float) -> bool:
        if self._strangers is None:
            return True
        paid = max(0.0, frames - self._free)
        self._free = max(0.0, self._free - frames)
        return not paid or self._strangers.take(self.address, now, paid)

    def _count(self, data: bytes) -> int:
        """Frames that begin in what came (RFC 6455, 5.2), but no more than are ever allowed."""
        if self._head:
            data = self._head + data
            self._head = b""
        at, size, frames = self._rest, len(data), 0
        while at < size and frames <= OF_A_CONNECTION.size:
            end = end_of_frame(data, at)
            if end is None:
                self._head = data[at:]
                at = size
                break
            frames += 1
            at = end
        self._rest = at - size
        return frames


def end_of_frame(data: bytes, at: int) -> int | None:
    """Where a client's frame that begins there ends; None if too little came to know it."""
    if at + 2 > len(data):
        return None
    length, start = data[at + 1] & 127, at + 2
    if length >= 126:
        extended = 2 if length == 126 else 8
        if start + extended > len(data):
            return None
        length = int.from_bytes(data[start : start + extended], "big")
        start += extended
    return start + 4 + length  # four bytes of mask
