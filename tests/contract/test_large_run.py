"""A run of thousands of calls of which one receipt in twenty is lost."""

from __future__ import annotations

import pytest

from tests.contract.clients import Client
from tests.cost import cpu_below
from tests.rig import numbers, started
from voice_emulator.core.vocabulary import Fate
from voice_emulator.report import FORMATS, render

SCENARIO = """
name: lossy
providers:
  infin8linx: {dial_concurrency: null}
rules:
  - name: one in twenty
    chance: 5%
    receipt: {lost: true}
"""


@pytest.mark.parametrize("count", [6_000, pytest.param(20_000, marks=pytest.mark.long)])
async def test_conservation_finds_exactly_the_orphans_and_reports_cheaply(count: int):
    # Fewer calls are kept than are made: the accounts must not need those that were forgotten.
    async with started(SCENARIO, calls_limit=4_000, journal_limit=2_000, strict=False) as emu:
        client, everyone = Client(emu), list(numbers(count))
        for begin in range(0, count, 5_000):
            await client.play(destnumber=",".join(everyone[begin : begin + 5_000]))
        placed = {call.number: call.id for call in emu.tenant.ledger}
        assert len(placed) == count
        while not emu.tenant.outbox.idle or emu.tenant.engine:
            await emu.settle()

        told = {push.fields["destnumber"] for push in emu.receiver.received}
        lost = {placed[number] for number in everyone if number not in told}
        accounts = emu.tenant.conservation.shown_accounts()
        assert 0.04 < len(lost) / count < 0.06
        assert set(accounts["orphans"]) == lost
        assert accounts["orphan"] == len(lost)
        assert accounts["acknowledged"] == count - len(lost) == len(told)
        assert accounts["accepted"] == count
        assert accounts["balanced"]
        assert emu.tenant.conservation.count(Fate.PENDING) == 0

        with cpu_below(3):
            for name in FORMATS:
                assert len(render(emu.emulator.runtime, emu.tenant, name)[1]) > 1_000
