from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _brisk_slow_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    """What matters is that the body comes in pieces, not that the suite takes its time."""
    monkeypatch.setattr("voice_emulator.verify.checks.delivery.PAUSE", 3_000)
