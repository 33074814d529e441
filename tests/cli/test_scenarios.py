from __future__ import annotations

import re

from tests.cli.process import command, group
from voice_emulator.resources import data_path
from voice_emulator.scenarios.loader import shipped_names

FIVE = """\
name: Bad Name
sed: 3
rules:
  - name: first
    match: {operation: gpsen}
    call: {outcome: answerd}
  - name: second
    match: {provider: nxcloud}
    reply: {error: auth_faild}
"""


def test_five_mistakes_are_five_findings_with_line_and_column(tmp_path):
    path = tmp_path / "five.yaml"
    path.write_text(FIVE)
    done = command("check", path)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    places = [group(rf"^{re.escape(str(path))}:(\d+:\d+): \S", line) for line in lines]
    assert places == ["1:7", "2:1", "5:24", "6:21", "9:20"]
    nearest = [group(r"did you mean '(\S+)'\?$", line) for line in lines[1:]]
    assert nearest == ["seed", "gpsend", "answered", "auth_failed"]


def test_each_good_file_gets_its_line(tmp_path):
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: good\n")
    bad.write_text("name: bad\nseed: many\n")
    done = command("check", good, bad, good)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == lines[2] == f"{good}: ok"
    assert lines[1].startswith(f"{bad}:2:7: ")
    assert command("check", good).returncode == 0


def test_a_file_that_is_not_there_is_wrong_usage_and_the_others_are_checked(tmp_path):
    good = tmp_path / "good.yaml"
    good.write_text("name: good\n")
    done = command("check", tmp_path / "none.yaml", good)
    assert done.returncode == 2
    assert done.stdout == f"{good}: ok\n"
    assert done.stderr.startswith("Error: cannot read ")


def test_check_wants_a_file():
    assert command("check").returncode == 2


def test_every_shipped_scenario_passes_check():
    done = command("check", *(data_path("scenarios", f"{name}.yaml") for name in shipped_names()))
    assert done.returncode == 0, done.stdout


def test_scenarios_lists_one_a_line_with_its_description():
    done = command("scenarios")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == shipped_names()
    assert all(re.fullmatch(r"\S+  +\S.{10,}", line) for line in lines)


def test_show_prints_the_file_as_it_is():
    done = command("scenarios", "show", "happy-path")
    assert done.returncode == 0
    assert done.stdout == data_path("scenarios", "happy-path.yaml").read_text(encoding="utf-8")


def test_show_names_the_nearest_scenario():
    done = command("scenarios", "show", "hapy-path")
    assert done.returncode == 2
    assert done.stderr == "Error: there is no scenario 'hapy-path'; did you mean 'happy-path'?\n"
