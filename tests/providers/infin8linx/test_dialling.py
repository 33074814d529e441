"""How PlayVoice's calls go: limits, key presses, transfers, the queue, and repeated pushes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, bills, call, log_in, post, setting, some_numbers
from tests.rig import Running, started

LONG_TALK = """
name: long-talk
magic_numbers: false
rules:
  - name: everybody talks
    match: {provider: infin8linx}
    call: {outcome: answered, ring: 20s, talk: 300s, hangup: callee, keys: "2#"}
"""
NO_ANSWER = """
name: no-answer
magic_numbers: false
rules:
  - name: nobody picks up
    match: {provider: infin8linx}
    call: {outcome: no_answer}
"""


async def submit(emu: Running, numbers: Any, **fields: str) -> Any:
    destination = numbers if isinstance(numbers, str) else ",".join(numbers)
    return await post(emu, {**BATCH, "destnumber": destination, **fields})


def pushed(emu: Running) -> list[dict[str, Any]]:
    return [push.fields for push in emu.receiver.received]


# --- limits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "duration", "billsec", "cause"),
    [
        ({}, 20, 60, 10007),
        ({"conntime": "45"}, 20, 45, 10007),
        ({"conntime": "300"}, 20, 300, 10001),
        ({"conntime": "0"}, 20, 60, 10007),
        ({"conntime": "-5"}, 20, 60, 10007),
        ({"waittime": "19"}, 19, 0, 10016),
        ({"waittime": "20"}, 20, 60, 10007),
        ({"waittime": "0"}, 20, 60, 10007),
        ({"waittime": " 7 "}, 7, 0, 10016),
    ],
)
async def test_waittime_and_conntime_cut(
    fields: dict[str, str], duration: int, billsec: int, cause: int
) -> None:
    async with started(LONG_TALK) as emu:
        assert (await submit(emu, "62811", **fields))["code"] == 200
        await emu.settle()
        (record,) = pushed(emu)
        assert (record["duration"], record["billsec"], record["hangupcause"]) == (duration, billsec, cause)
        assert record["hangupdirection"] == (10041 if cause == 10001 else 10040)


async def test_the_account_s_own_defaults_of_both_limits() -> None:
    async with started(LONG_TALK) as emu:
        emu.change(setting(default_conntime=100))
        await submit(emu, "62811")
        await emu.settle()
        assert pushed(emu)[0]["billsec"] == 100
        emu.change(setting(default_waittime=5))
        await submit(emu, "62811")
        await emu.settle()
        assert (pushed(emu)[1]["billsec"], pushed(emu)[1]["duration"]) == (0, 5)


async def test_an_unanswered_phone_rings_for_waittime() -> None:
    async with started(NO_ANSWER) as emu:
        await submit(emu, "62811")
        await submit(emu, "62812", waittime="25")
        await emu.settle()
        assert {r["destnumber"]: r["duration"] for r in pushed(emu)} == {"62811": 60, "62812": 25}


# --- key presses and transfers -----------------------------------------------------------------


async def test_keys_are_reported_only_when_asked_for() -> None:
    async with started(LONG_TALK) as emu:
        for number, userkey in (("62811", ""), ("62812", "0"), ("62813", "1")):
            await submit(emu, number, userkey=userkey)
        await emu.settle()
        assert {r["destnumber"]: r["userkey"] for r in pushed(emu)} == {
            "62811": "",
            "62812": "",
            "62813": "2",
        }


async def transfer(emu: Running, token: str, userid: str, **fields: str) -> Any:
    wanted = {"destnumber": "62811", "voicetype": "1", "voicefile": "a", "chengshudu": "1", **fields}
    return await call(emu, "PlayVoice", token=token, userid=userid, **wanted)


async def test_the_key_of_a_transfer_leads_to_the_group_s_extension() -> None:
    async with started(LONG_TALK) as emu:
        emu.change(setting(agent_groups={"extGroup-1": "701005", "extGroup-2": "701006"}))
        token = await log_in(emu)
        for userid in ("2@extGroup-1", "1@extGroup-2"):
            answer = await transfer(emu, token, userid)
            assert (answer["ret"], answer["data"]["status"]) == (200, 0)
        await emu.settle()
        assert [(r["userkey"], r["extnumber"], r["chengshudu"]) for r in pushed(emu)] == [
            ("2", "701005", "1"),
            ("2", "", "1"),
        ]
        found = (await bills(emu, token, extnumber="701005,701009"))["bills"]
        assert [bill["extnumber"] for bill in found] == ["701005"]


@pytest.mark.parametrize(
    "fields", [{"chengshudu": ""}, {"chengshudu": "2"}, {"userid": "extGroup-1"}, {"userid": "11@g"}]
)
async def test_a_transfer_needs_chengshudu_1_and_key_at_group(fields: dict[str, str]) -> None:
    async with started() as emu:
        token = await log_in(emu)
        wanted = {"userid": "1@extGroup-1", **fields}
        assert (await transfer(emu, token, **wanted))["ret"] == 400


async def test_the_token_flavours_take_one_number() -> None:
    async with started() as emu:
        token = await log_in(emu)
        for destination, ret in (("62811", 200), ("62811,62812", 400), ("", 400)):
            fields = {"destnumber": destination, "voicetype": "1", "voicefile": "a"}
            assert (await call(emu, "PlayVoice", token=token, **fields))["ret"] == ret


async def test_credentials_beat_a_token() -> None:
    async with started() as emu:
        answer = await post(emu, {**BATCH, "token": "whatever"})
        assert list(answer) == ["code", "msg", "data"]
        assert answer["code"] == 200
        incomplete = {name: value for name, value in BATCH.items() if name != "accesskey"}
        answer = await post(emu, {**incomplete, "token": "whatever"})
        assert (list(answer), answer["ret"]) == (["ret", "data", "msg"], 600)


async def test_callmethod_of_the_token_flavour_is_a_setting() -> None:
    async with started() as emu:
        token = await log_in(emu)
        emu.change(setting(single_call_method="3"))
        await call(emu, "PlayVoice", token=token, destnumber="62811", voicetype="1", voicefile="a")
        await submit(emu, "62812")
        await emu.settle()
        assert {r["destnumber"]: r["callmethod"] for r in pushed(emu)} == {"62811": 3, "62812": 6}


# --- the queue ---------------------------------------------------------------------------------


async def test_calls_wait_for_a_line_in_submission_order() -> None:
    async with started() as emu:
        emu.change(setting(dial_concurrency=2))
        wanted = [f"6281{index}" for index in range(10, 20)]
        await submit(emu, wanted)
        await emu.settle()
        starts = {record["destnumber"]: record["starttime"][-5:] for record in pushed(emu)}
        expected = ["00:00", "00:00", "00:13", "00:13", "00:26", "00:26", "00:39", "00:39", "00:52", "00:52"]
        assert [starts[number] for number in wanted] == expected


async def test_a_receipt_before_its_reply_takes_and_frees_no_line() -> None:
    rule = "  - name: early\n    match: {number: '62832'}\n    receipt: {before_reply: true}\n"
    async with started(f"name: early\nrules:\n{rule}") as emu:
        emu.change(setting(dial_concurrency=1))
        await submit(emu, ["62831", "62832", "62833", "62834"])
        assert [record["destnumber"] for record in pushed(emu)] == ["62832"]
        await emu.settle()
        starts = {record["destnumber"]: record["starttime"][-5:] for record in pushed(emu)}
        assert starts == {"62832": "59:47", "62831": "00:00", "62833": "00:13", "62834": "00:26"}


async def test_numbers_are_dialled_at_once_without_the_setting_for_lines() -> None:
    async with started() as emu:
        await submit(emu, some_numbers(300))
        await emu.settle()
        assert {record["starttime"] for record in pushed(emu)} == {"2026-01-05 09:00:00"}


@pytest.mark.parametrize(("todayonly", "dialled"), [("1", 3), ("", 3), ("2", 10)])
async def test_todayonly_drops_what_is_undialled_at_midnight_utc_plus_8(todayonly: str, dialled: int) -> None:
    async with started() as emu:
        emu.change(setting(dial_concurrency=1))
        # 09:00:00 + 14:59:25 = 23:59:25; each call takes 13 s, so three begin before midnight.
        await emu.advance("53965s")
        await submit(emu, [f"6281{index}" for index in range(10, 20)], todayonly=todayonly)
        await emu.settle()
        records = pushed(emu)
        assert len(records) == dialled
        late = [record for record in records if record["starttime"] >= "2026-01-06"]
        assert len(late) == dialled - 3
        listed = (await bills(emu, await log_in(emu)))["totalitems"]
        assert listed == dialled, "dropped numbers were never called, so no record shows them"


async def test_dropped_numbers_may_have_records_too() -> None:
    async with started() as emu:
        emu.change(setting(dial_concurrency=1, dropped_records=True))
        await emu.advance("53965s")
        await submit(emu, [f"6281{index}" for index in range(10, 20)])
        await emu.settle()
        records = pushed(emu)
        assert len(records) == len({record["id"] for record in records}) == 10
        dropped = [record for record in records if record["hangupcause"] == 10002]
        assert len(dropped) == 7
        midnight = "2026-01-06 00:00:00"
        assert {(r["starttime"], r["endtime"], r["duration"]) for r in dropped} == {(midnight, midnight, 0)}
        assert (await bills(emu, await log_in(emu)))["totalitems"] == 10


async def test_midnight_elsewhere_is_no_end_of_the_day() -> None:
    async with started() as emu:
        emu.change(setting(dial_concurrency=1))
        # 23:59:40 UTC is 07:59:40 in UTC+8: nothing happens at midnight UTC.
        await emu.advance("82780s")
        await submit(emu, [f"6281{index}" for index in range(10, 20)])
        await emu.settle()
        assert len(pushed(emu)) == 10


async def test_a_record_may_be_pushed_again_until_acknowledged() -> None:
    async with started() as emu:
        emu.change(setting(callback_attempts=4, callback_interval=30))
        emu.receiver.answer_once(500)
        emu.receiver.answer_once(503)
        await submit(emu, "62811")
        await emu.settle()
        assert len(pushed(emu)) == 3
        assert len({push.body for push in emu.receiver.received}) == 1


async def test_by_default_a_record_is_pushed_once_whatever_is_answered() -> None:
    async with started() as emu:
        emu.receiver.answer(500)
        await submit(emu, "62811")
        await emu.settle()
        assert len(pushed(emu)) == 1
