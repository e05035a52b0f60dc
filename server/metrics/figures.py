"""What a process has done and holds: the names that Prometheus knows it by, and where it is kept.

Nothing is prepared on the way of a push or a ballot: there are plain integers, read when somebody
asks. docs/operations.md tells how to read them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from realtime.fanout import Counters
from realtime.histogram import Histogram
from resolvers.context import Context
from resolvers.votes.cast import Casting
from server.websocket.connections import Sockets

Samples = Sequence[tuple[Sequence[str], float]]
"""Values of one figure, each with the values of its labels."""

Told = Mapping[str, Any]
"""What one worker tells of itself: lists by the names of FIGURES and HISTOGRAMS, as JSON has it."""


@dataclass(frozen=True)
class Process:
    """Where one worker's figures are."""

    shared: Context
    sockets: Sockets

    @property
    def counters(self) -> Counters:
        return self.sockets.live.fanout.counters

    @property
    def pool(self) -> QueuePool:
        pool = self.shared.database.engine.sync_engine.pool
        assert isinstance(pool, QueuePool)  # noqa: S101 - so are all that we make
        return pool


@dataclass(frozen=True)
class Figure:
    name: str
    meaning: str
    read: Callable[[Process], float | Samples]
    labels: tuple[str, ...] = ()

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        kind = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        return kind(self.name, self.meaning, labels=(*self.labels, "worker"))

    def samples(self, process: Process) -> Samples:
        value = self.read(process)
        return [((), value)] if isinstance(value, int | float) else value


FIGURES = (
    Figure("meetings_sockets", "Open WebSockets.", lambda p: p.sockets.count),
    Figure(
        "meetings_sockets_closed_total",
        "WebSockets that ended, by close code and by who gave it: server or peer.",
        lambda p: [((str(code), by), ended) for (code, by), ended in p.sockets.ended.items()],
        labels=("code", "by"),
    ),
    Figure(
        "meetings_slow_readers",
        "Connections that do not take what they are shown, now.",
        lambda p: p.sockets.slow_readers,
    ),
    Figure(
        "meetings_fell_behind_total",
        "How often a connection became a slow reader.",
        lambda p: p.sockets.fell_behind,
    ),
    Figure(
        "meetings_members_connected",
        "Members connected, once for each meeting that they look at.",
        lambda p: p.shared.presence.connected_here,
    ),
    Figure(
        "meetings_groups",
        "Groups of subscribers who see the same.",
        lambda p: len(p.sockets.live.fanout),
    ),
    Figure(
        "meetings_subscribers",
        "Subscriptions of all connections.",
        lambda p: p.sockets.live.fanout.subscribers,
    ),
    Figure(
        "meetings_hints_total",
        "Hints that made a group take its state anew.",
        lambda p: p.counters.hints,
    ),
    Figure(
        "meetings_hints_coalesced_total",
        "Hints that needed no execution of their own, as they came while a group was at it.",
        lambda p: p.counters.coalesced,
    ),
    Figure(
        "meetings_executions_total",
        "Executions of subscriptions, each for a whole group or several.",
        lambda p: p.sockets.live.executions,
    ),
    Figure(
        "meetings_executions_unchanged_total",
        "States that a group had been shown already: nothing was pushed.",
        lambda p: p.counters.unchanged,
    ),
    Figure(
        "meetings_executions_failed_total",
        "Attempts that gave no state, as when the database is away; tried again.",
        lambda p: p.counters.failures,
    ),
    Figure(
        "meetings_deliveries_total",
        "States handed to subscribers.",
        lambda p: p.counters.deliveries,
    ),
    Figure(
        "meetings_publish_failures_total",
        "Hints that the broker did not take at once.",
        lambda p: p.shared.feed.failed_publishes,
    ),
    Figure(
        "meetings_broker_up",
        "1 while hints travel between processes.",
        lambda p: int(p.shared.feed.is_broker_up),
    ),
    Figure(
        "meetings_database_connections_in_use",
        "Connections of the pool that somebody holds.",
        lambda p: p.shared.database.connections_in_use,
    ),
    Figure(
        "meetings_database_lines_in_use",
        "Of these, those that read, or put ballots into the box.",
        lambda p: p.shared.database.lines_in_use,
    ),
    Figure(
        "meetings_database_lines_limit",
        "As many of the pool's connections may do that.",
        lambda p: p.shared.database.most_lines,
    ),
    Figure(
        "meetings_database_connections_limit",
        "Connections that the pool may have.",
        lambda p: p.pool.size() + max(0, p.pool._max_overflow),
    ),
    Figure(
        "meetings_ballots_written_total",
        "Ballots that were committed.",
        lambda p: p.shared.service(Casting).ballots_written,
    ),
)


@dataclass(frozen=True)
class Distribution:
    name: str
    meaning: str
    read: Callable[[Process], Mapping[tuple[str, ...], Histogram]]
    labels: tuple[str, ...] = ()

    def family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self.name, self.meaning, labels=(*self.labels, "worker"))

    def samples(self, process: Process) -> list[Any]:
        return [(labels, of.bounds, of.counts, of.sum) for labels, of in self.read(process).items()]


DISTRIBUTIONS = (
    Distribution(
        "meetings_push_seconds",
        "From a commit to the write for the last subscriber, by the clocks of both processes.",
        lambda p: {
            ("state",): p.counters.state_seconds,
            ("counts",): p.counters.counts_seconds,
        },
        labels=("kind",),
    ),
    Distribution(
        "meetings_ballot_batch_size",
        "Ballots of one transaction.",
        lambda p: {(): p.shared.service(Casting).batch_sizes},
    ),
)

PROCESS = ProcessCollector(registry=None)


def tell(process: Process) -> Told:
    told: dict[str, Any] = {one.name: one.samples(process) for one in (*FIGURES, *DISTRIBUTIONS)}
    for metric in PROCESS.collect():
        told[metric.name] = [((), metric.samples[0].value)]
    return told


def encode(workers: Mapping[int, Told | None], accept: str) -> tuple[bytes, str]:
    """What the workers tell, by their numbers, in the format that an `Accept` header asks for, and
    that format's media type; None is a worker that does not answer."""
    encode, media_type = choose_encoder(accept)
    return encode(_Answer(dict(sorted(workers.items())))), media_type


class _Answer(Collector):
    """The workers' figures as Prometheus' families, each sample with its worker."""

    def __init__(self, workers: Mapping[int, Told | None]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("meetings_worker_up", "1 while it answers.", labels=("worker",))
        for number, told in self._workers.items():
            up.add_metric((str(number),), int(told is not None))
        yield up
        for figure in FIGURES:
            yield _filled(figure.family(), self._of_all(figure.name))
        for distribution in DISTRIBUTIONS:
            family = distribution.family()
            for worker, (labels, bounds, counts, total) in self._of_all(distribution.name):
                family.add_metric((*labels, worker), list(_cumulated(bounds, counts)), total)
            yield family
        for metric in PROCESS.collect():
            kind = CounterMetricFamily if metric.type == "counter" else GaugeMetricFamily
            family_of = kind(metric.name, metric.documentation, labels=("worker",))
            yield _filled(family_of, self._of_all(metric.name))

    def _of_all(self, name: str) -> Iterator[tuple[str, Any]]:
        for number, told in self._workers.items():
            for sample in (told or {}).get(name, ()):
                yield str(number), sample


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, samples: Iterable[tuple[str, Any]]
) -> Metric:
    for worker, (labels, value) in samples:
        family.add_metric((*labels, worker), value)
    return family


def _cumulated(bounds: Sequence[float], counts: Sequence[int]) -> Iterator[tuple[str, float]]:
    """Prometheus counts in each bucket what lies in the ones before, too."""
    total = 0
    for bound, count in zip((*bounds, "+Inf"), counts, strict=True):
        total += count
        yield str(bound), total
