"""The timeline of a call is the same wherever it shows: in the call, and in an explanation."""

from __future__ import annotations

from tests.contract.clients import Client
from tests.rig import started
from voice_emulator.core.call_timeline import timeline
from voice_emulator.report.explanation import explain
from voice_emulator.wire.control.views import show_call

TWICE = """
name: twice
clock: manual
rules:
  - name: twice
    call: {outcome: answered, ring: 2s, talk: 5s, keys: "1"}
    receipt: {copies: 2, gap: 1s}
"""


async def test_a_call_is_told_from_its_submission_to_its_last_receipt():
    async with started(TWICE) as emu:
        await Client(emu).gpsend()
        await emu.settle()
        [call] = emu.tenant.ledger.of_provider("nxcloud")
        steps = timeline(emu.tenant, call)
        assert [step["event"] for step in steps] == [
            "submitted", "dialled", "ringing", "answered", "ended", "callback", "callback",
        ]  # fmt: skip
        assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
        assert steps[0]["detail"].endswith(", rule 'twice'")
        assert steps[4]["detail"].endswith(", keys 1")
        assert [step["detail"].partition(":")[0] for step in steps[5:]] == [
            "group, copy 1 of 2, attempt 1", "group, copy 2 of 2, attempt 1",
        ]  # fmt: skip
        providers = emu.emulator.runtime.providers
        entry = next(entry for entry in emu.tenant.journal if entry.kind == "request")
        assert show_call(emu.tenant, providers, call)["timeline"] == steps
        assert explain(emu.tenant, providers, entry)["calls"][0]["timeline"] == steps
