"""Account settings: read strictly, each one of them documented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.providers.nxcloud.settings import ACCOUNT_STATES, SETTINGS

PAGE = Path(__file__).parents[3] / "docs" / "providers" / "nxcloud.md"


@pytest.mark.parametrize("name", sorted(SETTINGS.settings))
def test_setting_stands_on_the_page_with_its_default(name: str) -> None:
    lines = [
        line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| `{name}` |")
    ]
    assert len(lines) == 1
    default = SETTINGS.settings[name].default
    shown = {None: "null", True: "true", False: "false", "": "empty"}.get(default) if not isinstance(
        default, (dict, list)
    ) else None  # fmt: skip
    if shown is None and not isinstance(default, (dict, list)):
        shown = str(default)
    if shown is not None:
        assert f"| `{shown}` |" in lines[0]


@pytest.mark.parametrize("code", sorted({error.code for error in PROVIDER.errors}))
def test_every_code_stands_on_the_page(code: str) -> None:
    assert f"| `{code}` |" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"dialect": "both"}, "'both' is not one of result, message"),
        ({"dialekt": "result"}, "did you mean 'dialect'"),
        ({"allowed_ips": ["localhost"]}, "localhost"),
        ({"utc_offset": 15}, "between -12 and 14"),
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
