"""Whose code is hashed next, and when a wrong one is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from resolvers.access.clients import UnknownClient
from rules.refusals import Reason, Refusal
from server.auth import sign_in_queue, wrong_codes
from server.auth.sign_in_queue import HASHES_AT_ONCE, SignInQueue, halves_of
from server.auth.wrong_codes import FIRST_DELAY, LONGEST_DELAY, WrongCodes
from tests.support.signing_in import a_guess


class Guesser(UnknownClient):
    """A client of an address, who may leave."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.has_left = asyncio.Event()

    async def left(self) -> None:
        await self.has_left.wait()


@dataclass
class Desk:
    """A queue whose hashes end when the test says so."""

    hashed: list[str] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)
    right: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.queue = SignInQueue(self._hash)
        self._may_end = asyncio.Semaphore(0)

    async def _hash(self, code: str) -> bytes:
        self.hashed.append(code)
        await self._may_end.acquire()
        return code.encode()

    async def come(self, code: str, address: str) -> tuple[asyncio.Task[None], Guesser]:
        """Somebody tries a code; returns when they wait or are hashed."""
        guesser = Guesser(address)
        task = asyncio.create_task(self._try(code, guesser))
        self.tasks.append(task)
        for _ in range(5):
            await asyncio.sleep(0)
        return task, guesser

    async def _try(self, code: str, guesser: Guesser) -> None:
        async with self.queue.attempt(code, guesser) as attempt:
            if code not in self.right:
                await attempt.was_wrong()
                raise Refusal(Reason.INVALID_CODE, "wrong")

    async def hash_more(self, count: int) -> None:
        """Let so many hashes end, and those begin whose turn it is then."""
        for _ in range(count):
            self._may_end.release()
        for _ in range(10):
            await asyncio.sleep(0)

    async def close(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    yield desk
    await desk.close()


async def fill(desk: Desk, count: int, address: str = "crowd") -> list[str]:
    codes = [a_guess() for _ in range(count)]
    for code in codes:
        await desk.come(code, address)
    return codes


async def test_no_more_are_hashed_at_once_than_there_are_threads(desk: Desk) -> None:
    await fill(desk, 10)
    assert len(desk.hashed) == HASHES_AT_ONCE


async def test_who_comes_later_does_not_wait_for_what_others_piled_up(desk: Desk) -> None:
    await fill(desk, 100)
    code = a_guess()
    await desk.come(code, "elsewhere")
    await desk.hash_more(1)
    assert desk.hashed[-1] == code


async def test_addresses_take_turns(desk: Desk) -> None:
    await fill(desk, 2)
    for address in "abc":
        await fill(desk, 5, address)
    await desk.hash_more(3)
    seen = desk.hashed[HASHES_AT_ONCE:]
    assert len(seen) == 3
    waiting = desk.queue._waiting.of_address
    assert sorted(waiting[address] for address in "abc") in ([4, 4, 4], [3, 4, 5])


async def test_who_guessed_wrong_lately_waits_behind_who_did_not(desk: Desk) -> None:
    await fill(desk, 2, "guessing")
    await desk.hash_more(2)  # both wrong
    await fill(desk, 2, "busy")
    late = await fill(desk, 1, "guessing")
    early = await fill(desk, 1, "honest")
    await fill(desk, 1, "guessing")
    await desk.hash_more(1)
    assert desk.hashed[-1] == early[0]
    assert late[0] not in desk.hashed


async def test_a_code_guessed_around_is_tried_a_few_times_only_wherever_it_comes_from(
    desk: Desk,
) -> None:
    known = "0123456789"
    for place in range(20):
        await desk.come(f"{known}{place:03}", f"address {place}")
        await desk.hash_more(1)
    assert len(desk.hashed) == sign_in_queue.MOST_OF_HALF, "until those may be told"
    code = a_guess()
    await desk.come(code, "honest")
    assert desk.hashed[-1] == code, "others are not concerned"


async def test_who_does_not_wait_for_the_answer_guesses_no_more(desk: Desk) -> None:
    known = "0123456789"
    for place in range(20):
        _, guesser = await desk.come(f"{known}{place:03}", f"address {place}")
        await desk.hash_more(1)
        guesser.has_left.set()
        await asyncio.sleep(0)
    assert len(desk.hashed) == sign_in_queue.MOST_OF_HALF


async def test_nothing_is_hashed_for_who_left_while_waiting(desk: Desk) -> None:
    await fill(desk, 2)
    code = a_guess()
    task, guesser = await desk.come(code, "a")
    other = a_guess()
    cancelled, _ = await desk.come(other, "b")
    guesser.has_left.set()
    cancelled.cancel()
    await asyncio.wait([task, cancelled])
    assert desk.queue._waiting.count == 0
    await desk.hash_more(2)
    assert code not in desk.hashed
    assert other not in desk.hashed


async def test_where_no_room_is_left_it_is_told_at_once_for_how_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_queue, "MOST_WAITING", 5)
    await fill(desk, HASHES_AT_ONCE + 5)
    task, _ = await desk.come(a_guess(), "late")
    refusal = task.exception()
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TRY_AGAIN_LATER
    assert refusal.details["seconds"] >= 1


async def test_one_address_does_not_take_all_the_room(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_queue, "MOST_WAITING_OF_ADDRESS", 5)
    await fill(desk, HASHES_AT_ONCE + 5)
    refused, _ = await desk.come(a_guess(), "crowd")
    assert isinstance(refused.exception(), Refusal)
    waiting, _ = await desk.come(a_guess(), "elsewhere")
    assert not waiting.done()


async def test_who_guessed_wrong_gives_way_where_no_room_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(desk, 2, "guessing")
    await desk.hash_more(2)
    await fill(desk, HASHES_AT_ONCE, "busy")
    monkeypatch.setattr(sign_in_queue, "MOST_WAITING", 3)
    await fill(desk, 3, "guessing")
    guessing = desk.tasks[-3:]
    honest, _ = await desk.come(a_guess(), "honest")
    assert not honest.done()
    assert [task.done() for task in guessing].count(True) == 1


async def test_nobody_waits_for_ever(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_queue, "LONGEST_WAIT", 0.01)
    await fill(desk, HASHES_AT_ONCE)
    task, _ = await desk.come(a_guess(), "late")
    await asyncio.wait([task])
    refusal = task.exception()
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.TRY_AGAIN_LATER
    assert desk.queue._waiting.count == 0


async def test_what_is_kept_ends_with_the_attempts(desk: Desk) -> None:
    desk.right = {a_guess() for _ in range(20)}
    for place, code in enumerate(desk.right):
        await desk.come(code, f"address {place}")
    await desk.hash_more(20)
    await asyncio.gather(*desk.tasks)
    assert not desk.queue._under_way
    assert not desk.queue._waiting.of_address
    assert (desk.queue._waiting.count, desk.queue._hashing) == (0, 0)


# --- How late a wrong code is told -------------------------------------------------------------


def guess_wrong(wrong: WrongCodes, address: str, now: float, code: str | None = None) -> float:
    return wrong.note_wrong(address, halves_of(code or a_guess()), now)


def test_a_wrong_code_is_told_the_later_the_more_there_were() -> None:
    wrong = WrongCodes()
    delays = [guess_wrong(wrong, "a", 0) for _ in range(30)]
    assert delays[0] == FIRST_DELAY
    assert all(one < next_one or next_one == LONGEST_DELAY for one, next_one in pairwise(delays))
    assert delays[9] == LONGEST_DELAY
    assert guess_wrong(wrong, "b", 0) == FIRST_DELAY, "others are not concerned"


def test_it_is_forgotten_with_time() -> None:
    wrong = WrongCodes()
    for _ in range(30):
        guess_wrong(wrong, "a", 0)
    assert guess_wrong(wrong, "a", 3_600) == FIRST_DELAY


@pytest.mark.parametrize("known", [slice(0, 8), slice(5, 13)])
def test_guessing_around_a_card_is_slowed_wherever_it_comes_from(known: slice) -> None:
    wrong, card = WrongCodes(), a_guess()
    delays = []
    for place in range(10):
        code = list(a_guess())
        code[known] = card[known]
        delays.append(guess_wrong(wrong, f"address {place}", 0, "".join(code)))
    assert delays[-1] == LONGEST_DELAY


def test_a_hall_where_one_in_twenty_mistypes_is_not_slowed() -> None:
    wrong = WrongCodes()
    for person in range(500):  # within a minute, of one address
        now = person * 60 / 500
        if person % 20 == 0:
            assert guess_wrong(wrong, "hall", now) <= 2 * FIRST_DELAY
        wrong.note_right("hall", now)


def test_what_is_remembered_of_strangers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong_codes, "ADDRESSES", 100)
    monkeypatch.setattr(wrong_codes, "HALVES", 200)
    wrong = WrongCodes()
    for place in range(1_000):
        guess_wrong(wrong, f"address {place}", 0)
    assert len(wrong._of_address) <= 100
    assert len(wrong._of_half) <= 200
