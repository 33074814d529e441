"""What is remembered of a customer stays within bounds, and counters count what they say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from voice_emulator.core.clock import HOUR, MINUTE, SECOND
from voice_emulator.providers.nxcloud.account import Account


def test_everything_remembered_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("voice_emulator.providers.nxcloud.account.REMEMBERED", 3)
    account = Account()
    for index in range(9):
        account.submitted(str(index), "group")
        account.report_filled(str(index), 1)
        account.use_orderid(str(index))
        account.count_query("getSipCdr", str(index), index)
    for kept in (account.kinds, account.filled, account.orderids):
        assert list(kept) == ["6", "7", "8"]
    assert account.last_query("getSipCdr", "0") is None
    assert account.last_query("getSipCdr", "8") == 8


def test_hour_and_second_begin_anew() -> None:
    account = Account()
    for _ in range(3):
        account.count_verification("62", HOUR - 1)
    assert account.sends_this_hour("62", HOUR - 1) == 3
    assert account.sends_this_hour("63", HOUR - 1) == 0
    assert account.sends_this_hour("62", HOUR) == 0
    assert account.requests_this_second(HOUR - 1) == 3
    assert account.requests_this_second(HOUR) == 0
    account.count_verification("62", HOUR + SECOND)
    assert account.sends_this_hour("62", HOUR + SECOND) == 1


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=60))
def test_row_numbers_are_never_given_twice_and_grow_with_the_minutes(draws: list[tuple[int, int]]) -> None:
    account = Account()
    given_out: list[tuple[int, int]] = []
    minute = 0
    for step, drawn in draws:
        minute += step
        given_out.append((minute, account.row_id(minute * MINUTE, drawn)))
    rows = [row for _, row in given_out]
    assert len(set(rows)) == len(rows)
    for (earlier, row), (later, other) in pairwise(given_out):
        assert earlier == later or row < other


def test_row_numbers_are_exact_in_every_json_reader() -> None:
    assert Account().row_id(4_102_444_800 * SECOND, 10**16 - 1) < 2**53
