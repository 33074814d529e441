"""The call record push: bodies, transports, and what counts as acknowledged."""

from __future__ import annotations

import json
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.providers.infin8linx.account import BATCH, dial, make_tenant, post, run_out, setting
from tests.rig import started
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
    _, push, fields = receipt("2018", keys="1", userkey_2018="number")
    (sample,) = schema.examples
    assert push.kind == "record2018"
    assert list(fields) == list(sample)
    assert {name: type(value) for name, value in fields.items()} == {
        name: type(value) for name, value in sample.items()
    }
    assert schema.violations(fields) == []
    assert (fields["userkey"], fields["companycode"], fields["crmid"]) == (1, 9513923, "0")


KEYS = ["", "0", "1", "12", "01", "*", "1#", "2147483647", "2147483648", "9" * 20]


@pytest.mark.parametrize("keys", KEYS)
def test_the_2018_userkey_is_text_as_its_one_client_has_it(keys: str) -> None:
    _, _, fields = receipt("2018", keys=keys, userkey_digits="all")
    assert fields["userkey"] == keys
    assert SCHEMAS.get("infin8linx/record2018.receipt").violations(fields) == []


@pytest.mark.parametrize("keys", KEYS)
def test_the_2018_userkey_may_be_a_number_where_one_says_it_and_fits(keys: str) -> None:
    _, _, fields = receipt("2018", keys=keys, userkey_digits="all", userkey_2018="number")
    fits = keys in ("0", "1", "12", "2147483647")
    assert fields["userkey"] == (int(keys) if fits else keys)
    assert SCHEMAS.get("infin8linx/record2018.receipt").violations(fields) == []


@pytest.mark.parametrize("version", ["2025", "2017"])
def test_the_setting_is_about_the_2018_body_alone(version: str) -> None:
    _, _, fields = receipt(version, keys="1", userkey_2018="number")
    assert fields.get("userkey") == ("1" if version == "2025" else None)


def of_2017(outcome: Outcome, **changes: Any) -> dict[str, Any]:
    """The fields of the 2017 body of a call with that outcome, held against their schema."""
    spec = CallSpec(outcome, cause=changes.pop("cause", None))
    tenant = make_tenant([Rule("one", Match(), call=CallEffect((spec,)))], {"record_version": "2017"})
    dial(tenant, ["81351111451"], **changes)
    (push,) = run_out(tenant)
    assert push.kind == "record2017"
    fields = RECEIPTS[push.kind].fields(tenant, push)
    assert SCHEMAS.get("infin8linx/record2017.receipt").violations(fields) == []
    return fields


def test_the_2017_body_has_the_logged_push_s_fields_and_types() -> None:
    (logged,) = SCHEMAS.get("infin8linx/record2017.receipt").examples
    fields = of_2017(Outcome.ANSWERED)
    assert list(fields) == list(logged)
    assert {name: type(value) for name, value in fields.items()} == {
        name: type(value) for name, value in logged.items()
    }
    assert fields["startTime"] < fields["answerTime"] < fields["endTime"]
    assert (fields["id"], fields["companycode"], fields["destNumber"]) == (1_000_001, 9513923, "81351111451")


@pytest.mark.parametrize(
    ("outcome", "pair"),
    [
        (Outcome.ANSWERED, (10014, 10001)), (Outcome.TIME_LIMIT, (10014, 10001)),
        (Outcome.NO_ANSWER, (10040, 10002)),
        (Outcome.BUSY, (10031, 10020)), (Outcome.REJECTED, (10031, 10020)), (Outcome.UNREACHABLE, (10031, 10020)),
        (Outcome.INVALID_NUMBER, (10031, 10020)), (Outcome.BARRED, (10031, 10020)),
        (Outcome.NETWORK_FAILURE, (10031, 10020)),
    ],
)  # fmt: skip
def test_the_2017_body_has_only_the_pairs_that_were_seen(outcome: Outcome, pair: tuple[int, int]) -> None:
    fields = of_2017(outcome)
    assert (fields["hangupDirection"], fields["hangupCause"]) == pair
    assert (fields["answerTime"] == "") is (pair[1] != 10001)


def test_a_rule_s_cause_shows_in_the_2017_body() -> None:
    fields = of_2017(Outcome.BUSY, cause="user_busy")
    assert (fields["hangupDirection"], fields["hangupCause"]) == (10031, 10006)


def test_what_is_unset_is_empty_in_the_2017_body_and_what_is_set_is_shown() -> None:
    unset = of_2017(Outcome.BUSY)
    customer = ("crmid", "memberid", "chengshudu", "customuuid")
    assert [unset[name] for name in customer] == [""] * 4
    assert [unset[name] for name in ("recordFilename", "downloadIp", "extNumber")] == [""] * 3
    sent = {"memberid": "18533700187590656", "chengshudu": "7", "customuuid": "mine"}
    given = of_2017(Outcome.BUSY, **sent)
    assert [given[name] for name in customer] == ["", *sent.values()]


async def test_all_three_bodies_and_the_query_tell_the_same() -> None:
    """Only names, types and the older codes differ."""
    told = []
    for version in ("2025", "2018", "2017"):
        async with started() as emu:
            emu.change(setting(record_version=version, recordings=True))
            await post(emu, {**BATCH, "disnumber": "823"})
            await emu.settle()
            (push,) = emu.receiver.received
            told.append({name.lower(): value for name, value in push.fields.items()})
    for name in ("id", "starttime", "answertime", "endtime", "duration", "billsec", "disnumber", "destnumber",
                 "recordfilename", "downloadip", "callmethod", "type"):  # fmt: skip
        assert told[0][name] == told[1][name] == told[2][name], name
    assert told[0]["recordfilename"] != ""


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
def test_status_outside_2xx_does_not_acknowledge(status: int) -> None:
    assert str(status) in (judge(PushReply(status, (), b"1")) or "")


@pytest.mark.parametrize("kind", list(RECEIPTS))
def test_what_may_be_corrupted_is_a_field_of_the_body(kind: str) -> None:
    schema = SCHEMAS.get(RECEIPTS[kind].schema)
    assert set(RECEIPTS[kind].corrupt.values()) <= set(schema.document["properties"])
