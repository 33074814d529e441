"""JUnit XML, as CI servers read it: one suite per provider, one case per rule (or per check)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from voice_emulator.report.wording import called, verdict_line, where

#: Characters that XML 1.0 cannot hold, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Calls that a failure's text names.
LINES = 50


@dataclass(frozen=True, slots=True)
class Case:
    """One test case. ``failure`` is its message when it failed, ``text`` the long form, ``note`` what else there is."""

    suite: str
    name: str
    failure: str | None = None
    kind: str = "violation"
    text: str = ""
    note: str = ""
    seconds: float = 0.0
    skipped: str | None = None


def write_junit(name: str, cases: Iterable[Case], properties: Mapping[str, str]) -> bytes:
    """The document: suites in order of appearance."""
    root = ET.Element("testsuites", name=_clean(name))
    suites: dict[str, list[Case]] = {}
    for case in cases:
        suites.setdefault(case.suite, []).append(case)
    total = failed = 0
    for suite, members in suites.items():
        failures = sum(case.failure is not None for case in members)
        skipped = sum(case.skipped is not None for case in members)
        total, failed = total + len(members), failed + failures
        element = ET.SubElement(
            root, "testsuite", name=_clean(suite), tests=str(len(members)), failures=str(failures), errors="0",
            skipped=str(skipped), time=f"{sum(case.seconds for case in members):.3f}",
        )  # fmt: skip
        holder = ET.SubElement(element, "properties")
        for key, value in properties.items():
            ET.SubElement(holder, "property", name=_clean(key), value=_clean(value))
        for case in members:
            _add(element, suite, case)
    root.set("tests", str(total))
    root.set("failures", str(failed))
    root.set("errors", "0")
    ET.indent(root)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _add(parent: ET.Element, suite: str, case: Case) -> None:
    element = ET.SubElement(
        parent, "testcase", classname=_clean(f"voice-emulator.{suite}"), name=_clean(case.name),
        time=f"{case.seconds:.3f}",
    )  # fmt: skip
    if case.failure is not None:
        failure = ET.SubElement(element, "failure", message=_clean(case.failure), type=_clean(case.kind))
        failure.text = _clean(case.text)
    elif case.skipped is not None:
        ET.SubElement(element, "skipped", message=_clean(case.skipped))
    if case.note:
        ET.SubElement(element, "system-out").text = _clean(case.note)


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def contract_junit(
    document: Mapping[str, Any], fail_on: str = "error", *, allow_empty: bool = False
) -> bytes:
    """The contract report. A rule that had nothing to judge is skipped; without any request ``judged`` fails."""
    providers = list(document["coverage"]["providers"])
    by_case: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for group in document["findings"]:
        for provider in group["providers"]:
            by_case.setdefault((provider, group["rule"]), []).append(group)
    cases = []
    if not document["summary"]["judged"]:
        told = verdict_line(document["summary"])
        skipped = told if allow_empty else None
        cases.append(Case("run", "judged", failure=None if allow_empty else told, skipped=skipped))
    for provider in (*providers, "none"):
        for rule in document["rules"]:
            found = by_case.get((provider, rule["id"]), [])
            if found or provider in (rule["providers"] or providers):
                cases.append(_case(provider, rule, found, fail_on))
    properties = {name: str(document[name]) for name in ("tenant", "scenario", "seed", "clock", "now")}
    return write_junit("voice-emulator contract report", cases, properties)


def _case(provider: str, rule: Mapping[str, Any], found: list[Mapping[str, Any]], fail_on: str) -> Case:
    failing = [each for each in found if each["severity"] == "error" or fail_on == "warning"]
    rest = [each for each in found if each not in failing]
    count = sum(each["providers"][provider] for each in failing)
    unused = not found and not rule["exercised"].get(provider)
    return Case(
        provider,
        rule["id"],
        failure=f"{rule['title']} ({count:,} found)" if failing else None,
        text=_lines(rule, provider, failing) if failing else "",
        note="warning: " + _lines(rule, provider, rest) if rest else "",
        skipped="not exercised" if unused else None,
    )


def _lines(rule: Mapping[str, Any], provider: str, groups: list[Mapping[str, Any]]) -> str:
    lines = [rule["title"], f"How to fix it: {rule['fix']}"]
    for group in groups:
        if group["calls"]:
            lines.append(f"Calls: {called(group, LINES)}")
        own = [each for each in group["examples"] if (each["provider"] or "none") == provider]
        lines += [f"{where(each) or 'the run'}: {each['message']} [{each['source']}]" for each in own]
        more = group["providers"][provider] - len(own)
        if more:
            lines.append(f"and {more:,} more")
    return "\n".join(lines)
