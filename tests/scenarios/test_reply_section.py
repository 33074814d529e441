from __future__ import annotations

import pytest

from tests.scenarios.made_up import rule, rule_complaints
from voice_emulator.core.clock import SECOND
from voice_emulator.core.distributions import Fixed
from voice_emulator.core.faults import FAULTS, NO_FAULT, FaultEffect, HttpStatus, Reset, SlowBody
from voice_emulator.core.scenario import ReplyEffect


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("{error: auth_failed}", ReplyEffect("auth_failed")),
        ("{error: 401, placed: true}", ReplyEffect("401", placed=True)),
        ("{error: E2}", ReplyEffect("E2")),
        (
            "{status: 202, headers: {X-A: no}, body: '{}'}",
            ReplyEffect(status=202, headers=(("X-A", "no"),), body="{}"),
        ),
        ("{body: ''}", ReplyEffect(body="")),
    ],
)
def test_replies(text: str, effect: ReplyEffect):
    assert rule(f"reply: {text}").reply == effect


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "{error: auth_fialed}",
            "unknown error 'auth_fialed': no operation that this rule can match has it; did you mean 'auth_failed'?",
        ),
        ("{error: auth_failed, status: 401}", "status cannot go with error"),
        ("{}", "reply needs error, or some of status, headers and body"),
        ("{placed: false}", "reply needs error"),
        ("{status: 600}", "status must be at most 599"),
        ("{status: 100}", "status must be at least 200"),
        ("{headers: {'a b': c}}", "'a b' cannot be the name of a header"),
        ('{headers: {X-A: "a\\nb"}}', "characters that no header may have"),
        ("{headers: {content-length: 3}}", "the server sets content-length itself"),
        ("{body: [1]}", "body must be a text, not a list"),
        ("auth_failed", "reply must be a mapping"),
        ("{eror: auth_failed, error: auth_failed}", "unknown key 'eror' in reply; did you mean 'error'?"),
    ],
)
def test_wrong_replies(text: str, message: str):
    found = rule_complaints(f"reply: {text}")
    assert len(found) == 1
    assert message in found[0]


def test_an_error_must_occur_where_the_rule_matches():
    assert rule("match: {operation: dial}, reply: {error: no_money}").reply == ReplyEffect("no_money")
    [found] = rule_complaints("match: {operation: login}, reply: {error: no_money}")
    assert found == "error 'no_money' does not occur at the operations that this rule can match"
    assert (
        "unknown error 'no_money'" in rule_complaints("match: {provider: bell}, reply: {error: no_money}")[0]
    )


@pytest.mark.parametrize("name", sorted(FAULTS.keys() - {"http_status"}))
def test_faults_have_a_short_form(name: str):
    expected = FaultEffect(fault=FAULTS[name]())
    assert rule(f"fault: {name}").fault == expected
    assert rule(f"fault: {{{name}: true}}").fault == expected


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("{latency: 2s}", FaultEffect(Fixed(2 * SECOND), NO_FAULT)),
        ("{latency: 2s, reset: yes, placed: false}", FaultEffect(Fixed(2 * SECOND), Reset(), placed=False)),
        ("{http_status: 503}", FaultEffect(fault=HttpStatus(503))),
        ("{slow_body: {every: 50ms, bytes: 8}}", FaultEffect(fault=SlowBody(50_000, 8))),
        ("{slow_body: {bytes: 8}}", FaultEffect(fault=SlowBody(100_000, 8))),
    ],
)
def test_faults(text: str, effect: FaultEffect):
    assert rule(f"fault: {text}").fault == effect


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rest", "unknown fault 'rest'; did you mean 'reset'?"),
        ("latency", "latency needs a value: write {latency: 2s}"),
        ("http_status", "http_status needs a value: write {http_status: 503}"),
        ("{}", "fault needs latency or one of"),
        ("{placed: true}", "fault needs latency or one of"),
        ("{reset: false}", "reset: false has no effect"),
        ("{reset: maybe}", "reset must be true or false"),
        ("{reset: true, empty: true}", "empty is the second fault after reset"),
        ("{http_status: 99}", "http_status must be at least 200"),
        ("{http_status: true}", "http_status must be a whole number"),
        ("{slow_body: {every: 50ms, size: 8}}", "unknown key 'size' in slow_body"),
        ("{slow_body: {bytes: 0}}", "bytes of slow_body must be at least 1"),
        ("{slow_body: {every: {uniform: [1s, 2s]}}}", "it cannot be drawn"),
        ("[reset]", "fault must be a mapping, not a list"),
    ],
)
def test_wrong_faults(text: str, message: str):
    found = rule_complaints(f"fault: {text}")
    assert len(found) == 1
    assert message in found[0]


def test_tokens_expire_only_where_there_are_some():
    [found] = rule_complaints("match: {provider: bell}, fault: token_expired")
    assert "has tokens that expire" in found


@pytest.mark.parametrize("fault", ["{reset: true, placed: true}", "{placed: part}"])
def test_placed_needs_an_operation_that_places_calls(fault: str):
    [found] = rule_complaints(f"match: {{operation: login}}, fault: {fault}")
    assert "no operation of this rule places calls" in found


def test_a_reply_nobody_would_see():
    assert (
        "the client would not see the reply" in rule_complaints("fault: hang, reply: {error: auth_failed}")[0]
    )
    assert rule("fault: truncate, reply: {error: auth_failed}").reply is not None


def test_a_batch_is_placed_in_part():
    read = rule("match: {provider: acme, operation: dial}, fault: {placed: part}").fault
    assert read is not None
    assert (read.places, read.in_part) == (True, True)
    wrong = rule_complaints("match: {provider: acme, operation: dial}, fault: {latency: 0s, placed: parts}")
    assert [each for each in wrong if "placed must be true, false or part, not 'parts'" in each]
    assert (
        "placed"
        in rule_complaints("match: {provider: acme, operation: dial}, reply: {error: '7', placed: part}")[0]
    )
