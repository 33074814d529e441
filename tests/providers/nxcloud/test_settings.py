"""Account settings: read strictly."""

from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.providers.nxcloud.settings import ACCOUNT_STATES


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"dialect": "both"}, "'both' is not one of result, message"),
        ({"dialekt": "result"}, "did you mean 'dialect'"),
        ({"allowed_ips": ["localhost"]}, "localhost"),
        ({"utc_offset": 15}, "at most 14"),
        ({"batch_limit": 0}, "at least 1"),
        ({"batch_limit": "many"}, "whole number"),
        ({"balance": "lots"}, "decimal number"),
        ({"tariff": {"cycle": 0}}, "at least 1 second"),
        ({"tariff": {"cycles": 60}}, "did you mean 'cycle'"),
        ({"tariffs": {"91": {"price": "-1"}}}, "cannot be negative"),
        ({"phone_accounts": {"a": "locked"}}, "must be a mapping"),
        ({"phone_accounts": {"a": {"state": "lock"}}}, "did you mean 'locked'"),
        ({"phone_accounts": {"a": {"stat": "ok"}}}, "did you mean 'state'"),
        ({"phone_accounts": {"a": {"sipid": 1}}}, "must be text"),
        ({"outage": None}, "must not be null"),
    ],
)
def test_wrong_settings_are_refused_by_name(wrong: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match="nxcloud") as caught:
        PROVIDER.read_settings(wrong)
    assert reason in str(caught.value)
    assert next(iter(wrong)) in str(caught.value)


def test_optional_settings_may_be_null() -> None:
    names = ("balance", "frequency_limit", "tps_limit", "show_phone_max")
    assert PROVIDER.read_settings(dict.fromkeys(names)) == dict.fromkeys(names)


def test_states_of_phone_accounts_are_read() -> None:
    accounts = {state: {"state": state} for state in ACCOUNT_STATES}
    assert PROVIDER.read_settings({"phone_accounts": accounts})["phone_accounts"] == accounts
