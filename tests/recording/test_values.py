"""Values on the wire: numbers, instants, amounts and forms."""

from __future__ import annotations

import pytest

from voice_emulator.recording.values import form, instant, money, number

AT = 1_767_571_200.0  # 2026-01-05 00:00:00 UTC


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1767571200, AT), ("1767571200", AT), (1767571200000, AT), ("1767571200500", AT + 0.5), ("1767571200.25000", AT + 0.25),
        ("2026-01-05 00:00:00", AT), ("2026/01/05,00:00:00:500", AT + 0.5), ("20260105000000", AT),
        ("until 2026-01-05T00:00:00+08:00", AT), ("2026-13-05 00:00:00", None), ("", None), ("0", None), (None, None), (True, None),
        ("6281200000000", None), (12, None),
    ],
)  # fmt: skip
def test_instant_is_read_however_it_is_written(value: object, seconds: float | None):
    assert instant(value) == seconds


def test_number_form_and_money_are_read():
    assert (number("1.50"), number("x"), number(False), number(-3)) == (1.5, None, None, -3.0)
    assert (form("a1-2"), form(12), form(None)) == ("a9-9", "number 99", "NoneType")
    assert (money("0.036"), money("x"), money(True)) == (money(0.036), None, None)
