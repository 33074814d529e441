"""The receiver conformance report, from a document made by hand."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from voice_emulator.report.conformance import render_conformance, sentence

VERDICTS = ("passed", "skipped", "failed", "warning")


def document() -> dict[str, Any]:
    checks = [
        {
            "provider": "nxcloud", "id": f"nxcloud/check-{verdict}", "verdict": verdict, "sent": "a <receipt>",
            "expected": "an answer", "received": "HTTP 200", "reason": "" if verdict == "passed" else f"it {verdict} | so",
            "why": "it matters", "pushes": [], "seconds": 0.5,
        }
        for verdict in VERDICTS
    ]  # fmt: skip
    summary = {"passed": 1, "skipped": 1, "failed": 1, "warning": 1, "verdict": "failed"}
    return {
        "summary": summary, "checks": checks, "callback_url": "http://127.0.0.1/<cb>", "seed": 3, "at": "now",
        "generator": "voice-emulator",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "begins"),
    [
        ({"failed": 2, "warning": 1}, "2 checks failed, 1 warning, 5 passed"),
        ({"failed": 0, "warning": 1}, "Nothing failed; 1 warning, 5 passed"),
        ({"failed": 0, "warning": 0}, "Nothing failed: 5 passed, 0 skipped."),
    ],
)
def test_sentence_tells_the_worst_first(counts: dict[str, int], begins: str):
    assert sentence({"passed": 5, "skipped": 0, "verdict": "", **counts}).startswith(begins)


def test_conformance_in_junit_fails_skips_and_notes():
    root = ET.fromstring(render_conformance(document(), "junit"))
    cases = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert cases == {
        "check-passed": [],
        "check-skipped": ["skipped"],
        "check-failed": ["failure"],
        "check-warning": ["system-out"],
    }


def test_conformance_in_markdown_and_html_begins_with_what_failed():
    for name in ("markdown", "md", "html"):
        text = render_conformance(document(), name).decode()
        places = [text.index(f"check-{verdict}") for verdict in ("failed", "warning", "passed", "skipped")]
        assert places == sorted(places), name
    html = render_conformance(document(), "html").decode()
    assert "<cb>" not in html
    assert "a &lt;receipt&gt;" in html
    rows = [
        line
        for line in render_conformance(document(), "markdown").decode().splitlines()
        if "check-failed" in line
    ]
    assert rows[0].replace("\\|", "").count("|") == 7


def test_conformance_in_json_is_the_document_and_another_format_is_refused():
    assert json.loads(render_conformance(document(), "json")) == document()
    with pytest.raises(ValueError, match="'pdf' is none of json, junit, html, markdown"):
        render_conformance(document(), "pdf")
