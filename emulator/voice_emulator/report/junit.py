"""JUnit XML, as CI servers read it: one suite per provider, one case per rule (or per check)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

#: Characters that XML 1.0 cannot hold, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Lines of one failure's text.
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


def contract_junit(document: Mapping[str, Any]) -> bytes:
    """The contract report: errors fail their case, warnings are noted in it."""
    providers = list(document["coverage"]["providers"])
    by_case: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for finding in document["violations"]:
        by_case.setdefault((finding["provider"] or "none", finding["rule"]), []).append(finding)
    cases = []
    for provider in (*providers, "none"):
        for rule in document["rules"]:
            found = by_case.get((provider, rule["id"]), [])
            applies = provider in (rule["providers"] or providers)
            if found or applies:
                cases.append(_case(provider, rule, found))
    properties = {name: str(document[name]) for name in ("tenant", "scenario", "seed", "clock", "now")}
    return write_junit("voice-emulator contract report", cases, properties)


def _case(provider: str, rule: Mapping[str, Any], found: list[Mapping[str, Any]]) -> Case:
    errors = [each for each in found if each["severity"] == "error"]
    warnings = [each for each in found if each["severity"] == "warning"]
    count = int(rule["found"].get(provider, 0))
    return Case(
        provider,
        rule["id"],
        failure=f"{rule['title']} ({count} found)" if errors else None,
        text=_lines(errors),
        note="warnings:\n" + _lines(warnings) if warnings else "",
    )


def _lines(findings: list[Mapping[str, Any]]) -> str:
    lines = [
        f"{each['operation'] or '-'}, entry {each['entry'] if each['entry'] is not None else '-'}: "
        f"{each['message']} [{each['source']}]"
        for each in findings[:LINES]
    ]
    if len(findings) > LINES:
        lines.append(f"... and {len(findings) - LINES} more")
    return "\n".join(lines)
