from __future__ import annotations

import pytest

from tests.contract.evening import evening


@pytest.fixture
async def emu():
    """An emulator after a run in which much went wrong."""
    async with evening() as running:
        yield running
