"""What something costs, in processor time: a busy machine stretches the wall clock, and this only a little."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def cpu_below(seconds: float) -> Iterator[None]:
    """Fail when the block costs this process more than ``seconds`` of processor time, all threads together.

    Also when the block raises, since a refusal may be what is too dear.
    """
    begun = time.process_time()
    try:
        yield
    finally:
        took = time.process_time() - begun
        assert took < seconds, f"{took:.2f} s of processor time, and {seconds} s are allowed"


def cpu_of(pid: int) -> float:
    """The processor time of another process so far, in seconds, from the kernel (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
