from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.client.durations import seconds, text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("250ms", 0.25),
        ("90s", 90),
        ("5m", 300),
        ("1h", 3600),
        ("1.5h", 5400),
        ("7", 7),
        (" 7s ", 7),
        (7, 7),
        (0.5, 0.5),
        (timedelta(minutes=2), 120),
        (0, 0),
    ],
)
def test_every_way_to_write_a_duration(written, meant):
    assert seconds(written) == meant


@pytest.mark.parametrize(
    "written", ["", "5 days", "-1s", "1d", "s", "1e3s", "٣s", -1, float("nan"), float("inf")]
)
def test_invalid_durations_are_refused(written):
    with pytest.raises(ValueError, match="invalid duration"):
        seconds(written)


def test_whole_seconds_are_integers():
    assert isinstance(seconds("2m"), int)
    assert isinstance(seconds(2.0), int)


@given(st.integers(0, 10**7))
def test_text_says_what_was_meant(milliseconds):
    assert seconds(text(milliseconds / 1000)) == milliseconds / 1000
