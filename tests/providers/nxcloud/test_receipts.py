"""The pushes as they arrive: golden bytes, both encodings, both blocks, both languages, both revisions."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.nxcloud.customer import Customer
from tests.rig import Running, started
from voice_emulator.core.attempts import PushReply
from voice_emulator.core.vocabulary import Fate, PushOutcome
from voice_emulator.providers.nxcloud import PROVIDER
from voice_emulator.providers.nxcloud.receipts import encode_voice, judge_agent, judge_voice
from voice_emulator.providers.provider import Envelope

MAGIC = "name: magic\nrules: []\n"
KEYED = (
    "name: keyed\nrules:\n"
    "  - {name: keyed, call: {outcome: answered, ring: 2s, talk: 61s, hangup: callee, keys: '1'}}\n"
)


def setting(running: Running, **values: Any) -> None:
    running.change({"settings": {"nxcloud": values}})


async def pushed(running: Running, operation: str = "gpsend", **changes: Any) -> dict[str, str]:
    """The fields of the one receipt that a submission causes."""
    running.receiver.received.clear()
    sent = await Customer(running).ask(operation, **changes)
    await running.settle()
    [push] = running.receiver.received
    assert push.fields["messageid"] == sent["messageid"]
    return push.fields


async def test_group_receipt_in_the_query_string() -> None:
    async with started(KEYED, "manual") as running:
        sent = await Customer(running).ask("gpsend", phone="8615088888888", country_code="86")
        await running.settle()
        [push] = running.receiver.received
        [attempt] = running.tenant.attempts
        assert push.method == "POST"
        assert push.body == b""
        assert "Content-Type" not in push.headers
        assert attempt.url is not None
        assert attempt.url.partition("?")[2] == (
            f"phone=8615088888888&countryCode=86&duration=61&voice_type=0&messageid={sent['messageid']}"
            "&basic_price=0.005&second=61&cycle=60&size=2&customer_price=0.036"
            "&start_time=2026-01-05%2009%3A00%3A02&end_time=2026-01-05%2009%3A01%3A03"
            "&result=Successful%20connection&hangup_cause=NORMAL_CLEARING&hangup_disposition=recv_bye&ivr_result=1"
        )
        assert attempt.outcome is PushOutcome.DELIVERED


async def test_same_receipt_as_a_form() -> None:
    async with started(KEYED, "manual") as running:
        setting(running, dr_transport="form")
        await Customer(running).ask("gpsend")
        await running.settle()
        [push] = running.receiver.received
        assert push.query == {}
        assert push.headers["Content-Type"] == "application/x-www-form-urlencoded;charset=UTF-8"
        assert b"&result=Successful%20connection&" in push.body


async def test_url_with_a_query_of_its_own() -> None:
    async with started(MAGIC, "manual") as running:
        running.change({"callback_urls": {"nxcloud": f"{running.receiver.url}/dr?shop=1#part"}})
        fields = await pushed(running)
        assert running.receiver.received[0].path == "/dr"
        assert list(fields)[:2] == ["shop", "phone"]


#: The last four digits, and what the receipt says then.
OUTCOMES = {
    "0000": ("Successful connection", "NORMAL_CLEARING", "send_bye"),
    "0486": ("Unsuccessful connection", "USER_BUSY", "recv_refuse"),
    "0480": ("Unsuccessful connection", "NO_ANSWER", "send_cancel"),
    "0603": ("Unsuccessful connection", "CALL_REJECTED", "recv_refuse"),
    "0404": ("Unsuccessful connection", "UNALLOCATED_NUMBER", "recv_refuse"),
    "0403": ("Unsuccessful connection", "OUTGOING_CALL_BARRED", "recv_refuse"),
    "0503": ("Unsuccessful connection", "NORMAL_TEMPORARY_FAILURE", "other"),
    "0408": ("Unsuccessful connection", "NO_USER_RESPONSE", "recv_refuse"),
    "0602": ("Successful connection", "ALLOTTED_TIMEOUT", "send_bye"),
}


@pytest.mark.parametrize("ending", OUTCOMES)
@pytest.mark.parametrize("operation", ["gpsend", "versend"])
async def test_outcomes(ending: str, operation: str) -> None:
    result, cause, disposition = OUTCOMES[ending]
    async with started(MAGIC, "manual") as running:
        fields = await pushed(running, operation, phone=f"628120{ending}")
    assert (fields["result"], fields["hangup_cause"], fields["hangup_disposition"]) == (
        result,
        cause,
        disposition,
    )
    answered = result.startswith("Successful")
    assert (int(fields["second"]) > 0) is answered
    assert (int(fields["size"]) > 0) is answered
    assert ("start_time" in fields) is answered
    assert ("end_time" in fields) is answered
    assert fields["duration"] == fields["second"]


async def test_unanswered_times_may_be_the_moment_of_hangup() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, unanswered_times="hangup")
        fields = await pushed(running, phone="6281200480")
        assert fields["start_time"] == fields["end_time"] == "2026-01-05 09:00:30"


async def test_voice_block() -> None:
    async with started(MAGIC, "manual") as running:
        fields = await pushed(running, "versend", phone="6281200000")
        assert list(fields) == [
            "phone", "countryCode", "duration", "voice_type", "messageid", "second", "cycle", "size",
            "customer_price", "record_url", "start_time", "end_time", "result", "hangup_cause",
            "hangup_disposition", "ext",
        ]  # fmt: skip
        assert (fields["voice_type"], fields["ext"]) == ("1", "ext123")
        assert (fields["cycle"], fields["size"], fields["customer_price"]) == ("1", "10", "0.012")


async def test_voice_block_without_the_optional_fields() -> None:
    async with started(MAGIC, "manual") as running:
        fields = await pushed(running, "notsend", phone="6281200000")
        assert {"record_url", "ext", "basic_price", "ivr_result"}.isdisjoint(fields)
        refused = await pushed(running, "versend", phone="6281200486", ext=None)
        assert {"record_url", "ext", "start_time", "end_time"}.isdisjoint(refused)


async def test_ext_is_accepted_by_notsend_and_can_be_kept_back() -> None:
    async with started(MAGIC, "manual") as running:
        assert (await pushed(running, "notsend", ext="mine"))["ext"] == "mine"
        setting(running, receipt_ext=False)
        assert "ext" not in await pushed(running, "versend")


async def test_chinese_receipts() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, language="zh")
        assert (await pushed(running, phone="6281200000"))["result"] == "成功接通"
        assert (await pushed(running, phone="6281200486"))["result"] == "未接通"


async def test_revision_of_2022() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, receipt_revision="2022")
        group = await pushed(running)
        assert group["show_phone"] == "123456"
        assert "hangup_cause" not in group
        assert "hangup_disposition" in group
        voice = await pushed(running, "versend")
        assert voice["show_phone"] == "123456"
        assert {"hangup_cause", "hangup_disposition"}.isdisjoint(voice)


async def test_receipt_times_in_another_time_zone() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, utc_offset=0)
        assert (await pushed(running, phone="6281200000"))["start_time"].startswith("2026-01-05 01:00")


async def test_tariffs_by_country() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, tariffs={"91": {"cycle": 20, "price": "0.05", "basic_price": "0.005"}})
        indian = await pushed(running, phone="9181200000", country_code="91")
        assert (indian["cycle"], indian["size"], indian["customer_price"]) == ("20", "1", "0.05")
        assert (await pushed(running))["cycle"] == "60"


async def test_cause_given_by_a_rule() -> None:
    text = (
        "name: causes\nmagic_numbers: false\nrules:\n"
        "  - {name: by number, match: {number: '*1'}, call: {outcome: unreachable, cause: '20'}}\n"
        "  - {name: by name, call: {outcome: network_failure, cause: GATEWAY_DOWN}}\n"
    )
    async with started(text, "manual") as running:
        assert (await pushed(running, phone="6212345671"))["hangup_cause"] == "SUBSCRIBER_ABSENT"
        assert (await pushed(running, phone="6212345672"))["hangup_cause"] == "GATEWAY_DOWN"


REPLIES = {
    b"success": True, b" SUCCESS\r\n": True, b"Success": True, b"error": False, b"": False, b"ok": False,
    b'"success"': False, b"<p>success</p>": False, b"\xff": False,
}  # fmt: skip


@pytest.mark.parametrize("body", REPLIES)
def test_acknowledgement_of_a_voice_receipt(body: bytes) -> None:
    assert (judge_voice(PushReply(200, (), body)) is None) is REPLIES[body]
    assert judge_voice(PushReply(500, (), body)) == "HTTP status 500"


@pytest.mark.parametrize("status", [200, 201, 204, 302, 404, 500])
def test_acknowledgement_of_an_agent_record(status: int) -> None:
    assert (judge_agent(PushReply(status, (), b"anything")) is None) is (status == 200)


async def test_receipt_is_pushed_once_whatever_the_receiver_says() -> None:
    async with started(MAGIC, "manual") as running:
        running.receiver.answer(500, "error")
        await pushed(running)
        await running.advance("24h")
        assert len(running.receiver.received) == 1
        assert [attempt.outcome for attempt in running.tenant.attempts] == [PushOutcome.REFUSED]


@pytest.mark.parametrize("encoding", ["query", "form", "json"])
async def test_rule_chooses_the_encoding(encoding: str) -> None:
    text = f"name: e\nrules:\n  - {{name: encode, receipt: {{encoding: {encoding}}}}}\n"
    async with started(text, "manual") as running:
        assert (await pushed(running))["phone"] == "6212345678"
        [push] = running.receiver.received
        assert bool(push.query) is (encoding == "query")
        assert push.body.startswith(b"{") is (encoding == "json")


@pytest.mark.parametrize(
    "kind", ["unknown_enum", "wrong_type", "oversize", "empty", "bad_date", "negative", "wrong_id"]
)
async def test_corruptions_touch_one_field(kind: str) -> None:
    text = (
        f"name: c\nmagic_numbers: false\nrules:\n"
        f"  - {{name: spoil, match: {{attempt: 2}}, receipt: {{corrupt: {kind}}}}}\n"
    )
    async with started(text, "manual") as running:
        setting(
            running, dr_transport="form"
        )  # an oversize query string is refused by the receiver's server already
        customer = Customer(running)
        for _ in range(2):
            await customer.ask("gpsend")
        await running.settle()
        good, bad = (push.fields for push in running.receiver.received)
        differing = {name for name in good if good[name] != bad.get(name)} - {"messageid"}
        field = PROVIDER.receipts["group"].corrupt[kind]
        assert differing - {field} == set()
        assert field == "messageid" or differing == {field}


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=20), min_size=1, max_size=5))
def test_query_and_form_carry_any_text(fields: dict[str, str]) -> None:
    """Whatever the values hold, a receiver that decodes gets exactly them."""
    from types import SimpleNamespace

    for transport in ("query", "form"):
        tenant: Any = SimpleNamespace(settings={"nxcloud": {"dr_transport": transport}})
        effect: Any = SimpleNamespace(encoding=None, wrong_content_type=False)
        push: Any = SimpleNamespace(provider="nxcloud")
        envelope = Envelope(tenant, push, dict(fields), "http://h/dr", 0, effect)
        request = encode_voice(envelope)
        carried = request.url.partition("?")[2] if transport == "query" else request.body.decode()
        assert " " not in carried
        assert carried.isascii()
        assert dict(parse_qsl(carried, keep_blank_values=True)) == fields


async def test_receipts_equal_their_journal() -> None:
    async with started(MAGIC, "manual") as running:
        fields = await pushed(running)
        [attempt] = running.tenant.attempts
        assert json.loads(json.dumps(attempt.shown()["fields"])) == fields


QUOTED = ['"success"', '"SUCCESS"', ' "Success"\n', '"success "', '"\\u0073uccess"']
NOT_QUITE = ["'success'", '"success', 'success"', '"ok"', '["success"]', '{"result":"success"}', '""', '"error"',
             '\u201csuccess\u201d', '"success" "success"', '"suc" "cess"', "true", '"' + "success" * 5000 + '"']  # fmt: skip


async def acknowledged(
    body: str, *, status: int = 200, **settings: Any
) -> tuple[PushOutcome, set[tuple[str, str]], str]:
    """Outcome of one receipt answered like this, the findings about it, and the reason shown."""
    async with started(KEYED, "manual") as running:
        setting(running, **settings)
        running.receiver.answer(status, body, {"Content-Type": "application/json"})
        await pushed(running)
        [attempt] = running.tenant.attempts
        found = {
            (each.rule, str(each.severity))
            for each in running.tenant.findings
            if "push" in each.rule or "ack" in each.rule
        }
        return attempt.outcome, found, attempt.reason


@pytest.mark.parametrize("operation", ["gpsend", "versend", "notsend"])
@pytest.mark.parametrize("body", QUOTED)
async def test_success_in_json_quotes_is_delivered_with_a_warning_of_its_own(
    body: str, operation: str
) -> None:
    """A production receiver answers so."""
    async with started(KEYED, "manual") as running:
        running.receiver.answer(200, body)
        await pushed(running, operation)
        [attempt] = running.tenant.attempts
        assert attempt.outcome is PushOutcome.DELIVERED
        [found] = running.tenant.findings
        assert (found.rule, found.severity) == ("acknowledgement-in-quotes", "warning")
        assert found.message == "answered the text success in JSON quotes; the page has it without"
        assert running.tenant.conservation.accounts["nxcloud"].fates[Fate.ACKNOWLEDGED] == 1


@pytest.mark.parametrize("body", QUOTED)
async def test_the_strict_setting_takes_the_bare_text_only(body: str) -> None:
    outcome, found, _ = await acknowledged(body, strict_acknowledgement=True)
    assert (outcome, found) == (PushOutcome.REFUSED, {("push-not-acknowledged", "error")})


@pytest.mark.parametrize("strict", [True, False])
async def test_the_bare_text_has_no_warning(strict: bool) -> None:
    assert await acknowledged("success", strict_acknowledgement=strict) == (PushOutcome.DELIVERED, set(), "")


@pytest.mark.parametrize("body", NOT_QUITE)
async def test_quoted_text_of_any_other_form_does_not_acknowledge(body: str) -> None:
    outcome, found, _ = await acknowledged(body)
    assert (outcome, found) == (PushOutcome.REFUSED, {("push-not-acknowledged", "error")})


@pytest.mark.parametrize("status", [302, 400, 500])
async def test_the_quoted_text_with_an_error_status_acknowledges_nothing(status: int) -> None:
    outcome, found, reason = await acknowledged('"success"', status=status)
    assert outcome is PushOutcome.REFUSED
    assert ("acknowledgement-in-quotes", "warning") not in found
    assert str(status) in reason


async def test_a_quoted_acknowledgement_ends_the_repetitions() -> None:
    again = "name: again\nrules:\n  - {name: again, receipt: {retry: {attempts: 3, every: 60s}}}\n"
    for strict, count in ((False, 1), (True, 3)):
        async with started(again, "manual") as running:
            setting(running, strict_acknowledgement=strict)
            running.receiver.answer(200, '"success"')
            await Customer(running).ask("gpsend")
            await running.settle()
            assert len(running.receiver.received) == count
