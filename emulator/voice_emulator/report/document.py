"""The contract report as one JSON document; the other formats are renderings of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from voice_emulator.contract.coverage import coverage, judged, rules_exercised
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
#: Findings and calls that a group names.
EXAMPLES = 20
CALLS = 50


class Reported(Protocol):
    """The part of the running emulator that the report reads."""

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The providers by id."""

    @property
    def version(self) -> str:
        """The program's version."""


def gather(runtime: Reported, tenant: Tenant) -> dict[str, Any]:
    """The whole report on a tenant now, as JSON values."""
    providers = runtime.providers
    derived = tenant.findings.derived()
    counts: Counter[tuple[str, str, str]] = Counter(tenant.findings.counts)
    for finding in derived:
        counts[finding.rule, finding.provider, finding.severity] += 1
    found = [*tenant.findings, *derived]
    rules = all_rules(providers.values())
    exercised = rules_exercised(tenant, providers)
    groups = _groups({rule.id: rule for rule in rules}, counts, found)
    return {
        "shape": SHAPE,
        "generator": f"voice-emulator {runtime.version}",
        "tenant": tenant.id,
        "scenario": tenant.scenario.name,
        "seed": tenant.seed,
        "clock": str(tenant.clock.spec),
        "now": rfc3339(tenant.now),
        "summary": _summary(tenant, groups),
        "findings": groups,
        "violations": [shown_finding(finding) for finding in found[:LISTED]],
        "violations_listed": min(len(found), LISTED),
        "rules": [_rule(rule, exercised[rule.id]) for rule in rules],
        "conservation": tenant.conservation.shown_accounts(),
        "coverage": coverage(tenant, providers),
        "latency": {name: shown_latency(each) for name, each in sorted(memory_of(tenant).latencies.items())},
        "timeline": _timeline(tenant),
    }


def _groups(
    rules: Mapping[str, FindingRule], counts: Mapping[tuple[str, str, str], int], found: Sequence[Finding]
) -> list[dict[str, Any]]:
    """The findings by rule and severity, in the order of :func:`rank`."""
    members: dict[tuple[str, str], list[Finding]] = {}
    for finding in found:
        members.setdefault((finding.rule, finding.severity), []).append(finding)
    by_provider: dict[tuple[str, str], dict[str, int]] = {}
    for (rule, provider, severity), count in sorted(counts.items()):
        by_provider.setdefault((rule, severity), {})[provider or "none"] = count
    groups = []
    for (rule, severity), providers in by_provider.items():
        own = members.get((rule, severity), [])
        calls = dict.fromkeys(finding.call_id for finding in own if finding.call_id)
        groups.append(
            {
                "rule": rule,
                "severity": severity,
                "title": rules[rule].title,
                "fix": rules[rule].fix,
                "sources": list(dict.fromkeys(finding.source for finding in own))[:EXAMPLES],
                "count": sum(providers.values()),
                "providers": providers,
                "calls": list(calls)[:CALLS],
                "calls_counted": len(calls),
                "examples": [shown_finding(finding) for finding in own[:EXAMPLES]],
            }
        )
    return sorted(groups, key=rank)


def rank(group: Mapping[str, Any]) -> tuple[str, int, str]:
    """Sorts groups: errors first, then the most frequent."""
    return group["severity"], -group["count"], group["rule"]


def shown_finding(finding: Finding) -> dict[str, Any]:
    """One finding; its provider is null where it is about none."""
    return finding.shown() | {"provider": finding.provider or None}


def _summary(tenant: Tenant, groups: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    totals = tenant.totals
    weights: Counter[str] = Counter()
    for group in groups:
        weights[group["severity"]] += group["count"]
    calls: Counter[str] = Counter()
    for (_, outcome), count in totals.calls.items():
        calls[str(outcome)] += count
    pushes: Counter[str] = Counter()
    for (_, outcome), count in totals.pushes.items():
        pushes[str(outcome)] += count
    summary = {
        "errors": weights["error"],
        "warnings": weights["warning"],
        "requests": sum(totals.requests.values()),
        "judged": judged(tenant),
        "accepted": sum(totals.accepted.values()),
        "calls": dict(calls),
        "pushes": dict(pushes),
    }
    return {"verdict": verdict(summary)} | summary


def verdict(summary: Mapping[str, Any]) -> str:
    """The verdict in a word: ``violations``, ``warnings``, ``clean``, or ``empty`` when nothing was judged."""
    if summary["errors"]:
        return "violations"
    if not summary["judged"]:
        return "empty"
    return "warnings" if summary["warnings"] else "clean"


def _rule(rule: FindingRule, exercised: Mapping[str, int]) -> dict[str, Any]:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "fix": rule.fix,
        "providers": sorted(rule.providers),
        "source": rule.source or None,
        "exercised": dict(exercised),
    }


def shown_latency(latency: Latency) -> dict[str, Any]:
    """How long a receiver took to reply, as JSON values."""
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
