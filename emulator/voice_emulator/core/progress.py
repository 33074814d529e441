"""Bounded statistics of a run: what happened when, and how long receivers took to reply.

They are updated step by step, so a report on a million calls costs as much as one on ten.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import field

from voice_emulator.core.clock import SECOND
from voice_emulator.core.values import plain_record

#: Bars of a timeline at most; past it, neighbours are merged and each bar covers twice the time.
BARS = 240

REQUESTS = 0
REFUSED = 1
ENDED = 2
DELIVERED = 3
UNDELIVERED = 4
SERIES = ("requests", "refused", "calls_ended", "pushes_delivered", "pushes_undelivered")
_WIDTH = len(SERIES)

#: Upper bounds of the latency classes, in milliseconds; the last class has none.
LATENCY_BOUNDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)


class Timeline:
    """Counts per span of tenant time. ``start`` is the instant of the first bar, ``width`` in microseconds."""

    __slots__ = ("_counts", "start", "width")

    def __init__(self) -> None:
        """Start empty, with bars of one second."""
        # All bars in one array: there is a timeline per tenant, and most have many bars.
        self._counts = array("L")
        self.start = 0
        self.width = SECOND

    @property
    def bars(self) -> list[list[int]]:
        """Counts by :data:`SERIES`, per bar."""
        counts = self._counts
        return [counts[begin : begin + _WIDTH].tolist() for begin in range(0, len(counts), _WIDTH)]

    def add(self, series: int, at: int) -> None:
        """Count one of ``series`` at instant ``at``."""
        counts = self._counts
        if not counts:
            self.start = at - at % SECOND
        place = max((at - self.start) // self.width, 0) * _WIDTH
        while place >= BARS * _WIDTH:
            self._merge()
            counts = self._counts
            place = (at - self.start) // self.width * _WIDTH
        if place >= len(counts):
            counts.extend([0] * (place + _WIDTH - len(counts)))
        counts[place + series] += 1

    def _merge(self) -> None:
        bars = self.bars
        pairs = zip(bars[::2], [*bars[1::2], [0] * _WIDTH], strict=False)
        self._counts = array(
            "L", [a + b for first, second in pairs for a, b in zip(first, second, strict=True)]
        )
        self.width *= 2


@plain_record
class Latency:
    """How long the receiver of one provider took to reply, by class of :data:`LATENCY_BOUNDS`."""

    classes: list[int] = field(default_factory=lambda: [0] * (len(LATENCY_BOUNDS) + 1))
    count: int = 0
    total: int = 0
    longest: int = 0

    def add(self, duration: int) -> None:
        """Count one reply that took ``duration`` real microseconds."""
        self.classes[bisect_left(LATENCY_BOUNDS, duration / 1000)] += 1
        self.count += 1
        self.total += duration
        self.longest = max(self.longest, duration)

    def quantile(self, share: float) -> int | None:
        """Upper bound, in milliseconds, of the class within which ``share`` of the replies are; None without replies."""
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
