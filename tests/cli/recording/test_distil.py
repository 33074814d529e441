"""distil, from a recording to a scenario file."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from tests.recording.taped import READER
from voice_emulator.cli import commands
from voice_emulator.core.clock import parse_rfc3339
from voice_emulator.recording.bundle import write
from voice_emulator.recording.exchanges import Exchange
from voice_emulator.recording.masking import Masking


def test_scenario_is_written_and_what_it_cannot_say_is_listed(tmp_path: Path):
    stray = Exchange(
        "push", "nxcloud", parse_rfc3339("2026-01-05T09:00:00Z"), "GET", "http://x/?phone=6281200000001"
    )
    write(tmp_path / "x.vrec", [stray], Masking(READER))
    out = tmp_path / "out.yaml"
    done = CliRunner().invoke(commands, ["distil", str(tmp_path / "x.vrec"), "-o", str(out)])
    assert done.exit_code == 0, done.output
    assert "0 rules from 0 calls" in done.stdout
    assert "not expressed: a push of nxcloud reports no call of the recording (1 times)" in done.stderr
    assert "name: distilled" in out.read_text()
    done = CliRunner().invoke(
        commands, ["distil", str(tmp_path / "x.vrec"), "-o", str(tmp_path / "no" / "x.yaml")]
    )
    assert done.exit_code == 2
    assert "cannot write" in done.stderr
