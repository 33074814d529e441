"""The command mutate: exit statuses, files, and what cannot work."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner, Result

from voice_emulator.cli import commands
from voice_emulator.scenarios.mutants import mutant_names

#: A suite without an emulator, that says itself whether the mutant acted and whether it noticed.
STUB = """
import json, os, sys
log = open(os.environ["VOICE_EMULATOR_MUTANT_LOG"], "a")
print(json.dumps({"request": "nxcloud"}), file=log)
mutant = os.environ.get("VOICE_EMULATOR_MUTANT")
if mutant: print(json.dumps({"acted": "nxcloud"}), file=log)
sys.exit(mutant in sys.argv[1:])
"""


@pytest.fixture
def suite(tmp_path: Path) -> list[str]:
    path = tmp_path / "suite.py"
    path.write_text(STUB, encoding="utf-8")
    return ["--", sys.executable, str(path)]


def mutate(*arguments: object) -> Result:
    return CliRunner().invoke(commands, ["mutate", *map(str, arguments)])


ONLY = ("--provider", "nxcloud", "--only", "receipt-lost", "--only", "receipt-late")


def test_mutate_exits_with_1_for_a_survivor_and_tells_what_catches_it(suite, tmp_path):
    files = [part for kind in ("json", "junit", "markdown") for part in (f"--{kind}", tmp_path / kind)]
    done = mutate(*ONLY, *files, *suite, "receipt-late")
    assert done.exit_code == 1
    assert "receipt-lost  nxcloud  survived\n    A call whose receipt is lost stays open" in done.output
    assert 'voice_emulator.load("lost-receipts")' in done.output
    assert "1 survived, 1 killed, 0 not reached" in done.output
    shown = json.loads((tmp_path / "json").read_text(encoding="utf-8"))
    assert {word: shown[word] for word in ("killed", "survived", "not_reached")} == {
        "killed": 1, "survived": 1, "not_reached": 0,
    }  # fmt: skip
    first, second = shown["mutants"]
    assert (first["name"], first["provider"], first["verdict"]) == ("receipt-lost", "nxcloud", "survived")
    assert second["verdict"] == "killed"
    assert first["cost"].startswith("A call whose receipt is lost")
    assert ET.parse(tmp_path / "junit").getroot().get("failures") == "1"
    assert "receipt-lost" in (tmp_path / "markdown").read_text(encoding="utf-8")


def test_mutate_exits_with_0_when_none_survived(suite):
    assert mutate(*ONLY, *suite, "receipt-late", "receipt-lost").exit_code == 0


def test_json_alone_goes_to_standard_output(suite):
    done = mutate(*ONLY, "--json", "-", *suite)
    assert json.loads(done.stdout)["survived"] == 2
    assert "2 survived" in done.stderr


def test_the_list_names_every_mutant_once_for_each_provider():
    lines = mutate("--list").output.splitlines()
    assert {line.split()[0] for line in lines} == set(mutant_names())
    assert len({tuple(line.split()[:2]) for line in lines}) == len(lines)
    assert all(
        "  nxcloud  " in line for line in mutate("--list", "--provider", "nxcloud").output.splitlines()
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the command that runs your tests is missing"),
        (["--only", "receipt-lots", "--", "true"], "did you mean 'receipt-lost'"),
        (["--provider", "nxclod", "--", "true"], "did you mean 'nxcloud'"),
        (["--provider", "nxcloud", "--only", "signature-forged", "--", "true"], "no mutant is left"),
        (["--", "true"], "without a mutant, no request reached a provider"),
        (["--", "sh", "-c", "echo oh no; exit 3"], "the command already ends with exit status 3; its output ends with:\noh no"),
        (["--", "/nowhere/at-all"], "cannot run the command /nowhere/at-all"),
    ],
)  # fmt: skip
def test_what_cannot_work_exits_with_2_and_says_why(arguments, message):
    done = mutate(*arguments)
    assert done.exit_code == 2, done.output
    assert message in done.output
