"""The loader as a whole: sources, ``extends``, magic numbers, and what it must never do."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.scenarios.made_up import complaints, load, loader
from voice_emulator.core.matchers import Globs
from voice_emulator.core.scenario import Scenario
from voice_emulator.errors import FileError, FileFinding, UsageError
from voice_emulator.providers.registry import discover
from voice_emulator.resources import data_path
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import EXTENDS_LIMIT, ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet

PROVIDERS = discover()
OURS = Catalogue(PROVIDERS, SchemaSet.load(PROVIDERS))
SHIPPED = {
    name: data_path("scenarios", f"{name}.yaml").read_text(encoding="utf-8") for name in shipped_names()
}


def names(scenario: Scenario) -> list[str]:
    return [rule.name for rule in scenario.rules]


# --- where scenarios come from -------------------------------------------------------------------


def test_a_shipped_scenario_by_name():
    assert loader().named("all-busy").name == "all-busy"


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(UsageError, match="no scenario 'all-bussy'; did you mean 'all-busy'"):
        loader().named("all-bussy")


@pytest.mark.parametrize("name", ["../all-busy", "", ".", "all-busy.yaml"])
def test_a_name_leads_nowhere_else(name: str):
    with pytest.raises(UsageError):
        loader().named(name)


def test_a_file(tmp_path: Path):
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\n", encoding="utf-8")
    read = loader().file(path)
    assert read.name == "mine"
    assert read.text == "name: mine\n"


def test_a_file_may_be_json(tmp_path: Path):
    path = tmp_path / "mine.json"
    path.write_text(
        json.dumps({"name": "mine", "seed": 3, "rules": [{"name": "a", "fault": "reset"}]}), encoding="utf-8"
    )
    assert loader().file(path).seed == 3


def test_a_file_that_is_not_there(tmp_path: Path):
    with pytest.raises(UsageError, match=r"cannot read .*No such file"):
        loader().file(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot read"):
        loader().check(tmp_path)


def test_open_takes_a_path_or_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "mine.yaml").write_text("name: mine\n", encoding="utf-8")
    (tmp_path / "all-busy").mkdir()
    monkeypatch.chdir(tmp_path)
    assert loader().open("mine.yaml").name == "mine"
    assert loader().open(str(tmp_path / "mine.yaml")).name == "mine"
    assert loader().open("all-busy").name == "all-busy"
    with pytest.raises(UsageError, match=r"there is no file other\.yaml"):
        loader().open("other.yaml")


def test_a_mapping_has_pointers_instead_of_lines():
    document = {"name": "x", "seed": True, "rules": [{"name": "a", "call": {"outcome": "bussy"}}]}
    with pytest.raises(FileError) as caught:
        loader().mapping(document)
    assert [(finding.line, finding.pointer) for finding in caught.value.findings] == [
        (0, "/seed"),
        (0, "/rules/0/call/outcome"),
    ]
    assert "/seed" in str(caught.value)


def test_a_mapping_can_be_loaded_again_from_its_text():
    first = loader().mapping(
        {"name": "x", "seed": 7, "rules": [{"name": "ä", "chance": "5%", "fault": {"reset": True}}]}
    )
    assert loader().text(first.text).rules == first.rules


@pytest.mark.parametrize("document", [None, [], "text", 3, {}, {"name": None}, {1: 2}])
def test_what_is_no_scenario(document: Any):
    with pytest.raises(FileError):
        loader().mapping(document)


def test_all_findings_come_at_once():
    with pytest.raises(FileError) as caught:
        load("nmae: x\nseed: a\nclock: b\n")
    assert len(caught.value.findings) == 4
    assert str(caught.value).endswith("(and 3 more)")
    assert [finding.line for finding in caught.value.findings] == [1, 1, 2, 3]


def test_check_lists_findings_and_raises_nothing(tmp_path: Path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\nseed: a\n", encoding="utf-8")
    [finding] = loader().check(path)
    assert str(finding) == f"{path}:2:7: seed must be a whole number, not 'a'"
    path.write_text("name: x\n", encoding="utf-8")
    assert loader().check(path) == []


def test_file_over_the_size_limit_is_a_finding(tmp_path: Path):
    path = tmp_path / "big.yaml"
    path.write_bytes(b"#" * 1_000_001)
    assert "larger than 1 MB" in loader().check(path)[0].message


# --- the environment -----------------------------------------------------------------------------


def test_values_come_from_the_environment():
    text = "name: ${NAME}\nseed: ${SEED:-5}\nproviders: {acme: {callback_url: 'http://${HOST}/x'}}\n"
    read = load(text, NAME="from-there", HOST="h:1")
    assert (read.name, read.seed) == ("from-there", 5)
    assert read.providers == {"acme": {"callback_url": "http://h:1/x"}}


def test_what_comes_from_the_environment_is_never_read_as_yaml():
    assert load("name: x\ndescription: ${D}\n", D="{a: [1]}\nseed: 3").description == "{a: [1]}\nseed: 3"


def test_a_missing_variable_is_one_finding():
    assert complaints("name: x\nseed: ${SEED}\n") == [
        "2:7 the environment variable SEED is not set; ${SEED:-default} does without it"
    ]


def test_keys_are_not_expanded():
    assert complaints("name: x\n${KEY}: 1\n", KEY="seed")[0].startswith("2:1 unknown key '${KEY}'")


# --- extends -------------------------------------------------------------------------------------


@pytest.fixture
def family(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(
        "name: base\ndescription: The base.\nseed: 1\nclock: manual\nmagic_numbers: false\n"
        "providers: {acme: {limit: 1, callback_url: 'http://base/', credentials: {key: base}}}\n"
        "rules:\n  - {name: shared, fault: reset}\n  - {name: kept, fault: hang}\n  - fault: empty\n",
        encoding="utf-8",
    )
    (tmp_path / "child.yaml").write_text(
        "name: child\nextends: ./base.yaml\nseed: 2\nproviders: {acme: {limit: 2}, bell: {}}\n"
        "rules:\n  - fault: garbage\n  - {name: shared, fault: truncate}\n",
        encoding="utf-8",
    )
    return tmp_path


def test_a_child_inherits_and_wins(family: Path):
    read = loader().file(family / "child.yaml")
    assert (read.name, read.description, read.seed) == ("child", "", 2)
    assert str(read.clock) == "manual"
    assert read.magic == ()
    assert read.providers == {
        "acme": {"limit": "2", "callback_url": "http://base/", "credentials": {"key": "base"}},
        "bell": {},
    }


def test_the_rules_of_the_base_come_after(family: Path):
    read = loader().file(family / "child.yaml")
    assert names(read) == ["rule 1", "shared", "kept", "base: rule 3"]
    assert [rule.fault.fault.name for rule in read.rules if rule.fault] == [
        "garbage",
        "truncate",
        "hang",
        "empty",
    ]


def test_a_shipped_scenario_can_be_extended():
    read = load("name: mine\nextends: all-busy\n")
    assert names(read) == ["every line is busy"]
    assert read.magic == ()


def test_the_findings_of_a_base_bear_its_name(family: Path):
    (family / "base.yaml").write_text("name: base\nseed: a\n", encoding="utf-8")
    assert [(Path(finding.file).name, finding.line) for finding in loader().check(family / "child.yaml")] == [
        ("base.yaml", 2)
    ]


def test_a_circle(family: Path):
    (family / "base.yaml").write_text("name: base\nextends: ./sub/../child.yaml\n", encoding="utf-8")
    (family / "sub").mkdir()
    [finding] = loader().check(family / "child.yaml")
    assert finding.message == "extends runs in a circle: child.yaml -> base.yaml -> child.yaml"
    assert Path(finding.file).name == "base.yaml"


def test_depth_is_bounded(tmp_path: Path):
    for depth in range(EXTENDS_LIMIT + 2):
        (tmp_path / f"n{depth}.yaml").write_text(
            f"name: n{depth}\nextends: ./n{depth + 1}.yaml\n", encoding="utf-8"
        )
    [finding] = loader().check(tmp_path / "n0.yaml")
    assert f"more than {EXTENDS_LIMIT} scenarios deep" in finding.message


@pytest.mark.parametrize("wanted", ["./base.yaml", "/etc/passwd", "../x.yaml", "/etc/hostname.json"])
def test_a_text_from_elsewhere_reaches_no_file(wanted: str):
    [found] = complaints(f"name: x\nextends: {wanted}\n")
    assert "is a path, and only a file can extend another" in found


def test_a_missing_base_brings_the_nearest(family: Path):
    path = family / "other.yaml"
    path.write_text("name: other\nextends: ./bsae.yaml\n", encoding="utf-8")
    assert "did you mean 'base.yaml'?" in loader().check(path)[0].message
    path.write_text("name: other\nextends: evening-peek\n", encoding="utf-8")
    assert "did you mean 'evening-peak'?" in loader().check(path)[0].message
    path.write_text('name: other\nextends: "./a\\0b.yaml"\n', encoding="utf-8")
    assert len(loader().check(path)) == 1


# --- magic numbers -------------------------------------------------------------------------------


def test_magic_numbers_come_along_unless_switched_off():
    endings = [rule.match.number for rule in load("name: x\n").magic]
    assert endings == [
        Globs(f"*{digits}")
        for digits in ("0000", "0486", "0480", "0603", "0404", "0403", "0503", "0408", "0602")
    ]
    assert load("name: x\nmagic_numbers: false\n").magic == ()
    assert load("name: x\nextends: all-busy\nmagic_numbers: true\n").magic != ()


def test_the_scenario_of_the_magic_numbers_has_them_once():
    read = loader().named("magic-numbers")
    assert len(read.rules) == 9
    assert read.magic == ()


def test_a_rule_of_the_same_name_replaces_a_magic_one():
    read = load(
        "name: x\nrules:\n  - {name: magic 0486 busy, match: {number: '*0486'}, call: {outcome: rejected}}\n"
    )
    assert len(read.magic) == 8


# --- what must always hold -----------------------------------------------------------------------

OURS_LOADER = ScenarioLoader(OURS, {})


def outcome(text: str) -> object:
    """The scenario, or its findings; anything else that is raised fails the test."""
    try:
        return OURS_LOADER.text(text)
    except FileError as error:
        findings = error.findings
    assert findings
    for finding in findings:
        assert min(finding.line, finding.column) >= 1
        assert 1 <= len(finding.message) < 1000
    return findings


@given(st.text(max_size=400))
def test_no_text_breaks_it(text: str):
    outcome(text)


@given(st.text(alphabet="{}[]:,-&*!|>'\"#%@` \n\tab1$~<", max_size=80))
def test_no_punctuation_breaks_it(text: str):
    outcome(text)


PIECES = st.sampled_from(
    [
        "", " ", "\n", ":", "{", "}", "[", "]", "- ", "0", "-1", "99999999999999999999", "~", "null",
        "true", "é", "${X}", "${X:-3}", "*a", "&a ", "!!x ", "\t", "'", '"', "3s", "120%", "busy", "reset",
        "{}", "[]",
        "\x85", "\u2028", "nan", "1e400",
    ]
)  # fmt: skip


@given(st.sampled_from(sorted(SHIPPED.values())), st.data())
def test_no_mutation_of_a_shipped_file_breaks_it(text: str, data: st.DataObject):
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        text = text[:start] + data.draw(PIECES) + text[end:]
    assert outcome(text) == outcome(text)


MEMBERS = [
    "name", "rules", "call", "mix", "match", "fault", "reply", "receipt", "providers", "nxcloud", "set",
    "retry", "clock", "outcome", "fields", "headers", "credentials", "weight", "uniform",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(MEMBERS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=20,
)


def findings_of(document: Any) -> tuple[FileFinding, ...] | None:
    """What is wrong with a document, None when it is a scenario."""
    try:
        OURS_LOADER.mapping(document)
    except FileError as error:
        return error.findings
    return None


@given(JSON)
def test_no_document_breaks_it(document: Any):
    assert findings_of(document) != ()


@given(
    st.dictionaries(st.sampled_from(["match", "call", "reply", "fault", "receipt", "chance", "times"]), JSON)
)
def test_no_rule_breaks_it(members: dict[str, Any]):
    findings = findings_of({"name": "x", "rules": [{"name": "a", **members}]})
    assert findings is None or all(finding.pointer.startswith("/rules/0") for finding in findings)


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_loading_is_deterministic(name: str):
    assert ScenarioLoader(OURS, {}).named(name) == ScenarioLoader(OURS, {}).named(name)


def test_the_happy_path_loads_fast():
    ScenarioLoader(OURS, {}).named("happy-path")
    times = []
    for _ in range(5):
        begun = time.process_time()
        ScenarioLoader(OURS, {}).named("happy-path")
        times.append(time.process_time() - begun)
    # The best of five, in processor time: the machine may be busy. Most of it goes to the magic numbers.
    assert min(times) < 0.020
