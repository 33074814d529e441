"""GetBill: its defaults, its filters, and the trap of paging with syncflag 1."""

from __future__ import annotations

import logging

import pytest

from tests.providers.infin8linx.account import BATCH, EVER, bills, call, log_in, post, setting, some_numbers
from tests.rig import Running, started


async def talk(emu: Running, numbers: list[str], **fields: str) -> None:
    assert (await post(emu, {**BATCH, "destnumber": ",".join(numbers), **fields}))["code"] == 200
    await emu.settle()


async def test_without_callmethod_ivr_calls_are_hidden() -> None:
    """The documented default is 3, API call; IVR calls are 6."""
    async with started() as emu:
        await talk(emu, ["62811"])
        token = await log_in(emu)
        assert (await bills(emu, token, callmethod=""))["totalitems"] == 0
        for method, total in (("0", 1), ("3", 0), ("6", 1), ("5", 0)):
            assert (await bills(emu, token, callmethod=method))["totalitems"] == total


async def test_defaults_of_the_table() -> None:
    async with started() as emu:
        await talk(emu, some_numbers(25))
        token = await log_in(emu)
        answer = await call(emu, "GetBill", token=token, **EVER, callmethod="6")
        result = answer["data"]["result"]
        assert (result["totalitems"], result["currentpage"], result["itemsperpage"]) == (25, 1, 10)
        assert len(result["bills"]) == 10
        assert answer["data"]["desc"] == "get success"


@pytest.mark.parametrize("missing", ["token", "starttime", "endtime"])
async def test_three_parameters_are_required_in_effect(missing: str) -> None:
    async with started() as emu:
        fields = {"token": await log_in(emu), **EVER}
        assert (await call(emu, "GetBill", **fields))["ret"] == 200
        del fields[missing]
        answer = await call(emu, "GetBill", **fields)
        assert answer["ret"] == 400
        assert missing in answer["msg"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("starttime", "2026-02-30 00:00:00"),
        ("starttime", "2026-01-05"),
        ("starttime", "05.01.2026 00:00:00"),
        ("starttime", ""),
        ("endtime", "2026-13-01 00:00:00"),
        ("endtime", "2019-01-01 00:00:00"),
        ("endtime", "2026-01-05T09:00:00"),
        ("syncflag", "0"),
        ("syncflag", "4"),
        ("direction", "0"),
        ("callmethod", "7"),
        ("currentpage", "0"),
        ("currentpage", "-1"),
        ("itemsperpage", "0"),
        ("itemsperpage", "1001"),
        ("itemsperpage", "ten"),
        ("starttime", "0000-01-01 00:00:00"),
    ],
)
async def test_bad_values_are_400(name: str, value: str) -> None:
    async with started() as emu:
        fields = {"token": await log_in(emu), **EVER, name: value}
        answer = await call(emu, "GetBill", **fields)
        assert (answer["ret"], answer["data"]) == (400, [])


async def test_the_span_is_of_dial_times_and_inclusive() -> None:
    async with started() as emu:
        await talk(emu, ["62811"])
        token = await log_in(emu)
        at = "2026-01-05 09:00:00"
        for start, end, total in (
            (at, at, 1),
            ("2026-01-05 08:00:00", "2026-01-05 08:59:59", 0),
            ("2026-01-05 09:00:01", "2026-01-05 09:59:59", 0),
        ):
            assert (await bills(emu, token, starttime=start, endtime=end))["totalitems"] == total


async def test_syncflag_counts_what_was_shown_whatever_it_asked_for() -> None:
    async with started() as emu:
        await talk(emu, some_numbers(3))
        token = await log_in(emu)
        assert (await bills(emu, token, syncflag="2"))["totalitems"] == 0
        assert (await bills(emu, token, syncflag="3", itemsperpage="1"))["totalitems"] == 3
        assert (await bills(emu, token, syncflag="2"))["totalitems"] == 1
        assert (await bills(emu, token, syncflag="1"))["totalitems"] == 2
        assert (await bills(emu, token, syncflag="1"))["totalitems"] == 0
        assert (await bills(emu, token, syncflag="2"))["totalitems"] == 3
        assert (await bills(emu, token, syncflag=""))["totalitems"] == 0


async def test_paging_with_syncflag_1_skips_records_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with started() as emu:
        await talk(emu, some_numbers(30))
        token = await log_in(emu)
        seen: list[int] = []
        with caplog.at_level(logging.WARNING):
            for page in ("1", "2", "3"):
                result = await bills(emu, token, syncflag="1", itemsperpage="10", currentpage=page)
                seen += [bill["id"] for bill in result["bills"]]
        assert len(seen) == 20, "10 of 30, then 10 of the remaining 20 skipped, then page 3 of 10 is empty"
        assert sum("syncflag 1" in record.message for record in caplog.records) == 1


async def test_reading_page_1_again_and_again_loses_nothing() -> None:
    async with started() as emu:
        await talk(emu, some_numbers(30))
        token = await log_in(emu)
        seen = [
            bill["id"]
            for _ in range(3)
            for bill in (await bills(emu, token, syncflag="1", itemsperpage="10"))["bills"]
        ]
        assert len(set(seen)) == 30


async def test_pages_with_syncflag_3_are_in_order_and_complete() -> None:
    async with started() as emu:
        await talk(emu, some_numbers(25))
        token = await log_in(emu)
        seen: list[int] = []
        for page in ("1", "2", "3", "4"):
            result = await bills(emu, token, itemsperpage="10", currentpage=page)
            assert result["totalitems"] == 25
            seen += [bill["id"] for bill in result["bills"]]
        assert len(seen) == 25
        assert seen == sorted(set(seen))


async def test_filters() -> None:
    async with started() as emu:
        await talk(emu, ["62811"], chengshudu="a", customuuid="x")
        await talk(emu, ["62812"], chengshudu="b", customuuid="好", memberid="7")
        token = await log_in(emu)
        for fields, numbers in (
            ({"destnumber": "62811"}, ["62811"]),
            ({"destnumber": "6281"}, []),
            ({"chengshudu": "b"}, ["62812"]),
            ({"ext": "a"}, ["62811"]),
            ({"customuuid": "好"}, ["62812"]),
            ({"memberid": "7"}, ["62812"]),
            ({"userid": "0"}, ["62811", "62812"]),
            ({"userid": "9"}, []),
            ({"extnumber": "701"}, []),
            ({"direction": "1"}, []),
            ({"direction": "2"}, ["62811", "62812"]),
            ({"extnumber": ""}, ["62811", "62812"]),
        ):
            found = (await bills(emu, token, **fields))["bills"]
            assert sorted(bill["destnumber"] for bill in found) == numbers, fields


async def test_names_and_the_empty_answertime_differ_from_the_push() -> None:
    async with started() as emu:
        await talk(emu, ["6281200000486"])
        token = await log_in(emu)
        (bill,) = (await bills(emu, token))["bills"]
        assert bill["answertime"] is None
        assert emu.receiver.received[0].fields["answertime"] == ""
        assert bill["displaynumber"] == emu.receiver.received[0].fields["disnumber"]
        assert "disnumber" not in bill
        assert "userkey" not in bill
        emu.change(setting(getbill_userkey=True))
        assert (await bills(emu, token))["bills"][0]["userkey"] == ""


async def test_a_call_that_goes_on_is_not_listed() -> None:
    async with started() as emu:
        await post(emu, BATCH)
        token = await log_in(emu)
        await emu.advance("5s")
        assert (await bills(emu, token))["totalitems"] == 0
        await emu.settle()
        assert (await bills(emu, token))["totalitems"] == 1


async def test_the_query_may_lag_behind_the_push() -> None:
    scenario = "name: lagging\nrules:\n  - name: slow records\n    receipt: {query_lag: 30s}\n"
    async with started(scenario) as emu:
        await post(emu, BATCH)
        await emu.advance("20s")
        token = await log_in(emu)
        assert len(emu.receiver.received) == 1
        assert (await bills(emu, token))["totalitems"] == 0
        await emu.advance("30s")
        assert (await bills(emu, token))["totalitems"] == 1
