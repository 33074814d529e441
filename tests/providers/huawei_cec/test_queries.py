"""Records, states and recordings of calls, over the wire."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from tests.providers.huawei_cec.client import Client, signed_in

MIXED = """
name: mixed
rules:
  - name: all sorts
    call:
      mix:
        - {weight: 3, outcome: answered, ring: {uniform: [1s, 9s]}, talk: {uniform: [1s, 9s]}, hangup: callee}
        - {weight: 3, outcome: answered, talk: {exponential: {mean: 20s}}, hangup: caller}
        - {weight: 1, outcome: no_answer}
        - {weight: 1, outcome: rejected}
        - {weight: 1, outcome: busy}
        - {weight: 1, outcome: barred}
"""


def span(client: Client, seconds: int = 86_400) -> dict[str, str]:
    start = client.emu.tenant.clock.start // 1000
    return {"startTime": str(start), "endTime": str(start + seconds * 1000)}


async def records(client: Client, **more: Any) -> dict[str, Any]:
    answer = await client.send("queryCallDetailRecord", {**span(client), **more})
    assert answer.code == "0", answer.body
    result: dict[str, Any] = answer.body["result"]
    return result


async def state(client: Client, serial: str) -> dict[str, Any]:
    answer = await client.send("queryCallState", {"callSerialNo": serial})
    assert answer.code == "0", answer.body
    result: dict[str, Any] = answer.body["result"]
    return result


async def test_a_call_seen_from_beginning_to_end() -> None:
    async with signed_in() as client:
        serial = await client.call("8899", callerPresent="960003")
        shown = await state(client, serial)
        assert shown["state"] == 1
        assert "reasonCode" not in shown
        await client.emu.advance("3s")
        assert (await state(client, serial))["state"] == 2
        await client.emu.advance("10s")
        now = client.emu.tenant.now // 1000
        assert await state(client, serial) == {
            "state": 3, "reasonCode": 1, "caller": "960003", "called": "8899", "startTime": str(now - 13_000),
            "endTime": str(now), "callerPresent": "960003",
        }  # fmt: skip
        assert (await records(client))["callInfo"] == [
            {
                "callSerialNo": serial, "state": 3, "reasonCode": 1, "caller": "960003", "called": "8899",
                "startTime": str(now - 13_000), "endTime": str(now), "callerPresent": "960003",
                "alertingTime": str(now - 13_000), "talkingTime": str(now - 10_000), "releaseTime": str(now),
                "talkDuration": "10",
            }
        ]  # fmt: skip


async def test_records_agree_with_the_pushes_over_the_wire() -> None:
    async with signed_in(scenario=MIXED) as client:
        for number in range(230):
            await client.call(f"86{number:05d}")
        await client.emu.settle()
        await client.sign_in("3600")
        pushes = {push.fields["callSerialNo"]: push.fields for push in client.emu.receiver.received}
        found: list[dict[str, Any]] = []
        while len(found) < 230:
            result = await records(client, offset=str(len(found)))
            assert result["total"] == 230
            assert 0 < len(result["callInfo"]) <= 100
            found += result["callInfo"]
        assert len({record["callSerialNo"] for record in found}) == len(pushes) == 230
        for record in found:
            push = pushes[record["callSerialNo"]]
            assert str(record["reasonCode"]) == push["releaseReason"]
            assert record["talkDuration"] == push["talkDuration"]
            assert record["called"] == push["called"]
            assert ("talkingTime" in record) == ("talkingTime" in push)


@pytest.mark.parametrize(
    ("change", "count"),
    [
        ({"taskType": "0"}, 3),
        ({"taskType": "3"}, 3),
        ({"taskType": None, "offset": None, "limit": None, "caller": None}, 3),
        ({"limit": "2"}, 2),
        ({"limit": "2", "offset": "2"}, 1),
        ({"offset": "3"}, 0),
        ({"caller": "960003"}, 1),
    ],
)
async def test_choosing_records(change: dict[str, Any], count: int) -> None:
    async with signed_in() as client:
        await client.call("1", callerPresent="960003")
        await client.call("2")
        await client.call("3")
        result = await records(client, **change)
        assert len(result["callInfo"]) == count
        assert result["total"] == (1 if change.get("caller") else 3)


async def test_a_span_of_seven_days_is_taken_and_its_ends_belong_to_it() -> None:
    async with signed_in() as client:
        await client.call("1")
        start = client.emu.tenant.now // 1000
        spans = [
            (start, start, "0"),
            (start - 1000, start - 1, "1"),
            (start + 1, start + 9, "1"),
            (start - 7 * 86_400_000, start, "0"),
        ]
        for first, last, code in spans:
            body = {"startTime": str(first), "endTime": str(last)}
            assert (await client.send("queryCallDetailRecord", body)).code == code


async def test_tasks_of_other_kinds_have_no_records_here() -> None:
    async with signed_in() as client:
        await client.call("1")
        for kind in ("1", "2", "4"):
            assert (
                await client.send("queryCallDetailRecord", {**span(client), "taskType": kind})
            ).code == "1"


async def test_a_tenant_sees_only_its_own_calls() -> None:
    async with signed_in() as client:
        serial = await client.call("1")
        other = client.emu.new_tenant("other")
        keys = other.credentials["huawei_cec"]
        visitor = Client(client.emu)
        await visitor.sign_in(key=keys["app_key"], secret=keys["app_secret"])
        assert (await visitor.send("queryCallState", {"callSerialNo": serial})).code == "1"
        assert (await visitor.send("queryCallDetailRecord", span(client))).code == "1"
        assert (await visitor.send("getRecordingAddress", {"callSerialNo": serial})).code == 5


async def fetch(client: Client, url: str) -> tuple[int, bytes, str]:
    async with client.emu.client.get(url) as response:
        return response.status, await response.read(), response.headers["Content-Type"]


async def test_a_recording_can_be_fetched_for_five_minutes() -> None:
    async with signed_in() as client:
        serial = await client.call("1")
        assert (await client.send("getRecordingAddress", {"callSerialNo": serial})).code == 5
        await client.emu.settle()
        answer = await client.send("getRecordingAddress", {"callSerialNo": serial})
        assert answer.body["retCode"] == 0
        assert answer.body["retMsg"] == "success"
        url = answer.body["result"]["url"]
        assert len(url) <= 200
        status, audio, content_type = await fetch(client, url)
        assert (status, content_type) == (200, "audio/wav")
        assert struct.unpack_from("<4sI", audio, 50) == (b"data", 10 * 8000)
        await client.emu.advance(300_000_000 - 1)
        assert (await fetch(client, url))[0] == 200
        await client.emu.advance(1)
        assert (await fetch(client, url))[0] == 404
        assert (await fetch(client, url.replace(".wav", "0.wav")))[0] == 404


async def test_what_was_not_answered_or_not_recorded_has_no_recording() -> None:
    async with signed_in() as client:
        silent = await client.call("88990480")
        serial = await client.call("1")
        await client.emu.settle()
        assert (await client.send("getRecordingAddress", {"callSerialNo": silent})).code == 5
        client.set(recording=False)
        assert (await client.send("getRecordingAddress", {"callSerialNo": serial})).code == 5


async def test_a_long_host_does_not_make_a_link_too_long() -> None:
    async with signed_in() as client:
        serial = await client.call("1")
        await client.emu.settle()
        headers = {"Host": "x" * 250}
        answer = await client.send("getRecordingAddress", {"callSerialNo": serial}, headers=headers)
        assert len(answer.body["result"]["url"]) <= 200
