from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.core import findings
from voice_emulator.core.findings import Finding, Findings
from voice_emulator.core.listeners import Listener, Listeners


def finding(rule: str = "schema-violation", message: str = "wrong") -> Finding:
    return Finding(rule, "error", "nxcloud", "gpsend", message, "page", entry=3, at=7)


def test_findings_past_the_limit_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(findings, "FINDING_LIMIT", 3)
    found = Findings()
    for number in range(5):
        found.add(finding(message=str(number)))
    assert [each.message for each in found] == ["0", "1", "2"]
    assert found.counts == {("schema-violation", "nxcloud", "error"): 5}
    found.clear()
    assert (len(found), found.counts) == (0, {})


class OpenCalls(Listener):
    """Derives a finding from each open call, as rules do."""

    def __init__(self) -> None:
        self.ids = ["c1", "c2"]

    def derive_findings(self, tenant: Any) -> list[Any]:
        return [finding("orphaned-call", call) for call in self.ids]


def test_derived_findings_follow_the_added_ones_and_are_worked_out_anew_each_time():
    calls, listeners = OpenCalls(), Listeners()
    listeners.bind(Listeners(calls), None)
    found = Findings(listeners)
    found.add(finding())
    assert [each.rule for each in found.all()] == ["schema-violation", "orphaned-call", "orphaned-call"]
    calls.ids.clear()
    assert [each.rule for each in found.all()] == ["schema-violation"]


def test_finding_is_shown_with_its_instant_and_weighs_its_message():
    shown = finding().shown()
    assert (shown["entry"], shown["call_id"], shown["severity"]) == (3, None, "error")
    assert shown["at"] == "1970-01-01T00:00:00.000007+00:00"
    assert finding(message="x" * 1000).weight > finding().weight + 900
