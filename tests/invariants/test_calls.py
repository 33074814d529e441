"""What must hold of every call and every receipt, over thousands of generated calls of all outcomes.

Everything is read as a customer reads it: requests and receipts over real HTTP, and the control API's calls.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.cost import cpu_below
from tests.rig import Received, Running, started
from tests.scenarios.day import IN8, IN8_KEYS, NX, Customer
from voice_emulator.conformance.examples import receipts_of

ALL = """\
name: everything
description: Every outcome, with spans from nothing to hours.
magic_numbers: false
rules:
  - name: everything
    call:
      mix:
        - {weight: 20, outcome: answered, ring: {uniform: [0s, 40s]}, talk: {lognormal: {median: 20s, p95: 10m}}, hangup: {callee: 1, caller: 1}}
        - {weight: 5, outcome: answered, ring: 0s, talk: 0s}
        - {weight: 5, outcome: answered, talk: {uniform: [58s, 62s]}, keys: "1#", hangup: callee}
        - {weight: 5, outcome: answered, talk: 3h}
        - {weight: 10, outcome: no_answer, ring: {uniform: [1s, 90s]}}
        - {weight: 5, outcome: no_answer}
        - {weight: 8, outcome: busy}
        - {weight: 4, outcome: busy, ring: {exponential: {mean: 2s}}}
        - {weight: 8, outcome: rejected, ring: {normal: {mean: 4s, sd: 3s}}}
        - {weight: 8, outcome: unreachable}
        - {weight: 8, outcome: invalid_number}
        - {weight: 8, outcome: barred}
        - {weight: 8, outcome: network_failure}
        - {weight: 8, outcome: time_limit, talk: {uniform: [1s, 200s]}}
"""
OUTCOMES = {
    "answered", "no_answer", "busy", "rejected", "unreachable", "invalid_number", "barred", "network_failure",
    "time_limit",
}  # fmt: skip
CONNECTED = {"answered", "time_limit"}


async def place_thousands(emu: Running) -> int:
    """Calls by every operation that places some; how many."""
    customer = Customer(emu)
    await customer.sign_in()
    number = 0

    def following(count: int) -> list[str]:
        nonlocal number
        number += count
        return [f"6281{index:08d}" for index in range(number - count, number)]

    for _ in range(10):
        # A hundred numbers is what one group call takes.
        await customer.group_call(*following(100))
    await customer.play(*following(1_000))
    # Limits of the request's own cut ring and talk.
    limited = {**IN8, **IN8_KEYS, "destnumber": ",".join(following(300)), "waittime": "20", "conntime": "30"}
    await customer.post("/api/yunhu", data=limited)
    hung_up = {**NX, "url": "https://x.test/a.m4a", "sched_hangup": "40"}
    for _ in range(3):
        await customer.post("/api/voiceSms/gpsend", data={**hung_up, "phone": ",".join(following(100))})
    for phone in following(60):
        await customer.spoken("notsend", phone)
        await customer.spoken("versend", phone)
        await customer.agent_call(phone, f"o{phone}")
        await customer.notify(phone)
        await customer.notify_v1(phone)
        await customer.play_one(phone)
    return 2 * 1_000 + 2 * 300 + 6 * 60


async def listed(emu: Running, what: str) -> list[dict[str, Any]]:
    """A whole list of the control API, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        after = f"&after={cursor}" if cursor is not None else ""
        async with emu.client.get(f"{emu.control}/v1/tenants/default/{what}?limit=1000{after}") as reply:
            page = await reply.json()
        found += page[what]
        cursor = page["next"]
        if cursor is None or not page[what]:
            return found


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


# --- the call, as the control API tells it -----------------------------------------------------


def check_call(call: dict[str, Any]) -> None:
    assert call["state"] == "ended"
    assert call["outcome"] in OUTCOMES
    submitted, ring, answered, ended = (
        instant(call[name]) for name in ("submitted_at", "ring_at", "answered_at", "ended_at")
    )
    assert submitted is not None
    assert ended is not None
    times = [moment for moment in (submitted, ring, answered, ended) if moment is not None]
    assert times == sorted(times)
    billing = call["billing"]
    charge, price = Decimal(billing["charge"]), Decimal(billing["unit_price"])
    if call["outcome"] in CONNECTED:
        assert ring is not None
        assert answered is not None
        assert call["talk_seconds"] >= 1
        assert ended - answered == timedelta(seconds=call["talk_seconds"])
        assert billing["cycles"] == -(-call["talk_seconds"] // billing["cycle"])
        assert charge == billing["cycles"] * price
        assert call["ended_by"] in ("callee", "caller")
    else:
        assert answered is None
        assert call["talk_seconds"] == 0
        assert billing["cycles"] == 0
        assert charge == Decimal(billing["basic_price"])
        assert not call["keys"]
        assert (ring is not None) >= (call["outcome"] in ("no_answer", "rejected"))
        assert (ring is not None) <= (call["outcome"] in ("no_answer", "rejected", "busy"))
        wanted = {"no_answer": "caller", "network_failure": "network"}
        assert call["ended_by"] == wanted.get(call["outcome"], call["ended_by"])


# --- the receipts, as each provider tells them --------------------------------------------------

NX_CAUSES = {
    "answered": "NORMAL_CLEARING", "no_answer": "NO_ANSWER", "busy": "USER_BUSY", "rejected": "CALL_REJECTED",
    "unreachable": "NO_USER_RESPONSE", "invalid_number": "UNALLOCATED_NUMBER", "barred": "OUTGOING_CALL_BARRED",
    "network_failure": "NORMAL_TEMPORARY_FAILURE",
}  # fmt: skip
NX_LIMITS = {"ALLOTTED_TIMEOUT", "NORMAL_CLEARING"}
NX_REFUSED = {"busy", "rejected", "unreachable", "invalid_number", "barred"}


def wall(text: str) -> datetime:
    return datetime.strptime(f"{text}+0800", "%Y-%m-%d %H:%M:%S%z")


def whole(moment: datetime | None) -> datetime:
    assert moment is not None
    return moment.replace(microsecond=0)


def check_nx_voice(call: dict[str, Any], fields: dict[str, str]) -> None:
    seconds = int(fields["second"])
    assert fields["phone"] == call["number"]
    assert fields["messageid"] == call["provider_id"]
    assert fields["second"] == fields["duration"]
    assert seconds == call["talk_seconds"]
    assert int(fields["size"]) == -(-seconds // int(fields["cycle"]))
    assert Decimal(fields["customer_price"]) == Decimal(call["billing"]["unit_price"])
    if call["outcome"] in CONNECTED:
        start, end = wall(fields["start_time"]), wall(fields["end_time"])
        assert end - start == timedelta(seconds=seconds)
        assert end == whole(instant(call["ended_at"]))
        assert seconds >= 1
        assert fields["result"] == "Successful connection"
        assert fields["hangup_disposition"] == ("recv_bye" if call["ended_by"] == "callee" else "send_bye")
    else:
        # The times bracket the connected part, so here there are none.
        assert not {"start_time", "end_time"} & set(fields)
        assert fields["result"] == "Unsuccessful connection"
        assert fields["hangup_disposition"] == (
            "recv_refuse" if call["outcome"] in NX_REFUSED
            else "send_cancel" if call["outcome"] == "no_answer" else "other"
        )  # fmt: skip
    check_nx_cause(call, fields["hangup_cause"])


def check_nx_cause(call: dict[str, Any], cause: str) -> None:
    if call["outcome"] == "time_limit":
        assert cause in NX_LIMITS
    else:
        assert cause == NX_CAUSES[call["outcome"]]


def check_nx_agent(call: dict[str, Any], fields: dict[str, Any]) -> None:
    start, answer, end = (int(fields[name]) for name in ("start_time", "answer_time", "end_time"))
    assert fields["phone"] == call["number"]
    assert fields["sessionid"] == call["provider_id"]
    assert fields["duration"] == call["talk_seconds"]
    assert (answer > 0) == (call["outcome"] in CONNECTED)
    assert start <= end
    if answer:
        assert start <= answer
        assert end - answer == fields["duration"]
    else:
        assert fields["duration"] == 0
        assert not fields["record"]
        assert fields["record_url"] == ""
    check_nx_cause(call, fields["hangup_cause"])


def cec(text: str) -> datetime:
    moment, _, millis = text.rpartition(":")
    return datetime.strptime(f"{moment}+0000", "%Y/%m/%d,%H:%M:%S%z") + timedelta(milliseconds=int(millis))


def check_huawei(call: dict[str, Any], fields: dict[str, str]) -> None:
    assert fields["called"] == call["number"]
    assert fields["callSerialNo"] == call["provider_id"]
    named = ("createCallTime", "alertingTime", "talkingTime", "releaseTime")
    times = [cec(fields[name]) for name in named if name in fields]
    assert times == sorted(times)
    assert {"createCallTime", "releaseTime"} <= set(fields)
    talk = int(fields["talkDuration"])
    assert talk == call["talk_seconds"]
    assert ("talkingTime" in fields) == (call["outcome"] in CONNECTED)
    if talk:
        assert cec(fields["releaseTime"]) - cec(fields["talkingTime"]) == timedelta(seconds=talk)
    else:
        assert "recordfile" not in fields
    assert ("alertingTime" in fields) == (call["ring_at"] is not None)
    wanted = {
        "answered": "0" if call["ended_by"] == "callee" else "1", "time_limit": "1", "no_answer": "4", "rejected": "4",
        "busy": "4" if call["ring_at"] else "6", "unreachable": "6", "invalid_number": "6", "barred": "10",
        "network_failure": "8",
    }  # fmt: skip
    assert fields["releaseReason"] == wanted[call["outcome"]]


IN8_CAUSES = {
    "answered": 10001, "no_answer": 10016, "busy": 10006, "rejected": 10003, "unreachable": 10009,
    "invalid_number": 10014, "barred": 10025, "network_failure": 10004, "time_limit": 10007,
}  # fmt: skip


def check_in8(call: dict[str, Any], fields: dict[str, Any]) -> None:
    assert fields["destnumber"] == call["number"]
    assert str(fields["id"]) == call["provider_id"]
    start, end = wall(fields["starttime"]), wall(fields["endtime"])
    assert start <= end
    if call["outcome"] in CONNECTED:
        answer = wall(fields["answertime"])
        assert start <= answer <= end
        assert fields["billsec"] == call["talk_seconds"]
        assert end - answer == timedelta(seconds=fields["billsec"])
        assert timedelta(seconds=fields["duration"]) == answer - start
    else:
        assert fields["answertime"] == ""
        assert fields["billsec"] == 0
        assert timedelta(seconds=fields["duration"]) == end - start
        assert fields["userkey"] == ""
        assert fields["recordurl"] == ""
    assert fields["hangupcause"] == IN8_CAUSES[call["outcome"]]
    assert fields["hangupdirection"] == (10041 if call["ended_by"] == "callee" else 10040)


#: By kind of receipt. A key that is missing here fails the test that meets it.
CHECKS: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "group": check_nx_voice,
    "voice": check_nx_voice,
    "cdr": check_nx_agent,
    "release": check_huawei,
    "record": check_in8,
}


def pairs(emu: Running, callbacks: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Received]]:
    """Each callback of the control API with what the receiver saw of it; both are in order."""
    assert len(callbacks) == len(emu.receiver.received)
    return zip(callbacks, emu.receiver.received, strict=True)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_call_and_receipt_is_true_to_itself_and_to_its_outcome(seed: int):
    async with started(ALL, seed=seed) as emu:
        placed = await place_thousands(emu)
        await emu.settle()
        calls = {call["id"]: call for call in await listed(emu, "calls")}
        assert len(calls) == placed
        for call in calls.values():
            check_call(call)
        outcomes = Counter((call["provider"], call["outcome"]) for call in calls.values())
        assert len(outcomes) == 3 * len(OUTCOMES)
        reported = Counter()
        for callback, push in pairs(emu, await listed(emu, "callbacks")):
            assert callback["outcome"] == "delivered"
            CHECKS[callback["kind"]](calls[callback["call_id"]], receipts_of(push)[0])
            reported[callback["call_id"]] += 1
        # Each call once, none twice, none forgotten.
        assert reported == Counter(dict.fromkeys(calls, 1))
        async with emu.client.get(f"{emu.control}/v1/tenants/default/report") as reply:
            books = (await reply.json())["conservation"]
        assert (books["accepted"], books["acknowledged"], books["orphan"]) == (placed, placed, 0)
        assert all(provider["charges"]["agree"] for provider in books["providers"].values())


async def test_a_batch_of_five_thousand_numbers_yields_each_record_exactly_once():
    async with started() as emu:
        numbers = [f"62813{index:07d}" for index in range(5_000)]
        form = {**IN8, **IN8_KEYS, "destnumber": ",".join(numbers)}
        with cpu_below(5):  # a batch is answered within a client's patience
            async with emu.client.post(f"{emu.url}/api/yunhu", data=form) as reply:
                answer = json.loads(await reply.text())
        assert answer["code"] == 200
        assert emu.receiver.received == []
        await emu.settle()
        records = [receipts_of(push)[0] for push in emu.receiver.received]
        assert Counter(record["destnumber"] for record in records) == Counter(numbers)
        assert len({record["id"] for record in records}) == 5_000
        bill = {
            "service": "App.Sip_Cdr.GetBill", "callmethod": "6", "syncflag": "3", "itemsperpage": "1000",
            "starttime": "2026-01-05 00:00:00", "endtime": "2026-01-05 23:59:59",
        }  # fmt: skip
        customer = Customer(emu)
        await customer.sign_in()
        shown: list[dict[str, Any]] = []
        for page in range(1, 6):
            result = await customer.post(
                "/api/yunhu", data={**bill, "token": customer.tokens["infin8linx"], "currentpage": str(page)}
            )
            assert result["data"]["result"]["totalitems"] == 5_000
            shown += result["data"]["result"]["bills"]
        assert Counter(row["destnumber"] for row in shown) == Counter(numbers)


async def test_a_batch_repeated_by_five_clients_at_once_dials_each_number_five_times():
    async with started() as emu:
        numbers = [f"62814{index:05d}" for index in range(400)]
        form = {**IN8, **IN8_KEYS, "destnumber": ",".join(numbers)}
        await asyncio.gather(*(Customer(emu).post("/api/yunhu", data=form) for _ in range(5)))
        await emu.settle()
        records = [receipts_of(push)[0] for push in emu.receiver.received]
        assert Counter(record["destnumber"] for record in records) == Counter(dict.fromkeys(numbers, 5))
        assert len({record["id"] for record in records}) == 2_000
