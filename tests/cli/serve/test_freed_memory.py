"""When the process returns freed memory; that it does so is in tests/robustness/test_abuse.py, with a real process."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable

import pytest

from voice_emulator.cli.serve import freed_memory

MB = 1024 * 1024


async def trims(
    monkeypatch: pytest.MonkeyPatch, residents: list[int], busy: Iterable[float] = ()
) -> list[int]:
    """The memory that the process has at each trim, when it has ``residents`` at one check after the other."""
    done: list[int] = []
    left = iter([residents[0], *residents])
    now = residents[0]
    used = itertools.accumulate(itertools.chain([0.0], busy, itertools.repeat(0.0)))

    def resident() -> int:
        nonlocal now
        if trimmed:
            trimmed.clear()
            return now
        now = next(left, -1)
        if now < 0:
            raise asyncio.CancelledError
        return now

    trimmed: list[int] = []

    def trim(pad: int) -> None:
        done.append(now // MB)
        trimmed.append(now)

    monkeypatch.setattr(freed_memory, "PERIOD", 1e-6)
    monkeypatch.setattr(freed_memory, "BUSY", 1e6)
    monkeypatch.setattr(freed_memory, "_malloc_trim", lambda: trim)
    monkeypatch.setattr(freed_memory, "_resident", resident)
    monkeypatch.setattr("voice_emulator.cli.serve.freed_memory.time.process_time", lambda: next(used))
    with pytest.raises(asyncio.CancelledError):
        await freed_memory.return_freed_memory()
    return done


async def test_memory_is_returned_once_after_each_growth(monkeypatch):
    assert await trims(monkeypatch, [50 * MB, 51 * MB, 51 * MB]) == []
    # After 90 nothing was returned: only what comes on top is looked at again.
    assert await trims(monkeypatch, [50 * MB, 90 * MB, 90 * MB, 93 * MB, 120 * MB, 60 * MB, 80 * MB]) == [
        90,
        120,
        80,
    ]


async def test_a_busy_process_is_left_alone_until_it_is_idle(monkeypatch):
    busy = [0.0, 2.0, 2.0]
    assert await trims(monkeypatch, [50 * MB, 90 * MB, 95 * MB, 96 * MB], busy) == [96]


async def test_unknown_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(freed_memory, "_malloc_trim", lambda: None)
    await asyncio.wait_for(freed_memory.return_freed_memory(), 60)
