from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from voice_emulator.core.overlay import NO_OVERLAY
from voice_emulator.scenarios.mutants import Mutant
from voice_emulator.swarm.mutation import Verdict
from voice_emulator.swarm.verdicts import document_of, render, sentence, text


def mutant(name: str, provider: str = "nxcloud") -> Mutant:
    return Mutant(name, provider, f"What {name} | costs.", f"catches-{name}", NO_OVERLAY)


@pytest.fixture
def document():
    return document_of(
        [
            Verdict(mutant("one"), "killed", 1.5), Verdict(mutant("two"), "survived", 2.0),
            Verdict(mutant("three", "huawei_cec"), "not_reached"),
        ],
        "1.0",
    )  # fmt: skip


def test_survivors_come_first_with_their_cost_and_what_catches_them(document):
    assert [each["name"] for each in document["mutants"]] == ["two", "one", "three"]
    assert document["mutants"][0].items() >= {
        "provider": "nxcloud", "verdict": "survived", "cost": "What two | costs.", "caught_by": "catches-two",
        "load": 'voice_emulator.load("catches-two")',
    }.items()  # fmt: skip
    assert {word: document[word] for word in ("killed", "survived", "not_reached")} == dict.fromkeys(
        ("killed", "survived", "not_reached"), 1
    )
    assert sentence(document) == "1 survived, 1 killed, 1 not reached"


def test_the_text_shows_costs_of_survivors_alone(document):
    assert text(document) == [
        "two  nxcloud  survived", "    What two | costs.", '    voice_emulator.load("catches-two")',
        "one  nxcloud  killed", "not reached: huawei_cec: three", "1 survived, 1 killed, 1 not reached",
    ]  # fmt: skip


def test_json_is_the_document(document):
    assert json.loads(render(document, "json")) == document


def test_junit_has_a_case_for_each_mutant(document):
    root = ET.fromstring(render(document, "junit"))
    assert (root.get("tests"), root.get("failures")) == ("3", "1")
    (failure,) = root.iter("failure")
    assert "What two | costs." in (failure.text or "")
    assert [case.get("name") for case in root.iter("testcase") if case.find("skipped") is not None] == [
        "three"
    ]


def test_markdown_tells_survivors_in_a_table(document):
    shown = render(document, "markdown").decode()
    assert "**1 survived, 1 killed, 1 not reached.**" in shown
    assert "What two \\| costs." in shown
    assert "Killed: one (nxcloud)." in shown
    assert "Not reached: three (huawei_cec)." in shown
