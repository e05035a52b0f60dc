"""Faults, each at a moment drawn from the seed, each undone after a while drawn from the seed."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import cycle
from random import Random

from benchmarks._fault_stage import Stage
from benchmarks._history import History

LONGEST_AWAY = 0.6  # seconds for which something is gone, stands still or is cut off


class Fault(Enum):
    WORKER_KILLED = "worker killed"
    DATABASE_KILLED = "database killed"
    BROKER_KILLED = "broker killed"
    WORKER_PAUSED = "worker paused"
    BROKER_PARTITIONED = "broker partitioned"


@dataclass(frozen=True)
class Strike:
    """One fault in one round; times in seconds, `at` from the round's beginning."""

    fault: Fault
    at: float
    away: float
    worker: int
    drops: bool
    """Whether what was cut off loses its connections."""


def draw_faults(faults: Iterable[Fault], random: Random) -> Iterator[list[Fault]]:
    """For each round one or two kinds. Each kind comes in its turn, in an order of the seed's."""
    kinds = list(faults)
    random.shuffle(kinds)
    for kind in cycle(kinds) if kinds else iter(()):
        others = [other for other in kinds if other is not kind]
        yield [kind, *(random.sample(others, 1) if others and random.random() < 0.4 else [])]
    while True:
        yield []


def draw_strike(fault: Fault, length: float, random: Random) -> Strike:
    """`length` is how long the round's voters are at it."""
    return Strike(
        fault,
        at=random.uniform(0.1, 1.0) * length,
        away=random.uniform(0.05, LONGEST_AWAY),
        worker=random.randrange(2),
        drops=random.random() < 0.5,
    )


async def inject(strike: Strike, stage: Stage, history: History) -> None:
    """Wait for the moment, let it happen, and undo it."""
    await asyncio.sleep(strike.at)
    history.faults.append((time.monotonic(), strike.fault.value))
    await _STRIKES[strike.fault](strike, stage)


async def _kill_worker(strike: Strike, stage: Stage) -> None:
    worker = stage.workers[strike.worker]
    worker.kill()
    await asyncio.sleep(strike.away)
    worker.start()


async def _pause_worker(strike: Strike, stage: Stage) -> None:
    worker = stage.workers[strike.worker]
    worker.tell(signal.SIGSTOP)
    await asyncio.sleep(strike.away)
    worker.tell(signal.SIGCONT)


async def _kill_database(strike: Strike, stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(stage.servers, stage.postgresql.kill)
    await asyncio.sleep(strike.away)
    await loop.run_in_executor(stage.servers, stage.postgresql.start)


async def _kill_broker(strike: Strike, stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(stage.servers, stage.valkey.kill)
    await asyncio.sleep(strike.away)
    await loop.run_in_executor(stage.servers, stage.valkey.start)


async def _partition_broker(strike: Strike, stage: Stage) -> None:
    proxy = stage.proxies[strike.worker]
    proxy.cut()
    await asyncio.sleep(strike.away)
    proxy.heal(drop=strike.drops)


_STRIKES: dict[Fault, Callable[[Strike, Stage], Awaitable[None]]] = {
    Fault.WORKER_KILLED: _kill_worker,
    Fault.DATABASE_KILLED: _kill_database,
    Fault.BROKER_KILLED: _kill_broker,
    Fault.WORKER_PAUSED: _pause_worker,
    Fault.BROKER_PARTITIONED: _partition_broker,
}
