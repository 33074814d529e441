from __future__ import annotations

import pytest

from voice_emulator.core.words import nearest, nearest_word


@pytest.mark.parametrize(
    ("word", "choices", "found"),
    [
        ("buzy", ["answered", "busy"], "busy"),
        ("BUSY", ["answered", "busy"], "busy"),
        ("nxcluod", ["huawei_cec", "NXCloud"], "NXCloud"),
        ("zzz", ["answered", "busy"], None),
        ("", ["answered"], None),
        ("busy", [], None),
    ],
)
def test_nearest_word(word: str, choices: list[str], found: str | None):
    assert nearest_word(word, choices) == found


def test_nearest_suggests_a_word_or_else_lists_a_few_choices():
    assert nearest("buzy", iter(["answered", "busy"])) == "; did you mean 'busy'?"
    assert nearest("zzz", ["answered", "busy"]) == "; known are answered, busy"
    assert nearest("zzz", []) == ""
    assert nearest("zzz", [f"choice-{number}" for number in range(13)]) == ""
