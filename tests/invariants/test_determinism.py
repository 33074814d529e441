"""Same scenario, seed and requests: the same bytes, whoever comes first; but record ids, which count events."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter

import pytest

from tests.rig import Running, started
from tests.scenarios.day import Customer, journal, unnumbered
from voice_emulator.core.scenario import Scenario
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader, shipped_names
from voice_emulator.schemas.validate import SchemaSet

#: Each kind of client (see :func:`one_client`) twice, or six times.
CLIENTS = 16
CROWD = 50
PROVIDERS = discover()
LOADER = ScenarioLoader(Catalogue(PROVIDERS, SchemaSet.load(PROVIDERS)), {})


def counts_arrivals(scenario: Scenario) -> bool:
    """Whether something in it depends on what came before: INTERFACE, "Determinism"."""
    counted = any(
        rule.match.nth is not None
        or rule.times is not None
        or (rule.receipt is not None and (rule.receipt.hold > 0 or rule.receipt.duplicate_nonce))
        for rule in scenario.rules
    )
    return counted or any("balance" in account for account in scenario.providers.values())


FREE = [name for name in shipped_names() if not counts_arrivals(LOADER.named(name))]


async def one_client(customer: Customer, number: int) -> None:
    """Client ``number`` calls its own numbers, at a provider and operation of its own."""
    own = [f"62812{number:03d}{digit}731" for digit in range(3)]
    match number % 8:
        case 0 | 1:
            await customer.group_call(*own)
        case 2:
            await customer.spoken("notsend" if number % 3 else "versend", own[0])
        case 3:
            await customer.agent_call(own[0], f"order{number}-{customer.emu.tenant.now}")
        case 4:
            await customer.notify(own[0])
        case 5:
            await customer.notify_v1(own[0])
        case 6:
            await customer.play(*own)
        case 7:
            await customer.play_one(own[0])


async def two_rounds(emu: Running, order: list[int], *, at_once: bool) -> dict[str, Counter[str]]:
    """All clients twice; what went over the wire, regardless of order."""
    customer = Customer(emu)
    emu.receiver.received.clear()
    await customer.sign_in()
    for pause in ("75s", "10m"):
        if at_once:
            await asyncio.gather(*(one_client(customer, number) for number in order))
        else:
            for number in order:
                await one_client(customer, number)
        await emu.advance(pause)
    await emu.settle()
    lines = [line for line in journal(emu, numbered=False) if line[1] != "violation"]
    pushes = [
        f"{push.path} {unnumbered(str(sorted(push.query.items())).encode())!r} {push.headers.get('Content-Type')} {unnumbered(push.body)!r}"
        for push in emu.receiver.received
    ]
    return {"journal": Counter(map(json.dumps, lines)), "pushes": Counter(pushes)}


def test_most_scenarios_count_nothing():
    assert len(FREE) >= 30
    assert not {"rate-limited", "out-of-order", "balance-runs-out", "token-refused"} & set(FREE)


@pytest.mark.parametrize("name", FREE)
@pytest.mark.parametrize("clients", [CLIENTS, pytest.param(CROWD, marks=pytest.mark.long)])
async def test_clients_at_once_in_any_order_get_the_same_bytes(name: str, clients: int, nobody_waits):
    async with started(name, seed=None) as emu:
        numbers = list(range(clients))
        alone = await two_rounds(emu, numbers, at_once=False)
        emu.tenant.reset()
        random.Random(name).shuffle(numbers)
        together = await two_rounds(emu, numbers, at_once=True)
    assert alone == together
    assert alone["journal"].total() > 2 * clients


async def test_seeds_give_different_days():
    async with started("evening-peak", seed=1) as emu:
        first = await two_rounds(emu, list(range(CLIENTS)), at_once=False)
    async with started("evening-peak", seed=2) as emu:
        second = await two_rounds(emu, list(range(CLIENTS)), at_once=False)
    assert first["pushes"] != second["pushes"]


async def test_tenants_with_one_seed_and_the_same_numbers_share_no_id():
    """What is issued is unique in the process; outcomes and times are the same."""
    async with started("evening-peak", seed=1) as emu:
        other = emu.new_tenant(
            "other",
            "evening-peak",
        )
        keys = other.credentials["nxcloud"]
        seen: list[list[tuple]] = []
        for appkey, secretkey in (("nx-appkey", "nx-secretkey"), (keys["appkey"], keys["secretkey"])):
            emu.receiver.received.clear()
            form = {
                "appkey": appkey, "secretkey": secretkey, "country_code": "62", "show_phone": "1",
                "phone": ",".join(f"62812{number:05d}1" for number in range(40)), "url": "https://x.test/a.m4a",
            }  # fmt: skip
            async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data=form) as reply:
                assert (await reply.json())["code"] == "0"
            await emu.settle(emu.tenant if appkey == "nx-appkey" else other)
            seen.append(
                [
                    (
                        push.fields["messageid"],
                        push.fields["phone"],
                        push.fields["second"],
                        push.fields["hangup_cause"],
                    )
                    for push in emu.receiver.received
                ]
            )
        first, second = seen
        assert [line[1:] for line in first] == [line[1:] for line in second]
        assert {line[0] for line in first}.isdisjoint({line[0] for line in second})
