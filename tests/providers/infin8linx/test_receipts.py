"""The call record push: bodies, transports, and what counts as acknowledged."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.providers.infin8linx.account import dial, make_tenant, run_out
from voice_emulator.core.attempts import PushReply
from voice_emulator.core.matchers import Match
from voice_emulator.core.scenario import CallEffect, CallSpec, ReceiptEffect, Rule
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.infin8linx import PROVIDER
from voice_emulator.providers.infin8linx.receipts import RECEIPTS, encode, judge
from voice_emulator.providers.provider import Envelope, PushRequest
from voice_emulator.schemas.validate import SchemaSet

SCHEMAS = SchemaSet.load({"infin8linx": PROVIDER})


def receipt(kind: str, keys: str = "", **settings: Any):
    """Tenant, push and fields of one answered call."""
    spec = CallSpec(Outcome.ANSWERED, keys=keys)
    tenant = make_tenant(
        [Rule("one", Match(), call=CallEffect((spec,)))], {"record_version": kind, **settings}
    )
    dial(
        tenant,
        ["81351111451"],
        userkey="1",
        customuuid="76c33d997640d36b033d43b1d2d3964e",
        chengshudu="7 & ü 好 🙂",
    )
    (push,) = run_out(tenant)
    return tenant, push, RECEIPTS[push.kind].fields(tenant, push)


def sent(transport: str = "json", effect: ReceiptEffect | None = None) -> PushRequest:
    tenant, push, fields = receipt("2025", callback_transport=transport)
    return encode(
        Envelope(tenant, push, fields, "http://127.0.0.1:9000/in8?a=b", tenant.now, effect or ReceiptEffect())
    )


def test_the_2025_body_has_the_sample_s_fields_in_the_sample_s_order() -> None:
    schema = SCHEMAS.get("infin8linx/record.receipt")
    _, _, fields = receipt("2025", keys="1")
    (sample,) = schema.examples
    assert list(fields) == list(sample)
    assert len(fields) == 27
    assert {name: type(value) for name, value in fields.items()} == {
        name: type(value) for name, value in sample.items()
    }
    assert schema.violations(fields) == []


def test_golden_2025_body() -> None:
    _, _, fields = receipt("2025", keys="1")
    drawn = {"id": fields["id"], "uuid": fields["uuid"], "disnumber": fields["disnumber"]}
    assert fields == {
        "companycode": "9513923",
        "direction": "callout",
        "type": "callout",
        "callmethod": 6,
        "starttime": "2026-01-05 09:00:00",
        "answertime": "2026-01-05 09:00:03",
        "endtime": "2026-01-05 09:00:13",
        "duration": 3,
        "billsec": 10,
        "userid": "0",
        "memberid": "0",
        "chengshudu": "7 & ü 好 🙂",
        "ext": "7 & ü 好 🙂",
        "destnumber": "81351111451",
        "extnumber": "",
        "recordfilename": "",
        "downloadip": "",
        "hangupdirection": 10040,
        "hangupcause": 10001,
        "userkey": "1",
        "customuuid": "76c33d997640d36b033d43b1d2d3964e",
        "taskid": "",
        "round": 0,
        "recordurl": "",
        **drawn,
    }
    assert drawn["disnumber"].startswith("219513923")


def test_the_2018_body_has_the_sample_s_fields_in_the_sample_s_order() -> None:
    schema = SCHEMAS.get("infin8linx/record2018.receipt")
    _, push, fields = receipt("2018", keys="1")
    (sample,) = schema.examples
    assert push.kind == "record2018"
    assert list(fields) == list(sample)
    assert {name: type(value) for name, value in fields.items()} == {
        name: type(value) for name, value in sample.items()
    }
    assert schema.violations(fields) == []
    assert (fields["userkey"], fields["companycode"], fields["crmid"]) == (1, 9513923, "0")


@pytest.mark.parametrize(
    ("keys", "shown"), [("", ""), ("0", 0), ("12", 12), ("01", "01"), ("*", "*"), ("1#", "1#")]
)
def test_the_2018_userkey_is_a_number_where_it_can_be(keys: str, shown: object) -> None:
    _, _, fields = receipt("2018", keys=keys, userkey_digits="all")
    assert fields["userkey"] == shown
    assert SCHEMAS.get("infin8linx/record2018.receipt").violations(fields) == []


def test_json_is_the_default_transport() -> None:
    push = sent()
    assert (push.method, push.url) == ("POST", "http://127.0.0.1:9000/in8?a=b")
    assert dict(push.headers) == {"Content-Type": "application/json"}
    assert json.loads(push.body)["chengshudu"] == "7 & ü 好 🙂"


def test_the_form_carries_the_record_as_text_in_detail() -> None:
    push = sent("form")
    assert dict(push.headers) == {"Content-Type": "application/x-www-form-urlencoded"}
    (detail,) = parse_qs(push.body.decode(), strict_parsing=True)["detail"]
    assert json.loads(detail)["chengshudu"] == "7 & ü 好 🙂"


def test_the_multipart_form_carries_the_record_as_text_in_detail() -> None:
    push = sent("multipart")
    head = f"Content-Type: {dict(push.headers)['Content-Type']}\r\n\r\n".encode()
    (part,) = BytesParser(policy=HTTP).parsebytes(head + push.body).iter_parts()
    assert part["Content-Disposition"].params == {"name": "detail"}
    assert json.loads(bytes(part.get_payload(decode=True)))["chengshudu"] == "7 & ü 好 🙂"


@pytest.mark.parametrize(
    ("encoding", "content_type"),
    [("json", "application/json"), ("form", "application/x-www-form-urlencoded")],
)
def test_a_rule_s_encoding_beats_the_account_s(encoding: str, content_type: str) -> None:
    push = sent("multipart", ReceiptEffect(encoding=encoding))
    assert dict(push.headers)["Content-Type"] == content_type


def test_a_rule_may_put_the_record_into_the_query() -> None:
    push = sent(effect=ReceiptEffect(encoding="query"))
    query = parse_qs(urlsplit(push.url).query)
    assert query["a"] == ["b"]
    assert json.loads(query["detail"][0])["destnumber"] == "81351111451"
    assert push.body == b""


def test_a_rule_may_announce_the_wrong_content_type() -> None:
    assert dict(sent(effect=ReceiptEffect(wrong_content_type=True)).headers)["Content-Type"] == "text/plain"


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_acknowledges_whatever_the_body(status: int) -> None:
    assert judge(PushReply(status, (), b"0")) is None


@pytest.mark.parametrize("status", [301, 400, 404, 500, 503])
def test_anything_else_does_not(status: int) -> None:
    assert str(status) in (judge(PushReply(status, (), b"1")) or "")


@pytest.mark.parametrize("kind", list(RECEIPTS))
def test_what_may_be_corrupted_is_a_field_of_the_body(kind: str) -> None:
    schema = SCHEMAS.get(RECEIPTS[kind].schema)
    assert set(RECEIPTS[kind].corrupt.values()) <= set(schema.document["properties"])
