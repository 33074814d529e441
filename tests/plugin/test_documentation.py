"""docs/pytest.md is executable: every Python block is a file, and this runs them all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from voice_emulator.client import VoiceEmulator
from voice_emulator.client.voice import WaitingMethods
from voice_emulator.pytest_plugin import ARGUMENTS

pytest_plugins = "pytester"

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs" / "pytest.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FILES = dict(re.findall(r"^# (\S+\.py)\n(.*)", block, re.DOTALL)[0] for block in BLOCKS)
SCRIPTS = {"script.py": "busy\n", "control_script.py": "True\n409\nTrue\n"}


def test_every_block_is_a_file_of_its_own():
    assert len(FILES) == len(BLOCKS) > 8
    assert set(SCRIPTS) < set(FILES)


def test_the_tests_of_the_page_pass(run):
    wanted = sum(source.count("\ndef test_") + source.startswith("def test_") for source in FILES.values())
    run({name: source for name, source in FILES.items() if name not in SCRIPTS}).assert_outcomes(
        passed=wanted
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_scripts_of_the_page_run(script, tmp_path, monkeypatch):
    for name, source in FILES.items():
        (tmp_path / name).write_text(source, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT / "emulator"))
    command = [sys.executable, "-W", "error", script]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.returncode, done.stdout) == (0, SCRIPTS[script]), done.stderr


@pytest.mark.parametrize("name", [n for n in {**vars(VoiceEmulator), **vars(WaitingMethods)} if n[0] != "_"])
def test_every_method_is_on_the_page(name):
    if name not in ("run", "close"):
        assert re.search(rf"[`.]{name}[`(\[.]", PAGE), name


def test_every_option_and_argument_is_on_the_page():
    source = (CHECKOUT / "emulator/voice_emulator/pytest_plugin.py").read_text(encoding="utf-8")
    for option in re.findall(r'"(--voice-emulator-[a-z]+)"', source):
        assert f"`{option} " in PAGE
    for argument in ARGUMENTS:
        assert f"`{argument}`" in PAGE
