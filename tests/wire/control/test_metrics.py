"""Prometheus metrics: true numbers, bounded labels, counters that never fall."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, Api
from voice_emulator.core.clock import SECOND, parse_rfc3339

T = "/v1/tenants/default"


async def scrape(api: Api) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    reply = await api.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("voice_emulator_"), tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    return name, tuple(sorted(labels.items()))


SCENARIO = {
    "name": "twice",
    "rules": [
        {"name": "twice", "receipt": {"copies": 2, "gap": "1s", "retry": {"attempts": 2, "every": "1m"}}}
    ],
}
GPSEND = {"provider": "nxcloud", "operation": "gpsend"}


async def test_what_happened_is_counted(api: Api):
    await api.dial(BUSY, ANSWERED)
    await api.dial("nonsense")
    api.emu.receiver.answer_once(500, "")
    pending = (await scrape(api))[key("pending_timers")]
    assert pending > 0
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    found = await scrape(api)
    assert found[key("requests_total", **GPSEND)] == 2
    assert found[key("replies_total", **GPSEND, code="0")] == 1
    assert sum(value for (name, labels), value in found.items() if name == "replies_total") == 2
    assert found[key("calls_accepted_total", provider="nxcloud")] == 2
    assert found[key("calls_total", provider="nxcloud", outcome="busy")] == 1
    assert found[key("calls_total", provider="nxcloud", outcome="answered")] == 1
    assert found[key("pushes_total", provider="nxcloud", outcome="refused")] == 1
    assert found[key("pushes_total", provider="nxcloud", outcome="delivered")] == 1
    assert found[key("push_lateness_seconds_count")] == 2
    assert found[key("push_lateness_seconds_bucket", le="+Inf")] == 2
    assert found[key("push_lateness_seconds_bucket", le="0.001")] == 2
    assert found[key("pending_timers")] == 0
    assert found[key("tenants")] == 1
    assert found[key("journal_evictions_total")] == 0
    assert found[key("build_info", version=api.emu.emulator.runtime.version)] == 1


async def test_the_time_from_submission_to_the_acknowledged_receipt_is_counted_once_for_each_number(api: Api):
    start = await scrape(api)
    for provider in api.emu.emulator.runtime.providers:
        assert start[key("receipt_seconds_count", provider=provider)] == 0
    await api("PUT", f"{T}/scenario", SCENARIO)
    api.emu.receiver.answer_once(500, "")
    await api.dial("6281200000486", "6281200000000")
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    found = await scrape(api)
    assert found[key("pushes_total", provider="nxcloud", outcome="delivered")] == 4
    assert found[key("receipt_seconds_count", provider="nxcloud")] == 2
    calls = {call["number"]: call for call in (await api.get(f"{T}/calls")).json["calls"]}
    pushes = (await api.get(f"{T}/callbacks", outcome="delivered")).json["callbacks"]
    took = 0.0
    for number, call in calls.items():
        first = min(push["at"] for push in pushes if push["number"] == number)
        took += parse_rfc3339(first) - parse_rfc3339(call["submitted_at"])
    assert found[key("receipt_seconds_sum", provider="nxcloud")] == pytest.approx(took / SECOND)
    # The busy one ends after a second; its first push is refused, and the copy comes a second later.
    assert took == (2 + 13) * SECOND
    assert found[key("receipt_seconds_bucket", provider="nxcloud", le="0.1")] == 0
    assert found[key("receipt_seconds_bucket", provider="nxcloud", le="120.0")] == 2
    assert found[key("receipt_seconds_count", provider="huawei_cec")] == 0
    await api.post(f"{T}/reset")
    assert (await scrape(api))[key("receipt_seconds_count", provider="nxcloud")] == 2


async def test_counters_never_fall(api: Api):
    tenant = (await api.post("/v1/tenants", {"id": "x", "clock": "manual"})).json
    for path, keys in ((T, None), ("/v1/tenants/x", tenant["credentials"]["nxcloud"])):
        await api.dial(BUSY, credentials=keys)
        await api.post(f"{path}/clock/advance", {"to": "idle"})
    before = await scrape(api)
    assert before[key("calls_total", provider="nxcloud", outcome="busy")] == 2
    await api.post(f"{T}/reset")
    await api.post(f"{T}/reset?to=start")
    await api("DELETE", "/v1/tenants/x")
    after = await scrape(api)
    for name, value in before.items():
        if name[0].endswith("_total"):
            assert after[name] >= value, name
    assert after[key("calls_total", provider="nxcloud", outcome="busy")] == 2
    assert after[key("tenants")] == 1


async def test_a_reset_that_is_refused_counts_nothing_twice(api: Api):
    tenant = (await api.post("/v1/tenants", {"id": "x", "clock": "manual"})).json
    keys = tenant["credentials"]["nxcloud"]
    await api.dial(BUSY, credentials=keys)
    await api.post("/v1/tenants/x/clock/advance", {"to": "idle"})
    before = await scrape(api)
    other = {"nxcloud": {"appkey": "another", "secretkey": "one"}}
    assert (await api("PATCH", "/v1/tenants/x", {"credentials": other})).status == 200
    first = {"nxcloud": {name: keys[name] for name in ("appkey", "secretkey")}}
    assert (await api.post("/v1/tenants", {"id": "y", "credentials": first})).status == 201
    assert (await api.post("/v1/tenants/x/reset?to=start")).status == 409
    after = await scrape(api)
    for name in ("calls_total", "pushes_total", "requests_total"):
        assert {k: v for k, v in after.items() if k[0] == key(name)[0]} == {
            k: v for k, v in before.items() if k[0] == key(name)[0]
        }


async def test_labels_are_bounded(api: Api):
    before = len(await scrape(api))
    for n in range(50):
        await api.post("/v1/tenants", {"id": f"tenant-{n}"})
        await api.dial(f"62812{n:06d}486")
        async with api.emu.client.post(f"{api.emu.url}/no/such/path/{n}"):
            pass
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    found = await scrape(api)
    assert len(found) - before < 15
    assert found[key("requests_total", provider="none", operation="none")] == 50


async def test_journal_evictions_are_counted():
    async with started(journal_limit=5) as emu:
        api = Api(emu)
        for n in range(8):
            await api.dial(f"62812{n:06d}486")
        evicted = emu.tenant.journal.evicted
        assert evicted > 0
        assert (await scrape(api))[key("journal_evictions_total")] == evicted
        await api.post(f"{T}/reset")
        assert (await scrape(api))[key("journal_evictions_total")] == evicted


async def test_tasks_are_counted(api: Api):
    before = (await scrape(api))[key("tasks")]
    assert before >= 1
    hanging = asyncio.Event()
    api.emu.receiver.before_answer = lambda push: hanging.wait()
    await api.dial(BUSY)
    advance = asyncio.ensure_future(api.post(f"{T}/clock/advance", {"to": "idle"}))
    async with asyncio.timeout(PATIENCE):
        while not (await scrape(api))[key("pushes_in_flight")]:
            pass
    during = (await scrape(api))[key("tasks")]
    assert during > before
    hanging.set()
    await advance
    # Connections are kept, each with a task of its own; the one that pushed is gone.
    assert (await scrape(api))[key("tasks")] < during
