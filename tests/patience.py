"""How long a test waits for what must happen, and a world in which nobody waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voice_emulator.wire.traffic.faults import HeldRequests

#: Real seconds after which a test gives up on what must happen. Only a failure takes that long, so it is generous:
#: a busy machine does not fail a test. Time-outs of the emulator that a test must not reach are longer than this.
PATIENCE = 120


class Impatient:
    """asyncio, except that its sleep is over at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def nobody_waits(monkeypatch):
    """What a rule slows down goes out at once, what it keeps hanging is let go: that they do wait is proven elsewhere."""

    async def let_go(held: HeldRequests) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("voice_emulator.wire.traffic.faults.asyncio", Impatient())
    monkeypatch.setattr("voice_emulator.wire.delivery.push_client.asyncio", Impatient())
    # A reply that a receipt overtakes waits for it, however busy the machine is.
    monkeypatch.setattr("voice_emulator.wire.traffic.gateway.OVERTAKING_LIMIT", PATIENCE)
    monkeypatch.setattr(HeldRequests, "hold", let_go)
