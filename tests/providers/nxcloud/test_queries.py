"""Record queries: paging, filters, spans, look-back, rates; and the fill report."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest

from tests.providers.nxcloud.customer import Customer
from tests.rig import Running, started

PLAIN = "name: plain\nrules: []\n"


def setting(running: Running, **values: Any) -> None:
    running.change({"settings": {"nxcloud": values}})


async def test_paging_covers_everything_once() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        numbers = [str(6212345000 + index) for index in range(11)]
        await customer.ask("gpsend", phone=",".join(numbers))
        await running.settle()
        seen = []
        for page in range(1, 5):
            found = await customer.ask("getVoiceCdr", page=str(page), page_size="4")
            info = found["info"]
            assert (info["total"], info["page"], info["pageSize"]) == (11, page, 4)
            seen.append([row["phone"] for row in info["rows"]])
        assert [len(rows) for rows in seen] == [4, 4, 3, 0]
        assert sorted(chain.from_iterable(seen)) == sorted(number.removeprefix("62") for number in numbers)


async def test_calls_in_progress_are_not_shown() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.ask("gpsend")
        await running.advance("12s")
        assert (await customer.ask("getVoiceCdr"))["info"]["total"] == 0
        await running.advance("1s")
        assert (await customer.ask("getVoiceCdr"))["info"]["total"] == 1


async def test_kinds_are_kept_apart() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        ids = {
            operation: (await customer.ask(operation))["messageid"]
            for operation in ("gpsend", "notsend", "versend")
        }
        await customer.call()
        await running.settle()
        group = (await customer.ask("getVoiceCdr"))["info"]["rows"]
        voice = (await customer.ask("getVoiceCdr", voiceType="1"))["info"]["rows"]
        assert [row["messageid"] for row in group] == [ids["gpsend"]]
        assert {row["messageid"]: row["voice_type"] for row in voice} == {
            ids["versend"]: 1,
            ids["notsend"]: 2,
        }


async def test_filter_by_messageid() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        first = await customer.ask("gpsend")
        await customer.ask("gpsend")
        await running.settle()
        assert (await customer.ask("getVoiceCdr"))["info"]["total"] == 2
        assert (await customer.ask("getVoiceCdr", messageid=first["messageid"]))["info"]["total"] == 1
        assert (await customer.ask("getVoiceCdr", messageid="32432423"))["info"] == {
            "total": 0, "page": 1, "pageSize": 100, "rows": [],
        }  # fmt: skip


async def test_span_includes_both_ends() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.ask("gpsend")  # dialled at 09:00:00
        await running.settle()
        spans = {("09:00:00", "09:00:00"): 1, ("08:00:00", "08:59:59"): 0, ("09:00:01", "10:00:00"): 0}
        for (start, end), total in spans.items():
            found = await customer.ask(
                "getVoiceCdr", start_time=f"2026-01-05 {start}", end_time=f"2026-01-05 {end}"
            )
            assert found["info"]["total"] == total


async def test_strict_mode_and_its_look_back() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        ten_days_ago = {"start_time": "2025-12-26 00:00:00", "end_time": "2025-12-27 00:00:00"}
        assert (await customer.ask("getVoiceCdr", **ten_days_ago))["code"] == "1"
        setting(running, strict_queries=True)
        assert (await customer.ask("getVoiceCdr", **ten_days_ago))["info"] == "time invalid"
        setting(running, lookback_days=21)
        assert (await customer.ask("getVoiceCdr", **ten_days_ago))["code"] == "1"


async def test_queries_show_nothing_of_another_customer() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.ask("gpsend")
        await running.settle()
        keys = running.new_tenant("other").credentials["nxcloud"]
        found = await customer.ask("getVoiceCdr", appkey=keys["appkey"], secretkey=keys["secretkey"])
        assert found["info"]["total"] == 0


async def test_query_lag_of_a_rule() -> None:
    text = "name: lag\nrules:\n  - {name: lag, receipt: {query_lag: 30s}}\n"
    async with started(text, "manual") as running:
        customer = Customer(running)
        await customer.ask("gpsend")
        await running.advance("13s")
        assert len(running.receiver.received) == 1
        assert (await customer.ask("getVoiceCdr"))["info"]["total"] == 0
        await running.advance("30s")
        assert (await customer.ask("getVoiceCdr"))["info"]["total"] == 1


@pytest.mark.parametrize(
    ("operation", "seconds"), [("getVoiceCdr", 1), ("getSipCdr", 2), ("getSipCdrByOrderid", 1)]
)
async def test_rate_limit_passes_with_time(operation: str, seconds: int) -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, query_rate_limits=True)
        customer = Customer(running)
        good = (await customer.ask(operation))["code"]
        await running.advance(seconds * 1_000_000 - 1)
        assert (await customer.ask(operation))["info"] == "appkey access rate limit"
        await running.advance(1)
        assert (await customer.ask(operation))["code"] == good


@pytest.mark.parametrize(
    ("sipid", "shown"),
    [("1055014", 1055014), ("0", 0), ("2147483647", 2147483647), ("2147483648", "2147483648"), ("007", "007"),
     ("sip-7", "sip-7"), ("-1", "-1"), ("\u0661", "\u0661"), (None, None)],
)  # fmt: skip
async def test_sipid_is_a_number_in_both_queries_and_text_in_the_push(
    sipid: str | None, shown: object
) -> None:
    """As in the samples. The drawn one, where no setting names any, is a number always."""
    async with started(PLAIN, "manual") as running:
        if sipid is not None:
            setting(running, phone_accounts={"nx-agent": {"sipid": sipid}})
        customer = Customer(running)
        await customer.call(orderid="order1")
        await running.settle()
        pushed = running.receiver.received[0].fields["sipid"]
        assert isinstance(pushed, str)
        [row] = (await customer.ask("getSipCdr"))["info"]["rows"]
        [same] = (await customer.ask("getSipCdrByOrderid", orderid="order1"))["row"]
        assert row["sipid"] == same["sipid"] == (int(pushed) if sipid is None else shown)
        assert sipid is None or pushed == sipid


async def test_agent_queries() -> None:
    async with started(PLAIN, "manual") as running:
        setting(running, phone_accounts={"second": {"sipid": "1049003", "mobile_name": "second mobile"}})
        customer = Customer(running)
        await customer.call(orderid="order1")
        await customer.call(orderid="order2", username="second")
        await running.settle()
        assert (await customer.ask("getSipCdr"))["info"]["total"] == 2
        assert (await customer.ask("getSipCdr", direction="1"))["info"]["total"] == 2
        assert (await customer.ask("getSipCdr", direction="0"))["info"]["total"] == 0
        [row] = (await customer.ask("getSipCdr", username="second"))["info"]["rows"]
        assert (row["orderid"], row["sipid"], row["mobile_name"]) == ("order2", 1049003, "second mobile")
        found = await customer.ask("getSipCdrByOrderid", orderid="order2,order1,unknown")
        assert found["code"] == "0"
        assert [each["orderid"] for each in found["row"]] == ["order1", "order2"]
        assert "mobile_name" not in found["row"][0]


async def test_orderid_may_be_a_number() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.call(orderid="1001233")
        await running.settle()
        [row] = (await customer.ask("getSipCdrByOrderid", orderid=1001233))["row"]
        assert row["orderid"] == "1001233"


async def test_calls_older_than_fifteen_days_are_gone() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        await customer.call(orderid="order1")
        await running.settle()
        await running.advance("14d")
        assert len((await customer.ask("getSipCdrByOrderid", orderid="order1"))["row"]) == 1
        await running.advance("2d")
        assert (await customer.ask("getSipCdrByOrderid", orderid="order1"))["row"] == []


async def test_fill_report() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        sent = await customer.ask("versend")
        for status in (1, 0):
            reply = await customer.ask("conversion", messageid=sent["messageid"], status=status)
            assert reply == {"code": "success", "info": "success"}
        assert running.tenant.state["nxcloud"].filled == {sent["messageid"]: 0}


async def test_fill_report_of_any_submission_where_the_account_allows_it() -> None:
    async with started(PLAIN, "manual") as running:
        customer = Customer(running)
        sent = await customer.ask("gpsend")
        setting(running, conversion_of="any")
        assert (await customer.ask("conversion", messageid=sent["messageid"]))["code"] == "success"


async def test_fill_report_finds_its_tenant_by_the_id_alone() -> None:
    async with started(PLAIN, "manual") as running:
        other = running.new_tenant("other")
        keys = other.credentials["nxcloud"]
        customer = Customer(running)
        sent = await customer.ask("versend", appkey=keys["appkey"], secretkey=keys["secretkey"])
        assert (await customer.ask("conversion", messageid=sent["messageid"]))["code"] == "success"
        assert other.state["nxcloud"].filled == {sent["messageid"]: 1}
