"""docs/scenarios.md: each YAML block in it is a scenario that loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voice_emulator.core.faults import FAULTS
from voice_emulator.core.scenario import CORRUPTIONS, RETRIES
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios import match_section as matching
from voice_emulator.scenarios import receipt_section
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet

GUIDE = (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


def test_page_has_examples():
    assert len(BLOCKS) >= 10


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n")[0].partition("#")[0].strip())
def test_each_example_loads(block: str, loader: ScenarioLoader):
    assert loader.text(block).name


@pytest.mark.parametrize(
    "word",
    [
        *matching.KEYS,
        *receipt_section.KEYS,
        *FAULTS,
        *CORRUPTIONS,
        *RETRIES,
        "latency",
        "placed",
        "${NAME:-default}",
    ],
)
def test_every_word_of_the_grammar_is_explained(word: str):
    assert re.search(rf"`{re.escape(word)}[`:]", GUIDE)


def test_the_magic_numbers_are_explained(loader: ScenarioLoader):
    for rule in loader.named("magic-numbers").rules:
        assert rule.match.number is not None
        assert f"| `{rule.match.number.patterns[0].lstrip('*')}` |" in GUIDE


@pytest.mark.parametrize("name", FAULTS)
def test_whether_the_call_is_placed_is_told_rightly(name: str):
    [row] = re.findall(rf"^\| `{name}` \|.*\| (yes|no) \|$", GUIDE, re.MULTILINE)
    assert (row == "yes") is FAULTS[name].placed_by_default
