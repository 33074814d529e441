from __future__ import annotations

import pytest

from tests.rig import started


@pytest.fixture
async def emu():
    """An emulator on a manual clock, with a receiver."""
    async with started() as running:
        yield running
