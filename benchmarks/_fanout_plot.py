"""The plot of docs/benchmarks.md: four bar charts as one SVG, written by hand."""

from collections.abc import Iterator, Sequence

from benchmarks._fanout_tables import Medians

CHARTS = [
    ("CPU for each delivery, µs", "delivery_us"),
    ("Cast to last delivery, p99, ms", "last_p99_ms"),
    ("CPU for each join, ms", "join_ms"),
    ("Memory for each subscriber, KB", "memory_kb"),
]
WIDTH, NAME, BAR, ROW, HEAD, GAP = 760, 130, 180, 20, 34, 20
OURS, OTHERS, TEXT = "#b3261e", "#8a94a6", "#24292f"


def plot(measured: Medians) -> str:
    """The medians of the scenario `peers`; a scale of its own for each chart."""
    height = HEAD + ROW * len(measured) + GAP
    charts = [
        _chart(title, [(name, one[figure]) for name, one in measured.items()], number, height)
        for number, (title, figure) in enumerate(CHARTS)
    ]
    lines = [line for chart in charts for line in chart]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * height}"'
            f' font-family="sans-serif" font-size="12" fill="{TEXT}" role="img">',
            "<title>Live updates: our server beside others; shorter is better</title>",
            f'<rect width="{WIDTH}" height="{2 * height}" fill="#ffffff"/>',
            *lines,
            "</svg>\n",
        ]
    )


def _chart(
    title: str, values: Sequence[tuple[str, float]], number: int, height: int
) -> Iterator[str]:
    left, top = number % 2 * WIDTH // 2, number // 2 * height
    longest = max(value for _, value in values)
    yield f'<text x="{left + 8}" y="{top + 20}" font-weight="bold">{title}</text>'
    for row, (name, value) in enumerate(values):
        y = top + HEAD + row * ROW
        width = max(1.0, value / longest * BAR)
        color = OURS if name == "ours" else OTHERS
        yield f'<text x="{left + NAME - 6}" y="{y + 11}" text-anchor="end">{name}</text>'
        yield f'<rect x="{left + NAME}" y="{y}" width="{width:.1f}" height="14" fill="{color}"/>'
        label = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
        yield f'<text x="{left + NAME + width + 5:.1f}" y="{y + 11}">{label}</text>'
