from __future__ import annotations

from voice_emulator.client import (
    Tenant,
)
from voice_emulator.client.reading import build
from voice_emulator.client.results import Advanced, NearMiss, Violation


def test_tenant_is_manual_however_its_clock_is_written():
    base = {"id": "t", "now": "2026-01-05T09:00:00+08:00"}
    clocks = ["manual", {"mode": "manual", "start": None}, "60x", {"mode": "real"}, None]
    assert [build(Tenant, {**base, "clock": clock}).manual for clock in clocks] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_violation_reads_as_a_sentence_with_its_source():
    document = {"rule": "token-storm", "severity": "warning", "provider": "nxcloud", "operation": "", "entry": None,
                "message": "too many", "source": "page"}  # fmt: skip
    assert str(build(Violation, document)) == "warning token-storm nxcloud: too many [page]"
    told = build(Violation, {**document, "operation": "token", "entry": 7})
    assert str(told) == "warning token-storm nxcloud.token (journal entry 7): too many [page]"


def test_near_miss_tells_its_differences():
    document = {
        "id": 3,
        "differences": [{"place": "number", "expected": "1", "actual": "2"}, {"field": "ext"}, "else"],
    }
    assert (
        str(build(NearMiss, document)) == "entry 3: number: wanted 1, got 2; ext: wanted None, got None; else"
    )


def test_advanced_is_complete_unless_the_api_says_it_is_not():
    now = {"now": "2026-01-05T09:00:00+08:00"}
    assert build(Advanced, now).complete
    assert not build(Advanced, {**now, "complete": False}).complete
