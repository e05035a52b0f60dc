"""Members sign in while others guess codes, all on a real server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from models.database import Database
from tests.support.city_server import PRODUCTION, city_server, in_a_thread
from tests.support.factories import City, give_card
from tests.support.server_process import ServerProcess
from tests.support.signing_in import Guest, a_guess, guess_until

GUESSERS = 100
MEMBERS = 15
WITHIN = 0.3  # seconds, for half of the members

CODES: list[str] = []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """In production mode, with `CODES` to be used once each."""
    folder = tmp_path_factory.mktemp("server")
    with city_server(folder, **PRODUCTION) as (server, city):
        CODES[:] = in_a_thread(cards(city, folder))
        yield server
        assert server.errors() == ""


async def cards(city: City, folder: Path) -> list[str]:
    city.scene.database = Database(f"sqlite+aiosqlite:///{folder}/meetings.db")
    try:
        return [await give_card(city.an) for _ in range(3 * (MEMBERS + 1) + 1)]
    finally:
        await city.scene.database.dispose()


async def sign_in_members(port: int, addresses: list[str]) -> list[float]:
    """One after the other, each over a connection of their own; gives how long it took, in
    seconds."""
    waits = []
    for address in addresses:
        begun = time.perf_counter()
        async with Guest(port, address) as guest:
            assert await guest.sign_in(CODES.pop()) == "SignedIn"
        waits.append(time.perf_counter() - begun)
    return waits


@pytest.mark.parametrize(
    ("guessers", "members"),
    [
        ([f"127.0.1.{n}" for n in range(1, GUESSERS + 1)], "127.0.2.{}"),
        (["127.0.4.1"] * GUESSERS, "127.0.5.{}"),
        (["127.0.6.1"] * GUESSERS, "127.0.6.1"),
    ],
    ids=["each from an address", "all from one address", "from the members' address"],
)
async def test_members_are_signed_in_while_a_hundred_guess(
    server: ServerProcess, guessers: list[str], members: str
) -> None:
    """On a busy machine a hash alone takes longer: then ten times that is allowed."""
    (alone,) = await sign_in_members(server.port, ["127.0.7.1"])
    stop = asyncio.Event()
    attack = [asyncio.create_task(guess_until(stop, server.port, one)) for one in guessers]
    try:
        addresses = [members.format(place) for place in range(1, MEMBERS + 1)]
        waits = await sign_in_members(server.port, addresses)
    finally:
        stop.set()
        await asyncio.gather(*attack)
    assert median(waits) < max(WITHIN, 10 * alone), sorted(waits)


async def test_a_wrong_code_is_told_later_each_time(server: ServerProcess) -> None:
    waits = []
    async with Guest(server.port, "127.0.8.1") as guest:
        for _ in range(4):
            begun = time.perf_counter()
            assert await guest.sign_in(a_guess()) == "INVALID_CODE"
            waits.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        assert await guest.sign_in(CODES.pop()) == "SignedIn"
    assert waits == sorted(waits)
    assert waits[-1] > 1.9
    assert time.perf_counter() - begun < waits[-1], "and a right one at once"
