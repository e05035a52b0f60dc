"""Whose activation code is hashed next.

Argon2 is dear, and strangers ask for it. So they wait in a fair queue of bounded length: first who
guessed nothing wrong lately, and addresses in turn, those first that came last. What a crowd of
guessers has piled up so keeps nobody waiting who comes later. Nobody is locked out: a wrong code is
answered the later the more there were, a right one at once.
"""

import asyncio
import math
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Iterator
from contextlib import asynccontextmanager
from typing import Any

from resolvers.access.clients import Client
from rules.refusals import Reason, Refusal
from server.auth.wrong_codes import WrongCodes

RANKS = 4
HASHES_AT_ONCE = 2
SECONDS_OF_A_HASH = 0.03
"""Roughly, for what is told to those for whom there is no room."""

MOST_WAITING = 1_024
MOST_WAITING_OF_ADDRESS = 512
"""A hall is one address."""
LONGEST_WAIT = 10.0  # seconds

MOST_OF_ADDRESS = 200
MOST_OF_HALF = 4
"""Attempts under way: those that are hashed, and those that were wrong until that may be told,
whether or not somebody waits for it. It bounds the guesses of those who do not wait."""

OTHERS_EVERY = 4
"""Of so many turns one goes to who is last, and so is not passed over for ever."""


class Attempt:
    """One code that somebody tries, in its turn."""

    __slots__ = ("_client", "_queue", "address", "code_hash", "halves", "is_wrong", "rank", "turn")

    def __init__(self, queue: "SignInQueue", code: str, client: Client, rank: int) -> None:
        self.address = client.address
        self.halves = halves_of(code)
        self.rank = rank
        self.turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.code_hash = b""
        self.is_wrong = False
        self._client = client
        self._queue = queue

    async def was_wrong(self) -> None:
        """Returns when that may be told, or when nobody is there any more to be told."""
        delay = self._queue.note_wrong(self)
        await until(self._client.left(), delay)


class WaitingLines:
    """Attempts that wait, by rank and then by address. Within a rank addresses take turns, and who
    comes is next; so it is within an address."""

    def __init__(self) -> None:
        self.count = 0
        self.of_address: Counter[str] = Counter()
        self._lines: list[OrderedDict[str, deque[Attempt]]] = [OrderedDict() for _ in range(RANKS)]

    def add(self, attempt: Attempt) -> None:
        line = self._lines[attempt.rank]
        if attempt.address not in line:
            line[attempt.address] = deque()
            line.move_to_end(attempt.address, last=False)
        line[attempt.address].appendleft(attempt)
        self.count += 1
        self.of_address[attempt.address] += 1

    def remove(self, attempt: Attempt) -> None:
        line = self._lines[attempt.rank]
        line[attempt.address].remove(attempt)
        if line[attempt.address]:
            line.move_to_end(attempt.address)
        else:
            del line[attempt.address]
        self.count -= 1
        release(self.of_address, attempt.address)

    def in_order(self) -> Iterator[Attempt]:
        for line in self._lines:
            for of_address in line.values():
                yield from of_address

    def from_behind(self) -> Iterator[Attempt]:
        for line in reversed(self._lines):
            for of_address in reversed(line.values()):
                yield from reversed(of_address)

    def last_above(self, rank: int) -> Attempt | None:
        """The one to give way to somebody of this rank, if there is one of a higher rank."""
        last = next(self.from_behind(), None)
        return last if last is not None and last.rank > rank else None


class SignInQueue:
    """One for each process; what it knows of wrong codes is the process's own, too."""

    def __init__(self, hash_code: Callable[[str], Awaitable[bytes]]) -> None:
        self._hash_code = hash_code
        self._hashing = 0
        self._turns = 0
        self._waiting = WaitingLines()
        self._under_way: Counter[Hashable] = Counter()
        self._wrong = WrongCodes()

    @asynccontextmanager
    async def attempt(self, code: str, client: Client) -> AsyncIterator[Attempt]:
        """Wait for one's turn and hash the code, which has its normal form. Raises TRY_AGAIN_LATER
        at once where there is no room to wait, and when the wait was too long."""
        rank = self._wrong.rank(client.address, halves_of(code), _now())
        attempt = Attempt(self, code, client, rank)
        await self._wait(attempt, client)
        try:
            attempt.code_hash = await self._hash(code)
            yield attempt
            self._wrong.note_right(attempt.address, _now())
        finally:
            if not attempt.is_wrong:
                self._end(attempt)

    def note_wrong(self, attempt: Attempt) -> float:
        """Gives the seconds after which it may be told; it is under way until then."""
        attempt.is_wrong = True
        delay = self._wrong.note_wrong(attempt.address, attempt.halves, _now())
        asyncio.get_running_loop().call_later(delay, self._end, attempt)
        return delay

    async def _wait(self, attempt: Attempt, client: Client) -> None:
        self._make_room(attempt)
        self._waiting.add(attempt)
        self._begin_next()
        try:
            has_left = await until(client.left(), LONGEST_WAIT, attempt.turn)
            if has_left or not attempt.turn.done():
                raise try_again(LONGEST_WAIT)
            attempt.turn.result()
        except BaseException:
            self._withdraw(attempt)
            raise

    def _make_room(self, attempt: Attempt) -> None:
        """Raises TRY_AGAIN_LATER, or lets somebody give way who guessed wrong lately."""
        waiting = self._waiting
        is_full = waiting.count >= MOST_WAITING
        giving_way = waiting.last_above(attempt.rank) if is_full else None
        wait = waiting.count * SECONDS_OF_A_HASH / HASHES_AT_ONCE
        if giving_way is not None:
            waiting.remove(giving_way)
            giving_way.turn.set_exception(try_again(wait))
        elif is_full or waiting.of_address[attempt.address] >= MOST_WAITING_OF_ADDRESS:
            raise try_again(wait)

    def _withdraw(self, attempt: Attempt) -> None:
        """Who waits no longer is not hashed."""
        if not attempt.turn.done():
            attempt.turn.cancel()
            self._waiting.remove(attempt)
        elif attempt.turn.exception() is None:
            self._hashing -= 1
            self._end(attempt)

    def _begin_next(self) -> None:
        while self._hashing < HASHES_AT_ONCE:
            is_others_turn = self._turns % OTHERS_EVERY == OTHERS_EVERY - 1
            waiting = self._waiting.from_behind() if is_others_turn else self._waiting.in_order()
            attempt = next(filter(self._may_begin, waiting), None)
            if attempt is None:
                return
            self._waiting.remove(attempt)
            self._turns += 1
            self._hashing += 1
            self._under_way.update((attempt.address, *attempt.halves))
            attempt.turn.set_result(None)

    def _may_begin(self, attempt: Attempt) -> bool:
        under_way = self._under_way
        return under_way[attempt.address] < MOST_OF_ADDRESS and all(
            under_way[half] < MOST_OF_HALF for half in attempt.halves
        )

    async def _hash(self, code: str) -> bytes:
        hashing = asyncio.ensure_future(self._hash_code(code))
        hashing.add_done_callback(self._end_hashing)
        return await asyncio.shield(hashing)  # a thread goes on, whoever leaves

    def _end_hashing(self, hashing: asyncio.Future[bytes]) -> None:
        self._hashing -= 1
        self._begin_next()

    def _end(self, attempt: Attempt) -> None:
        for key in (attempt.address, *attempt.halves):
            release(self._under_way, key)
        self._begin_next()


def halves_of(code: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """What is common to codes that are guessed around a card of which a part is known."""
    return ("begins", code[:6]), ("ends", code[-6:])


def release(counts: Counter[Any], key: Hashable) -> None:
    """One less, and nothing kept of none."""
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def try_again(seconds: float) -> Refusal:
    wait = max(1, math.ceil(seconds))
    message = f"Too many are signing in at once; try again in {wait} seconds."
    return Refusal(Reason.TRY_AGAIN_LATER, message, seconds=wait)


async def until(
    left: Awaitable[object], seconds: float, turn: asyncio.Future[None] | None = None
) -> bool:
    """Returns when the time is over, its turn has come, or the client has left: then True."""
    leaving = asyncio.ensure_future(left)
    try:
        awaited: list[asyncio.Future[Any]] = [leaving] if turn is None else [leaving, turn]
        await asyncio.wait(awaited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        return leaving.done()
    finally:
        leaving.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
