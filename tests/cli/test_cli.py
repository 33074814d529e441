from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import click
import pytest

from tests.cli.process import command, environment
from tests.patience import PATIENCE
from voice_emulator import __version__
from voice_emulator.cli import COMMANDS, commands


def test_help_lists_every_command_with_its_line():
    done = command("--help")
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    for name, entry in COMMANDS.items():
        assert f"{name} {entry.summary}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_entry_of_the_table_leads_to_a_command_of_that_name(name):
    entry = COMMANDS[name]
    found = getattr(import_module(f"voice_emulator.cli.{entry.module}"), entry.attribute)
    assert isinstance(found, click.Command)
    assert found.name == name
    assert found.help


def test_version():
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"voice-emulator {__version__}\n")


def test_an_unknown_command_is_wrong_usage_and_names_the_nearest():
    done = command("serv")
    assert done.returncode == 2
    assert done.stderr == "Error: there is no command 'serv'; did you mean 'serve'?\n"
    assert done.stdout == ""


def test_an_unknown_option_is_wrong_usage():
    done = command("serve", "--prot", "1")
    assert done.returncode == 2
    assert "No such option" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "args", [["--help"], ["health", "--help"], ["wait-ready", "--help"], ["serve", "--help"]]
)
def test_what_scripts_call_often_loads_no_heavy_library(args):
    program = (
        "import sys\n"
        "from voice_emulator.cli import main\n"
        "try:\n"
        f"    main({args!r})\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'aiohttp', 'rich', 'yaml', 'jsonschema', 'jsonschema_rs', 'faker'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert done.stderr.strip() == "[]"


def test_arguments_may_be_given_in_process(capsys):
    with pytest.raises(SystemExit) as ended:
        commands.main(["--version"], prog_name="voice-emulator")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("voice-emulator ")
