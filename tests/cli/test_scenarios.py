from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from tests.cli.process import command, group
from voice_emulator.cli import commands
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


# --- what users break, with the whole message ---------------------------------------------------------

CALL = "    call: {outcome: busy}\n"
BROKEN: dict[str, tuple[str | bytes, str]] = {
    "a tab": ("name: x\nrules:\n\t- call: {outcome: busy}\n", "3:1: not valid YAML: indent with spaces, not tabs"),
    "a star before digits": (
        f"name: x\nrules:\n  - match: {{number: *1}}\n{CALL}",
        '3:21: undefined alias *1; quote it if it is a pattern: "*1"',
    ),
    "a star alone": (
        f"name: x\nrules:\n  - match: {{number: *}}\n{CALL}",
        "3:22: not valid YAML: quote a value that begins with *",
    ),
    "an at sign": ("name: x\ndescription: @evening\n", "2:14: not valid YAML: quote a value that begins with @"),
    "a percent sign": (
        f"name: x\nrules:\n  - chance: %20\n{CALL}", "3:13: not valid YAML: quote a value that begins with %",
    ),
    "a key twice": ("name: x\nseed: 1\nseed: 2\n", "3:1: duplicate key 'seed' (first on line 2)"),
    "too little indentation": (
        "name: x\nrules:\n  - name: a\n   call: {outcome: busy}\n",
        "4:4: not valid YAML: this line does not fit the lines above it; check the indentation",
    ),
    "too much indentation": (
        "name: x\nrules:\n  - name: a\n     call: {outcome: busy}\n",
        "4:10: not valid YAML: a second colon: quote a value that contains one, or check the indentation",
    ),
    "a misspelt key": (
        f"name: x\nrules:\n  - mach: {{number: '62*'}}\n{CALL}",
        "3:5: unknown key 'mach' in a rule; did you mean 'match'?",
    ),
    "a list for a mapping": (
        "name: x\nproviders:\n  - nxcloud: {}\n", "3:3: providers must be a mapping, not a list",
    ),
    "a mapping for a list": (
        "name: x\nrules:\n  name: a\n  call: {outcome: busy}\n", "3:3: rules must be a list, not a mapping",
    ),
    "UTF-16": ("name: x\n".encode("utf-16"), "1:1: the file is UTF-16 text; save it as UTF-8"),
    "an open quote": (
        "name: x\ndescription: 'open\nseed: 3\n", "2:14: not valid YAML: the quote that opens here is not closed",
    ),
    "an open bracket": (
        f"name: x\nrules:\n  - match: {{number: 62*\n{CALL}",
        "4:9: not valid YAML: a comma or a closing bracket is missing here",
    ),
    "neither yes nor no": (
        "name: x\nmagic_numbers: nope\n", "2:16: magic_numbers must be true or false, not 'nope'",
    ),
    "an octal number": ("name: x\nseed: 0o17\n", "2:7: seed must be a whole number, not '0o17'"),
    "an anchor in itself": ("name: x\nrules: &r\n  - *r\n", "3:5: the alias *r is inside its own anchor"),
    "a variable that is not set": (
        "name: x\nproviders: {nxcloud: {callback_url: '${CALBACK_URL}'}}\n",
        "2:37: the environment variable CALBACK_URL is not set; ${CALBACK_URL:-default} does without it",
    ),
    "a fence of Markdown": (
        "```yaml\nname: x\n```\n", "1:1: not valid YAML: quote a value that begins with `",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_users_break_is_told_in_one_sentence(name: str, tmp_path, monkeypatch):
    text, message = BROKEN[name]
    monkeypatch.setenv("CALLBACK_URL", "a-secret")
    path = tmp_path / "broken.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = CliRunner().invoke(commands, ["check", str(path)])
    assert (done.exit_code, done.output) == (1, f"{path}:{message}\n")


def test_values_that_yaml_would_read_as_something_else_stay_as_they_are_written():
    text = "name: no\nrules:\n  - name: yes\n    match: {number: 0812*}\n    receipt: {set: {basic_price: 1_0}}\n"
    done = CliRunner().invoke(commands, ["check", "-"], input=text)
    assert (done.exit_code, done.output) == (0, "-: ok\n")


@pytest.mark.parametrize(
    ("text", "status", "output"),
    [
        ("name: x\n", 0, "-: ok\n"),
        (
            "name: x\nrulez: []\n",
            1,
            "<stdin>:2:1: unknown key 'rulez' in a scenario; did you mean 'rules'?\n",
        ),
        ("", 1, "<stdin>:1:1: the file is empty; a scenario has at least a name\n"),
        ("name: x\nextends: base.yaml\n", 0, "-: ok\n"),
    ],
)
def test_a_dash_is_standard_input(text: str, status: int, output: str, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "base.yaml").write_text("name: base\n")
    done = CliRunner().invoke(commands, ["check", "-"], input=text)
    assert (done.exit_code, done.output) == (status, output)


def test_warnings_are_printed_and_exit_0_and_do_not_hide_mistakes():
    shadowed = "name: x\nrules:\n  - call: {outcome: busy}\n  - name: late\n    call: {outcome: rejected}\n"
    done = CliRunner().invoke(commands, ["check", "-"], input=shadowed)
    assert done.exit_code == 0
    assert done.output == (
        "<stdin>:4:5: warning: rule 'late' never acts: the earlier rule 'rule 1' matches all that it matches; put it "
        "first, or narrow the other\n-: ok (1 warning)\n"
    )
    assert CliRunner().invoke(commands, ["check", "-"], input=f"{shadowed}seed: x\n").exit_code == 1
