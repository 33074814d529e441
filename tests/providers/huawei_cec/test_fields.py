from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.huawei_cec.fields import MALFORMED, body_of, check_body, code_of, text_of
from voice_emulator.providers.request import NOTHING, Request
from voice_emulator.schemas.validate import Violation

CODES = {"called": "3", "playList": "13"}


def request(document: Any = None, *, body: bytes = b"{}", kind: str = "", wanted: str = "any") -> Request:
    tenant: Any = SimpleNamespace(settings={"huawei_cec": {"content_type": wanted}})
    headers = {"content-type": kind} if kind else {}
    return Request("huawei_cec", "POST", "/", NOTHING, headers, body, "", document=document, tenant=tenant)


def test_members_are_those_of_a_json_object_and_texts_only():
    asked = request({"called": "62811", "displayName": 5, "none": None})
    assert [text_of(asked, name) for name in ("called", "displayName", "none", "absent")] == [
        "62811",
        "",
        "",
        "",
    ]
    assert body_of(request(["called"])) == {}
    assert text_of(request("called"), "called") == ""
    # Parameters of the query do not belong to the body.
    asked = request()
    asked.fields = {"called": "62811"}
    assert text_of(asked, "called") == ""


@pytest.mark.parametrize(
    ("body", "kind", "wanted", "places"),
    [
        (b"{}", "", "any", []),
        (b"", "application/json", "json", [""]),
        (b"{}", "Application/JSON ; charset=utf-8", "json", []),
        (b"{}", "text/plain", "json", ["header:Content-Type"]),
        (b"{}", "", "json", ["header:Content-Type"]),
        (b"", "", "json", ["", "header:Content-Type"]),
    ],
)
def test_check_body_wants_a_body_and_where_the_account_says_so_its_type(body, kind, wanted, places):
    problems = check_body(request(body=body, kind=kind, wanted=wanted))
    assert [problem.place for problem in problems] == places
    assert {problem.code for problem in problems} <= {MALFORMED}


@pytest.mark.parametrize(
    ("pointer", "keyword", "value", "code"),
    [
        ("/called", "pattern", "x", "3"),
        ("/called", "type", 5, MALFORMED),
        ("/called", "type", None, "3"),  # a null counts as absent
        ("/playList/0", "type", None, MALFORMED),  # but none in a list does
        ("/playList/0/voiceId", "type", None, "13"),
        ("", "type", None, MALFORMED),
        ("/unheard", "pattern", "x", MALFORMED),
    ],
)
def test_code_of_a_violation(pointer: str, keyword: str, value: Any, code: str):
    assert code_of(Violation(pointer, keyword, "no", value), CODES) == code
