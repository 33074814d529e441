"""What is remembered of a customer stays within bounds, and counters count what they say."""

from __future__ import annotations

from typing import Any

from voice_emulator.core.clock import HOUR, SECOND
from voice_emulator.providers.nxcloud.account import Account


def test_account_state_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("voice_emulator.providers.nxcloud.account.REMEMBERED", 3)
    account = Account()
    for index in range(9):
        account.kinds[str(index)] = "group"
        account.filled[str(index)] = 1
        account.orderids[str(index)] = None
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
