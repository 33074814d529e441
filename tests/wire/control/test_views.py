from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.wire.control.views import show_entry, show_pending

FINDING = Finding("token-storm", "warning", "nxcloud", "token", "too many", "page")


def test_finding_without_an_instant_has_none():
    assert FINDING.shown()["at"] is None
    assert replace(FINDING, at=1).shown()["at"] == "1970-01-01T00:00:00.000001+00:00"


@pytest.mark.parametrize(("by_hand", "faults"), [(False, ["lost"]), (True, [])])
def test_pending_push_shows_the_faults_that_will_act_on_it(by_hand: bool, faults: list[str]):
    push = Push(
        "p", "nxcloud", "group", None, None, 0, effect=ReceiptEffect(lost=True), attempt=2, by_hand=by_hand
    )
    shown = show_pending(push, "due")
    assert (shown["id"], shown["call_id"], shown["outcome"], shown["reason"]) == (
        "p.2",
        None,
        "pending",
        "due",
    )
    assert shown["faults"] == faults


def test_entry_of_a_request_has_its_parts_in_itself_and_any_other_under_its_kind():
    record: Any = SimpleNamespace(shown=lambda: {"provider": "nxcloud", "operation": "token", "code": "1"})
    assert show_entry(Entry(1, "request", 0, record))["code"] == "1"
    other = show_entry(Entry(2, "violation", 0, record))
    assert other["violation"]["code"] == "1"
    assert (other["provider"], other["operation"], "code" in other) == ("nxcloud", "token", False)
