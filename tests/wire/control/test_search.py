"""Whatever a person knows of a request or a call finds it; and a refusal says why, and what to do."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest

from tests.rig import numbers
from tests.wire.api import ANSWERED, BUSY, GPSEND, Api

T = "/v1/tenants/default"
PLAYVOICE = {
    "service": "App.Sip_Call.PlayVoice", "appid": "in8-appid", "accesskey": "in8-accesskey",
    "nationcode": "id", "destnumber": "628777", "voicetype": "1", "voicefile": "abcdefg", "customuuid": "my-own-uuid-77",
}  # fmt: skip


async def post(api: Api, path: str, **arguments: Any) -> str:
    async with api.emu.client.post(api.emu.url + path, **arguments) as reply:
        return await reply.text()


async def rows(api: Api, query: str = "") -> list[dict[str, Any]]:
    found = await api.get(f"{T}/journal", kind="request", brief="true", **({"q": query} if query else {}))
    assert found.status == 200, found.text
    return found.json["entries"]


async def test_a_request_is_found_by_whatever_is_known_of_it(api: Api):
    messageid = (await api.dial(BUSY, ANSWERED))["messageid"]
    token = json.loads(await post(
        api, "/apigovernance/api/oauth/tokenByAkSk", json={"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
    ))["AccessToken"]  # fmt: skip
    await post(
        api, "/apiaccess/rest/voiceNotification/v2/createVoiceNotification",
        headers={"Authorization": f"Bearer {token}"}, json={"callerNo": "0755"},
    )  # fmt: skip
    await post(api, "/api/yunhu", data=PLAYVOICE)
    await post(api, "/nowhere")
    all_of_them = [row["id"] for row in await rows(api)]
    assert len(all_of_them) == 5
    for query, wanted in {
        messageid: [0], messageid[5:20].upper(): [0], f"id:{messageid}": [0], f"number:{ANSWERED}": [0],
        BUSY[3:]: [0], token[-4:]: [1, 2], "id:my-own-uuid-77": [3], "uuid-77": [3], "0755": [2], "nowhere": [4],
        "status:404": [4], "method:POST provider:huawei_cec": [1, 2], "outcome:refused": [2, 4],
        "operation:gpsend code:0": [0], "has:finding path:/nowhere": [4], "finding:unknown-path": [4],
        "unknown-path": [4], "-outcome:refused": [0, 1, 3],
    }.items():  # fmt: skip
        assert [row["id"] for row in await rows(api, query)] == [all_of_them[at] for at in wanted], query
    for secret in ("nx-secretkey", "cec-app-secret", token, token[-8:]):
        assert await rows(api, f'"{secret}"') == []
        assert secret not in json.dumps(await rows(api))


async def test_a_call_is_found_by_whatever_is_known_of_it(api: Api):
    messageid = (await api.dial(BUSY, ext="order-4711"))["messageid"]
    await post(api, "/api/yunhu", data=PLAYVOICE)
    api.emu.receiver.answer(200, "no acknowledgement")
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    busy, voice = (await api.get(f"{T}/calls")).json["calls"]
    assert "order-4711" in busy["references"]
    assert "my-own-uuid-77" in voice["references"]
    for query, wanted in {
        messageid: busy, f"id:{messageid}": busy, "id:order-4711": busy, "4711": busy, "BUSY": busy,
        "id:my-own-uuid-77": voice, "own-uuid": voice, voice["id"]: voice, f"id:{voice['provider_id']} provider:infin8linx": voice,
        "finding:push-not-acknowledged": busy, "has:error provider:nxcloud": busy, "-has:finding": voice,
    }.items():  # fmt: skip
        found = (await api.get(f"{T}/calls", q=query)).json["calls"]
        assert [call["id"] for call in found] == [wanted["id"]], query


@pytest.mark.parametrize(
    ("change", "why", "fix"),
    [
        ({"appkey": "wrong"}, "appkey: no tenant has", "Send appkey=nx-appkey"),
        ({"secretkey": "wrong"}, "secretkey: ", "Send the secretkey of tenant 'default'"),
        ({"phone": "x"}, "phone: ", "Correct phone"),
    ],
    ids=["key", "secret", "field"],
)
async def test_a_refusal_says_why_and_what_to_do(api: Api, change, why: str, fix: str):
    await post(api, "/api/voiceSms/gpsend", data={**GPSEND, "phone": BUSY, **change})
    [row] = await rows(api)
    assert row["refused"]
    assert row["why"][0].startswith(why), row
    assert any(sentence.startswith(fix) for sentence in row["fix"]), row
    assert "nx-secretkey" not in json.dumps(row)


async def test_a_refusal_that_a_rule_made_names_the_rule(api: Api):
    scenario = "name: s\nrules:\n  - name: no money\n    reply: {error: balance_insufficient}\n"
    errors = [error.name for error in api.emu.emulator.runtime.providers["nxcloud"].errors]
    name = next(name for name in errors if "balance" in name)
    text = scenario.replace("balance_insufficient", name)
    async with api.emu.client.put(
        f"{api.emu.control}{T}/scenario", data=text, headers={"Content-Type": "application/yaml"}
    ) as reply:
        assert reply.status == 200
    await post(api, "/api/voiceSms/gpsend", data={**GPSEND, "phone": BUSY})
    [row] = await rows(api)
    assert row["why"] == ["rule 'no money' of the scenario says so"]
    assert "Nothing is wrong with the request" in row["fix"][0]


async def test_the_stream_sends_rows_too(api: Api):
    async with api.emu.client.get(
        f"{api.emu.control}{T}/events", params={"kind": "request", "brief": "true", "after": "0"}
    ) as stream:
        await post(api, "/api/voiceSms/gpsend", data={**GPSEND, "phone": BUSY, "appkey": "wrong"})
        async for line in stream.content:
            if line.startswith(b"data:"):
                break
    [row] = await rows(api)
    assert json.loads(line[5:]) == row


async def test_rules_say_how_to_fix_their_findings(api: Api):
    rules = (await api.get("/v1/rules")).json["rules"]
    assert {"orphaned-call", "push-not-acknowledged", "schema-violation"} <= {rule["id"] for rule in rules}
    for rule in rules:
        assert all(rule.values()), rule


async def test_a_search_lets_others_have_their_turn(api: Api):
    """The whole journal is searched in slices: the loop is never held for long."""
    for start in range(0, 3_000, 100):
        await api.dial(*numbers(100, prefix=f"62{start:06d}"))
    longest, last, done = 0.0, time.process_time(), False

    async def heartbeat() -> None:
        nonlocal longest, last
        while not done:
            await asyncio.sleep(0)
            now = time.process_time()
            longest, last = max(longest, now - last), now

    beating = asyncio.create_task(heartbeat())
    assert await rows(api, "zzzz-nothing") == []
    done = True
    await beating
    assert longest < 1.0, "seconds of processor time between two turns"
