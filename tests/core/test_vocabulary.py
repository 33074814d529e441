from __future__ import annotations

from voice_emulator.core.vocabulary import Word


class Colour(Word):
    RED = "red"


def test_words_are_equal_to_their_text_and_found_by_it():
    assert {Colour.RED: 1}["red"] == 1  # type: ignore[index]
    assert {"red": 1}[Colour.RED] == 1
    assert hash(Colour.RED) == hash("red")
    assert f"{Colour.RED}" == "red"
