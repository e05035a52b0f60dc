"""How long honest members wait to be signed in while others guess codes.

    python -m benchmarks.sign_in

A real server in production mode on SQLite; guessers and members are on this machine, too, each with
an address of the loopback network. Prints, for each attack, the members' waiting and how many
guesses the server hashed a second.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median, quantiles

from models.database import Database
from tests.support.city_server import PRODUCTION, city_server, in_a_thread
from tests.support.factories import City, give_card
from tests.support.signing_in import Guest, a_guess, guess_until

SECONDS = 12.0
MEMBERS = 40
GUESSERS = 100
HALL = 500

Guessing = Callable[[asyncio.Event, int, str], Awaitable[int]]


async def cards(city: City, url: str, count: int) -> list[str]:
    """Fresh codes, all of one member."""
    city.scene.database = Database(url)
    try:
        return [await give_card(city.an) for _ in range(count)]
    finally:
        await city.scene.database.dispose()


async def sign_in(port: int, address: str, code: str) -> None:
    """As the web client does: try again when told to."""
    async with Guest(port, address) as guest:
        answer = await guest.sign_in(code)
    if answer == "TRY_AGAIN_LATER":
        await asyncio.sleep(guest.details["seconds"])
        await sign_in(port, address, code)
    else:
        assert answer == "SignedIn", answer


async def honest(port: int, codes: list[str], addresses: list[str], seconds: float) -> list[float]:
    """Sign in with each code, evenly over the time; gives how long each took, in milliseconds."""

    async def one(place: int, code: str) -> float:
        await asyncio.sleep(place * seconds / len(codes))
        begun = time.perf_counter()
        await sign_in(port, addresses[place % len(addresses)], code)
        return 1_000 * (time.perf_counter() - begun)

    return await asyncio.gather(*(one(place, code) for place, code in enumerate(codes)))


async def impatient(stop: asyncio.Event, port: int, address: str) -> int:
    """Guess, and ask anew over another connection without waiting for the answer."""
    count = 0
    while not stop.is_set():
        async with Guest(port, address) as guest:
            guest.send(a_guess())
            await asyncio.sleep(0.3)
        count += 1
    return count


async def under_attack(
    name: str,
    port: int,
    codes: list[str],
    members: list[str],
    guessers: list[str],
    guess: Guessing,
) -> None:
    stop = asyncio.Event()
    attack = [asyncio.ensure_future(guess(stop, port, address)) for address in guessers]
    await asyncio.sleep(2)
    waits = await honest(port, codes, members, SECONDS)
    stop.set()
    guesses = sum(await asyncio.gather(*attack))
    tell(name, waits, guesses / (SECONDS + 2))


def tell(name: str, waits: list[float], guesses_a_second: float) -> None:
    p90 = quantiles(waits, n=10)[-1]
    figures = f"{median(waits):8.0f} {p90:8.0f} {max(waits):8.0f} {guesses_a_second:10.1f}"
    print(f"{name:48} {figures}", flush=True)


def main() -> None:
    many = [f"127.0.1.{n}" for n in range(1, GUESSERS + 1)]
    few = [f"127.0.2.{n}" for n in range(1, MEMBERS + 1)]
    hall = ["127.0.3.1"]
    attacks: list[tuple[str, list[str], list[str], Guessing]] = [
        ("nobody guesses", few, [], guess_until),
        ("100 guess, each from an address", few, many, guess_until),
        ("100 guess from one address, members elsewhere", few, ["127.0.4.1"] * 100, guess_until),
        ("100 guess from the members' own address", hall, hall * 100, guess_until),
        ("100 more, who do not wait for answers", hall, hall * 100, impatient),
    ]
    print(f"{'':48} {'p50 ms':>8} {'p90 ms':>8} {'max ms':>8} {'guesses/s':>10}")
    for name, members, guessers, guess in attacks:
        with (
            tempfile.TemporaryDirectory() as folder,
            city_server(Path(folder), **PRODUCTION) as (server, city),
        ):
            url = f"sqlite+aiosqlite:///{folder}/meetings.db"
            codes = in_a_thread(cards(city, url, MEMBERS))
            asyncio.run(under_attack(name, server.port, codes, members, guessers, guess))
            if not guessers:
                codes = in_a_thread(cards(city, url, HALL))
                waits = asyncio.run(honest(server.port, codes, hall, 60))
                tell("500 members of one hall, within a minute", waits, 0)


if __name__ == "__main__":
    main()
