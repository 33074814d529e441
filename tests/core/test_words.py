from __future__ import annotations

import pytest

from voice_emulator.core.words import counted, nearest, nearest_word


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


@pytest.mark.parametrize(
    ("count", "noun", "told"),
    [(1, "number", "1 number"), (0, "number", "0 numbers"), (2, "push", "2 pushes"), (1, "push", "1 push"),
     (1234, "mistake", "1,234 mistakes"), (3, "class", "3 classes"), (2, "search", "2 searches")],
)  # fmt: skip
def test_a_count_has_its_noun_in_the_right_number(count, noun, told):
    assert counted(count, noun) == told
