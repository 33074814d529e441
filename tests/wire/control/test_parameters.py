"""How texts of query parameters are read."""

from __future__ import annotations

import pytest

from voice_emulator.core.clock import SECOND
from voice_emulator.wire.control import parameters


@pytest.mark.parametrize(
    ("text", "micros"),
    [("250ms", 250_000), ("5s", 5 * SECOND), ("1.5s", 1_500_000), ("2m", 120 * SECOND), ("0s", 0)],
)
def test_spans(text: str, micros: int):
    assert parameters.read_span(text, "timeout", 600 * SECOND) == micros


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1d", "1e3s", "5 s", "11m", "9999999999999h"])
def test_texts_that_are_no_span(text: str):
    with pytest.raises(ValueError, match="timeout"):
        parameters.read_span(text, "timeout", 600 * SECOND)


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.0", "", "٣", "9" * 30])
def test_numbers_out_of_bounds(text: str):
    with pytest.raises(ValueError, match="whole number"):
        parameters.limit().read(text)


def test_choices_and_texts():
    choice = parameters.choice("kind", "", ["a", "bc"], "a")
    assert (choice.read("bc"), choice.default, choice.schema["default"]) == ("bc", "a", "a")
    with pytest.raises(ValueError, match="not one of a, bc"):
        choice.read("b")
    with pytest.raises(ValueError, match="1 to 200"):
        parameters.text("x", "").read("")
    assert parameters.glob("n", "").read("62*")("6281")
