from __future__ import annotations

import pytest

from tests.scenarios.made_up import complaints
from voice_emulator.scenarios.diagnostics import FINDINGS_LIMIT, Diagnostics
from voice_emulator.scenarios.yaml_events import from_yaml


def node_of(text: str):
    node, _ = from_yaml(text, "label")
    assert node is not None
    return node


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("Yes", True), ("on", True), ("no", False), ('"false"', False)]
)
def test_booleans(text: str, value: bool):
    reading = Diagnostics("label")
    assert reading.boolean(node_of(text), "it") is value
    assert reading.findings == []


@pytest.mark.parametrize("text", ["y", "1", "maybe", "[true]", "{}"])
def test_no_booleans(text: str):
    reading = Diagnostics("label")
    assert reading.boolean(node_of(text), "it") is None
    assert len(reading.findings) == 1


@pytest.mark.parametrize(("text", "value"), [("0012", 12), ("+3", 3), ('"7"', 7), ("-2", -2)])
def test_integers(text: str, value: int):
    assert Diagnostics("label").integer(node_of(text), "it", -5, 100) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1.5", "whole number"),
        ("1_000", "whole number"),
        ("0x10", "whole number"),
        ("101", "at most 100"),
        ("-6", "at least -5"),
    ],
)
def test_no_integers(text: str, message: str):
    reading = Diagnostics("label")
    assert reading.integer(node_of(text), "it", -5, 100) is None
    assert message in reading.findings[0].message


@pytest.mark.parametrize(
    ("text", "message"),
    [("1e3", "a number"), ("nan", "a number"), ("-0.5", "at least 0"), ("11", "at most 10")],
)
def test_no_decimals(text: str, message: str):
    reading = Diagnostics("label")
    assert reading.decimal(node_of(text), "it", 0, 10) is None
    assert message in reading.findings[0].message


def test_a_file_full_of_mistakes_is_not_read_to_the_end():
    found = complaints("name: x\n" + "".join(f"key{n}: 1\n" for n in range(2 * FINDINGS_LIMIT)))
    assert len(found) == FINDINGS_LIMIT + 1
    assert found[-1].endswith("mistakes so far; the rest is not read")


def test_what_is_repeated_by_an_alias_is_reported_once():
    text = "name: x\nrules:\n  - {name: a, call: &c {outcome: bussy}}\n  - {name: b, call: *c}\n"
    assert complaints(text) == ["3:34 unknown outcome 'bussy'; did you mean 'busy'?"]


def test_long_words_are_shortened_in_messages():
    [found] = complaints(f"name: x\n{'k' * 5000}: 1\n")
    assert len(found) < 300
