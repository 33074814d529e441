"""The receiver conformance report in its four formats, from its JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from voice_emulator.report.junit import Case, write_junit
from voice_emulator.report.markdown import cell, table
from voice_emulator.report.page import badge, page
from voice_emulator.report.page import table as html_table
from voice_emulator.report.wording import counted

_ORDER = {"failed": 0, "unwise": 1, "passed": 2, "skipped": 3}


def sentence(summary: Mapping[str, Any]) -> str:
    """The verdict in one sentence."""
    if summary["failed"]:
        return (
            f"{counted(summary['failed'], 'check')} failed, {summary['unwise']} answered unwisely, "
            f"{summary['passed']} passed, {summary['skipped']} skipped."
        )
    rest = f"{summary['passed']} passed, {summary['skipped']} skipped."
    if summary["unwise"]:
        return f"Nothing failed; {counted(summary['unwise'], 'answer')} unwise, {rest}"
    return f"Nothing failed: {rest}"


def render_conformance(document: Mapping[str, Any], format: str) -> bytes:
    """``json``, ``junit``, ``html`` or ``markdown``. Raises ValueError for another."""
    if format == "json":
        return json.dumps(document, ensure_ascii=False, indent=2).encode() + b"\n"
    if format == "junit":
        return _junit(document)
    if format == "html":
        return _html(document).encode("utf-8", "replace")
    if format in ("markdown", "md"):
        return _markdown(document).encode("utf-8", "replace")
    raise ValueError(f"{format!r} is none of json, junit, html, markdown")


def _junit(document: Mapping[str, Any]) -> bytes:
    cases = [
        Case(
            each["provider"], each["id"].partition("/")[2],
            failure=each["reason"] if each["verdict"] == "failed" else None, kind="conformance",
            text=_story(each),
            note=f"unwise: {each['reason']}\n{_story(each)}" if each["verdict"] == "unwise" else "",
            seconds=each["seconds"], skipped=each["reason"] if each["verdict"] == "skipped" else None,
        )
        for each in document["checks"]
    ]  # fmt: skip
    properties = {"callback_url": document["callback_url"], "seed": str(document["seed"])}
    return write_junit("voice-emulator receiver conformance", cases, properties)


def _story(each: Mapping[str, Any]) -> str:
    return f"sent: {each['sent']}\nexpected: {each['expected']}\nreceived: {each['received']}\nwhy: {each['why']}"


def _sorted(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(document["checks"], key=lambda each: (_ORDER[each["verdict"]], each["id"]))


def _markdown(document: Mapping[str, Any]) -> str:
    lines = [
        "## Receiver conformance", "", f"**{sentence(document['summary'])}** `{cell(document['callback_url'])}`", "",
    ]  # fmt: skip
    wrong = [each for each in _sorted(document) if each["verdict"] in ("failed", "unwise")]
    if wrong:
        head = ["", "check", "sent", "expected", "received", "why it matters"]
        lines += table(
            head,
            [
                [each["verdict"], each["id"], each["sent"], each["expected"], each["reason"], each["why"]]
                for each in wrong
            ],
        )
        lines.append("")
    rest = [each for each in _sorted(document) if each not in wrong]
    lines += ["<details><summary>Passed and skipped</summary>", ""]
    lines += table(
        ["", "check", "note"], [[each["verdict"], each["id"], each["reason"] or "-"] for each in rest]
    )
    return "\n".join([*lines, "", "</details>", ""])


def _html(document: Mapping[str, Any]) -> str:
    summary = document["summary"]
    tiles = "".join(
        f"<li><b>{summary[name]}</b><span>{name}</span></li>"
        for name in ("failed", "unwise", "passed", "skipped")
    )
    body = [
        "<h1>Receiver conformance</h1>",
        f'<p class="faint"><code>{escape(document["callback_url"])}</code> · {escape(document["at"])}</p>',
        f'<p class="verdict {summary["verdict"]}">{escape(sentence(summary))}</p>',
        f'<ul class="tiles">{tiles}</ul>',
    ]
    for provider in dict.fromkeys(each["provider"] for each in document["checks"]):
        rows = [
            [
                badge(each["verdict"]),
                f"<code>{escape(each['id'].partition('/')[2])}</code>",
                f'{escape(each["sent"])}<br><span class="faint">expected: {escape(each["expected"])}</span>',
                f'{escape(each["reason"] or each["received"])}<br><span class="faint">{escape(each["why"])}</span>'
                if each["verdict"] in ("failed", "unwise")
                else escape(each["reason"] or each["received"]),
            ]
            for each in _sorted(document)
            if each["provider"] == provider
        ]
        body += [
            f"<h2>{escape(provider)}</h2>",
            html_table(["", "check", "sent", "what came back"], rows, names=frozenset({1})),
        ]
    body.append(f"<footer>{escape(document['generator'])}, seed {document['seed']}</footer>")
    return page("Receiver conformance", body)
