"""Cells of a bill: the ways people write numbers, amounts, durations and times."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.swarm.bill_values import (
    Style,
    amount_style,
    read_amount,
    read_number,
    read_offset,
    read_seconds,
    read_time,
    time_style,
)


@pytest.mark.parametrize(
    ("text", "digits"),
    [("6281234567", "6281234567"), ("+62 812-34567", "6281234567"), ("(0812) 34.567", "081234567"),
     ("6281234567.0", "6281234567"), ("tel 6281", None), ("6.28123E+12", None), ("-", None), ("\u0661\u0662", None)],
)  # fmt: skip
def test_a_number_is_its_digits(text, digits):
    if digits is None:
        with pytest.raises(ValueError, match=r"number|digits"):
            read_number(text)
    else:
        assert read_number(text) == digits


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [("0.036", "0.036", ""), ("USD 0.036", "0.036", "USD"), ("0.036usd", "0.036", "USD"), ("\u20ac1", "1", "EUR"),
     ("-$1.5", "-1.5", "USD"), ("$-1.5", "-1.5", "USD"), ("(0.5)", "-0.5", ""), ("1,234.50", "1234.50", ""), (".5", "0.5", ""),
     ("12.", "12", ""), ("3.6e-2", "0.036", ""), ("1 234.5", "1234.5", ""), ("1'234.5", "1234.5", ""), ("+2", "2", ""),
     ("Rp 1,500", "1500", "IDR"), ("0.1000000000000000055511151231257827021181583404541015625",
      "0.1000000000000000055511151231257827021181583404541015625", "")],
)  # fmt: skip
def test_an_amount_is_an_exact_decimal(text, value, currency):
    assert read_amount(text, Style()) == (Decimal(value), currency)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "1.2.3",
        "1,2,3",
        "--1",
        "1e999999999",
        "NaN",
        "Infinity",
        "0x10",
        "1e15",
        "1" * 200,
        "\u0661",
        "1,23.5",
    ],
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="is not an amount"):
        read_amount(text, Style())


@pytest.mark.parametrize(
    ("cells", "separated", "comma"),
    [(["0,036", "1,5"], True, True), (["0,036"], False, True), (["1,234"], False, False), (["1,234"], True, True),
     (["1.234,50"], False, True), (["1,234.50", "1,234"], True, False), (["0.036"], True, False), ([], True, False),
     (["1,234", "12,5"], False, True)],
)  # fmt: skip
def test_a_column_shows_whether_its_comma_is_a_decimal_one(cells, separated, comma):
    assert amount_style(cells, separated).comma is comma


def test_decimal_commas_are_read():
    assert read_amount("1.234,50 \u20ac", Style(comma=True)) == (Decimal("1234.50"), "EUR")
    assert read_amount("0,036", Style(comma=True)) == (Decimal("0.036"), "")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_every_amount_that_is_printed_reads_as_itself(value):
    assert read_amount(f"{value:f}", Style())[0] == value
    assert read_amount(f"{value:,}", Style())[0] == value
    swapped = f"{value:,f}".translate(str.maketrans(",.", ".,"))
    assert read_amount(swapped, amount_style([swapped], True))[0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("19", "19"), ("18.6", "18.6"), ("18,6", "18.6"), ("19s", "19"), ("19 sec", "19"), ("1500ms", "1.5"), ("2 min", "120"),
     ("1:05", "65"), ("00:01:05", "65"), ("01:00:00", "3600"), ("0", "0")],
)  # fmt: skip
def test_durations_are_seconds(text, value):
    assert read_seconds(text) == Decimal(value)


@pytest.mark.parametrize("text", ["abc", "-5", "1:2:3:4", "5 days", "", "1:5", "1e5"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        read_seconds(text)


MOMENT = datetime.fromisoformat("2026-01-05T17:03:09")
EAST = timezone(timedelta(hours=8))
TIMES = {
    "2026-01-05T17:03:09+08:00": MOMENT.replace(tzinfo=EAST),
    "2026-01-05 17:03:09Z": MOMENT.replace(tzinfo=UTC),
    "2026-01-05 17:03:09 UTC": MOMENT.replace(tzinfo=UTC),
    "2026-01-05 17:03:09.000 +0800": MOMENT.replace(tzinfo=EAST),
    "Mon, 05 Jan 2026 17:03:09 GMT": MOMENT.replace(tzinfo=UTC),
    "2026-01-05 17:03:09": MOMENT,
    "2026/01/05,17:03:09:000": MOMENT,
    "2026/1/5 17:03:09": MOMENT,
    "05.01.2026 17:03:09": MOMENT,
    "5/1/2026, 5:03:09 PM": MOMENT,
    "20260105170309": MOMENT,
    "20260105T170309Z": MOMENT.replace(tzinfo=UTC),
    str(int(MOMENT.replace(tzinfo=UTC).timestamp())): MOMENT.replace(tzinfo=UTC),
    str(int(MOMENT.replace(tzinfo=UTC).timestamp() * 1000)): MOMENT.replace(tzinfo=UTC),
    f"{MOMENT.replace(tzinfo=UTC).timestamp():.6f}": MOMENT.replace(tzinfo=UTC),
    "2026-01-05": MOMENT.date(),
    "20260105": MOMENT.date(),
    "05.01.2026": MOMENT.date(),
    "2026/01/05": MOMENT.date(),
    "0": None,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_in_every_usual_form(text):
    found = read_time(text, Style())
    assert found == TIMES[text]
    assert not isinstance(found, datetime) or (found.tzinfo is None) is (TIMES[text].tzinfo is None)


@pytest.mark.parametrize(
    "text",
    [
        "abc",
        "2026-13-01",
        "32.01.2026",
        "yesterday",
        "2026-01-05 25:00",
        "12",
        "99999999999999",
        "17:03",
        "Monday",
    ],
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="is not a time"):
        read_time(text, Style())


@pytest.mark.parametrize(
    ("cells", "days", "first"),
    [(["03/04/2026", "25/04/2026"], [], True), (["03/04/2026", "04/25/2026"], [], False),
     (["03/04/2026"], [date(2026, 4, 3)], True), (["03/04/2026"], [date(2026, 3, 4)], False),
     (["03.04.2026"], [date(2026, 3, 4)], True), (["2026-01-01"], [], True)],
)  # fmt: skip
def test_a_column_shows_whether_the_day_comes_first(cells, days, first):
    assert time_style(cells, days).day_first is first


@pytest.mark.parametrize(("text", "seconds"), [("Z", 0), ("utc", 0), ("+08:00", 28_800), ("-0330", -12_600)])
def test_an_offset_is_seconds_east(text, seconds):
    assert read_offset(text) == seconds


@pytest.mark.parametrize("text", ["8", "+25:00", "CET", ""])
def test_what_is_no_offset_is_refused(text):
    with pytest.raises(ValueError, match="is not a time zone"):
        read_offset(text)
