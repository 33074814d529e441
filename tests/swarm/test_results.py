"""Result files are scenarios with comments; what they hold is read back; the report says the same in each form."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from tests.swarm.rig import catalogue
from voice_emulator.errors import FileError, UsageError
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.swarm import results
from voice_emulator.swarm.hunt import Found, Outcome
from voice_emulator.swarm.oracles import Failure, Record
from voice_emulator.swarm.rules import Scenario
from voice_emulator.swarm.runner import Result
from voice_emulator.swarm.shrinking import Shrunk
from voice_emulator.swarm.space import START

FAILURE = Failure(
    "orphan", "", "nxcloud", "gpsend", "call to 62: lost\nname: forged\u2028# swarm: {}", ("62",)
)
RULE = {"match": {"provider": "nxcloud", "number": "62"}, "receipt": {"lost": True, "query_lag": "1m"}}


def found(repeated=3):
    scenario = Scenario(17, START, (RULE,), "orphan-nxcloud-gpsend")
    result = Result(scenario, ("62",), (FAILURE,), Record([], [], [], [], {}), "tenant x\n  +0.000 request")
    return Found(17, Shrunk(scenario, ("62",), FAILURE, result, 12, repeated))


def test_a_result_file_is_a_valid_scenario(tmp_path):
    path = results.save(found(), tmp_path / "out", {"cmd": ["./dial.sh"]}, "1.0")
    assert path.name == "orphan-nxcloud-gpsend.yaml"
    loader = ScenarioLoader(catalogue(), {})
    assert loader.check(path) == []
    assert loader.file(path).name == "orphan-nxcloud-gpsend"


def test_comments_say_seed_version_what_failed_and_the_timeline():
    text = results.result_text(found(), {}, "1.0")
    for part in (
        "swarm 1.0, seed 17",
        "orphan nxcloud gpsend",
        "call to 62: lost",
        "+0.000 request",
        "Numbers: 62",
    ):
        assert part in text
    assert all(
        line.startswith("#")
        for line in text.splitlines()[: text.splitlines().index("name: orphan-nxcloud-gpsend")]
    )


def test_a_failure_that_does_not_repeat_is_told_as_such():
    assert "it came again 1 times of 3; not shrunk" in results.result_text(found(1), {}, "1.0")


def test_a_result_file_is_read_back(tmp_path):
    options = {"cmd": ["a", "b c"], "app": "x {port}", "timeout": 5.0}
    kept = results.read(results.save(found(), tmp_path, options, "1.0"))
    assert kept.numbers == ("62",)
    assert {name: kept.options[name] for name in options} == options
    assert (kept.scenario.seed, kept.scenario.start) == (17, START)
    assert kept.scenario.rules[0]["receipt"] == {"lost": "true", "query_lag": "1m"}
    loaded = ScenarioLoader(catalogue(), {}).text(kept.scenario.text)
    assert loaded.rules == ScenarioLoader(catalogue(), {}).text(found().shrunk.scenario.text).rules


def test_any_scenario_can_be_replayed(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("name: own\nmagic_numbers: false\nrules:\n  - call: {outcome: busy}\n", encoding="utf-8")
    kept = results.read(path)
    assert kept.options == {}
    assert "magic_numbers: " in kept.scenario.text
    assert ScenarioLoader(catalogue(), {}).text(kept.scenario.text).magic == ()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("# swarm: {\nname: a\n", UsageError, "is not JSON"), ("- a\n", FileError, "not a scenario"),
        ("name: [\n", FileError, "line"),
    ],
)  # fmt: skip
def test_a_bad_file_is_told(tmp_path, text, error, message):
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(error, match=message):
        results.read(path)


def document(*failures):
    outcome = Outcome(seeds=9, runs=40, seconds=3.2, found=list(failures))
    return results.document_of(outcome, {0: "swarm/a.yaml"}, {"cmd": ["x"]}, "1.0", 1_767_574_800_000_000)


def test_json_holds_each_failure_with_its_file():
    shown = json.loads(results.render(document(found()), "json"))
    (failure,) = shown["failures"]
    assert (failure["oracle"], failure["seed"], failure["file"], failure["shrunk"], failure["rules"]) == (
        "orphan", 17, "swarm/a.yaml", True, 1,
    )  # fmt: skip
    assert (shown["seeds"], shown["runs"], shown["ended"]) == (9, 40, None)


def test_junit_has_a_failed_case_for_each_failure_and_a_passed_one_for_none():
    failed = ET.fromstring(results.render(document(found()), "junit"))
    assert failed.get("failures") == "1"
    passed = ET.fromstring(results.render(document(), "junit"))
    assert (passed.get("tests"), passed.get("failures")) == ("1", "0")


def test_markdown_shows_the_scenarios():
    text = results.render(document(found()), "markdown").decode()
    assert "Found 1 failure in 9 seeds" in text
    assert "receipt: {lost: true" in text


def test_the_sentence_counts():
    assert results.sentence(document()) == "found nothing in 9 seeds, 40 runs, 3 s"
