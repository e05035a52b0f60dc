"""What strangers and members can have the server spend: CPU for a document, memory for many."""

import asyncio
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from pathlib import Path
from uuid import uuid4

from benchmarks._attack_stage import Stage
from benchmarks._attack_tools import connected, doubling, socket
from benchmarks._fanout_process import cpu_of

CPU_BAR = 50.0  # milliseconds
MEMORY_BAR = 50.0  # MB
LARGEST = 64_000  # characters of a document, as of a frame
REPEATED = 5
DOCUMENTS = 2000
PATIENCE = 10.0  # seconds, for one answer
WITHIN = 40.0  # seconds, for sending them all; an allowance may let fewer through

TYPES = "{__schema{types{name fields{name type{name ofType{name ofType{name}}}}}}}"


def mesh(layers: int, width: int) -> str:
    """Each fragment of a layer spreads all of the next."""
    names = [[f"L{layer}_{n}" for n in range(width)] for layer in range(layers)]
    parts = [
        f"fragment {name} on Viewer{{__typename {' '.join(f'...{n}' for n in below)}}}"
        for layer, below in zip(names, [*names[1:], []], strict=True)
        for name in layer
    ]
    return "{viewer{...L0_0}}" + "".join(parts)


def nested_lists(depth: int) -> str:
    return "query($a:[ID!]){viewer{__typename @skip(if:" + "[" * depth + "]" * depth + ")}}"


HOSTILE: dict[str, str] = {
    "60 doubling fragments": doubling(60),
    "600 doubling fragments": doubling(600),
    "a mesh of 12 × 12 fragments": mesh(12, 12),
    "a ring of fragments": "{viewer{...A}} fragment A on Viewer{...B} fragment B on Viewer{...A}",
    "240 × member{id}": "{viewer{" + "member{id}" * 240 + "}}",
    "6,000 × member{id}": "{viewer{" + "member{id}" * 6_000 + "}}",
    "940 × __typename": "{" + "__typename " * 940 + "}",
    "5,000 aliases": "{" + "".join(f"a{n}:__typename " for n in range(5_000)) + "}",
    "15 × introspection": "{" + "".join(f"a{n}:" + TYPES[1:-1] + " " for n in range(15)) + "}",
    "4,000 directives": "{__typename" + "@skip(if:false)" * 4_000 + "}",
    "4,000 inline fragments": "{viewer{" + "...{__typename}" * 4_000 + "}}",
    "2,000 nested inline fragments": "{viewer{" + "...{" * 2_000 + "__typename" + "}" * 2_002,
    "10,000 nested lists": nested_lists(10_000),
    "3,000 variables": "query(" + "".join(f"$v{n}:ID " for n in range(3_000)) + "){__typename}",
    "2,500 operations": "".join(f"query q{n}{{__typename}}" for n in range(2_500)),
    "3,000 unknown fields": "{" + "".join(f"f{n} " for n in range(3_000)) + "}",
    "a long name": "{" + "n" * 60_000 + "}",
    "60,000 commas": "{__typename" + "," * 60_000 + "}",
    "a long string": '{meeting(id:"' + "x" * 60_000 + '"){id}}',
}


def cpu(stage: Stage) -> bool:
    """Print what each document costs when a member sends it."""
    worst = max(
        asyncio.run(_cpu_of(stage, name, query[:LARGEST])) for name, query in HOSTILE.items()
    )
    print(f"CPU of the worst hostile document: {worst:.0f} ms (bar: < {CPU_BAR:.0f})")
    return worst < CPU_BAR


async def _cpu_of(stage: Stage, name: str, query: str) -> float:
    """The median of several, in milliseconds; each differs in a comment, so that none is known."""
    spent = []
    for number in range(REPEATED):
        before, is_answered = _cpu(stage), False
        with suppress(OSError, EOFError):
            async with asyncio.timeout(PATIENCE), connected(stage.target) as connection:
                token = stage.target.members[number]
                is_answered = bool(await connection.post(f"{query}#{uuid4()}", token))
        spent.append((_cpu(stage) - before) * 1000 if is_answered else inf)
    print(f"  CPU of {name:<32} {statistics.median(spent):>6.1f} ms")
    return statistics.median(spent)


def _cpu(stage: Stage) -> float:
    return sum(map(cpu_of, stage.workers()))


def memory(stage: Stage) -> bool:
    """Print what new documents and junk in subscriptions leave behind."""
    growths = [
        asyncio.run(_growth(stage, "new documents", _send_document)),
        asyncio.run(_growth(stage, "subscriptions with junk", _subscribe)),
    ]
    print(f"memory that grew: {max(growths):.0f} MB (bar: < {MEMORY_BAR:.0f})")
    return max(growths) < MEMORY_BAR


async def _growth(stage: Stage, what: str, send: Callable[..., object]) -> float:
    """MB that the worst worker grew by while so many were sent, after as many as warm it up."""
    await _send_all(stage, DOCUMENTS // 10, send)
    before = {worker: _memory(worker) for worker in stage.workers()}
    sent = await _send_all(stage, DOCUMENTS, send)
    await asyncio.sleep(2)
    growth = max(_memory(worker) - before.get(worker, 0.0) for worker in stage.workers())
    print(f"  {sent} {what}: {growth:+.1f} MB in the worker that grew most")
    return growth


async def _send_all(stage: Stage, number: int, send: Callable[..., object]) -> int:
    until, sent, members = time.monotonic() + WITHIN, 0, stage.target.members
    while sent < number and time.monotonic() < until:
        batch = [send(stage, members[n % len(members)]) for n in range(20)]
        done = await asyncio.gather(*batch, return_exceptions=True)  # type: ignore[call-overload]
        sent += sum(isinstance(one, int) and one for one in done)
    return sent


async def _send_document(stage: Stage, token: str) -> int:
    fields = "member{id} " * 200
    async with asyncio.timeout(PATIENCE), connected(stage.target) as connection:
        for _ in range(2):
            await connection.post(f"{{viewer{{x{uuid4().hex}:__typename {fields}}}}}", token)
    return 2


async def _subscribe(stage: Stage, token: str) -> int:
    query = "subscription ($id: ID!) { meeting(id: $id) { version } }"
    async with asyncio.timeout(PATIENCE), socket(stage.target, token) as connection:
        for number in range(5):
            variables = {"id": stage.target.meeting, "junk": uuid4().hex * 1500}
            payload = {"query": query, "variables": variables}
            await connection.tell(id=str(number), type="subscribe", payload=payload)
        await asyncio.sleep(0.1)
    return 5


def _memory(pid: int) -> float:
    """MB of resident memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


COSTS: dict[str, Callable[[Stage], bool]] = {"cpu": cpu, "memory": memory}
