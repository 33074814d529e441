"""Durations as text, and the schema that says which of them a limit admits."""

from __future__ import annotations

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.durations import UNITS, duration_schema, duration_text, parse_duration

HOUR = UNITS["h"]


@pytest.mark.parametrize(
    ("text", "micros"),
    [("250ms", 250_000), ("5s", 5_000_000), ("1.5s", 1_500_000), ("2m", 120_000_000), ("0s", 0), ("1h", HOUR),
     ("007s", 7_000_000), ("0.0001ms", 1)],
)  # fmt: skip
def test_durations(text: str, micros: int):
    assert parse_duration(text) == micros


@pytest.mark.parametrize(
    "text", ["", "5", "s", "-1s", "1d", "1e3s", "5 s", "٣s", "1.s", ".5s", "5s\n", "9" * 30 + "s"]
)
def test_texts_that_are_not_durations(text: str):
    with pytest.raises(ValueError, match=r"invalid duration .*: write 250ms, 3s, 2m or 1h"):
        parse_duration(text)


@given(st.integers(0, 10**15))
def test_what_is_written_is_what_was_meant(micros: int):
    assert parse_duration(duration_text(micros)) == micros


NUMBERS = st.one_of(
    st.decimals(0, 10**9, places=6).map(lambda number: format(number, "f")),
    st.integers(0, 10**8).map(str),
    st.text("0123456789.", max_size=12),
)


@given(st.sampled_from([HOUR, 24 * HOUR, 87_600 * HOUR]), NUMBERS, st.sampled_from([*UNITS, "", "d"]))
def test_the_schema_admits_what_is_read_and_within_the_limit(longest: int, number: str, unit: str):
    text = number + unit
    try:
        fits = parse_duration(text) <= longest
    except ValueError:
        fits = False
    assert jsonschema_rs.is_valid(duration_schema(longest), text) is fits


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("hours", [1, 24, 87_600])
def test_the_schema_is_exact_at_the_limit(unit: str, hours: int):
    most = hours * HOUR // UNITS[unit]
    for text in (f"{most}{unit}", f"{most}.000{unit}", f"{most - 1}.999999{unit}", f"{most // 10}{unit}"):
        assert jsonschema_rs.is_valid(duration_schema(hours * HOUR), text), text
    for text in (f"{most}.000001{unit}", f"{most + 1}{unit}", f"{most}0{unit}"):
        assert not jsonschema_rs.is_valid(duration_schema(hours * HOUR), text), text
