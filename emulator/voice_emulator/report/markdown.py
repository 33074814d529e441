"""Markdown fit for the summary page of a CI job: the verdict first, long lists folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from voice_emulator.report.wording import (
    CHARGES,
    by_provider,
    called,
    charges,
    counted,
    fate_words,
    listed,
    verdict_line,
)

#: Calls of a group that are named.
CALLS = 20


def cell(value: object) -> str:
    """A value that cannot break the table it stands in."""
    text = " ".join(str(value).split())
    for character in "\\|`<>*_[]":
        text = text.replace(character, "\\" + character)
    return text[:400]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A table as lines."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(value) for value in row) + " |" for row in rows]
    return lines


def code_block(lines: Sequence[str]) -> list[str]:
    """Lines as they are; the fence is longer than any in them."""
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *(each for line in lines for each in line.splitlines() or [""]), fence]


def contract_markdown(document: Mapping[str, Any]) -> str:
    """The contract report."""
    summary, accounts = document["summary"], document["conservation"]
    facts = f"Scenario `{cell(document['scenario'])}`, seed {document['seed']}"
    counts = f"{counted(summary['requests'], 'request')}, {counted(summary['accepted'], 'number')} accepted"
    lines = [
        f"## Voice contract report: {cell(document['tenant'])}",
        "",
        f"**{verdict_line(summary)}** {facts}, {counts}.",
        "",
    ]
    lines += _findings(document)
    lines += ["### Every number accounted for", ""]
    names = ["accepted", *fate_words()]
    lines += table(["provider", *names], [
        [provider, *(account[name] for name in names)] for provider, account in accounts["providers"].items()
    ] + [["all", *(accounts[name] for name in names)]])  # fmt: skip
    if accounts["orphans"]:
        lines += ["", f"Orphans: {listed(accounts['orphans'][:CALLS], accounts['orphan'])}"]
    lines += _charges(accounts["providers"])
    lines += ["", "### Exercised", ""]
    lines += table(["", "exercised", "not exercised"], _coverage_rows(document["coverage"]))
    unused = document["coverage"]["rules"]["unused"]
    if unused:
        lines += ["", "<details><summary>Rules of the scenario that never applied</summary>", ""]
        lines += table(["rule", "matched", "nearest"], [
            [each["rule"], each["matched"], "; ".join(each["nearest"] or ["nothing came near"])] for each in unused
        ])  # fmt: skip
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _findings(document: Mapping[str, Any]) -> list[str]:
    groups = document["findings"]
    if not groups:
        return []
    lines = ["### Findings", ""]
    lines += table(["", "rule", "provider", "found", "what", "how to fix it"], [
        [each["severity"], each["rule"], by_provider(each), f"{each['count']:,}", each["title"], each["fix"]]
        for each in groups
    ])  # fmt: skip
    for group in groups:
        lines += ["", f"<details><summary>{cell(group['rule'])}: {group['count']:,} found</summary>", ""]
        if group["calls"]:
            lines += [f"Calls: {called(group, CALLS)}", ""]
        rows = (
            [each["operation"] or "-", each["entry"] or "-", each["message"], each["source"]]
            for each in group["examples"]
        )
        lines += [*table(["operation", "entry", "message", "source"], rows), ""]
        if group["count"] > len(group["examples"]):
            lines += [f"and {group['count'] - len(group['examples']):,} more", ""]
        lines.append("</details>")
    return [*lines, ""]


def _charges(providers: Mapping[str, Any]) -> list[str]:
    rows = charges(providers)
    return ["", "### Charges", "", *table(CHARGES, rows)] if rows else []


def _coverage_rows(coverage: Mapping[str, Any]) -> list[list[object]]:
    rows: list[list[object]] = []
    for what in ("outcomes", "faults"):
        part = coverage[what]
        rows.append([what, f"{len(part['exercised'])} of {part['of']}", ", ".join(part["never"]) or "-"])
    for provider, parts in coverage["providers"].items():
        if not parts["operations"]["exercised"]:
            rows.append([provider, "not exercised", "-"])
            continue
        for what in ("operations", "errors", "causes"):
            part = parts[what]
            never = part["never"]
            names = [each["code"] if isinstance(each, Mapping) else each for each in never]
            shown = ", ".join(dict.fromkeys(names))
            rows.append([f"{provider} {what}", f"{len(part['exercised'])} of {part['of']}", shown or "-"])
    return rows
