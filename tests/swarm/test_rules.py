"""Rules as mappings: joined effects agree, and the text is what a scenario file says."""

from __future__ import annotations

import pytest

from tests.swarm.rig import catalogue
from voice_emulator.scenarios.flow import flow
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.swarm.rules import Scenario, joined, rule_of


@pytest.mark.parametrize(
    ("kind", "effects", "expected"),
    [
        ("receipt", [{"lost": True}, {"delay": "1m"}], {"lost": True}),
        ("receipt", [{"lost": True}, {"query_lag": "1m"}], {"lost": True, "query_lag": "1m"}),
        ("receipt", [{"before_reply": True}, {"hold": 1}, {"copies": 2}], {"before_reply": True, "copies": 2}),
        ("receipt", [{"copies": 2, "gap": "1s"}, {"copies": 3}], {"copies": 2, "gap": "1s"}),
        ("receipt", [{"set": {"a": "1"}}, {"drop": ["a"]}], {"set": {"a": "1"}}),
        ("call", [{"outcome": "busy"}, {"outcome": "answered", "talk": "1s"}], {"outcome": "busy"}),
        ("call", [{"outcome": "answered", "talk": "1s"}, {"outcome": "answered", "keys": "1"}],
         {"outcome": "answered", "talk": "1s", "keys": "1"}),
        ("call", [{"outcome": "time_limit"}, {"outcome": "time_limit", "hangup": "callee"}], {"outcome": "time_limit"}),
        ("fault", [{"latency": "1s"}, {"reset": True}, {"empty": True}], {"latency": "1s", "reset": True}),
        ("reply", [{"error": "a"}, {"status": 500}], {"error": "a"}),
    ],
)  # fmt: skip
def test_joined_effects_do_not_contradict_each_other(kind, effects, expected):
    assert joined(kind, effects) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("nxcloud", "nxcloud"), ("2h", "2h"), ("yes", '"yes"'), ("6281", '"6281"'), ("", '""'), (True, "true"),
        (["a", "1"], '[a, "1"]'), ({"a": {"b": 2}}, "{a: {b: 2}}"), ("a: b", '"a: b"'), ('"', '"\\""'),
    ],
)  # fmt: skip
def test_text_that_could_be_read_otherwise_is_quoted(value, text):
    assert flow(value) == text


def test_a_scenario_is_read_back_as_it_was_written():
    rule = rule_of(
        {"number": "6281*", "provider": "nxcloud"},
        {"receipt": {"copies": 2, "gap": "1s"}},
        name="a: b",
        chance="5%",
    )
    scenario = Scenario(7, "2026-01-05T09:00:00+08:00", (rule,), base={"magic_numbers": False})
    loaded = ScenarioLoader(catalogue(), {}).text(scenario.text)
    assert (loaded.seed, loaded.magic, loaded.rules[0].name) == (7, (), "a: b")
    assert loaded.rules[0].receipt is not None
    assert loaded.rules[0].receipt.copies == 2


def test_a_healed_scenario_has_no_rules():
    scenario = Scenario(7, "2026-01-05T09:00:00+08:00", ({"receipt": {"lost": True}},))
    assert ScenarioLoader(catalogue(), {}).text(scenario.healed().text).rules == ()
