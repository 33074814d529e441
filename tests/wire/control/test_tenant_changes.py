from __future__ import annotations

from typing import Any

import pytest

from voice_emulator.core.clock import ClockSpec
from voice_emulator.providers.registry import discover, receiver_keys
from voice_emulator.wire.control.tenant_changes import changes_of, check_account, layer_of, read_clock

PROVIDERS = discover()


@pytest.mark.parametrize(
    ("document", "pointer", "says"),
    [
        ({"callback_urls": {"nxclod": "http://a/"}}, "/callback_urls/nxclod", "did you mean 'nxcloud'"),
        ({"callback_urls": {"nxcloud": 5}}, "/callback_urls/nxcloud", "a URL of at most"),
        (
            {"callback_urls": {"nxcloud": "http://a/" + "x" * 2_048}},
            "/callback_urls/nxcloud",
            "a URL of at most",
        ),
        ({"callback_urls": {"nxcloud": "http://a/\r\nX: 1"}}, "/callback_urls/nxcloud", "control characters"),
        ({"callback_urls": {"a/b~c": ""}}, "/callback_urls/a~1b~0c", "unknown receiver"),
        ({"credentials": {"nxclod": {}}}, "/credentials/nxclod", "did you mean 'nxcloud'"),
        ({"credentials": {"nxcloud": "key"}}, "/credentials/nxcloud", "must be an object with appkey"),
        ({"credentials": {"nxcloud": {"apkey": "x"}}}, "/credentials/nxcloud/apkey", "did you mean 'appkey'"),
        ({"credentials": {"nxcloud": {"appkey": ""}}}, "/credentials/nxcloud/appkey", "1 to 256"),
        ({"credentials": {"nxcloud": {"appkey": "a\n"}}}, "/credentials/nxcloud/appkey", "printable"),
        ({"credentials": {"nxcloud": {"appkey": ["a"]}}}, "/credentials/nxcloud/appkey", "must be a text"),
        (
            {"credentials": {"nxcloud": {"agent": {"appkey": 1}}}},
            "/credentials/nxcloud/agent/appkey",
            "must be a text",
        ),
        ({"settings": {"nxcloud": []}}, "/settings/nxcloud", "must be an object of settings"),
        (
            {"settings": {"nxcloud": {"batch_limits": 1}}},
            "/settings/nxcloud/batch_limits",
            "did you mean 'batch_limit'",
        ),
        ({"settings": {"nxcloud": {"batch_limit": "x"}}}, "/settings/nxcloud/batch_limit", "whole number"),
    ],
)
def test_check_account_names_the_place_of_a_mistake(document: dict[str, Any], pointer: str, says: str):
    errors: list[tuple[str, str]] = []
    check_account(PROVIDERS, document, errors)
    ((where, message),) = errors
    assert where == pointer
    assert says in message


def test_check_account_finds_all_mistakes_at_once_and_takes_nulls():
    errors: list[tuple[str, str]] = []
    check_account(PROVIDERS, {"callback_urls": {"x": "", "y": ""}, "settings": {"z": {}}}, errors)
    assert len(errors) == 3
    errors.clear()
    nulls = {"callback_urls": {"nxcloud": None}, "credentials": {"nxcloud": {"appkey": None}, "infin8linx": None},
             "settings": {"nxcloud": {"batch_limit": None}, "infin8linx": None}}  # fmt: skip
    check_account(PROVIDERS, nulls, errors)
    check_account(PROVIDERS, {"callback_urls": None, "credentials": None, "settings": None}, errors)
    assert errors == []


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
    errors: list[tuple[str, str]] = []
    assert read_clock(None, errors) is None
    assert read_clock("manual", errors) == ClockSpec("manual")
    assert read_clock("60x", errors) == ClockSpec("scaled", 60.0)
    assert errors == []
    read_clock("sometimes", errors)
    read_clock({"mode": "manual", "start": "yesterday"}, errors)
    assert [pointer for pointer, _ in errors] == ["/clock", "/clock/start"]
