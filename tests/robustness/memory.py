"""How much memory a process has, and had at most: from the kernel, in bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Memory:
    now: int
    peak: int


def memory_of(pid: int) -> Memory:
    status = Path(f"/proc/{pid}/status").read_text()

    def size(name: str) -> int:
        found = re.search(rf"^{name}:\s+([0-9]+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024

    return Memory(size("VmRSS"), size("VmHWM"))
