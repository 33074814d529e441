"""How a run went, in a few bounded numbers: what happened when, and how long receivers took.

Both are kept step by step, so a report over a million calls costs as much as one over ten.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

from emulator.core.clock import SECOND

#: Bars a timeline has at most; past it, neighbours are merged and each bar spans twice the time.
BARS = 240

REQUESTS = 0
REFUSED = 1
ENDED = 2
DELIVERED = 3
UNDELIVERED = 4
SERIES = ("requests", "refused", "calls_ended", "pushes_delivered", "pushes_undelivered")

#: Upper bounds of the latency classes, in milliseconds; the last class has none.
LATENCY_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Timeline:
    """Counts per span of tenant time. ``start`` is the instant of the first bar, ``width`` in microseconds."""

    __slots__ = ("bars", "start", "width")

    def __init__(self) -> None:
        """Start empty, with bars of one second."""
        self.bars: list[list[int]] = []
        self.start = 0
        self.width = SECOND

    def add(self, series: int, at: int) -> None:
        """Count one of ``series`` at instant ``at``."""
        bars = self.bars
        if not bars:
            self.start = at - at % SECOND
        index = (at - self.start) // self.width
        index = max(index, 0)
        while index >= BARS:
            self._merge()
            bars = self.bars
            index = (at - self.start) // self.width
        while index >= len(bars):
            bars.append([0, 0, 0, 0, 0])
        bars[index][series] += 1

    def _merge(self) -> None:
        pairs = zip(self.bars[::2], [*self.bars[1::2], [0, 0, 0, 0, 0]], strict=False)
        self.bars = [[a + b for a, b in zip(first, second, strict=True)] for first, second in pairs]
        self.width *= 2


@dataclass(slots=True)
class Latency:
    """How long the receiver of one provider took to answer, by class of :data:`LATENCY_BOUNDS`."""

    classes: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))
    count: int = 0
    total: int = 0
    longest: int = 0

    def add(self, duration: int) -> None:
        """Count one answer that took ``duration`` real microseconds."""
        self.classes[bisect_left(LATENCY_BOUNDS, duration / 1000)] += 1
        self.count += 1
        self.total += duration
        self.longest = max(self.longest, duration)

    def quantile(self, share: float) -> int | None:
        """Upper bound, in milliseconds, of the class the given share of answers lies within; None without answers."""
        if not self.count:
            return None
        wanted, seen = share * self.count, 0
        for bound, count in zip(LATENCY_BOUNDS, self.classes, strict=False):
            seen += count
            if seen >= wanted:
                return bound
        return -(-self.longest // 1000)


def merged(parts: Sequence[Latency]) -> Latency:
    """The latencies of several providers as one."""
    total = Latency()
    for part in parts:
        total.classes = [a + b for a, b in zip(total.classes, part.classes, strict=True)]
        total.count += part.count
        total.total += part.total
        total.longest = max(total.longest, part.longest)
    return total
