"""What honest people notice while somebody attacks: pushes and the chair's answers.

    python -m benchmarks.attacks [--only pings,codes] [--seconds 8] [--tries 3]

Runs two workers in production mode with PostgreSQL and Valkey. Eight members watch a meeting whose
chair changes something twice a second; first undisturbed, and right after that under the attack,
which comes from a process and an address of its own. Each figure is set against the undisturbed
one. Then what one hostile document costs, and what memory new ones take. Exits 1 if a bar is missed
at each of the tries.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from math import inf

from benchmarks._attack_costs import COSTS
from benchmarks._attack_kinds import ATTACKS
from benchmarks._attack_stage import Stage, Target, staged
from benchmarks._attack_watch import Figures, audience
from tests.support.processes import die_with_parent

BAR = 2.0
UNDER_WAY_AFTER = 1.0  # seconds
NOTICED = ("push p50, ms", "push p99", "chair p50", "chair p99")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--tries", type=int, default=3)
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else [*ATTACKS, *COSTS]
    with staged() as stage:
        print(row("by", "attack", NOTICED))
        missed = [
            name
            for name in wanted
            if name in ATTACKS and not holds(stage, name, options.seconds, options.tries)
        ]
        for name in wanted:
            if name in COSTS and not COSTS[name](stage):
                missed.append(name)
        if missed:
            print(stage.server.errors()[-2000:])
    print(f"missed: {', '.join(missed)}" if missed else "every bar holds")
    sys.exit(bool(missed))


def holds(stage: Stage, name: str, seconds: float, tries: int) -> bool:
    """Whether the medians are below the bar, nothing was lost and no worker ended, at one of the
    tries: a busy machine slows one minute down, an attack that works each of them.

    The slowest of some hundred pushes is told only; it is as often the machine's as the attack's.
    """
    for _ in range(tries):
        workers = stage.workers()
        base, attacked = asyncio.run(compare(stage.target, name, seconds))
        print_row(name, base, attacked)
        ratios = [there / here for here, there in zip(base.row(), attacked.row(), strict=True)]
        if stage.workers() != workers:
            print(f"  workers ended:\n{stage.server.errors()[-2000:]}")
        elif max(ratios[0], ratios[2]) < BAR and max(ratios) < inf:
            return True
    return False


async def compare(target: Target, name: str, seconds: float) -> tuple[Figures, Figures]:
    async with audience(target) as people:
        await people.measure(1.0)
        base = await people.measure(seconds)
        with attacking(target, name):
            await asyncio.sleep(UNDER_WAY_AFTER)
            return base, await people.measure(seconds)


@contextmanager
def attacking(target: Target, name: str) -> Iterator[None]:
    """The attack runs in a process of its own."""
    command = [sys.executable, "-m", "benchmarks._attack_kinds", name]
    with subprocess.Popen(command, stdin=subprocess.PIPE, preexec_fn=die_with_parent(9)) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(asdict(target)).encode())
        process.stdin.close()
        try:
            yield
            assert process.poll() is None, "the attacker gave up"
        finally:
            process.kill()


def print_row(name: str, base: Figures, attacked: Figures) -> None:
    attack = ATTACKS[name]
    cells = [
        f"{here:.0f} → {there:.0f} = {there / here:.1f}"
        for here, there in zip(base.row(), attacked.row(), strict=True)
    ]
    print(row(attack.by, attack.what, cells), flush=True)


def row(by: str, what: str, cells: Iterable[str]) -> str:
    return f"{by:<13} {what:<56}" + "".join(f"{cell:>18}" for cell in cells)


if __name__ == "__main__":
    main()
