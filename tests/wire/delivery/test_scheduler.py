"""Time: timers on running clocks, advancing on standing ones."""

from __future__ import annotations

import asyncio

import pytest

from tests.rig import START, Running, started
from tests.wire.raw import GPSEND
from tests.wire.traffic.test_faults import until
from voice_emulator.core.clock import ClockError, ClockSpec
from voice_emulator.core.lifecycle import place
from voice_emulator.core.placing import ReceiptPlan, Submission
from voice_emulator.wire.delivery.scheduler import AdvanceBusy

SECOND = 1_000_000


async def call(emu: Running, phone: str = "6212345678") -> None:
    async with emu.client.post(f"{emu.url}/api/voiceSms/gpsend", data={**GPSEND, "phone": phone}) as reply:
        assert (await reply.json())["code"] == "0"


def driver(emu: Running):
    return emu.emulator.runtime.driver


async def test_manual_clock_moves_nothing_until_it_is_advanced():
    async with started() as emu:
        await call(emu)
        assert emu.tenant.now == START
        done = await emu.advance("12s")
        assert (done.now, done.callbacks, emu.receiver.received) == (START + 12 * SECOND, [], [])
        done = await emu.advance("1s")
        assert len(done.callbacks) == len(emu.receiver.received) == 1
        assert done.callbacks[0].at == START + 13 * SECOND


async def test_advancing_stops_at_the_target_and_fires_in_order():
    async with started() as emu:
        await call(emu, "6211111,6222222")
        done = await driver(emu).advance(emu.tenant)
        assert (done.now - START, done.fired) == (3 * SECOND, 2)
        done = await driver(emu).advance(emu.tenant)
        assert (done.now - START, len(done.callbacks)) == (13 * SECOND, 2)
        done = await driver(emu).advance(emu.tenant)
        assert (done.fired, done.now - START) == (0, 13 * SECOND)


async def test_until_idle_stops_when_nothing_is_pending_or_at_the_latest():
    async with started() as emu:
        await call(emu)
        day = emu.tenant.now + 86_400 * SECOND
        done = await driver(emu).advance(emu.tenant, to=emu.tenant.now + SECOND, until_idle=True)
        assert done.callbacks == []
        done = await driver(emu).advance(emu.tenant, to=day, until_idle=True)
        assert (done.now - START, len(done.callbacks)) == (13 * SECOND, 1)


async def test_what_a_push_causes_lands_in_the_same_advance():
    """The receiver dials again when told of a busy line: its second receipt is in the same hour."""
    text = "name: s\ndescription: x\nrules:\n  - {name: first busy, match: {attempt: 1}, call: {outcome: busy}}\n"
    async with started(text) as emu:

        async def dial_again(push) -> None:
            if push.fields["hangup_cause"] == "USER_BUSY":
                await call(emu)

        emu.receiver.before_answer = dial_again
        await call(emu)
        done = await emu.advance("1h")
        assert [attempt.fields["hangup_cause"] for attempt in done.callbacks] == [
            "USER_BUSY",
            "NORMAL_CLEARING",
        ]


async def test_a_running_clock_cannot_be_advanced_and_no_clock_goes_back():
    async with started(clock="real") as emu:
        with pytest.raises(ClockError, match="manual"):
            await emu.advance("1s")
    async with started() as emu:
        with pytest.raises(ClockError, match="forwards"):
            await driver(emu).advance(emu.tenant, to=START - 1)


async def test_two_advances_at_once_are_refused():
    async with started() as emu:
        release = asyncio.Event()
        emu.receiver.before_answer = lambda push: release.wait()
        await call(emu)
        first = asyncio.ensure_future(emu.advance("1h"))
        await emu.receiver.wait_for(1)
        with pytest.raises(AdvanceBusy):
            await emu.advance("1h")
        release.set()
        assert len((await first).callbacks) == 1


async def test_an_advance_past_its_wall_limit_leaves_the_rest_for_the_next():
    async with started() as emu:
        await call(emu, ",".join(f"62{n:07d}" for n in range(20)))
        done = await driver(emu).advance(emu.tenant, to=START + 60 * SECOND, wall_limit=-1)
        assert not done.complete
        assert done.now < START + 60 * SECOND
        done = await driver(emu).advance(emu.tenant, to=START + 60 * SECOND)
        assert done.complete
        assert len(emu.receiver.received) == 20


async def test_a_scaled_clock_delivers_in_its_own_time():
    async with started(clock="1000x") as emu:
        await call(emu)
        await emu.receiver.wait_for(1)
        (found,) = emu.tenant.ledger
        assert found.talk_seconds == 10
        await until(lambda: len(emu.tenant.attempts) == 1)


async def test_what_is_scheduled_earlier_is_not_missed():
    async with started(clock="real") as emu:
        fired: list[str] = []
        engine, now = emu.tenant.engine, emu.tenant.now
        engine.schedule(now + 3600 * SECOND, lambda argument, due: fired.append(argument), "late")
        engine.schedule(now + 1000, lambda argument, due: fired.append(argument), "soon")
        await until(lambda: fired == ["soon"])


async def test_a_clock_that_is_set_running_carries_what_was_pending():
    async with started() as emu:
        await call(emu)
        emu.tenant.switch_clock(ClockSpec("scaled", 5_000))
        await emu.receiver.wait_for(1)


async def test_deleting_a_tenant_cancels_its_timers_and_pushes():
    async with started() as emu:
        tenant = emu.new_tenant("gone", clock=ClockSpec("scaled", 5_000))
        plan = (ReceiptPlan("group"),)
        hanging = asyncio.Event()
        emu.receiver.before_answer = lambda push: hanging.wait()
        details = {"country_code": "62", "show_phone": "1", "kind": "group"}
        submission = Submission("nxcloud", "gpsend", kind="group", receipts=plan, details=details)
        calls = place(tenant, submission, ["6211111"], {}, tenant.now)
        tenant.steps.start(calls, tenant.now)
        assert tenant.engine.next_due() is not None
        emu.emulator.runtime.tenancy.delete("gone")
        assert tenant.engine.next_due() is None
        await until(lambda: driver(emu).in_flight == 0)
        hanging.set()


async def test_pushes_on_the_wire_are_bounded_and_none_is_lost():
    async with started(clock="5000x") as emu:
        driver(emu)._limit = 4
        most = 0

        async def watch(push) -> None:
            nonlocal most
            most = max(most, driver(emu).in_flight)

        emu.receiver.before_answer = watch
        await call(emu, ",".join(f"62{n:07d}" for n in range(60)))
        await emu.receiver.wait_for(60)
        assert 1 <= most <= 4
        assert len({push.fields["phone"] for push in emu.receiver.received}) == 60
