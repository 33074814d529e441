"""The oracles on records made by hand: what fails, and above all what does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from voice_emulator.client import Billing, Call, Callback, Entry, Violation
from voice_emulator.swarm.oracles import (
    Failure,
    Record,
    dialled_again,
    findings,
    judge,
    longest_lag,
    probe,
    server_errors,
    span,
)
from voice_emulator.swarm.rules import Rule

START = datetime(2026, 1, 5, 1, tzinfo=UTC)
NUMBER = "6281234567891"


def at(minutes):
    return START + timedelta(minutes=minutes)


def make(cls, **known):
    """A result of the client with these members, and empty ones otherwise."""
    from dataclasses import fields

    return cls(**{each.name: known.get(each.name) for each in fields(cls)})


def call(name, begun, ended=None, *, answered=False, number=NUMBER, **more):
    billing = make(Billing, charge=Decimal("0.036")) if answered else make(Billing, charge=Decimal(0))
    return make(
        Call, id=name, provider="nxcloud", operation="gpsend", number=number, submitted_at=at(begun),
        answered_at=at(begun) if answered else None, ended_at=None if ended is None else at(ended),
        outcome=("answered" if answered else "busy") if ended is not None else None, provider_id=f"p-{name}",
        batch_id="", references=(), talk_seconds=10 if answered else 0, billing=billing, **more,
    )  # fmt: skip


def request(id, minutes, *calls, operation="gpsend", body=""):
    document = {
        "id": id, "kind": "request", "provider": "nxcloud", "operation": operation, "calls": list(calls),
        "numbers": [NUMBER], "request": {"body": body},
    }  # fmt: skip
    return Entry(id, "request", at(minutes), document)


def delivery(id, minutes, call_id, outcome="delivered"):
    return Entry(
        id,
        "callback",
        at(minutes),
        {"kind": "callback", "callback": {"call_id": call_id, "outcome": outcome}},
    )


def push(call_id, *, outcome="delivered", status=200, rule=None):
    return make(
        Callback, id="x", call_id=call_id, provider="nxcloud", kind="group", outcome=outcome, status=status, rule=rule,
        number=NUMBER, faults=(),
    )  # fmt: skip


def violation(rule, severity="error", **more):
    return make(
        Violation,
        rule=rule,
        severity=severity,
        provider="nxcloud",
        operation="gpsend",
        message="why",
        source="",
        **more,
    )


def record(journal=(), calls=(), callbacks=(), violations=(), rules=None):
    return Record(list(journal), list(calls), list(callbacks), list(violations), rules or {})


# --- dialled again ---------------------------------------------------------------------------------


def again(first, journal=(), callbacks=(), rules=None, minutes=10):
    """Whether a second call, accepted after ``minutes``, counts beside ``first``."""
    entries = [request(1, 0, "a"), *journal, request(9, minutes, "b")]
    return [
        failure.message
        for failure in dialled_again(record(entries, [first, call("b", minutes)], callbacks, (), rules))
    ]


def test_a_call_beside_an_open_one_counts():
    assert "was still open" in again(call("a", 0))[0]
    assert "was still open" in again(call("a", 0, 11))[0]


def test_a_call_after_one_that_nobody_answered_does_not():
    assert again(call("a", 0, 5)) == []


def test_a_call_after_an_answered_one_counts_once_the_client_could_know():
    assert "the record query showed it" in again(call("a", 0, 5, answered=True))[0]
    assert "receipt was acknowledged" in again(call("a", 0, 10, answered=True), [delivery(5, 10, "a")])[0]


@pytest.mark.parametrize("lag", ["5m", "1h", {"uniform": ["1s", "1h"]}])
def test_a_call_does_not_count_while_the_records_deny_the_answered_one(lag):
    rules = {"r": {"name": "r", "receipt": {"lost": True, "query_lag": lag}}}
    answered = call("a", 0, 5, answered=True)
    assert again(answered, callbacks=[push("a", outcome="lost", status=None, rule="r")], rules=rules) == []


def test_a_call_at_the_very_end_of_an_answered_one_does_not_count():
    assert again(call("a", 0, 10, answered=True)) == []
    assert again(call("a", 0, 10, answered=True), [delivery(5, 10, "a", "failed")]) == []


def test_calls_to_other_numbers_and_providers_do_not_count():
    entries = [request(1, 0, "a"), request(2, 1, "b")]
    assert list(dialled_again(record(entries, [call("a", 0), call("b", 1, number="6281234567892")]))) == []


def test_a_plan_that_was_moved_before_its_request_does_not_make_calls_overlap():
    """With before_reply a call is submitted, as the ledger has it, before its request: the request counts."""
    early = call("b", 2, 10)
    entries = [request(1, 0, "a"), request(9, 10, "b")]
    assert list(dialled_again(record(entries, [call("a", 0, 5), early]))) == []


# --- findings --------------------------------------------------------------------------------------


def test_errors_count_and_warnings_do_not():
    found = list(findings(record(violations=[violation("a"), violation("b", "warning")])))
    assert [failure.rule for failure in found] == ["a"]


def test_an_orphan_is_an_oracle_of_its_own_with_its_number():
    (found,) = findings(record(calls=[call("a", 0, 5)], violations=[violation("orphaned-call", call_id="a")]))
    assert (found.oracle, found.rule, found.numbers) == ("orphan", "", (NUMBER,))


@pytest.mark.parametrize(("pause", "counts"), [(0, True), (1, False)])
def test_a_storm_counts_only_without_tenant_time_in_between(pause, counts):
    entries = [request(n, n * pause, body="same") for n in range(1, 7)]
    found = list(findings(record(entries, violations=[violation("retry-storm", entry=6)])))
    assert bool(found) is counts


def test_a_storm_after_a_long_silence_counts():
    entries = [request(1, 0, body="same"), *(request(n, 50, body="same") for n in range(2, 9))]
    assert list(findings(record(entries, violations=[violation("retry-storm", entry=8)])))


# --- receivers and books ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "counts"), [(200, False), (404, False), (None, False), (500, True), (503, True)]
)
def test_server_errors_of_the_receiver_count(status, counts):
    assert bool(list(server_errors(record(callbacks=[push("a", status=status)])))) is counts


def wrong(books, first=None, callbacks=None, rules=None):
    first = first or call("a", 0, 5, answered=True)
    callbacks = [push("a")] if callbacks is None else callbacks
    return [failure.rule for failure in probe(record(calls=[first], callbacks=callbacks, rules=rules), books)]


def test_a_probe_that_agrees_is_no_failure():
    assert wrong({"p-a": {"answered": True, "talk_seconds": 10, "charge": "0.0360"}}) == []
    assert wrong({"p-a": {"state": "whatever"}}) == []


@pytest.mark.parametrize(
    ("books", "rule"),
    [
        ({"p-a": {"answered": False}}, "answered"), ({"p-a": {"talk_seconds": 11}}, "talk_seconds"),
        ({"p-a": {"charge": "0.072"}}, "charge"), ({"p-a": {"charge": "a lot"}}, "charge"), ({}, "missing"),
    ],
)  # fmt: skip
def test_a_probe_that_says_otherwise_is(books, rule):
    assert wrong(books) == [rule]


def test_a_probe_need_not_show_what_the_client_never_learned():
    assert wrong({}, callbacks=[push("a", outcome="lost", status=None)]) == []
    assert wrong({}, first=call("a", 0)) == []


def test_a_probe_is_not_held_to_what_a_rule_changed():
    rules = {"r": {"name": "r", "receipt": {"corrupt": "negative"}}}
    changed = [push("a", rule="r")]
    assert wrong({"p-a": {"talk_seconds": -10}}, callbacks=changed, rules=rules) == []
    assert wrong({}, callbacks=changed, rules=rules) == []


def test_a_probe_may_use_any_id_of_the_call():
    other = call("a", 0, 5, answered=True)
    from dataclasses import replace

    other = replace(other, references=("mine",))
    assert wrong({"mine": {"answered": False}}, first=other) == ["answered"]


# --- durations and names ---------------------------------------------------------------------------


def test_the_longest_lag_is_that_of_all_rules():
    rules: list[Rule] = [
        {"receipt": {"query_lag": "1m"}},
        {"receipt": {"lost": True}},
        {"call": {"outcome": "busy"}},
    ]
    assert longest_lag(rules) == timedelta(minutes=1)
    assert longest_lag([]) == timedelta()
    assert span({"normal": {"mean": "1m", "sd": "1s"}}) == timedelta(days=7)


def test_a_failure_has_a_name_for_files():
    failure = Failure("finding", "retry-storm", "nxcloud", "gpsend")
    assert failure.slug == "finding-retry-storm-nxcloud-gpsend"
    assert Failure("command", "--check").slug == "command-check"


def test_judge_puts_all_together():
    journal = [request(1, 0, "a"), request(2, 1, "b")]
    found = judge(record(journal, [call("a", 0), call("b", 1)], [push("a", status=500)], [violation("x")]))
    assert {failure.oracle for failure in found} == {"finding", "dialled-again", "server-error"}
