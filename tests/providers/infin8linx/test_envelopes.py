from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voice_emulator.providers.infin8linx.envelopes import (
    accepted,
    done,
    failed,
    is_batch,
    refused,
    uses_envelope_k,
)
from voice_emulator.providers.request import NOTHING, Request


def request(
    operation: str | None = "GetBill", fields: dict[str, str] | None = None, **settings: Any
) -> Request:
    known = {"language": "english", "empty_data": "list", "numeric_error_codes": False, **settings}
    tenant: Any = SimpleNamespace(settings={"infin8linx": known})
    named: Any = SimpleNamespace(name=operation) if operation else None
    given = {"token": "t"} if fields is None else fields
    return Request("infin8linx", "POST", "/", NOTHING, NOTHING, b"", "", fields=given, tenant=tenant, operation=named,
                   now=5_000_000)  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "batch"),
    [
        ({"appid": "a", "accesskey": "k"}, True),
        ({"appid": "a", "accesskey": "k", "token": "t"}, True),
        ({"appid": "a", "token": "t"}, False),
        ({"appid": "a"}, True),
        ({"token": ""}, False),
        ({}, True),
    ],
)
def test_batch_flavour_has_both_credentials_or_no_token(fields: dict[str, str], batch: bool):
    assert is_batch(request("PlayVoice", fields)) is batch
    assert uses_envelope_k(request("PlayVoice", fields)) is batch
    assert not uses_envelope_k(request("GetBill", fields))
    assert not uses_envelope_k(request(None, fields))


def test_refusal_stands_in_the_envelope_of_its_operation():
    assert refused(request(), "600", "no").payload == {"ret": 600, "data": [], "msg": "no"}
    assert refused(request("PlayVoice", {}), "601", "no").payload == {"code": 601, "msg": "no", "data": []}
    reply = refused(request(empty_data="object"), "400", "no")
    assert (reply.payload["data"], reply.code, reply.refused, reply.status) == ({}, "400", True, 200)


def test_failure_has_ret_200_and_a_code_of_its_own():
    reply = failed(request(), "1003", "operation failed")
    assert (reply.payload["ret"], reply.payload["data"]["status"]) == (200, 1)
    assert reply.payload["data"]["errors"] == {"code": "1003", "codemsg": "operation failed"}
    assert failed(request(numeric_error_codes=True), "1003", "x").payload["data"]["errors"]["code"] == 1003
    assert reply.refused


def test_success_leaves_out_a_result_that_is_none():
    assert "result" not in done(request()).payload["data"]
    data = done(request(), []).payload["data"]
    assert data["result"] == []
    assert (data["reqtime"], data["rsptime"]) == (5, 5)
    assert accepted(request("PlayVoice")).payload["code"] == 200


def test_replies_are_escaped_to_ascii():
    assert done(request(language="chinese")).body.isascii()
