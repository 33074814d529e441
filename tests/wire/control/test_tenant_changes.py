from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.core.clock import ClockSpec
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.wire.control.tenant_changes import (
    ClockInvalid,
    account_errors,
    changes_of,
    layer_of,
    read_clock,
)

PROVIDERS = discover()


@pytest.mark.parametrize(
    ("document", "pointer", "says"),
    [
        (
            {"callback_urls": {"a/b~c": "http://a:号/"}},
            "/callback_urls/a~1b~0c",
            "the port must be a number from 1 to 65535",
        ),
        (
            {"callback_urls": {"nxcloud": "localhost:9000"}},
            "/callback_urls/nxcloud",
            "write http://localhost:9000",
        ),
        ({"callback_urls": {"nxcloud": "ftp://h/"}}, "/callback_urls/nxcloud", "not a valid URL"),
        ({"settings": {"nxcloud": {"batch_limit": "x"}}}, "/settings/nxcloud/batch_limit", "whole number"),
        ({"clock": "sometimes"}, "/clock", ""),
        ({"clock": {"mode": "manual", "start": "yesterday"}}, "/clock/start", ""),
        ({"scenario": "a", "scenario_yaml": "b"}, "/scenario_yaml", "either"),
    ],
)
def test_account_errors_name_the_place_of_a_mistake(document: dict[str, Any], pointer: str, says: str):
    ((where, message),) = account_errors(PROVIDERS, document)
    assert where == pointer
    assert says in message


def test_account_errors_are_found_all_at_once_and_nulls_are_none():
    wrong = {"clock": "x", "settings": {"nxcloud": {"batch_limit": "x"}, "infin8linx": {}}}
    assert len(list(account_errors(PROVIDERS, wrong))) == 2
    nulls = {
        "callback_urls": {"nxcloud": None},
        "settings": {"nxcloud": {"batch_limit": None}, "infin8linx": None},
    }
    assert list(account_errors(PROVIDERS, nulls)) == []
    assert list(account_errors(PROVIDERS, {"callback_urls": None, "settings": None, "clock": None})) == []


def test_layer_of_a_new_tenant_leaves_nulls_to_the_scenario():
    layer = layer_of(
        {
            "seed": None,
            "callback_urls": {"nxcloud": None, "infin8linx": "http://a/"},
            "settings": {"nxcloud": {"batch_limit": None, "outage": "none"}},
            "credentials": None,
        }
    )
    assert layer.seed is None
    assert layer.callback_urls == {"nxcloud": "", "infin8linx": "http://a/"}
    assert layer.settings == {"nxcloud": {"outage": "none"}}
    assert layer.credentials == {}


def test_changes_of_a_patch_touch_only_what_it_names_and_null_takes_a_whole_section_back():
    assert changes_of(PROVIDERS, {}) == {}
    assert changes_of(PROVIDERS, {"seed": None, "settings": {"nxcloud": None}}) == {
        "seed": None,
        "settings": {"nxcloud": None},
    }
    emptied = changes_of(PROVIDERS, {"callback_urls": None, "credentials": None})
    assert emptied["callback_urls"] == dict.fromkeys(receiver_keys(PROVIDERS), "")
    assert emptied["credentials"] == dict.fromkeys(PROVIDERS)
    assert changes_of(PROVIDERS, {"callback_urls": {"nxcloud": None}}) == {"callback_urls": {"nxcloud": ""}}


def test_read_clock_takes_what_scenario_files_write():
    assert read_clock(None) is None
    assert read_clock("manual") == ClockSpec("manual")
    assert read_clock("60x") == ClockSpec("scaled", 60.0)


@pytest.mark.parametrize(
    ("clock", "pointer"),
    [
        ("sometimes", "/clock"),
        ({"mode": "x"}, "/clock/mode"),
        ({"mode": "manual", "start": "x"}, "/clock/start"),
    ],
)
def test_read_clock_refuses_by_the_place_of_the_mistake(clock: Any, pointer: str):
    with pytest.raises(ClockInvalid) as error:
        read_clock(clock)
    assert error.value.pointer == pointer
