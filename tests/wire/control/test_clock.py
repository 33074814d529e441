"""Advancing a manual clock over the control API."""

from __future__ import annotations

import asyncio

import pytest

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.api import ANSWERED, BUSY, Api
from voice_emulator.core.clock import SECOND
from voice_emulator.wire.control.document.request_schemas import LONGEST_ADVANCE

T = "/v1/tenants/default"
ADVANCE = f"{T}/clock/advance"
LATE = "name: late\nrules:\n  - name: late\n    receipt: {delay: 48h}\n"


async def test_by_seconds(api: Api):
    await api.dial(ANSWERED)
    done = (await api.post(ADVANCE, {"seconds": 2.5})).json
    assert (done["now"], done["callbacks"], done["complete"]) == (
        "2026-01-05T01:00:02.500000+00:00",
        [],
        True,
    )
    assert done["next_due"] is not None
    done = (await api.post(ADVANCE, {"seconds": 3600})).json
    assert done["now"] == "2026-01-05T02:00:02.500000+00:00"
    assert done["fired"] > 0
    assert [push["outcome"] for push in done["callbacks"]] == ["delivered"]
    assert done["next_due"] is None
    assert len(api.emu.receiver.received) == 1


async def test_zero_seconds_are_fine(api: Api):
    assert (await api.post(ADVANCE, {"seconds": 0})).json["fired"] == 0


async def test_to_the_next_thing_due(api: Api):
    await api.dial(BUSY)
    instants = []
    for _ in range(20):
        done = (await api.post(ADVANCE, {"to": "next"})).json
        instants.append(done["now"])
        if done["next_due"] is None:
            break
    assert instants == sorted(instants)
    assert len(api.emu.receiver.received) == 1
    assert (await api.post(ADVANCE, {"to": "next"})).json["now"] == instants[-1]


async def test_to_an_instant(api: Api):
    assert (await api.post(ADVANCE, {"to": "2026-01-05T10:00:00+08:00"})).json[
        "now"
    ] == "2026-01-05T02:00:00.000000+00:00"
    assert "forwards only" in (await api.post(ADVANCE, {"to": "2026-01-05T09:00:00+08:00"})).errors["/to"]
    assert "seconds ahead" in (await api.post(ADVANCE, {"to": "2126-01-05T09:00:00+08:00"})).errors["/to"]


async def test_until_idle(api: Api):
    await api.dial(BUSY, ANSWERED)
    done = (await api.post(ADVANCE, {"to": "idle"})).json
    assert (len(done["callbacks"]), done["complete"], done["next_due"]) == (2, True, None)
    assert (await api.post(ADVANCE, {"to": "idle"})).json["now"] == done["now"]


async def test_until_idle_goes_no_further_than_at_most(api: Api):
    await api("PUT", f"{T}/scenario", data=LATE, headers={"Content-Type": "application/yaml"})
    await api.dial(BUSY)
    done = (await api.post(ADVANCE, {"to": "idle"})).json
    assert (done["complete"], done["callbacks"]) == (False, [])
    assert done["next_due"] == "2026-01-07T01:00:01.000000+00:00"
    assert (await api.post(ADVANCE, {"to": "idle", "at_most": "1h"})).json["complete"] is False
    done = (await api.post(ADVANCE, {"to": "idle", "at_most": 200_000})).json
    assert (done["complete"], len(done["callbacks"])) == (True, 1)


@pytest.mark.slow
async def test_at_most_a_thousand_callbacks_are_told(api: Api):
    await api("PATCH", T, {"settings": {"nxcloud": {"batch_limit": 5000}}})
    numbers = [f"62812{n:06d}9" for n in range(1_200)]
    assert (await api.dial(*numbers))["code"] == "0"
    done = (await api.post(ADVANCE, {"to": "idle"})).json
    assert (len(done["callbacks"]), len(api.emu.receiver.received), done["complete"]) == (1_000, 1_200, True)


async def test_past_the_wall_limit_the_rest_waits(api: Api):
    release = asyncio.Event()

    async def slowly(push):
        await release.wait()

    await api.dial(BUSY, ANSWERED)
    api.emu.receiver.before_answer = slowly
    asyncio.get_running_loop().call_later(0.15, release.set)
    done = (await api.post(ADVANCE, {"to": "idle", "wall_limit": 0.05})).json
    assert done["complete"] is False
    assert len(done["callbacks"]) == 1
    assert (await api.post(ADVANCE, {"to": "idle", "wall_limit": "10s"})).json["complete"] is True
    assert len(api.emu.receiver.received) == 2


async def test_a_second_advance_at_the_same_time_is_409(api: Api):
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold(push):
        arrived.set()
        await release.wait()

    api.emu.receiver.before_answer = hold
    await api.dial(BUSY)
    first = asyncio.create_task(api.post(ADVANCE, {"to": "idle"}))
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    assert (await api.post(ADVANCE, {"seconds": 1})).status == 409
    release.set()
    assert (await first).json["complete"] is True
    assert (await api.post(ADVANCE, {"seconds": 1})).status == 200


async def test_a_client_that_goes_away_loses_no_push(api: Api):
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold(push):
        arrived.set()
        await release.wait()

    api.emu.receiver.before_answer = hold
    await api.dial(BUSY)
    going = asyncio.create_task(api.post(ADVANCE, {"to": "idle"}))
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)
    waiting = asyncio.create_task(api.get(f"{T}/wait", **{"for": "callbacks"}))
    release.set()
    assert (await waiting).json["items"][0]["outcome"] == "delivered"


async def test_a_reset_in_the_middle_ends_the_advance(api: Api):
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hold(push):
        arrived.set()
        await release.wait()

    api.emu.receiver.before_answer = hold
    await api.dial(BUSY, ANSWERED)
    going = asyncio.create_task(api.post(ADVANCE, {"to": "idle"}))
    await asyncio.wait_for(arrived.wait(), PATIENCE)
    await api.post(f"{T}/reset")
    release.set()
    assert (await going).status == 200
    assert (await api.get(f"{T}/callbacks")).json["callbacks"] == []
    assert (await api.get(T)).json["now"] == "2026-01-05T01:00:00.000000+00:00"


async def test_a_clock_that_runs_cannot_be_advanced():
    async with started(clock="60x") as emu:
        reply = await Api(emu).post(ADVANCE, {"seconds": 1})
        assert reply.status == 409
        assert "60x" in reply.json["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"seconds": 1, "to": "idle"}, ""),
        ({"seconds": -1}, "/seconds"),
        ({"seconds": "1"}, "/seconds"),
        ({"seconds": 1e12}, "/seconds"),
        ({"to": "ilde"}, "/to"),
        ({"to": "2026-01-05T09:00:00"}, "/to"),
        ({"to": 5}, "/to"),
        ({"to": "next", "at_most": "1h"}, "/at_most"),
        ({"to": "idle", "at_most": "1x"}, "/at_most"),
        ({"to": "idle", "at_most": 1e12}, "/at_most"),
        ({"to": "idle", "wall_limit": "2h"}, "/wall_limit"),
        ({"to": "idle", "wall_limit": True}, "/wall_limit"),
        ({"to": "idle", "walllimit": 1}, "/walllimit"),
    ],
)
async def test_what_makes_no_sense_is_422(api: Api, body: dict, pointer: str):
    reply = await api.post(ADVANCE, body)
    assert reply.status == 422
    assert pointer in reply.errors, reply.errors


async def test_the_body_is_needed(api: Api):
    assert (await api.post(ADVANCE)).status == 422


async def test_advance_refuses_to_go_where_a_clock_cannot_be_shown(api: Api):
    """A tenant past the year 9999 once broke the list of tenants for everyone."""
    for body in (
        {"seconds": 1e12},
        {"seconds": 2.6e11},
        {"to": "9999-12-31T23:59:59Z"},
        {"to": "idle", "at_most": 1e12},
    ):
        reply = await api.post(f"{T}/clock/advance", body)
        assert reply.status in (409, 422), body
    for _ in range(900):
        reply = await api.post(f"{T}/clock/advance", {"seconds": LONGEST_ADVANCE // SECOND})
        if reply.status != 200:
            break
    assert reply.status == 409
    assert "a clock ends at 9989" in reply.json["detail"]
    assert (await api.post(f"{T}/clock/advance", {"to": "idle"})).status == 200
    assert (await api.get("/v1/tenants")).status == 200
    assert (await api.get(f"{T}")).json["now"] < "9990"
    await api.dial("6212345678")
    assert (await api.get(f"{T}/calls")).status == 200
    assert (await api.get(f"{T}/journal")).status == 200
    assert (await api.get(f"{T}/report", format="json")).status == 200
