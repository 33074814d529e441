"""The lines of serve and tail: what they say, that they are harmless, and that many become one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from voice_emulator.report.traffic_line import LINES_PER_SECOND, LineLimit, traffic_line

REQUEST: Mapping[str, Any] = {
    "at": "2026-01-05T09:00:00.123456+00:00", "provider": "nxcloud", "operation": "gpsend",
    "request": {"method": "POST", "path": "/api/voiceSms/gpsend"}, "reply": {"status": 200}, "code": "0",
    "fault": None, "duration_ms": 1.26, "why": [], "refused": False,
}  # fmt: skip
PUSH: Mapping[str, Any] = {
    "at": "2026-01-05T09:00:01.000000+00:00", "provider": "nxcloud", "kind": "single", "number": "6281200010001",
    "url": "http://127.0.0.1:9000/dr?phone=6281200010001", "outcome": "delivered", "status": 200, "reason": "",
    "faults": [], "duration_ms": 2.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "POST /api/voiceSms/gpsend nxcloud gpsend: code 0, 1.3 ms"),
        (
            {"code": "1", "why": ["appkey: no tenant has the appkey 'x'", "phone: is empty"]},
            "POST /api/voiceSms/gpsend nxcloud gpsend: code 1, 1.3 ms; refused: appkey: no tenant has the appkey 'x'",
        ),
        (
            {"fault": "http_status", "reply": {"status": 502}},
            "POST /api/voiceSms/gpsend nxcloud gpsend: code 0, status 502, 1.3 ms, fault http_status",
        ),
        (
            {"fault": "reset", "reply": {"status": None}},
            "POST /api/voiceSms/gpsend nxcloud gpsend: code 0, no reply sent, 1.3 ms, fault reset",
        ),
        (
            {"provider": None, "operation": None, "code": None, "reply": {"status": 404}},
            "POST /api/voiceSms/gpsend: status 404, 1.3 ms",
        ),
    ],
)
def test_a_request_is_one_line(changes: Mapping[str, Any], line: str):
    assert traffic_line({**REQUEST, **changes}) == f"2026-01-05T09:00:00.123Z {line}"


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {},
            "PUSH http://127.0.0.1:9000/dr nxcloud single 6281200010001: delivered, status 200, 2.0 ms",
        ),
        (
            {"outcome": "failed", "status": None, "reason": "no reply from h:1 within 10 s"},
            "PUSH http://127.0.0.1:9000/dr nxcloud single 6281200010001: failed, 2.0 ms; no reply from h:1 within 10 s",
        ),
        (
            {
                "url": None,
                "outcome": "no_url",
                "status": None,
                "number": None,
                "reason": "no receiver is configured",
            },
            "PUSH (no receiver) nxcloud single: no url, 2.0 ms; no receiver is configured",
        ),
        (
            {"faults": ["copies", "delay"]},
            (
                "PUSH http://127.0.0.1:9000/dr nxcloud single 6281200010001: delivered, status 200, 2.0 ms, fault copies, "
                "fault delay"
            ),
        ),
    ],
)
def test_a_push_is_one_line(changes: Mapping[str, Any], line: str):
    assert traffic_line({**PUSH, **changes}) == f"2026-01-05T09:00:01.000Z {line}"


def test_a_tenant_other_than_default_is_named():
    assert " gpsend (tenant t1): code 0" in traffic_line(REQUEST, "t1")


EVIL = "\x1b[2J\r\n\x07\u202e\u2028\x9b1mforged"


@pytest.mark.parametrize(
    "row",
    [
        {**REQUEST, "request": {"method": "POST", "path": EVIL}},
        {**REQUEST, "code": EVIL, "why": [EVIL]},
        {**PUSH, "url": f"http://h/{EVIL}", "number": EVIL},
        {**PUSH, "outcome": "failed", "reason": EVIL},
    ],
)
def test_what_others_wrote_can_neither_end_a_line_nor_command_a_terminal(row: Mapping[str, Any]):
    line = traffic_line(row)
    assert line.isprintable()
    assert "forged" in line
    assert "\\u001b[2J" in line


def test_a_long_path_and_a_long_reason_are_cut():
    long = {"request": {"method": "POST", "path": "/" + "x" * 9_000}, "why": ["y" * 9_000]}
    assert len(traffic_line({**REQUEST, **long})) < 700


class Loop:
    """A loop whose time only a test moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], object]]] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, callback: Callable[[], object]) -> None:
        self.due.append((self.now + delay, callback))

    def move(self, seconds: float) -> None:
        self.now += seconds
        due, self.due = self.due, []
        for at, callback in due:
            if at <= self.now:
                callback()
            else:
                self.due.append((at, callback))


def test_more_than_100_lines_in_a_second_are_summed_up_in_one():
    loop, written = Loop(), list[str]()
    limit = LineLimit(loop, written.append)
    admitted = [limit.admit("request", index % 50 == 0) for index in range(1_350)]
    assert sum(admitted) == LINES_PER_SECOND == 100
    assert all(admitted[:100])
    limit.admit("callback", wrong=False)
    assert written == []
    loop.move(1.0)
    assert written == ["... 1,250 more requests (25 refused) and 1 more push in this second"]
    assert limit.admit("request", wrong=False), "a new second"
    loop.move(5.0)
    assert len(written) == 1, "there is nothing to sum up"


def test_the_sum_comes_before_the_lines_of_the_next_second():
    loop, written = Loop(), list[str]()
    limit = LineLimit(loop, written.append)
    for _ in range(102):
        limit.admit("callback", wrong=True)
    loop.now += 1.5  # the timer is late
    assert limit.admit("callback", wrong=True)
    assert written == ["... 2 more pushes (2 not delivered) in this second"]
    loop.move(0)
    assert len(written) == 1


def test_a_rate_below_the_limit_loses_no_line():
    loop = Loop()
    limit = LineLimit(loop, pytest.fail)
    for _ in range(500):
        assert limit.admit("request", wrong=False)
        loop.move(0.02)
