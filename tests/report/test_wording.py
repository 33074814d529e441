from __future__ import annotations

import pytest

from voice_emulator.report.wording import counted, fate_words, verdict_line


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 errors"), (1, "1 error"), (2, "2 errors"), (12_345, "12,345 errors")]
)
def test_counted(count: int, text: str):
    assert counted(count, "error") == text


@pytest.mark.parametrize(
    ("errors", "warnings", "line"),
    [
        (0, 0, "No violation of the contract."),
        (0, 1, "No violation of the contract, 1 warning."),
        (1, 0, "1 violation of the contract, 0 warnings."),
        (2, 3, "2 violations of the contract, 3 warnings."),
    ],
)
def test_verdict_line(errors: int, warnings: int, line: str):
    assert verdict_line({"errors": errors, "warnings": warnings, "judged": 1}) == line


def test_fate_words_say_something_of_every_fate():
    words = fate_words()
    assert set(words) == {"acknowledged", "reconciled", "pending", "uncertain", "orphan", "dropped"}
    assert all(words.values())
