"""The shipped scenarios: all load, all are described, none is missing from the catalogue of failures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet

FIXED = [
    "happy-path", "magic-numbers", "evening-peak", "lost-receipts", "duplicate-receipts", "all-busy",
    "provider-outage", "token-expiry",
]  # fmt: skip
MAGIC = {
    "0000": Outcome.ANSWERED, "0486": Outcome.BUSY, "0480": Outcome.NO_ANSWER, "0603": Outcome.REJECTED,
    "0404": Outcome.INVALID_NUMBER, "0403": Outcome.BARRED, "0503": Outcome.NETWORK_FAILURE,
    "0408": Outcome.UNREACHABLE, "0602": Outcome.TIME_LIMIT,
}  # fmt: skip
FAILURES = Path(__file__).parents[2] / "docs" / "failures.md"


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


def test_library_has_scenarios():
    assert len(shipped_names()) >= 25
    assert set(FIXED) <= set(shipped_names())


@pytest.mark.parametrize("name", shipped_names())
def test_each_loads_and_says_what_breaks_and_what_to_do(name: str, loader: ScenarioLoader):
    read = loader.named(name)
    assert read.name == name
    assert "good client" in read.description or name == "happy-path"
    assert 80 <= len(read.description) <= 400
    assert all(not re.fullmatch("rule [0-9]+", rule.name) for rule in read.rules)


@pytest.mark.parametrize("name", shipped_names())
def test_each_is_a_short_file_with_a_header(name: str):
    text = data_path("scenarios", f"{name}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 60
    assert max(map(len, text.splitlines())) <= 130


def test_the_happy_path_weighs_nothing(loader: ScenarioLoader):
    assert loader.named("happy-path").rules == ()


def test_evening_peak_is_about_outcomes_only(loader: ScenarioLoader):
    for rule in loader.named("evening-peak").rules:
        assert (rule.reply, rule.fault, rule.receipt) == (None, None, None)


@pytest.mark.parametrize(("digits", "outcome"), MAGIC.items())
def test_magic_numbers(digits: str, outcome: Outcome, loader: ScenarioLoader):
    rules = [
        rule
        for rule in loader.named("happy-path").magic
        if rule.match.number and rule.match.number(f"62812{digits}")
    ]
    assert [choice.outcome for rule in rules if rule.call for choice in rule.call.choices] == [outcome]


def test_all_busy_means_all(loader: ScenarioLoader):
    read = loader.named("all-busy")
    assert read.magic == ()
    assert [choice.outcome for rule in read.rules if rule.call for choice in rule.call.choices] == [
        Outcome.BUSY
    ]


def test_the_list_is_in_order_and_described(loader: ScenarioLoader):
    listed = loader.shipped()
    assert [name for name, _ in listed] == sorted(name for name, _ in listed)
    assert all(description for _, description in listed)


@pytest.mark.parametrize("name", shipped_names())
def test_each_is_in_the_catalogue_of_failures(name: str):
    assert f"`{name}`" in FAILURES.read_text(encoding="utf-8")


def test_the_catalogue_of_failures_names_nothing_else():
    named = set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", FAILURES.read_text(encoding="utf-8")))
    presets = {"minute-60", "hourly-6", "fast-ladder"}
    assert named - presets <= set(shipped_names())
