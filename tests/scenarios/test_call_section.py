from __future__ import annotations

import pytest

from tests.scenarios.made_up import rule, rule_complaints
from voice_emulator.core.clock import SECOND
from voice_emulator.core.distributions import Fixed
from voice_emulator.core.scenario import CallEffect, CallSpec
from voice_emulator.core.vocabulary import Outcome, Party


def call(text: str) -> CallEffect | None:
    return rule(f"call: {text}").call


def test_one_outcome():
    read = call("{outcome: answered, ring: 4s, talk: 30s, hangup: callee, keys: 1, cause: NORMAL}")
    spec = CallSpec(
        Outcome.ANSWERED,
        Fixed(4 * SECOND),
        Fixed(30 * SECOND),
        ((Party.CALLEE, 1.0),),
        keys="1",
        cause="NORMAL",
    )
    assert read == CallEffect((spec,))


def test_a_mix():
    read = call(
        "{mix: [{weight: 62.5, outcome: answered, hangup: {callee: 70, caller: 30}},"
        " {outcome: busy, ring: 2s}]}"
    )
    assert read == CallEffect(
        (
            CallSpec(Outcome.ANSWERED, hangup=((Party.CALLEE, 70.0), (Party.CALLER, 30.0)), weight=62.5),
            CallSpec(Outcome.BUSY, ring=Fixed(2 * SECOND), weight=1.0),
        )
    )


@pytest.mark.parametrize("keys", ["0123", '"*9#"', "ABCD", '""'])
def test_keys_stay_text(keys: str):
    read = call(f"{{outcome: answered, keys: {keys}}}")
    assert read is not None
    assert read.choices[0].keys == keys.strip('"')


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_stands_alone(outcome: Outcome):
    assert call(f"{{outcome: {outcome}}}") == CallEffect((CallSpec(outcome),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("busy", "write {outcome: busy}"),
        ("often", "call must be a mapping, not 'often'"),
        ("{ring: 3s}", "outcome is missing"),
        ("{outcome: bussy}", "unknown outcome 'bussy'; did you mean 'busy'?"),
        ("{outcome: busy, talk: 3s}", "talk cannot go with busy: nobody picks up"),
        ("{outcome: rejected, keys: '1'}", "keys cannot go with rejected"),
        ("{outcome: no_answer, hangup: callee}", "hangup cannot go with no_answer"),
        ("{outcome: time_limit, hangup: callee}", "the limit ends the call"),
        ("{outcome: barred, ring: 3s}", "ring cannot go with barred: the phone never rings"),
        ("{outcome: answered, keys: '1 2'}", "keys are at most 32 of"),
        ("{outcome: answered, hangup: network}", "unknown hangup 'network'"),
        ("{outcome: answered, hangup: {callee: 0}}", "all weights of hangup are 0"),
        ("{outcome: answered, hangup: {callee: -1, caller: 1}}", "the weight of callee must be at least 0"),
        ("{outcome: answered, hangup: {}}", "all weights of hangup are 0"),
        (
            "{outcome: busy, cause: BUSI}",
            "unknown cause 'BUSI': no provider that this rule can match has it; did you mean 'BUSY'?",
        ),
        ("{outcome: busy, weight: 3}", "weight is only for the choices of a mix"),
        ("{mix: []}", "mix is an empty list"),
        ("{mix: {outcome: busy}}", "mix must be a list"),
        ("{mix: [busy]}", "a choice of mix must be a mapping"),
        ("{mix: [{weight: 0, outcome: busy}]}", "all weights of mix are 0"),
        ("{mix: [{weight: -1, outcome: busy}]}", "weight must be at least 0, not -1"),
        ("{mix: [{outcome: busy, wait: 3s}]}", "unknown key 'wait' in a choice of mix"),
        ("{mix: [{outcome: busy}], ring: 3s}", "ring is not allowed next to mix"),
    ],
)
def test_wrong_calls(text: str, message: str):
    found = rule_complaints(f"call: {text}")
    assert len(found) == 1
    assert message in found[0]


def test_a_cause_must_belong_to_a_provider_the_rule_can_match():
    assert rule("match: {provider: bell}, call: {outcome: busy, cause: HUNG_UP}").call is not None
    assert (
        "unknown cause 'NORMAL'"
        in rule_complaints("match: {provider: bell}, call: {outcome: busy, cause: NORMAL}")[0]
    )
