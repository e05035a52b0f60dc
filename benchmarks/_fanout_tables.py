"""Tables of the runs' medians, ratios, and the bars that ours is held to."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks._fanout_run import TOO_BUSY

Medians = Mapping[str, Mapping[str, float]]
"""By what was measured (a server, mostly) and by the figure's name."""

FIGURES = {
    "subscribers": ("subscribers", "{:,.0f}"),
    "frame_bytes": ("bytes a frame", "{:,.0f}"),
    "delivery_us": ("CPU a delivery, µs", "{:,.1f}"),
    "delivery_alone_us": ("without casts, µs", "{:,.1f}"),
    "cast_us": ("CPU a cast, µs", "{:,.0f}"),
    "last_p50_ms": ("p50 to last, ms", "{:,.0f}"),
    "last_p99_ms": ("p99 to last, ms", "{:,.0f}"),
    "updates": ("updates", "{:,.0f}"),
    "longest_ms": ("longest to last, ms", "{:,.0f}"),
    "join_ms": ("CPU a join, ms", "{:,.2f}"),
    "join_wall_s": ("all joined, s", "{:,.2f}"),
    "join_p50_s": ("p50 of a join, s", "{:,.2f}"),
    "join_p99_s": ("p99 of a join, s", "{:,.2f}"),
    "failed": ("failed", "{:,.0f}"),
    "memory_kb": ("KB a subscriber", "{:,.1f}"),
    "gone_s": ("stalled gone, s", "{:,.0f}"),
    "grown_mb": ("growth, MB", "{:,.1f}"),
    "load_share": ("generator busy", "{:.0%}"),
}


@dataclass(frozen=True)
class Record:
    """What one run measured of one server."""

    scenario: str
    name: str
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Bar:
    """One figure, of ours mostly, divided by one of another, is at most `limit`."""

    figure: str
    name: str
    other: str
    limit: float


WIDTH = 140  # characters: the ten columns of `growth`

ONE_MEETING, MEETINGS = "one meeting", "500 meetings of 30"

BARS = {
    "peers": [
        Bar("delivery_us", "ours", "floor", 2.0),
        Bar("delivery_us", "ours", "graphql-ws", 0.4),
        Bar("delivery_us", "ours", "plain Strawberry", 0.07),
        Bar("join_ms", "ours", "graphql-ws", 0.5),
        Bar("memory_kb", "ours", "", 25.0),
    ],
    "many": [Bar("delivery_alone_us", MEETINGS, ONE_MEETING, 2.0)],
    "stalled": [
        Bar("last_p99_ms", "10 % stalled", "all read", 1.2),
        Bar("gone_s", "10 % stalled", "", 45.0),
    ],
    "outage": [
        Bar("longest_ms", "broker away", "", 2500.0),
        Bar("longest_ms", "broker back", "", 3000.0),
    ],
    "growth": [Bar("delivery_us", "ours, 15,000", "ours, 1,000", 1.2)],
}


def medians(records: Sequence[Record], scenario: str) -> Medians:
    """Of all runs, in the order in which they were first measured."""
    found: dict[str, list[Mapping[str, float]]] = {}
    for record in records:
        if record.scenario == scenario:
            found.setdefault(record.name, []).append(record.figures)
    return {
        name: {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}
        for name, runs in found.items()
    }


def print_scenario(scenario: str, title: str, measured: Medians, runs: int) -> None:
    """The table, the ratios with their bars, and a warning if the load generator was busy."""
    console = Console(width=WIDTH)
    console.print(f"\n{scenario}: {title} Medians of {runs} run{'s' * (runs != 1)}.\n")
    table = Table(box=box.MARKDOWN)  # as docs/benchmarks.md takes it
    table.add_column("")
    figures = [f for f in FIGURES if any(f in one for one in measured.values())]
    for name in measured:
        table.add_column(name, justify="right")
    for figure in figures:
        label, shape = FIGURES[figure]
        cells = [shape.format(one[figure]) if figure in one else "" for one in measured.values()]
        table.add_row(label, *cells)
    console.print(table)
    for line in (*ratios(scenario, measured), *warnings(measured)):
        console.print(line, highlight=False, soft_wrap=True)


def ratios(scenario: str, measured: Medians) -> Iterator[str]:
    """One line for each bar of the scenario whose figures are there."""
    for bar in BARS.get(scenario, []):
        if bar.name not in measured or (bar.other and bar.other not in measured):
            continue
        value = measured[bar.name][bar.figure]
        of = FIGURES[bar.figure][0]
        against = ""
        if bar.other:
            value /= measured[bar.other][bar.figure]
            against = f" / {bar.other}"
        verdict = "holds" if value <= bar.limit else "MISSED"
        yield f"{of}: {bar.name}{against} = {value:.3g} (at most {bar.limit:g}: {verdict})"


def warnings(measured: Medians) -> Iterator[str]:
    for name, one in measured.items():
        if one.get("load_share", 0.0) > TOO_BUSY:
            yield (
                f"{name}: the load generator was busy for {one['load_share']:.0%} of the time in"
                " which deliveries came, so its core may have held the times up (not the CPU)."
            )
