"""A world in which nobody waits, for tests whose subject is not how long something takes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from emulator.wire.faults import Hanging


class Impatient:
    """asyncio, except that its sleep is over at once."""

    def __getattr__(self, name: str) -> Any:
        return getattr(asyncio, name)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@pytest.fixture
def nobody_waits(monkeypatch):
    """What a rule slows down goes out at once, what it keeps hanging is let go: that they do wait is proven elsewhere."""

    async def let_go(hanging: Hanging) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr("emulator.wire.faults.asyncio", Impatient())
    monkeypatch.setattr("emulator.wire.carriage.asyncio", Impatient())
    monkeypatch.setattr(Hanging, "hold", let_go)
