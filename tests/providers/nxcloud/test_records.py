"""Receipt and record query speak of the same call in the same words, field by field."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.nxcloud.customer import DAY, Customer
from tests.rig import Running, started
from voice_emulator.core.billing import money
from voice_emulator.core.clock import wall_text
from voice_emulator.providers.nxcloud.records import _number

MIXED = """
name: mixed
magic_numbers: false
seed: 7
rules:
  - name: everybody
    call:
      mix:
        - {weight: 50, outcome: answered, ring: {uniform: [1s, 20s]}, talk: {lognormal: {median: 30s, p95: 200s}}, hangup: {callee: 60, caller: 40}, keys: "12"}
        - {weight: 10, outcome: time_limit, talk: 60s}
        - {weight: 10, outcome: no_answer, ring: {uniform: [10s, 60s]}}
        - {weight: 6, outcome: busy}
        - {weight: 6, outcome: rejected}
        - {weight: 6, outcome: unreachable}
        - {weight: 4, outcome: invalid_number}
        - {weight: 4, outcome: barred}
        - {weight: 4, outcome: network_failure}
"""
COUNT = 1200


@pytest.mark.slow
@pytest.mark.parametrize("operation", ["gpsend", "notsend", "versend"])
@pytest.mark.parametrize("language", ["en", "zh"])
async def test_rows_equal_receipts(operation: str, language: str) -> None:
    async with started(MIXED, "manual") as running:
        running.change(
            {"settings": {"nxcloud": {
                "language": language, "batch_limit": COUNT,
                "tariff": {"cycle": 20, "price": "0.05", "basic_price": "0.005"},
                "voice_tariff": {"cycle": 6, "price": "0.0125"},
            }}}
        )  # fmt: skip
        await _submit(running, operation)
        await running.settle()
        receipts = {push.fields["phone"]: push.fields for push in running.receiver.received}
        assert len(receipts) == COUNT
        found = await Customer(running).ask(
            "getVoiceCdr", voiceType="0" if operation == "gpsend" else "1", page_size=str(COUNT)
        )
        rows = found["info"]["rows"]
        assert found["info"]["total"] == len(rows) == COUNT
        assert len({row["id"] for row in rows}) == COUNT
        for row in rows:
            compare(operation, row, receipts[row["countryCode"] + row["phone"]])
        assert {row["result"] for row in rows} == {
            "en": {"Successful connection", "Unsuccessful connection"}, "zh": {"成功接通", "未接通"},
        }[language]  # fmt: skip


async def _submit(running: Running, operation: str) -> None:
    numbers = [str(62812340000 + index) for index in range(COUNT)]
    customer = Customer(running)
    if operation != "versend":
        assert (await customer.ask(operation, phone=",".join(numbers)))["code"] == "0"
        return
    for number in numbers:
        assert (await customer.ask(operation, phone=number))["code"] == "0"


def compare(operation: str, row: dict[str, Any], receipt: dict[str, str]) -> None:
    """Every field that both have, and every rule between fields."""
    assert receipt["phone"] == row["countryCode"] + row["phone"]
    for name in ("messageid", "result", "countryCode"):
        assert receipt[name] == row[name]
    for name in ("second", "cycle", "size"):
        assert receipt[name] == str(row[name])
    assert row["customer_price"] == float(receipt["customer_price"])
    for name in ("start_time", "end_time"):
        assert receipt.get(name) == row.get(name)
    if operation == "gpsend":
        assert row["basic_price"] == float(receipt["basic_price"])
        assert str(row["ivr_result"]) == receipt["ivr_result"]
        assert "voice_type" not in row
    else:
        assert row["voice_type"] == {"versend": 1, "notsend": 2}[operation]
        assert "ivr_result" not in row
        assert "basic_price" not in row
    # What must hold within a receipt, whatever the call was like.
    second, cycle = int(receipt["second"]), int(receipt["cycle"])
    answered = receipt["result"] in ("Successful connection", "成功接通")
    assert int(receipt["size"]) == math.ceil(Decimal(second) / cycle)
    assert (second > 0) is answered
    assert receipt["duration"] == receipt["second"]
    if answered:
        start, end = (datetime.fromisoformat(receipt[name]) for name in ("start_time", "end_time"))
        assert (end - start).total_seconds() == second
        assert datetime.fromisoformat(row["time"]) <= start
    else:
        assert "start_time" not in receipt
        assert receipt.get("ivr_result", "") == ""
    assert (receipt["hangup_disposition"] in ("send_bye", "recv_bye")) is answered


async def test_agent_rows_equal_pushed_records() -> None:
    async with started(MIXED, "manual") as running:
        customer = Customer(running)
        token = await customer.token()
        for index in range(400):
            reply = await customer.ask(
                "makecall", token=token, phone=str(62812340000 + index), orderid=f"order{index}"
            )
            assert reply["code"] == 0
        await running.settle()
        records = {push.fields["orderid"]: push.fields for push in running.receiver.received}
        rows = (await customer.ask("getSipCdr", page_size="1000"))["info"]["rows"]
        assert len(records) == len(rows) == 400
        for row in rows:
            record = records[row["orderid"]]
            for name in (
                "phone",
                "hangup_cause",
                "duration",
                "username",
                "mobile_name",
                "show_phone",
            ):
                assert record[name] == row[name]
            assert record["code"] == row["country_code"]
            assert str(record["direction"]) == row["direction"]
            assert record["sipid"] == str(row["sipid"])
            assert record["record_url"] == (row["record_url"] or "")
            for name in ("start_time", "answer_time", "end_time"):
                assert _as_epoch(row[name]) == record[name]
            talked = int(record["end_time"]) - int(record["answer_time"])
            assert record["duration"] == (talked if record["answer_time"] != "0" else 0)
            assert record["record"] == int(record["duration"] > 0)


def _as_epoch(wall: str) -> str:
    if not wall:
        return "0"
    return str(int(datetime.fromisoformat(wall).replace(tzinfo=timezone(timedelta(hours=8))).timestamp()))


@given(st.integers(0, 4_000_000_000_000_000))
def test_wall_clock_is_eight_hours_ahead_of_utc(instant: int) -> None:
    expected = datetime.fromtimestamp(instant // 1_000_000, timezone(timedelta(hours=8)))
    assert wall_text(instant, 8) == expected.strftime("%Y-%m-%d %H:%M:%S")


@given(st.decimals(0, 10_000, places=6))
def test_price_as_number_reads_like_the_price_as_text(price: Decimal) -> None:
    number = _number(price)
    assert Decimal(str(number)) == price
    assert Decimal(money(price)) == price
    assert "e" not in money(price).lower()


async def test_page_of_the_documents() -> None:
    """The three documented billing tuples come out as the pages print them."""
    text = (
        "name: samples\nrules:\n"
        "  - {name: s10, match: {number: '86*'}, call: {outcome: answered, talk: 10s}}\n"
        "  - {name: s19, match: {number: '91*'}, call: {outcome: answered, talk: 19s, keys: '1'}}\n"
        "  - {name: s3, match: {number: '55*'}, call: {outcome: answered, talk: 3s}}\n"
    )
    async with started(text, "manual") as running:
        indian = {"91": {"cycle": 20, "price": "0.05", "basic_price": "0.005"}}
        running.change({"settings": {"nxcloud": {"tariffs": indian}}})
        customer = Customer(running)
        await customer.ask("gpsend", phone="8615088888888", country_code="86")
        await customer.ask("gpsend", phone="91810022458", country_code="91", show_phone="085944247")
        await customer.ask("notsend", phone="5585987053821", country_code="55", show_phone="1547822456")
        await running.settle()
        first = next(p.fields for p in running.receiver.received if p.fields["countryCode"] == "86")
        assert [first[name] for name in ("second", "cycle", "size", "customer_price", "basic_price")] == [
            "10", "60", "1", "0.036", "0.005",
        ]  # fmt: skip
        rows = (await customer.ask("getVoiceCdr", **DAY))["info"]["rows"]
        row = next(row for row in rows if row["countryCode"] == "91")
        wanted = {"second": 19, "cycle": 20, "size": 1, "customer_price": 0.05, "basic_price": 0.005,
                  "ivr_result": 1, "phone": "810022458", "show_phone": "085944247"}  # fmt: skip
        assert {name: row[name] for name in wanted} == wanted
        [voice] = (await customer.ask("getVoiceCdr", voiceType="1"))["info"]["rows"]
        wanted = {
            "second": 3,
            "cycle": 1,
            "size": 3,
            "customer_price": 0.012,
            "phone": "85987053821",
            "voice_type": 2,
        }
        assert {name: voice[name] for name in wanted} == wanted
