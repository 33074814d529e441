"""The contract report as one JSON document; the other formats are renderings of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol

from voice_emulator.contract.coverage import coverage
from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules import all_rules
from voice_emulator.core.clock import SECOND, rfc3339
from voice_emulator.core.findings import Finding
from voice_emulator.core.progress import LATENCY_BOUNDS, SERIES, Latency
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.contract import FindingRule
from voice_emulator.providers.provider import Provider

#: Version of the document's shape (schemas/report.schema.json).
SHAPE = 1
#: Findings listed one by one; all are counted.
LISTED = 5_000


class Reported(Protocol):
    """What the report needs of the running emulator."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers by id."""
        ...

    @property
    def version(self) -> str:
        """The program's version."""
        ...


def gather(runtime: Reported, tenant: Tenant) -> dict[str, Any]:
    """Everything there is to report of a tenant now, as JSON values."""
    providers = runtime.providers
    rules = all_rules(providers.values())
    derived = tenant.findings.derived()
    counts: Counter[tuple[str, str, str]] = Counter(tenant.findings.counts)
    for finding in derived:
        counts[finding.rule, finding.provider, finding.severity] += 1
    entered = list(tenant.findings)
    listed = (entered + derived)[:LISTED]
    weights: Counter[str] = Counter()
    for (_, _, severity), count in counts.items():
        weights[severity] += count
    return {
        "shape": SHAPE,
        "generator": f"voice-emulator {runtime.version}",
        "tenant": tenant.id,
        "scenario": tenant.scenario.name,
        "seed": tenant.seed,
        "clock": str(tenant.clock.spec),
        "now": rfc3339(tenant.now),
        "summary": _summary(tenant, weights),
        "violations": [shown_finding(finding) for finding in listed],
        "violations_listed": len(listed),
        "rules": [_rule(rule, counts) for rule in rules],
        "counts": [
            {"rule": rule, "provider": provider or None, "severity": severity, "count": count}
            for (rule, provider, severity), count in sorted(counts.items())
        ],
        "conservation": tenant.conservation.shown_accounts(),
        "coverage": coverage(tenant, providers),
        "latency": {name: _latency(found) for name, found in sorted(memory_of(tenant).latencies.items())},
        "timeline": _timeline(tenant),
    }


def shown_finding(finding: Finding) -> dict[str, Any]:
    """One finding with its instant."""
    return finding.shown() | {
        "provider": finding.provider or None,
        "at": rfc3339(finding.at) if finding.at else None,
    }


def _summary(tenant: Tenant, weights: Mapping[str, int]) -> dict[str, Any]:
    totals = tenant.totals
    errors, warnings = weights.get("error", 0), weights.get("warning", 0)
    pushes: Counter[str] = Counter()
    for (_, outcome), count in totals.pushes.items():
        pushes[str(outcome)] += count
    calls: Counter[str] = Counter()
    for (_, outcome), count in totals.calls.items():
        calls[str(outcome)] += count
    return {
        "verdict": "violations" if errors else "warnings" if warnings else "clean",
        "errors": errors,
        "warnings": warnings,
        "requests": sum(totals.requests.values()),
        "accepted": sum(totals.accepted.values()),
        "calls": dict(calls),
        "pushes": dict(pushes),
    }


def _rule(rule: FindingRule, counts: Mapping[tuple[str, str, str], int]) -> dict[str, Any]:
    found: Counter[str] = Counter()
    for (name, provider, _), count in counts.items():
        if name == rule.id:
            found[provider] += count
    return {
        "id": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "providers": sorted(rule.providers),
        "source": rule.source or None,
        "found": {provider or "none": count for provider, count in sorted(found.items())},
    }


def _latency(latency: Latency) -> dict[str, Any]:
    bounds = (*LATENCY_BOUNDS, None)
    return {
        "count": latency.count,
        "mean_ms": round(latency.total / latency.count / 1000, 3) if latency.count else None,
        "p50_ms": latency.quantile(0.5),
        "p95_ms": latency.quantile(0.95),
        "longest_ms": round(latency.longest / 1000, 3),
        "classes": [
            {"up_to_ms": bound, "count": count} for bound, count in zip(bounds, latency.classes, strict=True)
        ],
    }


def _timeline(tenant: Tenant) -> dict[str, Any]:
    timeline = memory_of(tenant).timeline
    return {
        "start": rfc3339(timeline.start) if timeline.bars else None,
        "bar_seconds": timeline.width / SECOND,
        "series": list(SERIES),
        "bars": [list(bar) for bar in timeline.bars],
    }
