"""The reports of several tenants as one document of the same shape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from voice_emulator.core.billing import money
from voice_emulator.core.progress import SERIES, Latency
from voice_emulator.report.document import CALLS, EXAMPLES, LISTED, rank, shown_latency, verdict

Json = Mapping[str, Any]


def merged(documents: Sequence[Json]) -> dict[str, Any]:
    """One report on all tenants. Counts are sums; a timeline is left out, since each tenant has its own clock.

    Findings name their tenant. Raises ValueError without any document.
    """
    if not documents:
        raise ValueError("no report to merge")
    first = documents[0]
    violations = [found for each in documents for found in _with_tenant(each, each["violations"])][:LISTED]
    return {
        "shape": first["shape"],
        "generator": first["generator"],
        "tenant": "all",
        "scenario": ", ".join(dict.fromkeys(each["scenario"] for each in documents)),
        "seed": first["seed"] if len({each["seed"] for each in documents}) == 1 else None,
        "clock": ", ".join(dict.fromkeys(each["clock"] for each in documents)),
        "now": max(each["now"] for each in documents),
        "summary": _summary([each["summary"] for each in documents]),
        "findings": _groups(documents),
        "violations": violations,
        "violations_listed": len(violations),
        "rules": [
            rule | {"exercised": _sum(each["rules"][index]["exercised"] for each in documents)}
            for index, rule in enumerate(first["rules"])
        ],
        "conservation": _conservation([each["conservation"] for each in documents]),
        "coverage": _coverage(documents),
        "latency": _latency([each["latency"] for each in documents]),
        "timeline": {"start": None, "bar_seconds": 1, "series": list(SERIES), "bars": []},
    }


def _with_tenant(document: Json, found: Iterable[Json]) -> list[dict[str, Any]]:
    return [{**each, "tenant": document["tenant"]} for each in found]


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for each in counts:
        total.update(each)
    return dict(total)


def _summary(parts: Sequence[Json]) -> dict[str, Any]:
    summary: dict[str, Any] = {
        name: sum(each[name] for each in parts)
        for name in ("errors", "warnings", "requests", "judged", "accepted")
    }
    summary |= {name: _sum(each[name] for each in parts) for name in ("calls", "pushes")}
    return {"verdict": verdict(summary)} | summary


def _groups(documents: Sequence[Json]) -> list[dict[str, Any]]:
    groups: dict[tuple[str, str], dict[str, Any]] = {}
    for document in documents:
        for each in document["findings"]:
            examples = _with_tenant(document, each["examples"])
            known = groups.get((each["rule"], each["severity"]))
            if known is None:
                groups[each["rule"], each["severity"]] = {**each, "examples": examples}
                continue
            known |= {
                "count": known["count"] + each["count"],
                "providers": _sum((known["providers"], each["providers"])),
                "sources": list(dict.fromkeys([*known["sources"], *each["sources"]]))[:EXAMPLES],
                "calls": [*known["calls"], *each["calls"]][:CALLS],
                "calls_counted": known["calls_counted"] + each["calls_counted"],
                "examples": [*known["examples"], *examples][:EXAMPLES],
            }
    return sorted(groups.values(), key=rank)


def _conservation(parts: Sequence[Json]) -> dict[str, Any]:
    names = [name for name, value in parts[0].items() if isinstance(value, int) and name != "balanced"]
    accounts: dict[str, list[Json]] = {}
    for part in parts:
        for name, account in part["providers"].items():
            accounts.setdefault(name, []).append(account)
    return {name: sum(part[name] for part in parts) for name in names} | {
        "balanced": all(part["balanced"] for part in parts),
        "orphans": [call for part in parts for call in part["orphans"]],
        "providers": {
            provider: {name: sum(each[name] for each in found) for name in names}
            | {"charges": _charges([each["charges"] for each in found])}
            for provider, found in sorted(accounts.items())
        },
    }


def _charges(parts: Sequence[Json]) -> dict[str, Any]:
    sums: dict[str, Any] = {}
    for name in ("ledger", "receipts", "receipts_due", "queries", "queries_due"):
        told = [Decimal(each[name]) for each in parts if each[name] is not None]
        sums[name] = money(sum(told, Decimal(0))) if told else None
    return sums | {"agree": all(each["agree"] for each in parts)}


def _coverage(documents: Sequence[Json]) -> dict[str, Any]:
    parts = [each["coverage"] for each in documents]
    return {name: _split([each[name] for each in parts]) for name in ("outcomes", "faults")} | {
        "providers": {
            provider: {
                name: _split([each["providers"][provider][name] for each in parts])
                for name in ("operations", "outcomes", "causes")
            }
            | {"errors": _errors([each["providers"][provider]["errors"] for each in parts])}
            for provider in parts[0]["providers"]
        },
        "rules": _rules(documents),
    }


def _split(parts: Sequence[Json]) -> dict[str, Any]:
    exercised = _sum(each["exercised"] for each in parts)
    names = dict.fromkeys(name for each in parts for name in each["never"])
    never = [name for name in names if name not in exercised]
    return {"exercised": exercised, "never": never, "of": len(exercised) + len(never)}


def _errors(parts: Sequence[Json]) -> dict[str, Any]:
    found: dict[tuple[str | None, str], dict[str, Any]] = {}
    for part in parts:
        for each in (*part["exercised"], *part["never"]):
            known = found.setdefault((each["operation"], each["code"]), {**each, "count": 0})
            known["count"] += each["count"]
    return {
        "exercised": [each for each in found.values() if each["count"]],
        "never": [each for each in found.values() if not each["count"]],
        "of": len(found),
    }


def _rules(documents: Sequence[Json]) -> dict[str, Any]:
    """A scenario's rule is unused when it is so at every tenant with this scenario."""
    scenarios: dict[str, list[Json]] = {}
    for each in documents:
        scenarios.setdefault(each["scenario"], []).append(each["coverage"]["rules"])
    unused = [
        use
        for parts in scenarios.values()
        for use in parts[0]["unused"]
        if all(any(use["rule"] == other["rule"] for other in part["unused"]) for part in parts)
    ]
    return {"of": sum(parts[0]["of"] for parts in scenarios.values()), "unused": unused}


def _latency(parts: Sequence[Json]) -> dict[str, Any]:
    total: dict[str, Latency] = {}
    for part in parts:
        for provider, each in part.items():
            known = total.setdefault(provider, Latency())
            classes = (found["count"] for found in each["classes"])
            known.classes = [a + b for a, b in zip(known.classes, classes, strict=True)]
            known.count += each["count"]
            known.total += round((each["mean_ms"] or 0) * each["count"] * 1000)
            known.longest = max(known.longest, round(each["longest_ms"] * 1000))
    return {provider: shown_latency(each) for provider, each in sorted(total.items())}
