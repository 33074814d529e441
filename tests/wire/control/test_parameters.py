"""How texts of query parameters are read."""

from __future__ import annotations

import pytest

from voice_emulator.core.clock import SECOND
from voice_emulator.wire.control import parameters


@pytest.mark.parametrize("text", ["", "5", "61m", "2h", "3600001ms"])
def test_durations_are_read_up_to_a_limit(text: str):
    timeout = parameters.duration("timeout", "", 5 * SECOND, 3_600 * SECOND)
    assert (timeout.read("60m"), timeout.schema["default"]) == (3_600 * SECOND, "5s")
    with pytest.raises(ValueError, match=r"duration|at most 3600s"):
        timeout.read(text)


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
