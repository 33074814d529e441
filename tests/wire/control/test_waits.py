"""Waiting and verifying: nothing that came before is missed, and the answer comes at once."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, GPSEND, Api

T = "/v1/tenants/default"
WAIT, VERIFY = f"{T}/wait", f"{T}/verify"


async def finish(api: Api) -> None:
    await api.post(f"{T}/clock/advance", {"to": "idle"})


async def waiting(api: Api, count: int = 1) -> None:
    """Until ``count`` long polls of the tenant are under way."""
    waiters = api.emu.emulator._control.services.waiters
    async with asyncio.timeout(PATIENCE):
        while len(waiters._waiting.get("default", ())) < count:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def answered_at_once(api: Api, *polls: asyncio.Task) -> None:
    """Each is, by the time that ten other requests are answered: it hung on no timer."""
    for _ in range(10):
        await api.get("/health")
    assert all(poll.done() for poll in polls)


async def test_what_came_before_counts(api: Api):
    await api.dial(BUSY, ANSWERED)
    await finish(api)
    for what in ("callbacks", "calls"):
        waited = (await api.get(WAIT, **{"for": what, "count": 2, "timeout": "1s"})).json
        assert (waited["satisfied"], len(waited["items"])) == (True, 2)
    requests = (await api.get(WAIT, **{"for": "requests"})).json
    assert (requests["satisfied"], requests["items"][0]["operation"]) == (True, "gpsend")
    assert requests["items"][0]["reply"]["status"] == 200
    assert (await api.get(WAIT)).json["items"][0]["kind"] == "group"


async def test_not_more_than_asked_for_and_then_the_next(api: Api):
    numbers = [f"62812{n:06d}486" for n in range(5)]
    await api.dial(*numbers)
    await finish(api)
    for what in ("callbacks", "calls"):
        seen, after = [], "0"
        for _ in numbers:
            waited = (await api.get(WAIT, **{"for": what, "after": after})).json
            seen += [item["number"] for item in waited["items"]]
            after = waited["next"]
        assert seen == numbers
        late = (await api.get(WAIT, **{"for": what, "after": after, "timeout": "10ms"})).json
        assert late == {"satisfied": False, "items": [], "next": None}


async def test_requests_one_after_the_other(api: Api):
    after = "0"
    for number in ("62812000001", "62812000002", "62812000003"):
        await api.dial(number)
        waited = (await api.get(WAIT, **{"for": "requests", "after": after})).json
        assert [item["numbers"] for item in waited["items"]] == [[number]]
        after = waited["next"]


async def test_a_slow_reply_is_not_passed_over():
    scenario = "name: slow\nrules:\n  - name: s\n    match: {number: '6281*'}\n    fault: {latency: 200ms}\n"
    async with started(scenario) as emu:
        api = Api(emu)
        slow = asyncio.create_task(api.dial("62810000001"))
        async with asyncio.timeout(PATIENCE):
            while not len(emu.tenant.journal):
                await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        await api.dial("62820000002")
        first = (await api.get(WAIT, **{"for": "requests"})).json
        assert first["items"][0]["numbers"] == ["62820000002"]
        second = (await api.get(WAIT, **{"for": "requests", "after": first["next"]})).json
        assert second["items"][0]["numbers"] == ["62810000001"]
        await slow


async def test_filters(api: Api):
    await api.dial(BUSY, ANSWERED)
    await finish(api)
    found = (await api.get(WAIT, **{"for": "calls", "outcome": "answered"})).json
    assert [item["number"] for item in found["items"]] == [ANSWERED]
    found = (await api.get(WAIT, **{"for": "callbacks", "number": "*0486", "outcome": "delivered"})).json
    assert [item["number"] for item in found["items"]] == [BUSY]
    found = (await api.get(WAIT, **{"for": "requests", "number": "*0486", "provider": "nxcloud"})).json
    assert found["satisfied"]
    none = (await api.get(WAIT, **{"for": "callbacks", "provider": "huawei_cec", "timeout": "1ms"})).json
    assert none["satisfied"] is False


@pytest.mark.parametrize(
    "query",
    [
        {"for": "nothing"},
        {"count": "0"},
        {"count": "1001"},
        {"timeout": "5"},
        {"timeout": "61m"},
        {"timeout": "-1s"},
        {"outcome": "pending"},
        {"for": "requests", "outcome": "busy"},
        {"for": "callbacks", "outcome": "busy"},
        {"for": "calls", "outcome": "delivered"},
        {"after": "x"},
        {"cuont": "1"},
    ],
)
async def test_what_makes_no_sense_is_422(api: Api, query: dict):
    assert (await api.get(WAIT, **query)).status == 422


async def test_an_outcome_that_can_never_come_is_refused_with_those_that_can(api: Api):
    refused = (await api.get(WAIT, **{"for": "callbacks", "outcome": "busy"})).json
    assert "invalid outcome 'busy' of callbacks" in refused["detail"]
    assert "delivered, refused" in refused["detail"]
    refused = (await api.get(WAIT, **{"for": "calls", "outcome": "no_url"})).json
    assert "invalid outcome 'no_url' of calls" in refused["detail"]
    assert "answered, no_answer" in refused["detail"]


async def test_wait_returns_at_once_when_it_happens(api: Api):
    callbacks, calls, requests = polls = [
        asyncio.create_task(api.get(WAIT, **{"for": what, "timeout": "5m"}))
        for what in ("callbacks", "calls", "requests")
    ]
    await waiting(api, 3)
    await api.dial(BUSY)
    await answered_at_once(api, requests)
    assert not callbacks.done()
    assert not calls.done()
    await finish(api)
    await answered_at_once(api, callbacks, calls)
    assert all(reply.json["satisfied"] for reply in await asyncio.gather(*polls))


async def test_at_the_time_out_it_returns_what_there_is(api: Api):
    await api.dial(BUSY)
    await finish(api)
    begun = time.perf_counter()
    waited = (await api.get(WAIT, count=2, timeout="50ms")).json
    assert time.perf_counter() - begun >= 0.05
    assert (waited["satisfied"], len(waited["items"])) == (False, 1)


async def test_deleting_the_tenant_ends_the_wait(api: Api):
    await api.post("/v1/tenants", {"id": "short"})
    poll = asyncio.create_task(api.get("/v1/tenants/short/wait", timeout="5m"))
    waiters = api.emu.emulator._control.services.waiters
    async with asyncio.timeout(PATIENCE):
        while "short" not in waiters._waiting:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        await api("DELETE", "/v1/tenants/short")
        assert (await poll).json["satisfied"] is False


async def test_a_reset_starts_the_count_anew(api: Api):
    await api.dial(BUSY)
    await finish(api)
    polls = [
        asyncio.create_task(api.get(WAIT, **{"for": what, "count": 2, "timeout": "5m"}))
        for what in ("callbacks", "calls", "requests")
    ]
    await waiting(api, 3)
    await api.post(f"{T}/reset")
    await api.dial("62812000001486", "62812000002486")
    await api.dial("62812000003486")
    await finish(api)
    for poll, expected in zip(polls, (2, 2, 2), strict=True):
        waited = (await poll).json
        assert (waited["satisfied"], len(waited["items"])) == (True, expected)
        assert BUSY not in json.dumps(waited)


async def test_a_client_that_goes_away_leaves_nothing_behind(api: Api):
    poll = asyncio.create_task(api.get(WAIT, timeout="5m"))
    await waiting(api)
    poll.cancel()
    async with asyncio.timeout(PATIENCE):
        while api.emu.emulator._control.services.waiters._waiting:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


# --- verify -----------------------------------------------------------------------------------------


async def verdict(api: Api, **body: object) -> dict:
    reply = await api.post(VERIFY, body)
    assert reply.status == 200, reply.text
    return reply.json


async def test_verify_counts_requests(api: Api):
    await api.dial(BUSY)
    await api.dial(ANSWERED)
    assert await verdict(api) == {"satisfied": True, "count": 2, "matched": [1, 2], "near_misses": []}
    assert (await verdict(api, number="*0486"))["matched"] == [1]
    assert (await verdict(api, exactly=2))["satisfied"] is True
    assert (await verdict(api, exactly=1))["satisfied"] is False
    assert (await verdict(api, at_least=3))["satisfied"] is False
    assert (await verdict(api, at_most=2))["satisfied"] is True
    assert (await verdict(api, at_most=1))["satisfied"] is False
    assert (await verdict(api, operation="notsend", exactly=0))["satisfied"] is True
    assert (await verdict(api, provider="nxcloud", operation="gpsend", fields={"show_phone": "1234*"}))[
        "count"
    ] == 2
    assert (await verdict(api, fields={"country_code": [61, 62]}))["count"] == 2
    assert (await verdict(api, fields={"country_code": 62, "url": "*.mp3"}))["count"] == 0


async def test_near_misses_name_the_differing_fields_and_the_nearest_value(api: Api):
    await api.dial("62812345678", "62812345679", "62899999999")
    await api.dial(BUSY, show_phone="999999")
    missed = await verdict(
        api, provider="nxcloud", number="62812345677", fields={"show_phne": "1", "show_phone": "123*"}
    )
    assert (missed["satisfied"], missed["count"], missed["matched"]) == (False, 0, [])
    nearest = missed["near_misses"][0]
    assert nearest["id"] == 1
    differences = {one["place"]: one for one in nearest["differences"]}
    assert set(differences) == {"number", "fields.show_phne"}
    assert (
        "'62812345678' is nearest" in differences["number"]["actual"]
        or "5679' is nearest" in differences["number"]["actual"]
    )
    assert differences["fields.show_phne"]["actual"] == "no such field; nearest is 'show_phone'"
    farther = missed["near_misses"][1]
    assert farther["id"] == 2
    assert len(farther["differences"]) == 3


async def test_near_misses_show_no_secret(api: Api):
    await api.dial(BUSY)
    text = json.dumps(await verdict(api, fields={"secretkey": "guess"}))
    assert GPSEND["secretkey"] not in text
    assert "fields.secretkey" in text


async def test_verify_waits_up_to_within(api: Api):
    pending = asyncio.create_task(verdict(api, number="*0486", at_least=2, within="5m"))
    await waiting(api)
    await api.dial(BUSY)
    await api.dial(ANSWERED)
    assert not pending.done()
    await api.dial(BUSY)
    await answered_at_once(api, pending)
    assert (await pending)["count"] == 2


async def test_verify_waits_no_longer_than_it_could_help(api: Api):
    await api.dial(BUSY)
    await api.dial(BUSY)
    for expected, numbers in ((False, {"exactly": 1}), (False, {"at_most": 1}), (True, {"at_most": 2})):
        pending = asyncio.create_task(verdict(api, **numbers, within="5m"))
        await answered_at_once(api, pending)
        assert (await pending)["satisfied"] is expected
    assert (await verdict(api, exactly=3, within=0.05))["satisfied"] is False


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"exactly": 1, "at_least": 1}, "/at_least"),
        ({"exactly": -1}, "/exactly"),
        ({"exactly": "1"}, "/exactly"),
        ({"within": "soon"}, "/within"),
        ({"within": [1]}, "/within"),
        ({"within": "61m"}, "/within"),
        ({"provider": "nxclod"}, "/provider"),
        ({"operation": "gpsnd"}, "/operation"),
        ({"fields": {"a": {}}}, "/fields/a"),
        ({"fields": {"a": []}}, "/fields/a"),
        ({"number": 5}, "/number"),
        ({"nubmer": "5"}, "/nubmer"),
    ],
)
async def test_a_verification_that_makes_no_sense_is_422(api: Api, body: dict, pointer: str):
    reply = await api.post(VERIFY, body)
    assert reply.status == 422
    assert pointer in reply.errors
