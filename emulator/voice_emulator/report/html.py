"""The contract report as one HTML file: readable on screen, in the dark, and on paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from html import escape
from typing import Any

from voice_emulator.core.words import plural
from voice_emulator.report import charts
from voice_emulator.report.charts import Lane, Series
from voice_emulator.report.page import badge, chips, folded, page, table, tiles
from voice_emulator.report.wording import (
    CHARGES,
    by_provider,
    called,
    charges,
    counted,
    fate_counts,
    fate_words,
    verdict_line,
)

#: Calls of a group that are named.
CALLS = 50
_COLOURS = ("c1", "c2", "c3", "c4", "c5")
_FATE_STYLES = {
    "acknowledged": "good", "reconciled": "c1", "pending": "c5", "uncertain": "odd", "orphan": "bad", "dropped": "c4",
}  # fmt: skip


def contract_html(document: Mapping[str, Any]) -> str:
    """The whole page."""
    summary = document["summary"]
    facts = (
        f"Tenant <b>{escape(document['tenant'])}</b> · scenario <b>{escape(document['scenario'])}</b> · "
        f"seed {document['seed']} · clock {escape(document['clock'])} · {escape(_moment(document['now']))}"
    )
    body = [
        "<h1>Voice contract report</h1>",
        f'<p class="faint">{facts}</p>',
        f'<p class="verdict {summary["verdict"]}">{escape(verdict_line(summary))}</p>',
        _tiles(document),
        *_findings(document),
        *_conservation(document["conservation"]),
        *_course(document),
        *_coverage(document["coverage"]),
        f"<footer>{escape(document['generator'])}. Also available as JSON, JUnit XML and Markdown.</footer>",
    ]
    return page(f"Contract report: {document['tenant']}", body)


def _moment(text: str) -> str:
    return text[:19].replace("T", " ") + " UTC"


def _tiles(document: Mapping[str, Any]) -> str:
    summary = document["summary"]
    pushes, ended = summary["pushes"], sum(summary["calls"].values())
    figures = [
        (summary["errors"], "violation"),
        (summary["warnings"], "warning"),
        (summary["requests"], "request"),
    ]
    named = [(f"{count:,}", plural(count, noun)) for count, noun in figures]
    accepted = summary["accepted"]
    return tiles([
        *named,
        (f"{accepted:,}", f"{plural(accepted, 'number')} accepted"),
        (f"{ended:,}", f"{plural(ended, 'call')} ended"),
        (f"{pushes.get('delivered', 0):,} / {sum(pushes.values()):,}", "pushes acknowledged"),
    ])  # fmt: skip


def _findings(document: Mapping[str, Any]) -> list[str]:
    body = ["<h2>Findings</h2>"]
    groups = document["findings"]
    if not groups:
        judged = document["summary"]["judged"]
        return [*body, f"<p>{'None.' if judged else 'None, since no request was judged.'}</p>"]
    rows = (
        [
            badge(group["severity"]),
            _rule(group),
            escape(by_provider(group)),
            f"{group['count']:,}",
        ]
        for group in groups
    )
    body.append(table(["", "rule", "provider", "found"], rows, frozenset({3})))
    for group in groups:
        found = group["examples"]
        more = f", the first {len(found)}" if group["count"] > len(found) else ""
        calls = f"<p>Calls: {escape(called(group, CALLS))}</p>" if group["calls"] else ""
        body.append(
            folded(f"{group['rule']} ({group['severity']}): one by one{more}", calls + _one_by_one(found))
        )
    return body


def _rule(group: Mapping[str, Any]) -> str:
    fix = f'<span class="faint">How to fix it: {escape(group["fix"])}</span>'
    return f"<code>{escape(group['rule'])}</code><br>{escape(group['title'])}<br>{fix}"


def _one_by_one(found: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        [
            escape(each["operation"] or "-"),
            str(each["entry"]) if each["entry"] is not None else "-",
            escape(each["message"]),
            escape(each["source"]),
        ]
        for each in found
    ]
    return table(["operation", "entry", "what", "source"], rows, frozenset({1}))


def _conservation(accounts: Mapping[str, Any]) -> list[str]:
    words = fate_words()
    body = ["<h2>Every number accounted for</h2>"]
    if not accounts["accepted"]:
        return [*body, "<p>No number was accepted.</p>"]
    parts = [
        (Series(f"{fate}: {meaning}", _FATE_STYLES[fate]), accounts[fate]) for fate, meaning in words.items()
    ]
    present = [part for part in parts if part[1]]
    label = f"Accepted numbers: {fate_counts(accounts)}"
    body += [
        f"<figure>{charts.shares(label, present)}{charts.legend([series for series, _ in present])}</figure>",
    ]
    names = ["accepted", *words]
    rows = [
        [escape(provider), *(f"{account[name]:,}" for name in names)]
        for provider, account in accounts["providers"].items()
    ]
    rows.append(["<b>all</b>", *(f"<b>{accounts[name]:,}</b>" for name in names)])
    body.append(table(["provider", *names], rows, frozenset(range(1, len(names) + 1))))
    if accounts["orphans"]:
        shown = accounts["orphans"][:500]
        title = f"{counted(accounts['orphan'], 'orphan')}: call ids"
        body.append(folded(title, chips(shown)))
    return [*body, *_charges(accounts["providers"])]


def _charges(providers: Mapping[str, Any]) -> list[str]:
    rows = [[*map(escape, row[:-1]), badge(row[-1])] for row in charges(providers)]
    return ["<h3>Charges</h3>", table(CHARGES, rows, frozenset(range(1, 6)))] if rows else []


def _course(document: Mapping[str, Any]) -> list[str]:
    body = ["<h2>Course of the run</h2>"]
    providers = document["coverage"]["providers"]
    series = [Series(name, _COLOURS[index % 5]) for index, name in enumerate(providers)]
    outcomes = document["coverage"]["outcomes"]["exercised"]
    if outcomes:
        rows = {
            outcome.replace("_", " "): [
                each["outcomes"]["exercised"].get(outcome, 0) for each in providers.values()
            ]
            for outcome in sorted(outcomes, key=lambda name: -outcomes[name])
        }
        body.append(_figure("How calls ended", charts.bars("Calls by outcome", rows, series), series))
    latency = document["latency"]
    if latency:
        body.append(_figure(_latency_caption(latency), _latency_chart(latency, series), series))
    line = document["timeline"]
    if line["bars"]:
        body.append(_timeline(line))
    return body if len(body) > 1 else []


def _figure(caption: str, chart: str, series: Sequence[Series]) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{charts.legend(series)}{chart}</figure>"


def _latency_caption(latency: Mapping[str, Any]) -> str:
    longest = max(each["longest_ms"] for each in latency.values())
    halves = ", ".join(f"{name} {each['p50_ms']} ms" for name, each in latency.items())
    return f"Reply time of the receiver (half of the replies within: {halves}; longest {longest:,.0f} ms)"


def _latency_chart(latency: Mapping[str, Any], series: Sequence[Series]) -> str:
    first = next(iter(latency.values()))["classes"]
    last = max(
        index
        for index in range(len(first))
        if any(each["classes"][index]["count"] for each in latency.values())
    )
    classes: dict[str, list[int]] = {}
    for index, each in enumerate(first[: max(last, 6) + 1]):
        bound = each["up_to_ms"]
        if bound is None:
            name = "more"
        else:
            name = f"≤ {bound}" if bound < 1000 else f"≤ {bound // 1000} s"
        classes[name] = [
            latency[one.name]["classes"][index]["count"] if one.name in latency else 0 for one in series
        ]
    return charts.columns("Replies to pushes by time taken", classes, series, "ms until the reply")


def _timeline(line: Mapping[str, Any]) -> str:
    at = {name: index for index, name in enumerate(line["series"])}
    bars = line["bars"]
    fine, refused = Series("successful", "c1"), Series("refused or failed", "bad")
    ended = Series("calls ended", "c5")
    good, lost = Series("acknowledged", "good"), Series("not acknowledged", "odd")
    lanes = [
        Lane(
            "requests", [fine, refused],
            [[bar[at["requests"]] - bar[at["refused"]], bar[at["refused"]]] for bar in bars],
        ),
        Lane("calls ended", [ended], [[bar[at["calls_ended"]]] for bar in bars]),
        Lane(
            "pushes", [good, lost],
            [[bar[at["pushes_delivered"]], bar[at["pushes_undelivered"]]] for bar in bars],
        ),
    ]  # fmt: skip
    start = datetime.fromisoformat(line["start"])
    span = timedelta(seconds=line["bar_seconds"] * len(bars))
    form = "%H:%M:%S" if span < timedelta(days=1) else "%m-%d %H:%M"
    ticks = [(share / 4, (start + span * share / 4).strftime(form)) for share in range(5)]
    caption = f"Timeline, one bar per {line['bar_seconds']:g} s of the tenant's clock (UTC)"
    return _figure(
        caption, charts.timeline("Timeline of the run", lanes, ticks), [fine, refused, ended, good, lost]
    )


def _coverage(coverage: Mapping[str, Any]) -> list[str]:
    body = ["<h2>Exercised, and not exercised</h2>"]
    rows = [_row("outcomes", coverage["outcomes"]), _row("faults and effects", coverage["faults"])]
    for provider, parts in coverage["providers"].items():
        if parts["operations"]["exercised"]:
            rows += [_row(f"{provider}: {what}", parts[what]) for what in ("operations", "errors", "causes")]
    body.append(table(["", "exercised", "of", "not exercised"], rows, frozenset({1, 2}), frozenset({0})))
    unused = [
        provider for provider, parts in coverage["providers"].items() if not parts["operations"]["exercised"]
    ]
    if unused:
        body.append(f'<p class="faint">Not exercised: {escape(", ".join(unused))}.</p>')
    rules = coverage["rules"]
    if rules["unused"]:
        body.append("<h3>Rules of the scenario that never applied</h3>")
        body.append(
            table(
                ["rule", "matched", "nearest"],
                [
                    [
                        escape(each["rule"]),
                        str(each["matched"]),
                        escape("; ".join(each["nearest"] or ["nothing came near"])),
                    ]
                    for each in rules["unused"]
                ],
                frozenset({1}),
            )
        )
    return body


def _row(name: str, part: Mapping[str, Any]) -> list[str]:
    never = [_name(each) for each in part["never"]]
    if not never:
        shown = "-"
    elif len(never) <= 8:
        shown = chips(never)
    else:
        shown = folded(f"{len(never)}", chips(never))
    return [escape(name), f"{len(part['exercised']):,}", f"{part['of']:,}", shown]


def _name(each: Any) -> str:
    if not isinstance(each, Mapping):
        return str(each)
    where = f"{each['operation']} " if each["operation"] else ""
    return f"{where}{each['code']} {'/'.join(each['names'])}"
