from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.core.clock import parse_rfc3339
from voice_emulator.core.tokens import Tokens
from voice_emulator.providers.infin8linx.access import (
    authentic,
    check_flavour,
    check_login,
    check_token,
    identify_flavour,
)
from voice_emulator.providers.request import NOTHING, Request

KEYS = {"appid": "in8-appid", "accesskey": "in8-accesskey"}
SETTINGS = {"accept_get": False, "allowed_ips": None, "licence_until": "2030-01-01 00:00:00", "modules": None,
            "language": "english"}  # fmt: skip
NOW = parse_rfc3339("2026-01-05T09:00:00+08:00")


def request(fields: dict[str, str], **options: Any) -> Request:
    settings = {**SETTINGS, **options.pop("settings", {})}
    tenant: Any = SimpleNamespace(
        settings={"infin8linx": settings}, credentials={"infin8linx": KEYS}, tokens=Tokens()
    )
    operation: Any = SimpleNamespace(name="PlayVoice")
    options = {"method": "POST", "peer": "127.0.0.1", "now": NOW, **options}
    return Request("infin8linx", path="/", query=NOTHING, headers=NOTHING, body=b"", fields=fields, tenant=tenant,
                   operation=operation, **options)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"appid": "x"}, ["601"]),
        ({"accesskey": "x"}, ["1003"]),
        ({"accesskey": ""}, []),  # what is missing is the schema's affair
    ],
)
def test_login_tells_an_unknown_appid_from_a_wrong_key(changes: dict[str, str], codes: list[str]):
    asked = request({**KEYS, **changes})
    assert [problem.code for problem in check_login(asked)] == codes
    assert authentic(asked) is (changes == {})


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"settings": {"allowed_ips": ["10.0.0.0/8"]}}, "604"),
        ({"settings": {"allowed_ips": ["10.0.0.0/8"]}, "peer": "::ffff:10.0.0.1"}, None),
        ({"settings": {"allowed_ips": ["fe80::/10"]}, "peer": "fe80::1%eth0"}, None),
        ({"settings": {"allowed_ips": []}}, "604"),
        ({"settings": {"allowed_ips": ["127.0.0.1"]}, "peer": "unix"}, "604"),
        (
            {"settings": {"licence_until": "2026-01-05 09:00:00"}},
            "602",
        ),  # UTC+8, and over at the very instant
        ({"settings": {"licence_until": "2026-01-05 09:00:01"}}, None),
        ({"settings": {"modules": []}}, "603"),
        ({"method": "GET"}, "400"),
        ({"method": "GET", "settings": {"accept_get": True}}, None),
    ],
)
def test_conditions_of_the_account_bind_once_the_credentials_are_good(
    options: dict[str, Any], code: str | None
):
    assert [problem.code for problem in check_flavour(request(KEYS, **options))] == ([code] if code else [])
    wrong = [problem.code for problem in check_flavour(request({**KEYS, "accesskey": "x"}, **options))]
    assert wrong == (["400", "601"] if code == "400" else ["601"])


def test_token_must_be_good_and_lenient_takes_any_that_is_not_empty():
    assert [problem.code for problem in check_token(request({"token": "made-up"}))] == ["600"]
    assert [problem.code for problem in check_token(request({"token": ""}, lenient=True))] == ["600"]
    assert list(check_token(request({"token": "made-up"}, lenient=True))) == []
    assert list(check_token(request({}))) == []


def test_flavour_decides_by_what_a_request_is_attributed():
    assert next(iter(identify_flavour(request(KEYS))))[1:] == ("appid", "in8-appid")
    assert next(iter(identify_flavour(request({"token": "t"}))))[2] == "t"
