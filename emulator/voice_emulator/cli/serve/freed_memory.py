"""Returning freed memory to the system.

glibc returns memory from the end of its heap only. What was freed below it, after a burst of large requests, stays with
the process until ``malloc_trim`` is called: 260 MB after tests/robustness/test_abuse.py.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: Real seconds between two checks.
PERIOD = 3.0
#: Bytes by which the process must have grown since the last trim. One that finds nothing takes 0.2 ms; one that returns
#: 260 MB takes 0.2 s, in a thread of its own.
GROWTH = 4 * 1024 * 1024
#: The share of a period's processor time above which the process is busy, and the heap is left alone.
BUSY = 0.3

_STATM = Path("/proc/self/statm")


async def return_freed_memory() -> None:
    """Trim the heap when the process is idle after it has grown, until cancelled. Without glibc, do nothing."""
    trim = _malloc_trim()
    if trim is None:
        return
    floor = _resident()
    used = time.process_time()
    while True:
        await asyncio.sleep(PERIOD)
        before, used = used, time.process_time()
        resident = _resident()
        floor = min(floor, resident)
        if used - before < BUSY * PERIOD and resident - floor >= GROWTH:
            await asyncio.to_thread(trim, 0)
            floor = _resident()


def _malloc_trim() -> Callable[[int], Any] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none


def _resident() -> int:
    """Bytes of memory that the process has."""
    import resource

    return int(_STATM.read_text().split()[1]) * resource.getpagesize()
