"""What live updates cost: our server beside others and beside what the kernel alone would take.

    python -m benchmarks.fanout [--scenario peers] [--runs 5] [--subscribers 1000] [--updates 50]
                                [--only ours,floor] [--save FILE] [--plot FILE]

Each server runs in production mode on one core; its subscribers, the database and the broker share
another. Subscribers join over graphql-transport-ws, sign in where they must, and are shown one
vote's tally; then one member after the other casts, and everybody is sent the tally anew. Only the
server's own processes are measured. docs/benchmarks.md explains the figures.

With `--save` the runs are added to a file, and the medians are of all that are in it: so a long
measurement can be made in parts. `--runs 0` only prints what is saved.
"""

import argparse
import json
import platform
import signal
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks._fanout_load import Missing, compile_program
from benchmarks._fanout_peers import OTHER_CORE
from benchmarks._fanout_plot import plot
from benchmarks._fanout_process import keep_to
from benchmarks._fanout_scenarios import SCENARIOS, Options
from benchmarks._fanout_tables import Record, medians, print_scenario


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenario", choices=[*SCENARIOS, "all"], default="peers")
    parser.add_argument("--only", default="", help="names of servers, with commas between")
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--updates", type=int, default=50)
    parser.add_argument("--runs", type=int, default=5)
    # More than ours lets pass between two pushes of figures: what is compared is an update each.
    parser.add_argument("--pace", type=float, default=0.4, help="seconds from update to update")
    parser.add_argument("--save", type=Path, help="add the runs to this file")
    parser.add_argument("--plot", type=Path, help="draw the scenario `peers` into this SVG file")
    chosen = parser.parse_args()
    # A terminated run then ends like an interrupted one: it stops what it started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    names = list(SCENARIOS) if chosen.scenario == "all" else [chosen.scenario]
    records = read(chosen.save)
    try:
        for _ in range(chosen.runs):
            for name in names:
                records += run(name, chosen)
    except Missing as missing:
        sys.exit(f"fanout: not found: {missing}")
    print(f"{cores()}, Linux {platform.release()}, Python {platform.python_version()}")
    for name in names:
        if measured := medians(records, name):
            count = sum(r.scenario == name for r in records) // len(measured)
            print_scenario(name, SCENARIOS[name].__doc__ or "", measured, count)
    if chosen.plot:
        chosen.plot.write_text(plot(medians(records, "peers")), encoding="utf-8")


def run(name: str, chosen: argparse.Namespace) -> list[Record]:
    """One run of a scenario. Raises Missing."""
    keep_to(OTHER_CORE)
    with tempfile.TemporaryDirectory(prefix="fanout-") as folder:
        options = Options(
            subscribers=chosen.subscribers,
            updates=chosen.updates,
            pace=chosen.pace,
            only=[one for one in chosen.only.split(",") if one],
            floor=compile_program("floor", Path(folder)),
            generator=compile_program("subscribers", Path(folder)),
        )
        records = []
        for server, figures in SCENARIOS[name](options):
            records.append(Record(name, server, figures))
            print(f"{name}, {server}: {told(figures)}", flush=True)
            save(chosen.save, records[-1:])
        return records


def told(figures: dict[str, float]) -> str:
    shown = ("delivery_us", "delivery_alone_us", "last_p99_ms", "join_ms", "memory_kb")
    return ", ".join(f"{name} {figures[name]:.1f}" for name in shown if name in figures)


def read(path: Path | None) -> list[Record]:
    if path is None or not path.exists():
        return []
    return [Record(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]


def save(path: Path | None, records: Sequence[Record]) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(record)) + "\n" for record in records)


def cores() -> str:
    """Such as `2 cores of AMD EPYC`."""
    told = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return f"{len(models)} cores of {models[0] if models else platform.machine()}"


if __name__ == "__main__":
    main()
