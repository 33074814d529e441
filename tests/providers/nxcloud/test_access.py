from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.nxcloud.access import (
    DEFAULT_CREDENTIALS,
    check_application,
    explain_query,
    keys,
    part,
)
from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.schemas.validate import Violation


def test_keys_are_empty_where_a_credential_is_unset():
    assert all(value for _, value in keys(DEFAULT_CREDENTIALS))
    assert not any(value for _, value in keys({"appkey": None, "console": None, "agent": {"appkey": 5}}))
    assert part({"agent": {"username": "me"}}, "agent", "username") == "me"


def request(**options: Any) -> Request:
    settings = {"application": "enabled", "allowed_ips": (), **options.pop("settings", {})}
    tenant: Any = SimpleNamespace(
        settings={"nxcloud": settings}, credentials={"nxcloud": DEFAULT_CREDENTIALS}
    )
    operation: Any = SimpleNamespace(name="gpsend")
    options = {
        "fields": {"appkey": "nx-appkey", "secretkey": "nx-secretkey"},
        "peer": "127.0.0.1",
        "attributed": True,
        **options,
    }
    return Request(
        "nxcloud", "POST", "/", NOTHING, NOTHING, b"", tenant=tenant, operation=operation, **options
    )


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"fields": {"appkey": "nx-appkey"}}, []),  # what is absent is the schema's affair
        ({"fields": {"appkey": "nx-appkey", "secretkey": "x"}}, ["auth_failed"]),
        ({"attributed": False}, ["auth_failed"]),
        ({"attributed": False, "lenient": True}, []),
        ({"settings": {"allowed_ips": ("10.0.0.0/8",)}}, ["ip_not_allowed"]),
        ({"settings": {"allowed_ips": ("10.0.0.0/8",)}, "peer": "10.1.2.3"}, []),
        ({"settings": {"allowed_ips": ("10.0.0.0/8",)}, "peer": "::ffff:10.1.2.3"}, []),
        ({"settings": {"allowed_ips": ("10.0.0.1/8",)}, "peer": "10.9.9.9"}, []),
        ({"settings": {"allowed_ips": ("::1",)}, "peer": "::1"}, []),
        ({"settings": {"allowed_ips": ("::1",)}, "peer": "unix"}, ["ip_not_allowed"]),
    ],
)
def test_check_application_finds_all_that_is_wrong(changes: dict[str, Any], codes: list[str]):
    assert [problem.code for problem in check_application(request(**changes))] == codes


def test_check_application_names_no_secret():
    (problem,) = check_application(request(fields={"appkey": "nx-appkey", "secretkey": "my-own"}))
    assert "my-own" not in problem.message
    assert "nx-secretkey" not in problem.message


@pytest.mark.parametrize(
    ("pointer", "keyword", "value", "operation", "code"),
    [
        ("/page", "pattern", "x", "getVoiceCdr", "page_invalid"),
        ("/page_size", "maximum", "x", "getVoiceCdr", "page_invalid"),
        ("/page", "required", None, "getVoiceCdr", "invalid_parameter"),
        ("/page", "pattern", "", "getVoiceCdr", "invalid_parameter"),
        ("/start_time", "pattern", "x", "getVoiceCdr", "time_invalid"),
        ("/appkey", "pattern", "x", "getVoiceCdr", "invalid_parameter"),
    ],
)
def test_explain_query_has_failures_of_its_own_for_pages_and_times(pointer, keyword, value, operation, code):
    asked = request()
    asked.operation = SimpleNamespace(name=operation)  # type: ignore[assignment]
    assert explain_query(asked, Violation(pointer, keyword, "no", value)).code == code
