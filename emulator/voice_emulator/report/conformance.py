"""The receiver conformance report in its four formats, from its JSON document."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from voice_emulator.report.junit import Case, write_junit
from voice_emulator.report.markdown import cell, code_block, table
from voice_emulator.report.page import badge, folded, page, tiles
from voice_emulator.report.page import table as html_table
from voice_emulator.report.wording import counted

_ORDER = {"failed": 0, "warning": 1, "passed": 2, "skipped": 3}
_WRONG = ("failed", "warning")
#: Characters of a body or a curl line that a text shows; the JSON has all of them.
_LONGEST = 4_000


def sentence(summary: Mapping[str, Any]) -> str:
    """The verdict in one sentence."""
    if summary["verdict"] == "empty":
        return "No check was judged: nothing is known about this receiver."
    passed, skipped = f"{summary['passed']} passed", f"{summary['skipped']} skipped"
    warnings = counted(summary["warning"], "warning")
    if summary["failed"]:
        return f"{counted(summary['failed'], 'check')} failed, {warnings}, {passed}, {skipped}."
    if summary["warning"]:
        return f"Nothing failed; {warnings}, {passed}, {skipped}."
    return f"Nothing failed: {passed}, {skipped}."


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


def push_lines(each: Mapping[str, Any]) -> list[str]:
    """The pushes that show a failure, as text: the fields of each, and its curl line."""
    lines = []
    for number, push in enumerate(each["pushes"], 1):
        which = f" {number} of {len(each['pushes'])}" if len(each["pushes"]) > 1 else ""
        lines.append(f"push{which}: {push['method']} {cut(push['url'])}")
        lines += [f"  {name}: {cut(value)}" for name, value in push["fields"].items()]
        lines.append(f"  {cut(push['curl'])}")
    return lines


def cut(value: object) -> str:
    """A value of bounded length."""
    text = str(value)
    return (
        text
        if len(text) <= _LONGEST
        else f"{text[:_LONGEST]}... ({len(text):,} characters; the JSON has all)"
    )


def _junit(document: Mapping[str, Any]) -> bytes:
    cases = [
        Case(
            each["provider"], each["id"].partition("/")[2],
            failure=each["reason"] if each["verdict"] == "failed" else None, kind="conformance",
            text=_story(each),
            note=f"warning: {each['reason']}\n{_story(each)}" if each["verdict"] == "warning" else "",
            seconds=each["seconds"], skipped=each["reason"] if each["verdict"] == "skipped" else None,
        )
        for each in document["checks"]
    ]  # fmt: skip
    if document["summary"]["verdict"] == "empty":
        cases.insert(0, Case("run", "judged", failure=sentence(document["summary"]), kind="conformance"))
    properties = {"callback_url": document["callback_url"], "seed": str(document["seed"])}
    return write_junit("voice-emulator receiver conformance", cases, properties)


def _story(each: Mapping[str, Any]) -> str:
    names = ("sent", "expected", "received", "why")
    return "\n".join([*(f"{name}: {each[name]}" for name in names), *push_lines(each)])


def _sorted(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return sorted(document["checks"], key=lambda each: (_ORDER[each["verdict"]], each["id"]))


def _markdown(document: Mapping[str, Any]) -> str:
    lines = [
        "## Receiver conformance", "", f"**{sentence(document['summary'])}** `{cell(document['callback_url'])}`", "",
    ]  # fmt: skip
    wrong = [each for each in _sorted(document) if each["verdict"] in _WRONG]
    if wrong:
        head = ["", "check", "sent", "expected", "received", "why it matters"]
        names = ("verdict", "id", "sent", "expected", "reason", "why")
        lines += [*table(head, ([each[name] for name in names] for each in wrong)), ""]
        lines += ["<details><summary>The pushes as they were sent</summary>", ""]
        for each in wrong:
            lines += [f"{cell(each['id'])}", "", *code_block(push_lines(each)), ""]
        lines += ["</details>", ""]
    lines += ["<details><summary>Passed and skipped</summary>", ""]
    rest = [each for each in _sorted(document) if each not in wrong]
    lines += table(
        ["", "check", "note"], ([each["verdict"], each["id"], each["reason"] or "-"] for each in rest)
    )
    return "\n".join([*lines, "", "</details>", ""])


def _html(document: Mapping[str, Any]) -> str:
    summary = document["summary"]
    body = [
        "<h1>Receiver conformance</h1>",
        f'<p class="faint"><code>{escape(document["callback_url"])}</code> · {escape(document["at"])}</p>',
        f'<p class="verdict {summary["verdict"]}">{escape(sentence(summary))}</p>',
        tiles((f"{summary[name]:,}", name) for name in _ORDER),
    ]
    for provider in dict.fromkeys(each["provider"] for each in document["checks"]):
        checks = [each for each in _sorted(document) if each["provider"] == provider]
        rows = (
            [
                badge(each["verdict"]),
                f"<code>{escape(each['id'].partition('/')[2])}</code>",
                _sent(each),
                _came(each),
            ]
            for each in checks
        )
        head = ["", "check", "sent", "what came back"]
        body += [f"<h2>{escape(provider)}</h2>", html_table(head, rows, names=frozenset({1}))]
    body.append(f"<footer>{escape(document['generator'])}, seed {document['seed']}</footer>")
    return page("Receiver conformance", body)


def _sent(each: Mapping[str, Any]) -> str:
    expected = f'<br><span class="faint">expected: {escape(each["expected"])}</span>'
    return f"{escape(each['sent'])}{expected}{''.join(_pushes(each['pushes']))}"


def _pushes(pushes: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for push in pushes:
        rows = (
            [f"<code>{escape(name)}</code>", escape(cut(value))] for name, value in push["fields"].items()
        )
        fields = html_table(["field", "value"], rows, names=frozenset({0}))
        yield folded(f"{push['method']} {push['kind']}", f"{fields}<pre>{escape(cut(push['curl']))}</pre>")


def _came(each: Mapping[str, Any]) -> str:
    came = escape(each["reason"] or each["received"])
    return (
        f'{came}<br><span class="faint">{escape(each["why"])}</span>' if each["verdict"] in _WRONG else came
    )
