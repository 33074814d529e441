from __future__ import annotations

import pytest

from tests.rig import started
from tests.wire.api import Api


@pytest.fixture
async def api():
    """The control API of an emulator on a manual clock, with a receiver."""
    async with started() as running:
        yield Api(running)
