"""The lock file: what it accepts, until when, and what is wrong with it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from voice_emulator.errors import UsageError
from voice_emulator.recording.comparison import Finding
from voice_emulator.recording.lock import read_lock, split

ENTRY = "- {provider: p, operation: op, field: f, kind: value, reason: known, until: 2026-06-30}\n"


def test_difference_is_accepted_until_its_day_and_no_longer(tmp_path: Path):
    path = tmp_path / "x.lock"
    path.write_text(ENTRY)
    lock = read_lock(path)
    finding, other = Finding("p", "op", "f", "value", "m"), Finding("p", "op", "f", "type", "m")
    assert split([finding, other], lock, date(2026, 6, 30)) == ([other], [finding], [])
    assert split([finding], lock, date(2026, 7, 1)) == ([finding], [], lock)
    assert split([other], lock, date(2026, 6, 1)) == ([other], [], lock)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1", "is a list"),
        ("- 3", "entry 1: write {provider"),
        (ENTRY.replace("reason", "reson"), "did you mean 'reason'"),
        (ENTRY.replace("reason: known, ", ""), "reason is missing"),
        (ENTRY.replace("2026-06-30", "soon"), "until is a day such as 2026-12-31"),
        ("- {", "x.lock"),
    ],
)
def test_wrong_entry_is_named(text: str, message: str, tmp_path: Path):
    path = tmp_path / "x.lock"
    path.write_text(text)
    with pytest.raises(UsageError, match=re.escape(message)):
        read_lock(path)
