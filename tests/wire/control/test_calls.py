"""Calls and callbacks over the control API."""

from __future__ import annotations

import asyncio

import pytest

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, Api

T = "/v1/tenants/default"
NO_ANSWER, REJECTED = "6281200000480", "6281200000603"


async def finish(api: Api) -> None:
    await api.post(f"{T}/clock/advance", {"to": "idle"})


async def numbers(api: Api, **query: object) -> list[str]:
    reply = await api.get(f"{T}/calls", **query)
    assert reply.status == 200, reply.text
    return [call["number"] for call in reply.json["calls"]]


async def test_an_answered_call_in_full(api: Api):
    messageid = (await api.dial(ANSWERED))["messageid"]
    await finish(api)
    (call,) = (await api.get(f"{T}/calls")).json["calls"]
    timeline = call.pop("timeline")
    assert call == {
        "id": call["id"],
        "provider": "nxcloud",
        "operation": "gpsend",
        "number": ANSWERED,
        "caller": "123456",
        "state": "ended",
        "outcome": "answered",
        "cause": "NORMAL_CLEARING",
        "ended_by": call["ended_by"],
        "submitted_at": "2026-01-05T01:00:00.000000+00:00",
        "ring_at": "2026-01-05T01:00:00.000000+00:00",
        "answered_at": "2026-01-05T01:00:03.000000+00:00",
        "ended_at": "2026-01-05T01:00:13.000000+00:00",
        "talk_seconds": 10,
        "keys": "",
        "billing": {
            "cycle": 60,
            "cycles": 1,
            "unit_price": "0.036",
            "basic_price": "0.005",
            "charge": "0.036",
        },
        "provider_id": messageid,
        "batch_id": messageid,
        "references": call["references"],
        "rule": call["rule"],
        "receipt": "delivered",
    }
    assert call["rule"]
    assert [point["event"] for point in timeline] == [
        "submitted", "dialled", "ringing", "answered", "ended", "callback",
    ]  # fmt: skip
    assert [point["at"] for point in timeline] == sorted(point["at"] for point in timeline)
    assert "delivered with 200" in timeline[-1]["detail"]
    assert (await api.get(f"{T}/calls/{call['id']}")).json == {**call, "timeline": timeline}


async def test_before_its_end_a_call_says_only_what_has_happened(api: Api):
    await api.dial(ANSWERED)
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    assert call["state"] == "ringing"
    assert [
        call[name] for name in ("outcome", "cause", "ended_by", "answered_at", "ended_at", "talk_seconds")
    ] == [None] * 6
    assert (call["billing"], call["keys"]) == (None, None)
    await api.post(f"{T}/clock/advance", {"seconds": 4})
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    assert (call["state"], call["answered_at"] is not None, call["billing"]) == ("talking", True, None)


async def test_a_busy_call_costs_the_basic_price(api: Api):
    await api.dial(BUSY)
    await finish(api)
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    assert (call["outcome"], call["cause"], call["ring_at"], call["talk_seconds"]) == (
        "busy",
        "USER_BUSY",
        None,
        0,
    )
    assert (call["billing"]["cycles"], call["billing"]["charge"]) == (0, "0.005")


async def test_an_unknown_call_is_404(api: Api):
    assert (await api.get(f"{T}/calls/nothing")).status == 404
    assert (await api.post(f"{T}/calls/nothing/push")).status == 404


async def test_filters(api: Api):
    await api.dial(ANSWERED, BUSY, NO_ANSWER, REJECTED)
    await api.post(f"{T}/clock/advance", {"seconds": 2})
    assert await numbers(api, state="ended") == [BUSY]
    assert await numbers(api, state="ringing") == [ANSWERED, NO_ANSWER, REJECTED]
    await finish(api)
    assert await numbers(api, outcome="busy") == [BUSY]
    assert await numbers(api, number="*048?") == [BUSY, NO_ANSWER]
    assert await numbers(api, provider="infin8linx") == []
    assert await numbers(api, provider="nxcloud", outcome="rejected", number="628*") == [REJECTED]
    assert await numbers(api, q="outcome:busy,no_answer provider:nxcloud") == [BUSY, NO_ANSWER]
    assert await numbers(api, q="-outcome:busy state:ended 0603") == [REJECTED]
    assert await numbers(api, q="cause:USER_BUSY") == [BUSY]
    reply = await api.get(f"{T}/calls", q="outcme:busy")
    assert (reply.status, "did you mean 'outcome'?" in reply.errors["?q"]) == (422, True)
    assert (await api.get(f"{T}/calls", provider="nxclod")).status == 422
    assert (await api.get(f"{T}/calls", outcome="engaged")).status == 422


async def test_pages_hold_every_call_once(api: Api):
    dialled = [f"62812{n:06d}9" for n in range(25)]
    await api.dial(*dialled)
    seen, after = [], None
    for _ in range(10):
        page = (await api.get(f"{T}/calls", limit=10, **({"after": after} if after else {}))).json
        seen += [call["number"] for call in page["calls"]]
        if (after := page["next"]) is None:
            break
    assert seen == dialled
    exact = (await api.get(f"{T}/calls", limit=25)).json
    assert (len(exact["calls"]), exact["next"]) == (25, None)


async def test_a_cursor_outlives_the_call_it_names():
    async with started(calls_limit=3) as emu:
        api = Api(emu)
        for n in range(6):
            await api.dial(f"62812{n:06d}486")
            await api.post(f"{T}/clock/advance", {"to": "idle"})
        page = (await api.get(f"{T}/calls", limit=1)).json
        assert page["calls"][0]["number"] == "62812000003486"
        await api.dial("62812000009486")
        await api.post(f"{T}/clock/advance", {"to": "idle"})
        assert await numbers(api, after=page["next"]) == [
            "62812000004486",
            "62812000005486",
            "62812000009486",
        ]


async def test_a_cursor_that_is_none(api: Api):
    for after in ("x", "-", "9" * 30 + "-a"):
        assert (await api.get(f"{T}/calls", after=after)).status == 422
        assert (await api.get(f"{T}/callbacks", after=after)).status == 422
    assert (await api.get(f"{T}/callbacks", after="1.x")).status == 422


async def test_a_callback_in_full(api: Api):
    await api.dial(BUSY)
    await finish(api)
    (push,) = (await api.get(f"{T}/callbacks")).json["callbacks"]
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    assert push["call_id"] == call["id"]
    assert (push["provider"], push["kind"], push["attempt"], push["number"]) == ("nxcloud", "group", 1, BUSY)
    assert (push["outcome"], push["status"], push["reply"], push["faults"]) == (
        "delivered",
        200,
        "success",
        [],
    )
    assert push["fields"]["hangup_cause"] == "USER_BUSY"
    assert push["url"].startswith(api.emu.receiver.url)
    assert push["duration_ms"] > 0


async def test_pending_callbacks_come_last(api: Api):
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold(push):
        arrived.set()
        await release.wait()

    await api.dial(BUSY)
    await finish(api)
    api.emu.receiver.before_answer = hold
    await api.dial(REJECTED)
    going = asyncio.create_task(finish(api))
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    done, pending = (await api.get(f"{T}/callbacks")).json["callbacks"]
    assert (done["outcome"], pending["outcome"], pending["number"]) == ("delivered", "pending", REJECTED)
    assert pending["reason"] == "on the wire"
    assert [
        push["number"] for push in (await api.get(f"{T}/callbacks", outcome="pending")).json["callbacks"]
    ] == [REJECTED]
    first = (await api.get(f"{T}/callbacks", limit=1)).json
    second = (await api.get(f"{T}/callbacks", limit=1, after=first["next"])).json
    assert [push["number"] for push in (*first["callbacks"], *second["callbacks"])] == [BUSY, REJECTED]
    assert second["next"] is None
    release.set()
    await going


async def test_held_callbacks_are_pending_too():
    scenario = (
        "name: held\nclock: real\nrules:\n  - name: h\n    match: {number: '*486'}\n    receipt: {hold: 1}\n"
    )
    async with started(scenario) as emu:
        api = Api(emu)
        await api.dial(BUSY, ANSWERED)
        await api.post(f"{T}/clock/advance", {"seconds": 2})
        (held,) = (await api.get(f"{T}/callbacks")).json["callbacks"]
        assert (held["outcome"], "held back" in held["reason"]) == ("pending", True)
        await api.post(f"{T}/clock/advance", {"to": "idle"})
        outcomes = [push["outcome"] for push in (await api.get(f"{T}/callbacks")).json["callbacks"]]
        assert outcomes == ["delivered", "delivered"]
        assert [push.fields["phone"] for push in emu.receiver.received] == [ANSWERED, BUSY]


async def test_filters_and_pages_of_callbacks(api: Api):
    await api.dial(ANSWERED, BUSY, NO_ANSWER)
    api.emu.receiver.answer_once(500, "")
    await finish(api)

    async def pushes(**query: object) -> list[str]:
        return [push["number"] for push in (await api.get(f"{T}/callbacks", **query)).json["callbacks"]]

    assert await pushes() == [BUSY, ANSWERED, NO_ANSWER]
    assert await pushes(outcome="refused") == [BUSY]
    assert await pushes(number="*0480") == [NO_ANSWER]
    assert await pushes(kind="group", provider="nxcloud", q="status:200") == [ANSWERED, NO_ANSWER]
    assert await pushes(kind="voice") == []
    call = (await api.get(f"{T}/calls", number=BUSY)).json["calls"][0]
    assert await pushes(call_id=call["id"]) == [BUSY]
    after: str | None = "0"
    seen = []
    while after is not None:
        page = (await api.get(f"{T}/callbacks", limit=1, after=after)).json
        seen += [push["number"] for push in page["callbacks"]]
        after = page["next"]
    assert seen == [BUSY, ANSWERED, NO_ANSWER]


async def test_pushing_again(api: Api):
    await api.dial(BUSY)
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    reply = await api.post(f"{T}/calls/{call['id']}/push")
    assert (reply.status, "not due yet" in reply.json["detail"]) == (409, True)
    await finish(api)
    for number in (1, 2):
        (again,) = (await api.post(f"{T}/calls/{call['id']}/push")).json["callbacks"]
        assert (again["outcome"], again["number"], again["attempt"]) == ("delivered", BUSY, 1)
        assert again["id"].endswith(f"again{number}.1")
    first, second, third = api.emu.receiver.received
    assert first.fields == second.fields == third.fields


async def test_a_push_by_hand_is_touched_by_no_rule():
    scenario = "name: lost\nrules:\n  - name: l\n    receipt: {lost: true}\n"
    async with started(scenario) as emu:
        api = Api(emu)
        await api.dial(BUSY)
        await api.post(f"{T}/clock/advance", {"to": "idle"})
        assert emu.receiver.received == []
        call = (await api.get(f"{T}/calls")).json["calls"][0]
        (again,) = (await api.post(f"{T}/calls/{call['id']}/push")).json["callbacks"]
        assert (again["outcome"], again["faults"], again["rule"]) == ("delivered", [], None)


@pytest.mark.parametrize("clock", ["real", "3600x"])
async def test_pushing_again_on_a_clock_that_runs(clock: str):
    async with started(clock=clock) as emu:
        api = Api(emu)
        await api.dial(BUSY)
        waited = (await api.get(f"{T}/wait", **{"for": "callbacks"})).json
        assert waited["satisfied"]
        call = (await api.get(f"{T}/calls")).json["calls"][0]
        (again,) = (await api.post(f"{T}/calls/{call['id']}/push")).json["callbacks"]
        assert again["outcome"] == "delivered"
        assert len(emu.receiver.received) == 2


async def test_a_scheduled_call_says_so(api: Api):
    await api.dial(BUSY, task_time="2026-01-05 10:00:00", time_zone="8")
    call = (await api.get(f"{T}/calls")).json["calls"][0]
    assert call["state"] == "queued"
    assert [point["event"] for point in call["timeline"]] == ["submitted", "scheduled"]
