"""Rules that can never act: found, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.matchers import compile_glob
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.scenarios.never_acting import glob_covers
from voice_emulator.schemas.validate import SchemaSet


@pytest.fixture(scope="module")
def loader() -> ScenarioLoader:
    providers = discover()
    return ScenarioLoader(Catalogue(providers, SchemaSet.load(providers)), {})


def warnings(loader: ScenarioLoader, *rules: str) -> list[str]:
    text = "name: x\nrules:\n" + "".join(f"  - {{name: r{n}, {rule}}}\n" for n, rule in enumerate(rules))
    found = loader.check_bytes(text.encode(), "f")
    assert all(finding.warning for finding in found), found
    return [f"{finding.line - 3} {finding.message}" for finding in found]


BUSY = "call: {outcome: busy}"
RESET = "fault: {reset: true}"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (BUSY, BUSY),
        (BUSY, f"match: {{provider: nxcloud}}, {BUSY}"),
        (BUSY, f"chance: 20%, {BUSY}"),
        (f"chance: 100%, {BUSY}", f"times: 3, {BUSY}"),
        (f"match: {{number: '62*'}}, {BUSY}", f"match: {{number: ['6281*', '62?9']}}, {BUSY}"),
        (
            f"match: {{number: '*'}}, {BUSY}",
            BUSY.replace("busy", "rejected") + ", match: {number: '6281200010011'}",
        ),
        (f"match: {{provider: nxcloud}}, {BUSY}", f"match: {{operation: gpsend}}, {BUSY}"),
        (f"match: {{after: 1m}}, {BUSY}", f"match: {{after: 2m, before: 3m}}, {BUSY}"),
        (f"match: {{attempt: [1, 2]}}, {BUSY}", f"match: {{attempt: 2}}, {BUSY}"),
        (
            f"match: {{fields: {{phone: '62*'}}}}, {BUSY}",
            f"match: {{fields: {{phone: '6281*', appkey: a}}}}, {BUSY}",
        ),
        ("receipt: {lost: true}", "match: {number: '62*'}, receipt: {copies: 2}"),
        ("reply: {status: 500}", "match: {operation: gpsend}, reply: {error: auth_failed}"),
        (RESET, f"match: {{provider: nxcloud}}, {RESET}"),
    ],
)
def test_a_rule_behind_one_that_matches_all_that_it_matches_is_named(loader, first: str, second: str):
    (found,) = warnings(loader, first, second)
    assert found.startswith("1 rule 'r1' never acts: the earlier rule 'r0' matches all that it matches")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # The first does not always act.
        (f"chance: 99%, {BUSY}", BUSY),
        (f"times: 1, {BUSY}", BUSY),
        (f"match: {{nth: 2}}, {BUSY}", BUSY),
        # It matches less, or something else.
        (f"match: {{number: '62*'}}, {BUSY}", BUSY),
        (f"match: {{number: '62*'}}, {BUSY}", f"match: {{number: '6*'}}, {BUSY}"),
        (f"match: {{number: '62?'}}, {BUSY}", f"match: {{number: '62*'}}, {BUSY}"),
        (f"match: {{provider: nxcloud}}, {BUSY}", f"match: {{provider: [nxcloud, huawei_cec]}}, {BUSY}"),
        (f"match: {{before: 1m}}, {BUSY}", BUSY),
        (f"match: {{attempt: 1}}, {BUSY}", f"match: {{attempt: [1, 2]}}, {BUSY}"),
        (f"match: {{fields: {{phone: '62*'}}}}, {BUSY}", f"match: {{number: '62*'}}, {BUSY}"),
        # For a call, a rule with a number precedes one without.
        (BUSY, f"match: {{number: '62*'}}, {BUSY}"),
        # Another kind of effect.
        (BUSY, "receipt: {lost: true}"),
        ("reply: {status: 500}", BUSY),
    ],
)
def test_a_rule_that_can_act_is_not_named(loader, first: str, second: str):
    assert warnings(loader, first, second) == []


def test_one_effect_of_several_is_named(loader):
    found = warnings(loader, BUSY, f"{BUSY}, receipt: {{lost: true}}")
    assert [line.split(":")[0] for line in found] == ["1 call of rule 'r1' never acts"]


@pytest.mark.parametrize("member", ["bad_signature", "stale_timestamp", "duplicate_nonce"])
def test_a_signature_of_a_provider_that_signs_nothing(loader, member: str):
    effect = f"receipt: {{{member}: true}}"
    assert warnings(loader, f"match: {{provider: nxcloud}}, {effect}") == [
        f"0 {member} of rule 'r0' has no effect: nxcloud does not sign receipts"
    ]
    assert warnings(loader, f"match: {{provider: [nxcloud, infin8linx]}}, {effect}") == [
        f"0 {member} of rule 'r0' has no effect: infin8linx and nxcloud do not sign receipts"
    ]
    assert warnings(loader, effect) == []
    assert warnings(loader, f"match: {{provider: huawei_cec}}, {effect}") == []


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        (f"chance: 0%, {BUSY}", "rule 'r0' never acts: its chance is 0%"),
        (
            f"match: {{nth: [2, 3]}}, times: 3, {BUSY}",
            "times 3 of rule 'r0' is never reached: nth lets it act 2 times",
        ),
        (
            f"match: {{nth: 2}}, times: 2, {BUSY}",
            "times 2 of rule 'r0' is never reached: nth lets it act 1 time",
        ),
        (
            f"match: {{provider: [nxcloud, huawei_cec], operation: gpsend}}, {BUSY}",
            "rule 'r0' never acts on huawei_cec: huawei_cec has none of these operations",
        ),
        (
            "match: {operation: tokenByAkSk, number: '62*'}, reply: {status: 500}",
            "rule 'r0' never acts: it matches a number, and requests of tokenByAkSk have none",
        ),
    ],
)
def test_conditions_that_are_never_met(loader, rule: str, warning: str):
    assert warnings(loader, rule) == [f"0 {warning}"]


@pytest.mark.parametrize(
    "rule", [f"match: {{nth: {{every: 2}}}}, times: 9, {BUSY}", f"match: {{nth: [1, 2]}}, times: 2, {BUSY}"]
)
def test_conditions_that_can_be_met(loader, rule: str):
    assert warnings(loader, rule) == []


def test_no_shipped_scenario_has_such_a_rule(loader):
    for name in shipped_names():
        assert loader.check(data_path("scenarios", f"{name}.yaml")) == []


def test_rules_beyond_the_limit_are_not_compared(loader, monkeypatch):
    monkeypatch.setattr("voice_emulator.scenarios.never_acting.PAIRS_LIMIT", 1)
    assert len(warnings(loader, BUSY, BUSY, BUSY)) == 1


ALPHABET = "ab*?"


@given(st.text(ALPHABET, max_size=5), st.text(ALPHABET, max_size=5), st.text("abc", max_size=6))
def test_a_glob_that_covers_another_fits_all_its_texts(wide: str, narrow: str, text: str):
    if glob_covers(wide, narrow) and compile_glob(narrow)(text):
        assert compile_glob(wide)(text)


@given(st.text(ALPHABET, max_size=5))
def test_a_glob_covers_itself_and_a_star_covers_all(pattern: str):
    assert glob_covers(pattern, pattern)
    assert glob_covers("*", pattern)
    assert glob_covers(re.sub(r"[ab]", "?", pattern), pattern)
