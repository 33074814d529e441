"""The machine's time set back, or forwards, while the emulator runs: nothing notices."""

from __future__ import annotations

import time

import pytest

from tests.rig import started
from tests.wire.delivery.test_attempting import call
from voice_emulator import app

HOUR = 3600
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"


def set_wall_clock(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + seconds * 10**9)
    monkeypatch.setattr(time, "time", lambda: real() / 1e9 + seconds)


@pytest.mark.parametrize("jump", [-30 * 24 * HOUR, -HOUR, HOUR, 10 * 365 * 24 * HOUR])
def test_the_time_source_does_not_follow_the_wall_clock(monkeypatch, jump: int):
    before = app.monotonic_source()
    set_wall_clock(monkeypatch, jump)
    after = [app.monotonic_source() for _ in range(1000)]
    assert sorted(after) == after
    assert 0 <= after[0] - before < 60_000_000
    assert after[-1] - after[0] < 60_000_000


@pytest.mark.parametrize("clock", ["real", "1000x"])
@pytest.mark.parametrize("jump", [-HOUR, HOUR])
async def test_calls_tokens_and_pushes_go_on_when_the_wall_clock_is_set(monkeypatch, clock: str, jump: int):
    quick = "name: q\nrules:\n  - {name: q, call: {outcome: answered, ring: 100ms, talk: 1s}}\n"
    async with started(quick, clock) as emu:
        await call(emu)
        keys = {"app_key": "cec-app-key", "app_secret": "cec-app-secret"}
        async with emu.client.post(emu.url + TOKEN, json=keys, headers={"X-Token-Expire": "3600"}) as reply:
            bearer = {"Authorization": f"Bearer {(await reply.json(content_type=None))['AccessToken']}"}
        set_wall_clock(monkeypatch, jump)
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
