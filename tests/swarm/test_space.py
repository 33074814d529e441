"""The space of faults: what each seed draws is valid, repeats, and stays within what the mode allows."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.swarm.rig import catalogue
from voice_emulator.errors import FileError, UsageError
from voice_emulator.providers.registry import built_in
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.swarm.families import FAMILIES
from voice_emulator.swarm.rules import KINDS
from voice_emulator.swarm.space import HIDING_SHARE, SLOW_SHARE, make_space, numbers

SEEDS = range(1, 121)
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("mode", ["legal", "hostile"])
def test_every_seed_is_a_valid_scenario(mode):
    loader, space = ScenarioLoader(catalogue(), os.environ), make_space(catalogue(), mode=mode)
    for seed in range(0, 120, 3):
        assert loader.text(space.scenario(seed).text).seed == seed


def test_check_has_no_warning_about_a_scenario_of_swarm(tmp_path):
    loader, space = ScenarioLoader(catalogue(), os.environ), make_space(catalogue(), mode="hostile")
    for seed in (1, 2, 3, 4):
        path = tmp_path / "drawn.yaml"
        path.write_text(space.scenario(seed).text, encoding="utf-8")
        assert [str(finding) for finding in loader.check(path)] == []


def test_a_seed_means_the_same_scenario_always():
    one, other = (make_space(catalogue()).scenario(17).text for _ in range(2))
    assert one == other
    assert make_space(catalogue()).scenario(18).text != one


def test_seed_0_has_no_faults():
    assert make_space(catalogue(), mode="hostile").scenario(0).rules == ()


def test_every_third_seed_has_all_families_on_but_hiding_and_slow_ones():
    space = make_space(catalogue())
    usual = {family.name for family in space.families if not family.hides and not family.slow}
    on = {seed: {family.name for family in space.families_of(seed)} for seed in SEEDS}
    assert all(usual <= on[seed] for seed in SEEDS if seed % 3 == 0)
    assert not any(usual <= on[seed] for seed in SEEDS if seed % 3)


def test_hiding_and_slow_families_keep_their_shares():
    space, counts, slow = make_space(catalogue()), Counter(), 0
    many = range(1, 3_001)
    for seed in many:
        on = space.families_of(seed)
        counts.update(family.name for family in on if family.hides)
        slow += sum(family.slow for family in on)
    hiding = [family.name for family in space.families if family.hides]
    assert hiding
    assert all(0.25 * len(many) < counts[name] < (HIDING_SHARE + 0.04) * len(many) for name in hiding)
    assert 0.1 * len(many) < slow < (SLOW_SHARE + 0.03) * len(many)


def test_a_slow_family_hits_one_request_of_a_run():
    space = make_space(catalogue())
    slow_seeds = [seed for seed in range(1, 200) if any(each.slow for each in space.families_of(seed))]
    names = {family.name for family in space.families if family.slow}
    assert slow_seeds
    for seed in slow_seeds:
        hit = [rule for rule in space.scenario(seed).rules if names & set(rule["name"].split())]
        assert [rule["times"] for rule in hit] in ([], [1])


def test_legal_never_refuses_right_credentials_nor_forges():
    space = make_space(catalogue())
    for seed in SEEDS:
        for rule in space.scenario(seed).rules:
            provider = catalogue().providers[rule["match"]["provider"]]
            error = rule.get("reply", {}).get("error")
            refusing = {
                each.name for each in provider.errors if {each.name, each.code} & provider.contract.refusals
            }
            assert error not in refusing
            assert not rule.get("receipt", {}).keys() & {"set", "repeat_set", "bad_signature", "encoding"}


def test_hostile_draws_every_effect_that_scenarios_have():
    space, drawn, batches = make_space(catalogue(), mode="hostile"), Counter(), 0
    for seed in range(1, 400):
        for rule in space.scenario(seed).rules:
            batches += rule.get("fault") == {"placed": "part"}
            drawn.update((kind, member) for kind in KINDS for member in rule.get(kind, ()))
    from voice_emulator.core.faults import FAULTS
    from voice_emulator.core.scenario import RECEIPT_FAULTS

    # hang never ends by itself: a late reply that never comes stands for it.
    assert {name for kind, name in drawn if kind == "fault"} >= FAULTS.keys() - {"hang"} | {
        "latency",
        "placed",
    }
    assert batches
    assert {name for kind, name in drawn if kind == "receipt"} >= set(RECEIPT_FAULTS) | {"gap", "retry"}
    assert {name for kind, name in drawn if kind == "call"} == {
        "outcome",
        "ring",
        "talk",
        "hangup",
        "keys",
        "cause",
    }
    assert {name for kind, name in drawn if kind == "reply"} == {"error", "status", "headers", "body"}


def test_effects_that_are_on_together_are_merged_into_one_rule():
    space = make_space(catalogue())
    merged = [
        rule for seed in SEEDS for rule in space.scenario(seed).rules if len(rule.get("receipt", {})) > 2
    ]
    assert merged


def test_providers_can_be_chosen():
    rules = make_space(catalogue(), providers=["infin8linx"]).scenario(3).rules
    assert {rule["match"]["provider"] for rule in rules} == {"infin8linx"}
    with pytest.raises(UsageError, match="did you mean 'nxcloud'"):
        make_space(catalogue(), providers=["nxclod"])


def test_a_space_file_sets_shares_and_what_all_scenarios_have(tmp_path):
    path = tmp_path / "space.yaml"
    path.write_text(
        "families: {lost: off, forged: 100%}\nscenario: {magic_numbers: false}\n", encoding="utf-8"
    )
    space = make_space(catalogue(), file=path)
    for seed in (1, 2, 3):
        names = {family.name for family in space.families_of(seed)}
        assert "forged" in names
        assert "lost" not in names
    assert "magic_numbers: false" in space.scenario(1).text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("families: {lots: off}", "did you mean 'lost'"),
        ("families: {lost: often}", "must be on, off or a share"),
        ("famlies: {}", "expected a mapping with families and scenario"),
        ("scenario: {rules: []}", "scenario takes providers"),
        ("families: [", "cannot read"),
    ],
)
def test_a_bad_space_file_is_told(tmp_path, text, message):
    path = tmp_path / "space.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError, match=message):
        make_space(catalogue(), file=path)


def test_numbers_are_distinct_and_valid_everywhere():
    chosen = numbers(1_000)
    assert len(set(chosen)) == 1_000
    assert {len(number) for number in chosen} == {13}
    magic = {"0000", "0486", "0480", "0603", "0404", "0403", "0503", "0408", "0602"}
    assert not {number[-4:] for number in chosen} & magic


def test_families_have_distinct_names_and_some_effect():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert {family.kind for family in FAMILIES} == set(KINDS)


@pytest.mark.parametrize("mode", ["legal", "hostile"])
def test_providers_from_elsewhere_have_seeds_too(mode):
    """The space names no provider: what it draws comes from their values."""
    providers = {**catalogue().providers, **built_in("tests.fourth")}
    four = Catalogue(providers, SchemaSet.load(providers))
    (fourth,) = providers.keys() - catalogue().providers.keys()
    loader, space = ScenarioLoader(four, os.environ), make_space(four, mode=mode, providers=[fourth])
    scenarios = [space.scenario(seed) for seed in range(1, 61)]
    assert all(loader.text(scenario.text) for scenario in scenarios)
    drawn = {kind for scenario in scenarios for rule in scenario.rules for kind in KINDS if kind in rule}
    assert drawn >= {"call", "receipt", "fault"}
    assert [scenario.text for scenario in scenarios] != [space.scenario(0).text] * 60


def test_the_docs_name_every_family():
    page = (ROOT / "docs" / "swarm.md").read_text(encoding="utf-8")
    assert [family.name for family in FAMILIES if f"`{family.name}`" not in page] == []
