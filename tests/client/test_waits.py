"""Waiting and verifying, answered by hand: what a failure says. tests/client/test_voice.py has them over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from voice_emulator.client import waits
from voice_emulator.client.errors import Unsatisfied
from voice_emulator.client.exchange import Exchange, Flow, Reply

NOW = "2026-01-05T09:00:00+08:00"
MANUAL = {"id": "t", "now": NOW, "clock": "manual", "callback_urls": {}}
RUNNING = {**MANUAL, "clock": "real", "callback_urls": {"nxcloud": "http://a/"}}
TALKING = {"id": "c", "number": "62811", "state": "talking", "submitted_at": NOW}
NOTHING_CAME = {"satisfied": False, "items": [], "next": None}


def answered(flow: Flow[Any], replies: Mapping[str, Any]) -> Any:
    """Run a flow; each exchange is answered by the reply whose key ends its path."""
    try:
        asked = next(flow)
        while True:
            assert isinstance(asked, Exchange)
            document = replies[asked.path.rpartition("/")[2]]
            asked = flow.send(Reply(200, "application/json", json.dumps(document).encode()))
    except StopIteration as done:
        return done.value


def failure(flow: Flow[Any], replies: Mapping[str, Any]) -> list[str]:
    with pytest.raises(Unsatisfied) as caught:
        answered(flow, replies)
    return str(caught.value).splitlines()


def test_wait_in_vain_tells_what_was_waited_for_and_why_it_may_not_have_come():
    replies = {"wait": NOTHING_CAME, "t": MANUAL, "calls": {"calls": [TALKING], "next": None}}
    first, *hints = failure(waits.wait_for_callbacks("t", 2, timeout=1, provider="nxcloud"), replies)
    assert first.endswith("for 2 callbacks with provider 'nxcloud'; got 0")
    assert [hint.split()[0:2] for hint in hints] == [["the", "call"], ["the", "tenant's"], ["no", "receiver"]]
    assert "to 62811 is still talking" in hints[0]


def test_wait_in_vain_gives_no_hint_that_does_not_apply():
    ended = {**TALKING, "state": "ended"}
    replies = {"wait": NOTHING_CAME, "t": RUNNING, "calls": {"calls": [ended], "next": None}}
    assert len(failure(waits.wait_for_callback("t"), replies)) == 1
    assert " for 1 callback;" in failure(waits.wait_for_callback("t"), replies)[0]
    # Calls need no receiver.
    replies["t"] = {**RUNNING, "callback_urls": {}}
    assert len(failure(waits.wait_for_calls("t"), replies)) == 1


def test_wait_in_vain_names_only_a_few_calls_under_way():
    calls = [{**TALKING, "id": str(number)} for number in range(50)]
    replies = {"wait": NOTHING_CAME, "t": RUNNING, "calls": {"calls": calls, "next": None}}
    assert len(failure(waits.wait_for_requests("t"), replies)) == 1 + waits.SHOWN_CALLS


def test_verify_in_vain_tells_bounds_conditions_and_near_misses():
    missed = {
        "satisfied": False,
        "count": 3,
        "near_misses": [{"id": 7, "differences": [{"place": "number", "expected": "1", "actual": "2"}]}],
    }
    lines = failure(waits.verify("t", number="62811", at_most=2), {"verify": missed})
    assert lines == [
        "wanted at_most 2 of the requests with number '62811'; 3 matched",
        "  near miss: entry 7: number: wanted 1, got 2",
    ]
    assert failure(waits.verify("t"), {"verify": {**missed, "near_misses": []}}) == [
        "wanted at_least 1 of the requests with any; 3 matched"
    ]
    assert answered(waits.verify("t"), {"verify": {"satisfied": True, "count": 3}}).count == 3


def test_advance_that_a_limit_ended_tells_where_the_clock_stopped():
    short = {"now": NOW, "fired": 1, "complete": False}
    (line,) = failure(waits.advance("t", "1h", wall_limit="2s"), {"advance": short})
    assert f"stopped at {NOW}" in line
    assert "wall_limit '2s'" in line
    assert answered(waits.advance("t", "1h"), {"advance": {**short, "complete": True}}).fired == 1


@pytest.mark.parametrize(("warnings", "count"), [(False, 1), (True, 2)])
def test_assert_no_violations_counts_warnings_when_asked(warnings: bool, count: int):
    found = [{"rule": "a", "severity": "error"}, {"rule": "b", "severity": "warning"}]
    replies = {"violations": {"violations": found, "next": None}}
    first, *rest = failure(waits.assert_no_violations("t", warnings), replies)
    assert first.startswith(f"{count} violation{'s' if count > 1 else ''} of")
    assert len(rest) == count
    answered(waits.assert_no_violations("t", warnings), {"violations": {"violations": [], "next": None}})
