"""The agent family: tokens, calls by softphone, the record push, the state push."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest

from tests.providers.nxcloud.customer import Customer
from tests.rig import Running, started
from voice_emulator.core.vocabulary import PushOutcome

PLAIN = (
    "name: plain\nrules:\n"
    "  - {name: short, match: {operation: makecall}, call: {outcome: answered, ring: 11s, talk: 3s}}\n"
)
MAGIC = "name: magic\nrules: []\n"


def setting(running: Running, **values: Any) -> None:
    running.change({"settings": {"nxcloud": values}})


async def test_token() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        reply = await customer.ask("token")
        assert list(reply) == ["code", "token", "expireinterval"]
        assert (reply["code"], reply["expireinterval"]) == (0, 1200)
        assert re.fullmatch("[0-9A-F]{32}", reply["token"])


async def test_tokens_are_reusable_and_several_are_good_at_once() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        first, second = await customer.token(), await customer.token()
        assert first != second
        for index, token in enumerate((first, second, first)):
            assert (await customer.ask("makecall", token=token, orderid=f"order{index}"))["code"] == 0


async def test_token_lifetime_is_a_setting() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, token_lifetime=5)
        customer = Customer(running)
        token = await customer.token()
        await running.advance("5s")
        assert (await customer.ask("makecall", token=token))["info"] == "This token has expired"


async def test_voice_keys_are_no_agent_keys() -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).ask("token", appkey="nx-appkey", secretkey="nx-secretkey")
        assert reply == {"code": 1101, "info": "appkey or secretkey invalid."}


async def test_call_and_its_record() -> None:
    async with started(PLAIN, "manual") as running:
        reply = await Customer(running).call()
        assert list(reply) == ["code", "orderid", "sessionid", "info"]
        assert (reply["orderid"], reply["info"]) == ("xxx1234", "success")
        await running.settle()
        [push] = running.receiver.received
        assert push.path == "/nxcloud_cdr"
        assert push.headers["Content-Type"] == "application/json;charset=UTF-8"
        fields = push.fields
        sipid = fields.pop("sipid")
        assert re.fullmatch("[0-9]{7}", sipid)
        assert fields == {
            "show_phone": "nxcloud", "direction": 1, "end_time": "1767574814", "record": 1,
            "answer_time": "1767574811", "code": "86", "start_time": "1767574800", "duration": 3,
            "phone": "6298881888", "username": "nx-agent",
            "mobile_name": "first mobile", "orderid": "xxx1234",
            "record_url": f"{running.url}/record/{reply['sessionid']}", "hangup_cause": "NORMAL_CLEARING",
            "sessionid": reply["sessionid"],
        }  # fmt: skip


async def test_agent_call_makes_no_voice_receipt() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.call()
        await running.settle()
        assert [push.path for push in running.receiver.received] == ["/nxcloud_cdr"]
        for kind in ("0", "1"):
            assert (await customer.ask("getVoiceCdr", voiceType=kind))["info"]["total"] == 0


async def test_orderid_is_made_up_when_absent() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        replies = [await customer.call(orderid=None), await customer.call(orderid="")]
        assert all(re.fullmatch("[0-9a-f]{16}", reply["orderid"]) for reply in replies)
        assert replies[0]["orderid"] != replies[1]["orderid"]


async def test_caller_id() -> None:
    async with started(PLAIN, "manual") as running:
        await Customer(running).call(showphone="+86 10 1234")
        await running.settle()
        assert running.receiver.received[0].fields["show_phone"] == "+86 10 1234"


async def test_unanswered_call() -> None:
    async with started(MAGIC, "manual") as running:
        await Customer(running).call(phone="6281200486")
        await running.settle()
        fields = running.receiver.received[0].fields
        assert (fields["duration"], fields["record"], fields["answer_time"]) == (0, 0, "0")
        assert fields["hangup_cause"] == "USER_BUSY"


async def test_recording_answers_302_and_then_sound() -> None:
    async with started(PLAIN, "manual") as running:
        await Customer(running).call()
        await running.settle()
        url = running.receiver.received[0].fields["record_url"]
        async with running.client.get(url, allow_redirects=False) as reply:
            assert reply.status == 302
            target = reply.headers["Location"]
        async with running.client.get(running.url + target) as reply:
            sound = await reply.read()
            assert reply.headers["Content-Type"] == "audio/wav"
        assert len(sound) == 44 + 3 * 8000
        async with running.client.get(f"{running.url}/record/unknown", allow_redirects=False) as reply:
            assert reply.status == 404


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize("ending", ["0000", "0486", "0480", "0603", "0404", "0403", "0503", "0408", "0602"])
async def test_every_record_has_a_record_url(ending: str, recorded: bool) -> None:
    """The one receiver that is known reads it whatever happened; the query has null in its place."""
    async with started(MAGIC, "manual") as running:
        setting(running, agent_recording=recorded)
        customer = Customer(running)
        await customer.call(phone=f"628120{ending}")
        await running.settle()
        fields = running.receiver.received[0].fields
        assert fields["record"] == int(recorded and ending in ("0000", "0602"))
        assert fields["record_url"].startswith("http") is bool(fields["record"])
        assert fields["record_url"] == "" or fields["record"] == 1
        [row] = (await customer.ask("getSipCdr"))["info"]["rows"]
        assert row["record_url"] == (fields["record_url"] or None)


async def test_recording_can_be_switched_off() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, agent_recording=False, effective_called_number=True)
        await Customer(running).call()
        await running.settle()
        fields = running.receiver.received[0].fields
        assert (fields["record"], fields["record_url"]) == (0, "")
        assert fields["effective_called_number"] == "6298881888"


async def test_record_is_pushed_once_unless_the_account_wants_more() -> None:
    async with started(PLAIN, "manual") as running:
        running.receiver.answer(500)
        customer = Customer(running)
        await customer.call(orderid="once")
        await running.settle()
        assert len(running.receiver.received) == 1
        setting(running, cdr_attempts=5)
        await customer.call(orderid="five")
        await running.settle()
        attempts = [each for each in running.tenant.attempts if each.fields["orderid"] == "five"]
        assert [each.outcome for each in attempts] == [PushOutcome.REFUSED] * 5
        waits = {later.at - earlier.at for earlier, later in pairwise(attempts)}
        assert waits == {60_000_000}


async def test_states_are_pushed_only_when_switched_on() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, call_status_push=True)
        reply = await Customer(running).call()
        await running.settle()
        states = [push.fields for push in running.receiver.received if push.path == "/nxcloud_status"]
        assert states == [
            {
                "sessionid": reply["sessionid"],
                "state": 1,
                "time": "1767574800.00000",
                "info": "start calling",
            },
            {"sessionid": reply["sessionid"], "state": 2, "time": "1767574811.00000", "info": "connected"},
            {"sessionid": reply["sessionid"], "state": 3, "time": "1767574811.00000", "info": "in call"},
            {"sessionid": reply["sessionid"], "state": 4, "time": "1767574814.00000", "info": "hang up"},
        ]
        assert running.receiver.received[-1].path == "/nxcloud_cdr"


async def test_states_of_an_unanswered_call() -> None:
    async with started(MAGIC, "manual") as running:
        setting(running, call_status_push=True)
        await Customer(running).call(phone="6281200486")
        await running.settle()
        paths = [push.path for push in running.receiver.received]
        assert paths == ["/nxcloud_status", "/nxcloud_status", "/nxcloud_cdr"]
        assert [push.fields["state"] for push in running.receiver.received[:2]] == [1, 4]


async def test_token_expired_fault() -> None:
    text = "name: expiry\nrules:\n  - {name: old, match: {operation: makecall}, fault: token_expired}\n"
    async with started(text, "manual") as running:
        assert await Customer(running).call() == {"code": 1201, "info": "This token has expired"}
        assert len(running.tenant.ledger) == 0


async def test_two_tenants_never_share_a_token() -> None:
    async with started(PLAIN, "manual") as running:
        other = running.new_tenant("other")
        keys = other.credentials["nxcloud"]["agent"]
        customer = Customer(running)
        own = await customer.token()
        theirs = (await customer.ask("token", appkey=keys["appkey"], secretkey=keys["secretkey"]))["token"]
        assert own != theirs
        reply = await customer.ask("makecall", token=theirs, username=keys["username"])
        assert reply["code"] == 0
        assert len(other.ledger) == 1
        assert (await customer.ask("makecall", token=theirs))["code"] == 1001
