from __future__ import annotations

import json

import yaml
from jsonschema import Draft202012Validator

from tests.cli.process import command
from voice_emulator.cli.init import STARTERS, WHEELS


def test_init_writes_files_to_start_from_and_they_are_valid(tmp_path):
    folder = tmp_path / "new" / "project"
    done = command("init", folder)
    assert done.returncode == 0
    assert {path.name for path in folder.iterdir()} == {*STARTERS, WHEELS}
    assert command("check", folder / "scenario.yaml").stdout == f"{folder / 'scenario.yaml'}: ok\n"
    service = yaml.safe_load((folder / "compose.yaml").read_text())["services"]["voice-emulator"]
    assert service["healthcheck"]["test"] == ["CMD", "voice-emulator", "health"]
    steps = yaml.safe_load((folder / "ci.yaml").read_text())["jobs"]["test"]["steps"]
    assert any("voice-emulator wait-ready" in step.get("run", "") for step in steps)


def test_the_schema_it_writes_is_the_one_that_its_scenario_names(tmp_path):
    command("init", tmp_path)
    first = (tmp_path / "scenario.yaml").read_text(encoding="utf-8").splitlines()[0]
    schema = (tmp_path / first.partition("$schema=")[2]).read_text(encoding="utf-8")
    assert schema == command("scenarios", "schema").stdout
    document = yaml.safe_load((tmp_path / "scenario.yaml").read_text(encoding="utf-8"))
    assert Draft202012Validator(json.loads(schema)).is_valid(document)


def test_the_rules_it_only_proposes_are_valid_too(tmp_path):
    command("init", tmp_path)
    path = tmp_path / "scenario.yaml"
    text = path.read_text()
    for mark in ("  # - ", "  #   "):
        text = text.replace(mark, mark.replace("# ", ""))
    path.write_text(text.replace("# extends", "extends"))
    assert text.count("- name:") == 5
    assert command("check", path).stdout == f"{path}: ok\n"


def test_init_never_overwrites(tmp_path):
    (tmp_path / "compose.yaml").write_text("mine")
    done = command("init", tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "compose.yaml").read_text() == "mine"
    assert "kept   " in done.stdout
    assert (tmp_path / "scenario.yaml").exists()
    before = (tmp_path / "scenario.yaml").read_bytes()
    assert command("init", tmp_path).returncode == 0
    assert (tmp_path / "scenario.yaml").read_bytes() == before


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    done = command("init", tmp_path / "file" / "below")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: cannot write to ")
    assert "Traceback" not in done.stderr
