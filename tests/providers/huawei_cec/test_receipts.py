"""The release event over the wire: where it goes, how it is signed, what acknowledges it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from tests.providers.huawei_cec.client import CREATE, NOTIFICATION, Client, signed_in
from tests.rig import Received
from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.huawei_cec import PROVIDER
from voice_emulator.providers.huawei_cec.signing import signature
from voice_emulator.schemas.validate import SchemaSet

KEY = "0123456789abcdef"
SCHEMA = SchemaSet.load({"huawei_cec": None}).get("huawei_cec/release.receipt")


def ruled(receipt: str, call: str = "{outcome: answered}") -> str:
    return f"""
name: spoiling
rules:
  - name: so it goes
    call: {call}
    receipt: {receipt}
"""


async def one_push(client: Client, **more: Any) -> Received:
    await client.call(**more)
    await client.emu.settle()
    return client.emu.receiver.received[-1]


def verify(fields: dict[str, str], key: str = KEY) -> bool:
    """What a receiver does, by the page's steps."""
    names = sorted(name for name in fields if name not in ("timestamp", "nonce", "signature"))
    text = ",".join(f"{name}={fields[name]}" for name in names).replace(" ", "")
    data = f"{key}_{fields['timestamp']}_{fields['nonce']}_{text}".encode()
    wanted = base64.b64encode(hmac.new(key.encode(), data, hashlib.sha256).digest()).decode()
    return wanted == fields["signature"]


async def test_the_release_event_of_an_answered_call() -> None:
    scenario = ruled("{}", "{outcome: answered, ring: 2s, talk: 6s, hangup: callee}")
    async with signed_in(scenario=scenario.replace("    receipt: {}\n", "")) as client:
        serial = await client.call(callerPresent="960003")
        await client.emu.settle()
        (push,) = client.emu.receiver.received
        assert push.method == "POST"
        assert push.path == "/huawei_cec"
        assert push.headers["Content-Type"] == "application/json;charset=UTF-8"
        assert json.loads(push.body) == {
            "alertingTime": "2026/01/05,01:00:00:000",
            "callSerialNo": serial,
            "called": "8899",
            "callerPresent": "960003",
            "createCallTime": "2026/01/05,01:00:00:000",
            "locationId": "0",
            "recordfile": "Y:/2/mobileAgent/20260105/1767574800-000.wav",
            "releaseReason": "0",
            "releaseTime": "2026/01/05,01:00:08:000",
            "talkDuration": "6",
            "talkingTime": "2026/01/05,01:00:02:000",
        }
        assert list(json.loads(push.body)) == sorted(json.loads(push.body))
        assert SCHEMA.accepts(push.fields)


OUTCOMES = [
    ("{outcome: answered, hangup: callee}", "0"),
    ("{outcome: answered, hangup: caller}", "1"),
    ("{outcome: time_limit}", "1"),
    ("{outcome: no_answer}", "4"),
    ("{outcome: rejected}", "4"),
    ("{outcome: busy}", "6"),
    ("{outcome: unreachable}", "6"),
    ("{outcome: invalid_number}", "6"),
    ("{outcome: network_failure}", "8"),
    ("{outcome: network_failure, cause: queue_timeout}", "9"),
    ('{outcome: network_failure, cause: "9"}', "9"),
    ("{outcome: barred}", "10"),
    ("{outcome: answered, cause: recording_failed}", "999"),
]


@pytest.mark.parametrize(("call", "reason"), OUTCOMES)
async def test_every_release_reason(call: str, reason: str) -> None:
    async with signed_in(scenario=ruled("{delay: 0s}", call)) as client:
        push = await one_push(client)
        assert push.fields["releaseReason"] == reason
        assert ("talkingTime" in push.fields) == (reason in ("0", "1", "999"))
        assert ("recordfile" in push.fields) == (reason in ("0", "1"))
        (call_shown,) = client.emu.tenant.ledger
        assert PROVIDER.cause_of(call_shown) == reason


async def test_signed_only_when_the_url_came_with_the_call_and_a_key_is_set() -> None:
    async with signed_in() as client:
        url = f"{client.emu.receiver.url}/huawei_cec/mine"
        assert "signature" not in (await one_push(client, callBackUrl=url)).fields
        client.set(shared_key=KEY)
        assert "signature" not in (await one_push(client)).fields
        signed = await one_push(client, callBackUrl=url)
        assert signed.path == "/huawei_cec/mine"
        assert verify(signed.fields)
        assert not verify({**signed.fields, "called": "1"})
        assert int(signed.fields["timestamp"]) == client.emu.tenant.now // 1000
        assert -(2**63) <= int(signed.fields["nonce"]) < 2**63
        assert SCHEMA.accepts(signed.fields)
        assert list(json.loads(signed.body)) == sorted(signed.fields)


async def test_the_shared_key_as_a_credential_and_the_other_algorithm() -> None:
    async with signed_in() as client:
        client.emu.change({"credentials": {"huawei_cec": {"shared_key": KEY}}})
        url = f"{client.emu.receiver.url}/huawei_cec"
        assert verify((await one_push(client, callBackUrl=url)).fields)
        client.set(signature_algorithm="sha256")
        fields = (await one_push(client, callBackUrl=url)).fields
        assert not verify(fields)
        assert fields["signature"] == signature(KEY, fields["timestamp"], fields["nonce"], fields, "sha256")


async def test_the_journal_shows_what_was_sent_without_the_key() -> None:
    async with signed_in() as client:
        client.set(shared_key=KEY)
        push = await one_push(client, callBackUrl=f"{client.emu.receiver.url}/huawei_cec")
        (attempt,) = client.emu.tenant.attempts
        assert attempt.shown()["fields"] == push.fields
        assert attempt.shown()["outcome"] == "delivered"
        assert KEY not in str(attempt.shown())


@pytest.mark.parametrize("effect", ["bad_signature", "stale_timestamp", "duplicate_nonce"])
async def test_signatures_spoiled_by_a_rule(effect: str) -> None:
    async with signed_in(scenario=ruled(f"{{{effect}: true}}")) as client:
        client.set(shared_key=KEY)
        url = f"{client.emu.receiver.url}/huawei_cec"
        first = (await one_push(client, callBackUrl=url, called="1")).fields
        second = (await one_push(client, callBackUrl=url, called="2")).fields
        assert verify(second) == (effect != "bad_signature")
        age = client.emu.tenant.now // 1000 - int(second["timestamp"])
        assert age == (86_400_000 if effect == "stale_timestamp" else 0)
        assert (first["nonce"] == second["nonce"]) == (effect == "duplicate_nonce")


@pytest.mark.parametrize(
    ("receipt", "name", "value"),
    [
        ("{corrupt: unknown_enum}", "releaseReason", "SOMETHING_NEW"),
        ("{corrupt: negative}", "talkDuration", "-1"),
        ("{corrupt: empty}", "called", ""),
        ('{set: {releaseReason: "77"}}', "releaseReason", "77"),
        ("{drop: [talkDuration]}", "talkDuration", None),
    ],
)
async def test_what_is_spoiled_is_signed_as_it_is_sent(receipt: str, name: str, value: str | None) -> None:
    async with signed_in(scenario=ruled(receipt)) as client:
        client.set(shared_key=KEY)
        push = await one_push(client, callBackUrl=f"{client.emu.receiver.url}/huawei_cec")
        assert push.fields.get(name) == value
        assert verify(push.fields)


@pytest.mark.parametrize("corruption", sorted(PROVIDER.receipts["release"].corrupt))
async def test_every_corruption_breaks_the_schema(corruption: str) -> None:
    async with signed_in(scenario=ruled(f"{{corrupt: {corruption}}}")) as client:
        serial = await client.call()
        await client.emu.settle()
        (push,) = client.emu.receiver.received
        spoiled = (
            push.fields["callSerialNo"] != serial
            if corruption == "wrong_id"
            else not SCHEMA.accepts(push.fields)
        )
        assert spoiled


@pytest.mark.parametrize(
    ("encoding", "content_type"), [("form", "application/x-www-form-urlencoded"), ("query", "json")]
)
async def test_encodings_by_rule(encoding: str, content_type: str) -> None:
    async with signed_in(scenario=ruled(f"{{encoding: {encoding}}}")) as client:
        push = await one_push(client, callBackUrl=f"{client.emu.receiver.url}/huawei_cec?mine=1")
        assert push.fields["releaseReason"] == "1"
        assert push.query["mine"] == "1"
        assert bool(push.body) == (encoding == "form")
        if encoding == "form":
            assert content_type in push.headers["Content-Type"]
        else:
            assert push.query["called"] == "8899"


async def test_a_wrong_content_type_by_rule() -> None:
    async with signed_in(scenario=ruled("{wrong_content_type: true}")) as client:
        push = await one_push(client)
        assert push.headers["Content-Type"] == "text/plain"
        assert json.loads(push.body)["called"] == "8899"


async def test_one_push_and_no_second_one_by_default() -> None:
    async with signed_in() as client:
        client.emu.receiver.answer(500, "no")
        await client.call()
        await client.emu.settle()
        assert len(client.emu.receiver.received) == 1
        assert [attempt.outcome.value for attempt in client.emu.tenant.attempts] == ["refused"]


async def test_repeated_until_acknowledged_when_the_account_says_so() -> None:
    async with signed_in() as client:
        client.set(release_attempts=6, release_interval=10, shared_key=KEY)
        for _ in range(2):
            client.emu.receiver.answer_once(200, '{"retCode":"1"}')
        await client.call(callBackUrl=f"{client.emu.receiver.url}/huawei_cec")
        await client.emu.settle()
        pushes = client.emu.receiver.received
        assert len(pushes) == 3
        assert len({push.fields["nonce"] for push in pushes}) == 3
        assert all(verify(push.fields) for push in pushes)
        client.emu.receiver.answer(503, "")
        await client.call()
        await client.emu.settle()
        assert len(pushes) == 3 + 6


@pytest.mark.parametrize(
    ("status", "body", "acknowledged"),
    [
        (200, '{"retCode":"0","retMsg":"success"}', True),
        (200, '{"retCode":"0"}', True),
        (200, '{"retCode":0}', False),
        (200, '{"retCode":"1"}', False),
        (200, '{"returnCode":"0"}', False),
        (200, "success", False),
        (200, "", False),
        (200, "[]", False),
        (200, "[" * 100_000, False),
        (201, '{"retCode":"0"}', False),
        (500, '{"retCode":"0"}', False),
    ],
)
def test_what_acknowledges(status: int, body: str, acknowledged: bool) -> None:
    reason = PROVIDER.receipts["release"].judge(PushReply(status, (), body.encode()))
    assert (reason is None) == acknowledged
    assert reason is None or reason


async def test_the_same_start_seed_and_requests_give_the_same_bytes() -> None:
    async def run() -> list[bytes]:
        async with signed_in(scenario="happy-path") as client:
            client.set(shared_key=KEY)
            for number in ("8899", "88990486", "88990480", "88990403"):
                await client.send(CREATE, {**NOTIFICATION, "called": number})
            await client.emu.settle()
            return [push.body for push in client.emu.receiver.received]

    first, second = await run(), await run()
    assert len(first) == 4
    assert first == second
