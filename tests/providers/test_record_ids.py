"""Record ids, Infin8linx's and NXCloud's: per customer from 1,000,001, in the order in which calls end.

Typed clients read them as 32-bit integers ("Results of tests with real clients", docs/providers).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.providers.infin8linx.account import BATCH, EVER, SERVICES, bills, log_in, post, setting
from tests.providers.nxcloud.customer import Customer
from tests.rig import Running, numbers, started
from voice_emulator.core.ledger import FIRST_RECORD
from voice_emulator.core.tenants import Tenant

#: Calls of 50 numbers end in another order than they begin, and some at once; a busy one ends first.
UNEVEN = """
name: uneven
magic_numbers: false
rules:
  - name: one in three is busy
    match: {number: ["*19", "*49", "*79"]}
    call: {outcome: busy}
  - name: the others talk for as long as they like
    call: {outcome: answered, ring: {uniform: [1s, 20s]}, talk: {uniform: [1s, 50s]}}
"""


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    async with started(UNEVEN) as emu:
        yield emu


async def infin8linx_ids(emu: Running) -> list[tuple[int, str]]:
    """(id, number) of every record, in the order GetBill lists them."""
    result = await bills(emu, await log_in(emu))
    return [(bill["id"], bill["destnumber"]) for bill in result["bills"]]


async def voice_ids(emu: Running) -> list[tuple[int, str]]:
    found = await Customer(emu).ask("getVoiceCdr", voiceType="0", page_size="1000")
    return [(row["id"], "62" + row["phone"]) for row in found["info"]["rows"]]


async def agent_ids(emu: Running) -> list[tuple[int, str]]:
    found = await Customer(emu).ask("getSipCdr", page_size="1000")
    return [(row["id"], row["phone"]) for row in found["info"]["rows"]]


async def place_batch(emu: Running, wanted: list[str]) -> None:
    answer = await post(emu, {**BATCH, "destnumber": ",".join(wanted)})
    assert answer["code"] == 200, answer


async def place_group(emu: Running, wanted: list[str]) -> None:
    assert (await Customer(emu).ask("gpsend", phone=",".join(wanted)))["code"] == "0"


async def place_agent(emu: Running, wanted: list[str]) -> None:
    for index, number in enumerate(wanted):
        orderid = f"{number}x{index}"
        assert (await Customer(emu).call(phone=number, orderid=orderid))["code"] == 0


FAMILIES = pytest.mark.parametrize(
    ("provider", "place", "ids"),
    [
        ("infin8linx", place_batch, infin8linx_ids),
        ("nxcloud", place_group, voice_ids),
        ("nxcloud", place_agent, agent_ids),
    ],
    ids=["bills", "voice rows", "agent rows"],
)


def ended(tenant: Tenant, provider: str) -> list[str]:
    """The numbers of a provider's calls in the order they ended."""
    return [call.number for _, call in tenant.ledger.ended_after(0) if call.provider == provider]


@FAMILIES
async def test_records_count_from_1_000_001_in_the_order_of_ending(
    running: Running, provider: str, place: Any, ids: Any
) -> None:
    wanted = list(numbers(50))
    await place(running, wanted)
    await running.settle()
    found = await ids(running)
    assert [identity for identity, _ in found] == list(range(FIRST_RECORD, FIRST_RECORD + 50))
    assert [number for _, number in found] == ended(running.tenant, provider) != wanted
    assert max(identity for identity, _ in found) < 2**31


async def test_what_is_pushed_is_what_is_billed_and_pushes_rise(running: Running) -> None:
    await place_batch(running, list(numbers(40)))
    await running.settle()
    pushed = [(push.fields["id"], push.fields["destnumber"]) for push in running.receiver.received]
    assert pushed == await infin8linx_ids(running)
    assert [type(identity) for identity, _ in pushed] == [int] * 40


async def test_providers_do_not_count_each_other_s_calls(running: Running) -> None:
    for place in (place_batch, place_group, place_batch):
        await place(running, list(numbers(5)))
        await running.settle()
    assert [identity for identity, _ in await infin8linx_ids(running)] == [1_000_001 + n for n in range(10)]
    assert [identity for identity, _ in await voice_ids(running)] == [1_000_001 + n for n in range(5)]


async def test_every_tenant_counts_for_itself(running: Running) -> None:
    other = running.new_tenant("other")
    keys = {name: str(other.credentials["infin8linx"][name]) for name in ("appid", "accesskey")}
    await place_batch(running, list(numbers(3)))
    await post(running, {**BATCH, **keys, "destnumber": ",".join(numbers(2))})
    await running.settle()
    await running.settle(other)
    for tenant, count in ((running.tenant, 3), (other, 2)):
        assert [call.record for _, call in tenant.ledger.ended_after(0)] == [
            1_000_001 + n for n in range(count)
        ]


@pytest.mark.parametrize("again", ["reset", "restart"])
@FAMILIES
async def test_a_reset_starts_anew(running: Running, provider: str, place: Any, ids: Any, again: str) -> None:
    shown = []
    for _ in range(2):
        await place(running, list(numbers(7)))
        await running.settle()
        shown.append(await ids(running))
        if again == "reset":
            running.tenant.reset()
        else:
            running.tenant.restart(running.tenant.scenario)
    assert shown[0] == shown[1]
    assert shown[0][0][0] == 1_000_001


@FAMILIES
async def test_forgotten_calls_leave_the_count_as_it_is(provider: str, place: Any, ids: Any) -> None:
    async with started(UNEVEN, calls_limit=5) as emu:
        for expected in (12, 24):
            await place(emu, list(numbers(12, prefix=f"628{expected}")))
            await emu.settle()
            assert [identity for identity, _ in await ids(emu)] == [
                1_000_001 + expected - n for n in (5, 4, 3, 2, 1)
            ]


async def test_a_call_that_goes_on_has_no_id_yet_and_one_that_has_ended_shows_it(running: Running) -> None:
    await place_batch(running, ["628120000029"])
    (call,) = running.tenant.ledger
    assert (call.provider_id, call.record) == ("", 0)
    async with running.client.get(f"{running.control}/v1/tenants/default/calls/{call.id}") as reply:
        assert (await reply.json())["provider_id"] is None
    await running.settle()
    async with running.client.get(f"{running.control}/v1/tenants/default/calls/{call.id}") as reply:
        assert (await reply.json())["provider_id"] == "1000001"


async def test_a_dropped_call_counts_only_if_it_has_a_record() -> None:
    """``todayonly`` takes what is undialled at midnight out of the queue."""
    for recorded in (False, True):
        async with started() as emu:
            emu.change(setting(dial_concurrency=1, dropped_records=recorded))
            emu.tenant.clock.advance_to(emu.tenant.now + 14 * 3600 * 1_000_000 + 3590 * 1_000_000)
            await place_batch(emu, list(numbers(4)))
            await emu.settle()
            await place_batch(emu, list(numbers(1, prefix="62813")))
            await emu.settle()
            calls = [call for _, call in emu.tenant.ledger.ended_after(0)]
            assert any(call.dropped for call in calls)
            counted = [call for call in calls if recorded or not call.dropped]
            assert [call.record for call in counted] == [1_000_001 + n for n in range(len(counted))]
            assert {call.record for call in calls if call not in counted} <= {0}
            assert [identity for identity, _ in await infin8linx_ids(emu)] == [
                call.record for call in counted
            ]


async def test_the_order_of_events_decides_not_that_of_submission(running: Running) -> None:
    """A second batch whose calls end among those of the first."""
    await place_batch(running, list(numbers(20, prefix="62811")))
    await running.advance("10s")
    await place_batch(running, list(numbers(20, prefix="62812")))
    await running.settle()
    found = await infin8linx_ids(running)
    assert [number for _, number in found] == ended(running.tenant, "infin8linx")
    first = [number.startswith("62811") for _, number in found]
    assert first != sorted(first, reverse=True)


async def test_getbill_pages_by_id(running: Running) -> None:
    await place_batch(running, list(numbers(9)))
    await running.settle()
    token = await log_in(running)
    shown = []
    for page in range(1, 6):
        answer = await post(
            running,
            {"service": SERVICES["GetBill"], "token": token, **EVER, "callmethod": "0", "syncflag": "3",
             "currentpage": str(page), "itemsperpage": "2"},
        )  # fmt: skip
        shown += [bill["id"] for bill in answer["data"]["result"]["bills"]]
    assert shown == list(range(1_000_001, 1_000_010))
    assert json.loads(json.dumps(shown)) == shown
