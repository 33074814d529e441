"""serve --help: groups, and examples that work."""

from __future__ import annotations

import shlex

import pytest
from click.testing import CliRunner

from voice_emulator.cli import commands
from voice_emulator.cli.serve.command import serve
from voice_emulator.cli.serve.help import EXAMPLES, GROUPS


def test_every_option_is_in_exactly_one_group():
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(parameter.opts[0] for parameter in serve.params)


def test_help_shows_the_groups_and_the_examples():
    done = CliRunner().invoke(commands, ["serve", "--help"], terminal_width=100)
    assert done.exit_code == 0
    lines = done.output.splitlines()
    assert [line for line in lines if line and not line.startswith((" ", "Usage"))] == [
        *(f"{title}:" for title in GROUPS), "Other:", "Examples:",
    ]  # fmt: skip
    for line, _ in EXAMPLES:
        assert f"  {line}" in lines


@pytest.mark.parametrize("line", [line for line, _ in EXAMPLES])
def test_an_example_is_understood(line: str):
    program, name, *options = shlex.split(line)
    assert (program, name) == ("voice-emulator", "serve")
    assert serve.make_context("serve", options).params
