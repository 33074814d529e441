"""The machine's time set back, or forwards, while the emulator runs: it follows forwards, and never goes back."""

from __future__ import annotations

import pytest

from tests.rig import Running, started
from tests.wire.delivery.test_attempting import call
from voice_emulator.core.listeners import Listener
from voice_emulator.wire import machine_time

HOUR = 3600
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"


async def token(emu: Running) -> dict[str, str]:
    keys = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
    async with emu.client.post(emu.url + TOKEN, json=keys, headers={"X-Token-Expire": "3600"}) as reply:
        return {"Authorization": f"Bearer {(await reply.json(content_type=None))['AccessToken']}"}


def set_wall_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set the wall clock: after a sleep it is as far from the clock that stood still meanwhile."""
    real = machine_time._wall
    monkeypatch.setattr(machine_time, "_wall", lambda: real() + int(seconds * 1_000_000_000))


@pytest.mark.parametrize("jump", [0.5, 5, HOUR, 8 * HOUR, 10 * 365 * 24 * HOUR])
def test_the_time_source_follows_the_wall_clock_forwards(monkeypatch, caplog, jump: float):
    jumps = []

    class Jumps(Listener):
        def clock_jumped(self) -> None:
            jumps.append(1)

    source = machine_time.MachineTime()
    source.listeners.add(Jumps())
    before = source.now()
    set_wall_clock(monkeypatch, jump)
    after = [source.now() for _ in range(1000)]
    assert sorted(after) == after
    assert abs(after[-1] - machine_time.wall_now()) < 1_000_000
    assert after[0] - before >= jump * 1_000_000
    assert (len(jumps), len(caplog.records)) == ((1, 1) if jump > 2 else (0, 0))


@pytest.mark.parametrize("jump", [-0.5, -5, -HOUR, -30 * 24 * HOUR])
def test_the_time_source_never_goes_back(monkeypatch, caplog, jump: float):
    source = machine_time.MachineTime()
    before = source.now()
    set_wall_clock(monkeypatch, jump)
    after = [source.now() for _ in range(1000)]
    assert sorted(after) == after
    assert 0 <= after[0] - before < 60_000_000
    assert after[-1] > after[0], "it goes on at the pace of time"
    assert len(caplog.records) == (1 if jump < -2 else 0), "told once, not at each look"
    # The wall is put right again: nothing happens twice, and there is no jump.
    set_wall_clock(monkeypatch, -jump)
    assert 0 <= source.now() - after[-1] < 60_000_000


async def test_what_falls_due_by_a_jump_happens_without_anybody_asking(monkeypatch):
    """A laptop that slept: timers count the seconds it was awake, tenants those of the wall."""
    slow = "name: s\nrules:\n  - {name: s, call: {outcome: answered, ring: 1h, talk: 2h}}\n"
    async with started(slow, "real") as emu:
        await call(emu)
        set_wall_clock(monkeypatch, 8 * HOUR)
        (push,) = await emu.receiver.wait_for(1)
        assert push.fields["phone"] == "6212345678"
        (ended,) = emu.tenant.ledger.of_provider("nxcloud")
        assert ended.talk_seconds == 2 * HOUR


async def test_signed_pushes_are_fresh_after_a_jump(monkeypatch):
    quick = (
        "name: q\nproviders: {huawei_cec: {shared_key: 0123456789abcdef}}\n"
        "rules:\n  - {name: q, call: {outcome: answered, ring: 100ms, talk: 1s}}\n"
    )
    async with started(quick, "real") as emu:
        emu.emulator._time.now()
        set_wall_clock(monkeypatch, 8 * HOUR)
        bearer = await token(emu)
        notification = {
            "called": "8899", "playList": [{"voiceId": "1"}], "callBackUrl": f"{emu.receiver.url}/huawei_cec",
        }  # fmt: skip
        async with emu.client.post(emu.url + CREATE, json=notification, headers=bearer) as reply:
            assert (await reply.json(content_type=None))["retCode"] == "0"
        (push,) = await emu.receiver.wait_for(1)
        signed_at = int(push.fields["timestamp"]) * 1000
        assert abs(signed_at - machine_time.wall_now()) < 60_000_000


@pytest.mark.parametrize("clock", ["real", "1000x"])
@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_calls_tokens_and_pushes_go_on_when_the_wall_clock_is_set(monkeypatch, clock: str, jump: int):
    quick = "name: q\nrules:\n  - {name: q, call: {outcome: answered, ring: 100ms, talk: 1s}}\n"
    async with started(quick, clock) as emu:
        await call(emu)
        bearer = await token(emu)
        set_wall_clock(monkeypatch, jump)
        if jump > 0:
            # What was issued before has come to its end, as it does when time passes.
            async with emu.client.post(emu.url + CREATE, json={}, headers=bearer) as reply:
                assert reply.status == 403
            bearer = await token(emu)
        notification = {"called": "8899", "playList": [{"voiceId": "1"}]}
        async with emu.client.post(emu.url + CREATE, json=notification, headers=bearer) as reply:
            assert (await reply.json(content_type=None))["retCode"] == "0"
        await call(emu, "6212345679")
        pushes = await emu.receiver.wait_for(3)
        phones = {push.fields["phone"] for push in pushes if "phone" in push.fields}
        assert phones == {"6212345678", "6212345679"}
        instants = [attempt.at for attempt in emu.tenant.attempts]
        assert sorted(instants) == instants
        for each in emu.tenant.ledger.of_provider("nxcloud"):
            assert each.dialled_at is not None
            assert each.ended_at is not None
            assert each.ended_at - each.dialled_at == 1_100_000


@pytest.mark.parametrize("jump", [-HOUR, 0, HOUR])
def test_a_time_source_can_go_on_where_an_earlier_process_was(monkeypatch, jump: float):
    before = machine_time.MachineTime().now()
    set_wall_clock(monkeypatch, jump)
    source = machine_time.MachineTime()
    source.continue_from(before)
    assert 0 <= source.now() - before - max(0, jump) * 1_000_000 < 60_000_000
