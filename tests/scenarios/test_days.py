"""Every shipped scenario is lived through on the manual clock, and leaves the journal of its golden file."""

from __future__ import annotations

import json

import pytest

from tests import goldens
from tests.rig import started
from tests.scenarios.day import spend
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet

#: Whole days of calls, or thousands at once.
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", shipped_names())
async def test_a_shipped_scenario_leaves_its_golden_journal_twice(name: str, nobody_waits):
    async with started(name, seed=None) as emu:
        first = await spend(emu)
        emu.tenant.reset()
        second = await spend(emu)
    assert first == second
    goldens.check(f"scenarios/{name}", {"entries": first}, compact=True)


def entries_of(name: str) -> list:
    return json.loads((goldens.FOLDER / "scenarios" / f"{name}.json").read_text(encoding="utf-8"))["entries"]


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


@pytest.mark.parametrize("name", shipped_names())
def test_every_rule_of_a_shipped_scenario_acts_in_its_golden_journal(name: str, loader: ScenarioLoader):
    """Else the day above would prove nothing of it."""
    text = json.dumps(entries_of(name), ensure_ascii=False)
    scenario = loader.named(name)
    assert [rule.name for rule in scenario.rules if rule.name not in text] == []


def test_the_happy_path_has_nothing_to_complain_of():
    assert [entry for entry in entries_of("happy-path") if entry[1] == "violation"] == []


def test_no_golden_journal_has_lost_its_scenario():
    assert {path.stem for path in (goldens.FOLDER / "scenarios").iterdir()} == set(shipped_names())
