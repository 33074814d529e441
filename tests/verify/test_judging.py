from __future__ import annotations

import pytest

from voice_emulator.verify.judging import difference


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (None, None, None),
        (None, {"charge": "1"}, "it appeared"),
        ({"charge": "1"}, None, "it disappeared"),
        ({"charge": "1"}, {"charge": "1"}, None),
        ({"charge": "1"}, {"charge": "2"}, "charge was '1' and is '2'"),
        # Values that the provider does not determine may change: counters of arrivals, times of the last one.
        ({"charge": "1", "seen": 1}, {"charge": "1", "seen": 2}, None),
        # Where nothing has a known name, everything counts.
        ({"mine": 1}, {"mine": 2}, "mine was 1 and is 2"),
    ],
)
def test_a_change_that_matters_is_told(old, new, told):
    assert difference(old, new) == told
