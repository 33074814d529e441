from __future__ import annotations

from pathlib import Path

from voice_emulator.client.entries import Entry
from voice_emulator.client.timeline import SHOWN, WIDTH, timeline
from voice_emulator.core.shapes import Call, Tenant

GOLDEN = Path(__file__).with_name("timeline.txt")
START = "2026-01-05T01:00:"


def entry(id: int, second: float, kind: str, **document: object) -> Entry:
    return Entry.read({"id": id, "kind": kind, "at": f"{START}{second:09.6f}+00:00", **document})


def tenant(clock: str = "manual") -> Tenant:
    document = {"id": "mine", "scenario": "bad-day", "clock": clock, "now": f"{START}00+00:00"}
    return Tenant.read(document)


def call(id: str, outcome: str, cause: str) -> Call:
    at = f"{START}00+00:00"
    return Call.read({"id": id, "number": "62812000", "outcome": outcome, "cause": cause, "submitted_at": at})


ENTRIES = [
    entry(
        1, 0, "request", provider="nxcloud", operation="gpsend",
        numbers=["1", "2", "3", "4"], number_count=5000,
        code="0", reply={"status": 200, "body": "", "note": ""}, rule={"reply": None, "fault": None},
    ),
    entry(
        2, 0.25, "request", provider="nxcloud", operation="versend", numbers=["62812000"], reply=None,
        rule={"reply": None, "fault": "the reset"}, fault="reset",
    ),
    entry(
        3, 0.5, "request", provider="nxcloud", operation="versend", numbers=["62812000"], attributed=False,
        reply={"status": None, "note": "reset before any byte"},
        rule={"reply": None, "fault": "the reset"}, fault="reset",
    ),
    entry(
        4, 1, "request", request={"method": "GET", "path": "/nowhere"}, reply={"status": 404},
        violations=[{"code": "http-404", "place": "", "message": "no provider serves /nowhere"}], rule={},
    ),
    entry(
        5, 3, "callback", provider="nxcloud",
        callback={
            "call_id": "c1", "label": "group, copy 1 of 2, attempt 1", "outcome": "refused",
            "status": 200, "reply": "OK\nthen",
            "reason": "the body is not success", "rule": None, "faults": [],
        },
    ),
    entry(
        6, 3, "violation", provider="nxcloud", operation="group",
        violation={
            "severity": "error", "rule": "receiver-reply", "message": "the body is 'OK', not 'success'",
        },
    ),
    entry(
        7, 33, "callback", provider="nxcloud",
        callback={
            "call_id": "c1", "label": "group, copy 1 of 2, attempt 2", "outcome": "lost", "status": None,
            "reply": None,
            "reason": "lost by a rule", "rule": "lossy", "faults": ["lost"],
        },
    ),
    entry(8, 59.999, "system", system={"message": "the journal was cut"}),
]  # fmt: skip


def test_the_golden_text():
    """One line for each entry, with the rule and the fault; seconds since the first entry."""
    assert timeline(tenant(), ENTRIES, [call("c1", "busy", "USER_BUSY")]) + "\n" == GOLDEN.read_text("utf-8")


def test_an_empty_journal_says_so():
    text = "tenant mine, scenario bad-day, clock real: nothing came over the wire"
    assert timeline(tenant("real"), []) == text


def test_lines_and_their_number_are_bounded():
    many = [entry(n, 0, "system", system={"message": f"{n} " + "x" * 500}) for n in range(SHOWN + 7)]
    lines = timeline(tenant(), many).splitlines()
    assert lines[1] == "  ... 7 earlier entries left out ..."
    assert len(lines) == SHOWN + 2
    assert max(map(len, lines)) == WIDTH
