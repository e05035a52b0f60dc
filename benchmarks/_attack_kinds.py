"""The attacks, each ten lines: what somebody does as fast as they can until they are killed.

python -m benchmarks._attack_kinds NAME < target.json
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks._attack_stage import Target
from benchmarks._attack_tools import (
    connected,
    doubling,
    frame,
    keep_asking,
    many,
    socket,
)

Run = Callable[[Target], Coroutine[Any, Any, None]]

PING = 9
EVERYTHING = """{ id version state title votes { id version state question options { id label }
  tally { cast options { optionId count } } } turnout { summoned present } agenda { id title } }"""


@dataclass(frozen=True)
class Attack:
    by: str
    what: str
    run: Callable[[Target], Coroutine[Any, Any, None]]


ATTACKS: dict[str, Attack] = {}


def attack(by: str, what: str) -> Callable[..., Callable[[Target], Coroutine[Any, Any, None]]]:
    def register(
        run: Callable[[Target], Coroutine[Any, Any, None]],
    ) -> Callable[[Target], Coroutine[Any, Any, None]]:
        ATTACKS[run.__name__] = Attack(by, what, run)
        return run

    return register


@attack("nobody", "2 sockets of pings")
async def pings(target: Target) -> None:
    flood = frame(b"", PING) * 4096

    async def send(_: int) -> None:
        async with socket(target) as connection:
            while True:
                await connection.send(flood)

    await many(2, send)


@attack("nobody", "2 sockets of empty messages in parts")
async def parts(target: Target) -> None:
    flood = b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 8192

    async def send(_: int) -> None:
        async with socket(target) as connection:
            while True:
                await connection.send(flood)

    await many(2, send)


@attack("nobody", "2 connections, 21 doubling fragments")
async def doublings(target: Target) -> None:
    await keep_asking(target, 2, lambda number: doubling(21, number))


@attack("one member", "2 connections, 21 doubling fragments")
async def doublings_of_a_member(target: Target) -> None:
    await keep_asking(target, 2, lambda number: doubling(21, number), target.members[0])


@attack("nobody", "4 connections, 2.7 KB documents never seen before")
async def new_documents(target: Target) -> None:
    fields = "".join(f" a{n}:__typename" for n in range(150))
    await keep_asking(target, 4, lambda number: f"{{x{number}:__typename{fields}}}")


@attack("one member", "4 connections, 2.7 KB documents never seen before")
async def new_documents_of_a_member(target: Target) -> None:
    fields = "member{id}" * 200
    await keep_asking(
        target, 4, lambda number: f"{{viewer{{x{number}:__typename {fields}}}}}", target.members[0]
    )


@attack("nobody", "50 connections guessing codes")
async def codes(target: Target) -> None:
    await keep_asking(target, 50, lambda n: f'mutation {{signIn(code: "{n:013}") {{__typename}}}}')


@attack("nobody", "20 connections on /healthz")
async def health(target: Target) -> None:
    async def ask(_: int) -> None:
        async with connected(target) as connection:
            while True:
                await connection.ask("GET", "/healthz")

    await many(20, ask)


@attack("nobody", "200 connections that come and go")
async def comers(target: Target) -> None:
    async def come(_: int) -> None:
        async with socket(target):
            pass

    await many(200, come)


@attack("one member", "20 sockets × 20 different subscriptions")
async def subscriptions(target: Target) -> None:
    async def subscribe(which: int) -> None:
        async with socket(target, target.members[0]) as connection:
            for number in range(20):
                name = f"a{which}_{number}"
                query = f"subscription ($id: ID!) {{ {name}: meeting(id: $id) {EVERYTHING} }}"
                payload = {"query": query, "variables": {"id": target.meeting}}
                await connection.tell(id=str(number), type="subscribe", payload=payload)
            await asyncio.sleep(3600)

    await many(20, subscribe)


@attack("one member", "4 connections, 15 aliases of a meeting with everything")
async def aliases(target: Target) -> None:
    fields = " ".join(f"a{n}: meeting(id: $id) {EVERYTHING}" for n in range(15))
    query = f"query ($id: ID!) {{ {fields} }}"
    await keep_asking(target, 4, lambda _: query, target.members[0], id=target.meeting)


@attack("one member", "30 connections of checkIn")
async def check_ins(target: Target) -> None:
    query = "mutation ($id: ID!) { checkIn(meetingId: $id) { __typename } }"
    await keep_asking(target, 30, lambda _: query, target.members[0], id=target.meeting)


@attack("other branch", "30 connections of pauseMeeting, refused")
async def pauses(target: Target) -> None:
    query = "mutation ($id: ID!) { pauseMeeting(meetingId: $id) { __typename } }"
    await keep_asking(target, 30, lambda _: query, target.outsider, id=target.meeting)


@attack("other branch", "10 connections of closeVote, refused")
async def closings(target: Target) -> None:
    query = "mutation ($id: ID!) { closeVote(voteId: $id) { __typename } }"
    await keep_asking(target, 10, lambda _: query, target.outsider, id=target.open_vote)


if __name__ == "__main__":
    os.nice(10)  # an attacker has a machine of their own, and takes nothing of the server's
    asyncio.run(ATTACKS[sys.argv[1]].run(Target(**json.load(sys.stdin))))
