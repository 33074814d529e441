"""Tenants beside each other: nothing crosses over, and many of them stay cheap."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import Any

import pytest

from tests.cost import cpu_below
from tests.rig import started
from tests.wire.api import Api

TENANTS = 200
OUTCOMES = ("busy", "no_answer", "rejected", "answered", "unreachable")


def scenario(n: int) -> str:
    outcome = OUTCOMES[n % len(OUTCOMES)]
    extra = ", talk: 7s" if outcome == "answered" else ""
    return (
        f"name: tenant-{n}\nseed: {n}\nmagic_numbers: false\nrules:\n"
        f"  - name: rule-{n}\n    call: {{outcome: {outcome}{extra}}}\n"
        f"  - name: second-{n}\n    match: {{operation: gpsend, nth: 2}}\n"
        "    reply: {error: insufficient_balance}\n"
    )


def start_of(n: int) -> str:
    return f"2026-01-{1 + n % 28:02d}T{n % 24:02d}:00:00+00:00"


async def live(api: Api, n: int, receiver: str) -> dict[str, Any]:
    """One tenant's life: calls, a rule that counts, pushes, time; returns what it saw of itself."""
    body = {
        "id": f"tenant-{n}",
        "scenario_yaml": scenario(n),
        "clock": {"mode": "manual", "start": start_of(n)},
        "callback_urls": {"nxcloud": f"{receiver}/tenant-{n}"},
    }
    created = await api.post("/v1/tenants", body)
    assert created.status == 201, created.text
    path, keys = f"/v1/tenants/tenant-{n}", created.json["credentials"]["nxcloud"]
    numbers = [f"62{n:06d}{k:04d}" for k in range(3)]
    codes = [(await api.dial(number, credentials=keys))["code"] for number in numbers]
    done = await api.post(f"{path}/clock/advance", {"to": "idle"})
    return {
        "codes": codes,
        "numbers": numbers,
        "advanced": done.json,
        "tenant": (await api.get(path)).json,
        "calls": (await api.get(f"{path}/calls")).json["calls"],
        "callbacks": (await api.get(f"{path}/callbacks")).json["callbacks"],
        "requests": (await api.get(f"{path}/journal", kind="request")).json["entries"],
        "verdict": (await api.post(f"{path}/verify", {"exactly": 3})).json,
    }


@pytest.mark.slow
async def test_two_hundred_tenants_at_once_and_nothing_crosses_over():
    async with started() as emu:
        api = Api(emu)
        lives = await asyncio.gather(*(live(api, n, emu.receiver.url) for n in range(TENANTS)))
        for n, seen in enumerate(lives):
            # The second request of each was refused by its own rule, whoever else sent requests meanwhile.
            assert [code == "0" for code in seen["codes"]] == [True, False, True]
            dialled = [seen["numbers"][0], seen["numbers"][2]]
            assert [call["number"] for call in seen["calls"]] == dialled
            assert {call["outcome"] for call in seen["calls"]} == {OUTCOMES[n % len(OUTCOMES)]}
            assert {call["rule"] for call in seen["calls"]} == {f"rule-{n}"}
            assert sorted(push["number"] for push in seen["callbacks"]) == dialled
            assert {push["outcome"] for push in seen["callbacks"]} == {"delivered"}
            assert [entry["numbers"] for entry in seen["requests"]] == [
                [number] for number in seen["numbers"]
            ]
            assert seen["verdict"]["count"] == 3
            assert (seen["tenant"]["seed"], seen["tenant"]["scenario"]) == (n, f"tenant-{n}")
            assert seen["calls"][0]["submitted_at"].startswith(start_of(n)[:13])
            assert seen["tenant"]["now"][:13] == start_of(n)[:13]
            assert seen["advanced"]["callbacks"] == seen["callbacks"]
        # On the wire each tenant's pushes went to its own receiver, and carried its own numbers.
        arrived: dict[str, list[str]] = {}
        for push in emu.receiver.received:
            arrived.setdefault(push.path, []).append(push.fields["phone"])
        assert {path: sorted(phones) for path, phones in arrived.items()} == {
            f"/tenant-{n}": [f"62{n:06d}0000", f"62{n:06d}0002"] for n in range(TENANTS)
        }
        issued = [call[name] for seen in lives for call in seen["calls"] for name in ("id", "provider_id")]
        assert len(set(issued)) == len(issued)
        default = (await api.get("/v1/tenants/default/journal")).json
        assert default["entries"] == []


@pytest.mark.slow
async def test_a_thousand_tenants_stay_cheap():
    async with started() as emu:
        api = Api(emu)
        await api.post("/v1/tenants", {"id": "warm"})
        gc.collect()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        tenancy, loader = emu.emulator.runtime.tenancy, emu.emulator.runtime.loader
        for n in range(1_000):
            tenancy.create(loader.named("bad-evening"), id=f"t{n}")
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / 1_000
        tracemalloc.stop()
        assert each < 100_000, f"{each:.0f} bytes a tenant"
        # Measured over HTTP, the client and checks of the reply against the document included.
        with cpu_below(20 * 0.1):
            for n in range(20):
                assert (
                    await api.post("/v1/tenants", {"id": f"timed{n}", "scenario": "bad-evening"})
                ).status == 201
        page = (await api.get("/v1/tenants", limit=1000)).json
        assert (len(page["tenants"]), page["next"] is not None) == (1_000, True)
        assert (await api.dial("6281200000486"))["code"] == "0"
        assert (await api.get("/metrics")).status == 200
        for n in range(1_000):
            assert (await api("DELETE", f"/v1/tenants/t{n}")).status == 204
        assert len(tenancy) == 22
