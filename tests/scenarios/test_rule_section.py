from __future__ import annotations

import pytest

from tests.scenarios.made_up import complaints, load, rule, rule_complaints


@pytest.mark.parametrize(
    ("text", "chance"), [("0%", 0.0), ("100%", 1.0), ("5%", 0.05), ("12.5%", 0.125), ("5 %", 0.05)]
)
def test_chances(text: str, chance: float):
    assert rule(f"chance: {text}, fault: reset").chance == pytest.approx(chance)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("120%", "must be between 0% and 100%, not 120%"),
        ("0.2", "write 20%"),
        ("20", "write 20%"),
        ("-5%", "must be a percentage"),
        ("nan", "must be a percentage"),
        ("often", "must be a percentage such as 20%, not 'often'"),
        ("[20%]", "chance must be a text"),
    ],
)
def test_wrong_chances(text: str, message: str):
    [found] = rule_complaints(f"chance: {text}, fault: reset")
    assert message in found


def test_times_and_all_effects_of_one_rule():
    read = rule(
        "times: 3, match: {operation: dial}, reply: {error: 7}, call: {outcome: busy}, receipt: {copies: 2}"
    )
    assert read.times == 3
    assert read.reply is not None
    assert read.call is not None
    assert read.receipt is not None


@pytest.mark.parametrize("text", ["times: 0, fault: reset", "times: -1, fault: reset"])
def test_times_starts_at_one(text: str):
    assert "times must be at least 1" in rule_complaints(text)[0]


def test_a_rule_needs_an_effect():
    assert rule_complaints("match: {provider: acme}") == [
        "the rule does nothing; it needs one of reply, fault, call, receipt"
    ]


def test_calls_and_receipts_need_an_operation_that_dials():
    found = rule_complaints("match: {operation: login}, call: {outcome: busy}, receipt: {copies: 2}")
    assert found == [
        "call has no effect here: login place no calls",
        "receipt has no effect here: login place no calls",
    ]


def test_names_are_made_up_where_the_file_gives_none():
    text = "name: x\nrules:\n  - fault: reset\n  - {name: b, fault: reset}\n  - fault: hang\n"
    assert [each.name for each in load(text).rules] == ["rule 1", "b", "rule 3"]


def test_a_made_up_name_avoids_a_given_one():
    text = "name: x\nrules:\n  - fault: reset\n  - {name: rule 1, fault: reset}\n"
    assert [each.name for each in load(text).rules] == ["rule 1 (unnamed)", "rule 1"]


def test_names_are_unique():
    text = "name: x\nrules:\n  - {name: a, fault: reset}\n  - {name: a, fault: hang}\n"
    assert complaints(text) == ["4:12 duplicate rule name 'a' (first on line 3)"]


@pytest.mark.parametrize("name", ["''", '"a\\nb"', "x" * 201, "[a]"])
def test_names_are_one_short_line(name: str):
    assert len(complaints(f"name: x\nrules:\n  - name: {name}\n    fault: reset\n")) == 1


@pytest.mark.parametrize("rules", ["none", "{}", "", "[reset]", "[[]]"])
def test_rules_are_a_list_of_mappings(rules: str):
    assert len(complaints(f"name: x\nrules: {rules}\n")) == 1


def test_rules_may_be_empty():
    assert load("name: x\nrules: []\n").rules == ()
