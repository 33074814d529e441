from __future__ import annotations

from typing import Any

from voice_emulator.report.explanation_text import explanation_text

QUIET: dict[str, Any] = {"acted": {}, "nearest": None, "rules": [], "draws": []}
REQUEST: dict[str, Any] = {
    **QUIET, "entry": 7, "kind": "request", "at": "2026-01-05T09:00:00+08:00", "what": "gpsend", "scenario": "s",
    "refused": [], "code": "0", "fault": None, "calls": [],
}  # fmt: skip
PUSH: dict[str, Any] = {
    **REQUEST, "kind": "callback", "outcome": "refused", "reason": "body 'no'", "expected": "success", "faults": [],
}  # fmt: skip


def test_request_is_told_with_its_reasons_and_its_code():
    assert explanation_text(REQUEST).splitlines() == [
        "Entry 7, request at 2026-01-05T09:00:00+08:00: gpsend (scenario s)",
        "Reply code '0'.",
        "No rule acted.",
    ]
    lines = explanation_text(
        {**REQUEST, "refused": ["/phone: is missing"], "fault": "reset", "note": "so"}
    ).splitlines()
    assert lines[1:4] == [
        "Note: so.",
        "Refused: /phone: is missing",
        "Reply code '0' through the fault reset.",
    ]


def test_push_is_told_with_its_outcome_and_what_changed_it():
    lines = explanation_text({**PUSH, "faults": ["corrupt", "copies"]}).splitlines()
    assert lines[1:3] == [
        "Outcome: refused: body 'no'. Expected: success.",
        "Changed by a rule: corrupt, copies.",
    ]
    assert "Outcome: delivered. Expected: success." in explanation_text(
        {**PUSH, "outcome": "delivered", "reason": ""}
    )


def test_rules_and_draws_are_told_where_they_belong():
    call = {
        "call": "c1", "number": "62811", "attempt": 2, "fate": "pending", "acted": {"call": "busy line"},
        "nearest": {"rule": "vip", "because": "number is 62811, not 99*"},
        "rules": [{"rule": "busy line", "acted": True, "effects": ["call"], "because": "it matched"}],
        "draws": [{"drawn": 0.5, "purpose": "mix", "rule": "busy line", "means": "busy"},
                  {"drawn": 0.1, "purpose": "ring", "rule": None, "means": "2 s"}],
        "timeline": [{"at": "t0", "event": "submitted", "detail": "gpsend"}, {"at": "t1", "event": "ringing", "detail": ""}],
    }  # fmt: skip
    text = explanation_text({**REQUEST, "calls": [call], "more_calls": 4})
    for line in (
        "Call c1, the 2nd to 62811; fate: pending",
        "  Call: by the rule 'busy line'.",
        "  Nearest: 'vip': number is 62811, not 99*",
        "    acted  'busy line' (call): it matched",
        "    drew 0.5 for mix of 'busy line': busy",
        "    drew 0.1 for ring: 2 s",
        "    t0  submitted: gpsend",
        "    t1  ringing",
        "and 4 more calls",
    ):
        assert line in text.splitlines(), line
