"""Prometheus metrics, computed when they are scraped. Labels are bounded: no tenant, number or id is one.

Counters come from the tenants' running totals. What a deleted or reset tenant had counted is kept aside,
so that a counter never falls.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND
from voice_emulator.core.listeners import Listener
from voice_emulator.core.tenants import Tenant
from voice_emulator.wire.ownership import Ownership
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client.core import HistogramMetricFamily, Metric

#: Upper bounds of the lateness histogram, in seconds.
BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
#: Those of the time until a receipt is acknowledged, in seconds: a call rings and is talked on, retries take hours.
RECEIPT_BUCKETS = (
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    15.0,
    30.0,
    60.0,
    120.0,
    300.0,
    600.0,
    1800.0,
    3600.0,
    21600.0,
    86400.0,
)

#: (metric, help, labels) by the name of the counter in :class:`voice_emulator.core.totals.Totals`.
COUNTED: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "requests": ("requests", "Requests received, by provider and operation.", ("provider", "operation")),
    "codes": ("replies", "Replies, by provider, operation and wire code.", ("provider", "operation", "code")),
    "accepted": ("calls_accepted", "Numbers accepted for dialling.", ("provider",)),
    "calls": ("calls", "Calls ended, by provider and outcome.", ("provider", "outcome")),
    "pushes": ("pushes", "Push attempts, by provider and outcome.", ("provider", "outcome")),
}
#: What stands where a request named no provider, operation or code.
NONE = "none"
PREFIX = "voice_emulator_"


class Histogram:
    """Counts of durations, in microseconds, up to each of ``bounds``, in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Count nothing yet."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0

    def add(self, duration: int) -> None:
        """Count one duration."""
        self._counts[bisect_left(self._bounds, duration / SECOND)] += 1
        self._sum += duration

    def add_to(self, family: HistogramMetricFamily, labels: Sequence[str] = ()) -> None:
        """Enter what was counted into ``family``, as the series with ``labels``."""
        bounds = (*map(str, self._bounds), "+Inf")
        family.add_metric(
            labels, list(zip(bounds, accumulate(self._counts), strict=True)), self._sum / SECOND
        )


class Metrics(Listener):
    """Counts what the tenants do not, and renders everything."""

    def __init__(self, runtime: Runtime) -> None:
        """Render what the tenants of ``runtime`` and this listener have counted."""
        self._runtime = runtime
        self._retired: dict[str, Counter[Any]] = {name: Counter() for name in COUNTED}
        self._evicted = 0
        self._lateness = Histogram(BUCKETS)
        self._receipts = {name: Histogram(RECEIPT_BUCKETS) for name in runtime.providers}
        self.subscribers: Callable[[], int] = lambda: 0
        self._registry: CollectorRegistry | None = None
        self._commits = Histogram(BUCKETS)

    def tenant_clearing(self, tenant: Tenant) -> None:
        """Keep what ``tenant`` has counted."""
        for name, retired in self._retired.items():
            retired.update(getattr(tenant.totals, name))
        self._evicted += tenant.journal.evicted

    def request_finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """Enter the reply's wire code into the tenant's totals."""
        request = record.request
        code = record.reply.code if record.reply is not None else ""
        tenant.totals.codes[request.provider, request.operation_name, code] += 1

    def attempt_finished(self, tenant: Tenant, attempt: Attempt) -> None:
        """Enter the attempt's lateness."""
        self._lateness.add(attempt.lateness)

    def call_acknowledged(self, tenant: Tenant, call: Call) -> None:
        """Enter how long the call took, from its submission on."""
        provider = call.submission.provider
        self._receipts[provider].add(tenant.now - call.submitted_at)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        # Imported at the first scrape: serving does not need it, and it costs more than aiohttp's own start.
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest

        if self._registry is None:
            self._registry = CollectorRegistry()
            self._registry.register(self)
            ProcessCollector(namespace="voice_emulator", registry=self._registry)
        return bytes(generate_latest(self._registry))

    def collect(self) -> Iterator[Metric]:
        """The metrics as prometheus_client wants them."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        tenants = list(self._runtime.tenancy)
        for name, (metric, help_text, labels) in COUNTED.items():
            family = CounterMetricFamily(PREFIX + metric, help_text, labels=labels)
            for key, value in sorted(self._total(name, tenants).items()):
                family.add_metric(key, value)
            yield family
        evicted = self._evicted + sum(tenant.journal.evicted for tenant in tenants)
        yield CounterMetricFamily(
            PREFIX + "journal_evictions", "Journal entries forgotten to keep to the bounds.", evicted
        )
        lateness = HistogramMetricFamily(
            PREFIX + "push_lateness_seconds",
            "Seconds of tenant time between a push's due instant and its sending.",
        )
        self._lateness.add_to(lateness)
        yield lateness
        receipts = HistogramMetricFamily(
            PREFIX + "receipt_seconds",
            "Seconds of tenant time from the submission of a number to the first acknowledgement of its receipt.",
            labels=("provider",),
        )
        for provider, histogram in self._receipts.items():
            histogram.add_to(receipts, (provider,))
        yield receipts
        if self._runtime.ownership is not None:
            yield from self._of_replica(self._runtime.ownership)
        gauges = {
            "tenants": ("Tenants that exist.", len(tenants)),
            "pending_timers": (
                "Things due in the future, over all tenants.",
                sum(len(t.engine) for t in tenants),
            ),
            "pushes_in_flight": ("Pushes on the wire.", sum(len(t.outbox.in_flight) for t in tenants)),
            "journal_entries": ("Journal entries kept.", sum(len(t.journal) for t in tenants)),
            "calls_kept": ("Calls in the ledgers.", sum(len(t.ledger) for t in tenants)),
            "event_subscribers": ("Open event streams.", self.subscribers()),
            "tasks": (
                "Tasks of the event loop; a number that only grows is a leak.",
                len(asyncio.all_tasks()),
            ),
        }
        for metric, (help_text, number) in gauges.items():
            yield GaugeMetricFamily(PREFIX + metric, help_text, number)
        relay = self._runtime.relay
        if relay is not None:
            relays = CounterMetricFamily(
                PREFIX + "relays", "Requests passed on to other replicas, by port and how that ended.",
                labels=("port", "result"),
            )  # fmt: skip
            for labels, number in sorted(relay.counts.items()):
                relays.add_metric(labels, number)
            yield relays
        info = GaugeMetricFamily(
            PREFIX + "build_info", "Always 1; the version is a label.", labels=("version",)
        )
        info.add_metric((self._runtime.version,), 1)
        yield info

    def _of_replica(self, ownership: Ownership) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

        figures = ownership.figures()
        yield GaugeMetricFamily(PREFIX + "leases", "Tenants that this replica owns.", figures.leases)
        yield CounterMetricFamily(
            PREFIX + "take_overs", "Tenants that this replica took over.", figures.take_overs
        )
        yield CounterMetricFamily(
            PREFIX + "fenced", "Tenants that this replica lost because the store refused it.", figures.fenced
        )
        yield GaugeMetricFamily(
            PREFIX + "store_reachable", "1 while the store answers.", int(ownership.reachable)
        )
        for micros in figures.latencies:
            self._commits.add(micros)
        commits = HistogramMetricFamily(PREFIX + "commit_seconds", "Real seconds of a commit to the store.")
        self._commits.add_to(commits)
        yield commits

    def _total(self, name: str, tenants: list[Tenant]) -> Counter[tuple[str, ...]]:
        total: Counter[tuple[str, ...]] = Counter()
        for counts in (self._retired[name], *(getattr(tenant.totals, name) for tenant in tenants)):
            for key, value in counts.items():
                parts = key if isinstance(key, tuple) else (key,)
                total[tuple(str(part) or NONE for part in parts)] += value
        return total
