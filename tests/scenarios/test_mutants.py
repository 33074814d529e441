"""The mutants are data: each says what it costs and what would catch it, and applies where it says."""

from __future__ import annotations

import re

import pytest

from voice_emulator.core.overlay import NO_OVERLAY
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.scenarios.mutants import all_mutants, find_mutants, mutant_names, read_mutant
from voice_emulator.schemas.validate import SchemaSet

PROVIDERS = discover()
LOADER = ScenarioLoader(Catalogue(PROVIDERS, SchemaSet.load(PROVIDERS)), {})
MUTANTS = all_mutants(LOADER, PROVIDERS)


def test_mutants_cover_every_provider():
    assert len(mutant_names()) >= 24
    for provider in PROVIDERS:
        assert sum(mutant.provider == provider for mutant in MUTANTS) >= 24


@pytest.mark.parametrize("name", mutant_names())
def test_each_has_a_cost_in_one_sentence_and_a_shipped_scenario_that_catches_it(name: str):
    found = find_mutants(name, LOADER, PROVIDERS)
    assert found
    assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", name)
    for mutant in found:
        assert re.fullmatch(r"[A-Z][^.]{30,200}[.]", mutant.cost)
        assert mutant.caught_by in shipped_names()
        assert mutant.overlay != NO_OVERLAY
        rules = mutant.overlay.rules
        assert {rule.match.provider for rule in rules} <= {frozenset({mutant.provider})}
        assert {rule.name for rule in rules} <= {mutant.rule}


@pytest.mark.parametrize(
    "path", sorted(data_path("scenarios", "mutants").iterdir()), ids=lambda path: path.stem
)
def test_a_file_is_named_as_its_mutant(path):
    assert read_mutant(path.read_text(encoding="utf-8"))["name"] == path.stem


def test_each_mutant_is_wrong_in_a_way_of_its_own():
    ways = [(mutant.provider, repr(mutant.overlay).replace(mutant.rule, "")) for mutant in MUTANTS]
    assert len(set(ways)) == len(ways)


@pytest.mark.parametrize(
    "text",
    [
        "{name: a, cost: b, caught_by: c, on: submissions}",  # a YAML reader takes `on` for true
        "{name: a, cost: b}",
        "{name: a, cost: b, caught_by: c, role: submission}",
    ],
)
def test_a_file_with_a_wrong_or_missing_member_is_refused(text: str):
    with pytest.raises(ValueError, match="not a mutant"):
        read_mutant(text)


def test_an_unknown_mutant_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="there is no mutant 'receipt-lots'; did you mean 'receipt-lost'"):
        find_mutants("receipt-lots", LOADER, PROVIDERS)


def test_a_mutant_applies_only_where_what_it_names_is_there():
    def providers(name: str) -> list[str]:
        return [mutant.provider for mutant in find_mutants(name, LOADER, PROVIDERS)]

    assert set(providers("receipt-lost")) == set(PROVIDERS)
    assert providers("signature-forged") == ["huawei_cec"]
    assert "infin8linx" not in providers("rate-limited")  # no page of it names such a code
