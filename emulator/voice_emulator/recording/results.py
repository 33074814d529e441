"""The result of drift as one document, and as text, JSON, JUnit XML and Markdown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from voice_emulator.core.words import counted, one_line
from voice_emulator.recording.comparison import Finding
from voice_emulator.recording.drift import Drift
from voice_emulator.recording.lock import Accepted
from voice_emulator.report.junit import Case, write_junit
from voice_emulator.report.markdown import table
from voice_emulator.version import version


def document_of(
    result: Drift, new: Sequence[Finding], accepted: Sequence[Finding], idle: Sequence[Accepted]
) -> dict[str, Any]:
    """The result as JSON values."""
    return {
        "shape": 1,
        "generator": f"voice-emulator {version()}",
        "exchanges": result.exchanges,
        "providers": list(result.providers),
        "findings": [asdict(each) for each in new],
        "accepted": [asdict(each) for each in accepted],
        "expired_or_unused": [
            {
                **dict(zip(("provider", "operation", "field", "kind"), each.key, strict=True)),
                "until": str(each.until),
            }
            for each in idle
        ],
        "assumptions": [asdict(each) for each in result.assumptions],
    }


def sentence(document: Mapping[str, Any]) -> str:
    """The whole in one sentence."""
    if not document["exchanges"]:
        return "the recording has no exchanges, so nothing was compared"
    found = len(document["findings"])
    said = counted(found, "difference") if found else "no differences"
    known = len(document["accepted"])
    also = f", and {counted(known, 'accepted one')}" if known else ""
    return f"{said} in {counted(document['exchanges'], 'exchange')}{also}"


def render(document: Mapping[str, Any], kind: str) -> bytes:
    """The document as ``json``, ``junit``, ``markdown`` or ``text``."""
    if kind == "json":
        return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
    if kind == "junit":
        return _junit(document)
    return ("\n".join(_markdown(document) if kind == "markdown" else _text(document)) + "\n").encode()


def _text(document: Mapping[str, Any]) -> list[str]:
    lines = [
        one_line(
            f"{_title(each)}: {each['kind']}: {each['message']}{_example(each)} ({each['count']:,} times)"
        )
        for each in document["findings"]
    ]
    lines += [
        one_line(
            f"lock: {each['provider']} {each['operation']} {each['field']} accepts nothing: expired or unused"
        )
        for each in document["expired_or_unused"]
    ]
    against = [each for each in document["assumptions"] if not each["confirmed"]]
    right = len(document["assumptions"]) - len(against)
    lines.append(f"assumptions: {right} confirmed, {len(against)} contradicted")
    lines += [
        one_line(
            f"contradicted: {each['provider']} {each['operation']} {each['field']} ({each['certainty']})"
        )
        for each in against
    ]
    return [*lines, sentence(document)]


def _title(each: Mapping[str, Any]) -> str:
    return " ".join(part for part in (each["provider"], each["operation"], each["field"]) if part)


def _example(each: Mapping[str, Any]) -> str:
    return (
        f" (recorded {each['recorded']!r}, here {each['here']!r})" if each["recorded"] or each["here"] else ""
    )


def _junit(document: Mapping[str, Any]) -> bytes:
    cases = [
        Case(each["provider"], f"{_title(each)}: {each['kind']}", failure=each["message"], kind=each["kind"],
             text=f"{each['message']}{_example(each)}, {each['count']} times")
        for each in document["findings"]
    ]  # fmt: skip
    cases += [
        Case(each["provider"], f"{_title(each)}: {each['kind']}", note="accepted by the lock file")
        for each in document["accepted"]
    ]
    if not document["exchanges"]:
        cases.append(Case("drift", "compared", failure=sentence(document), kind="empty"))
    failed = {each["provider"] for each in document["findings"]}
    cases += [Case(name, "no drift") for name in document["providers"] if name not in failed]
    return write_junit("voice-emulator drift", cases, {"generator": document["generator"]})


def _markdown(document: Mapping[str, Any]) -> list[str]:
    lines = ["## Drift", "", f"**{sentence(document).capitalize()}.**", ""]
    if document["findings"]:
        rows = [
            (each["provider"], each["operation"], each["field"], each["kind"], each["message"], each["recorded"],
             each["here"], each["count"])
            for each in document["findings"]
        ]  # fmt: skip
        head = ("provider", "operation", "field", "kind", "what differs", "recorded", "emulator", "times")
        lines += [*table(head, rows), ""]
    if document["assumptions"]:
        rows_ = [
            (each["provider"], each["operation"], each["field"], each["certainty"],
             "confirmed" if each["confirmed"] else "contradicted")
            for each in document["assumptions"]
        ]  # fmt: skip
        lines += [
            "### Assumptions",
            "",
            *table(("provider", "operation", "field", "certainty", "the recording"), rows_),
        ]
    return lines


def confirmations(document: Mapping[str, Any]) -> str:
    """Which assumptions were confirmed or contradicted, as YAML for a person to carry into the schemas."""
    import yaml

    head = f"# What a recording of {counted(document['exchanges'], 'exchange')} says about what the emulator assumes.\n"
    return head + yaml.safe_dump(document["assumptions"], sort_keys=False, allow_unicode=True)
