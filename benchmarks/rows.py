"""What a measurement amounts to: one row of the table, and the checks that the work was really done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

#: Tells whoever watches what is being measured.
Say = Callable[[str], None]

#: Seconds: what the kernel counts the CPU time of another process in. Work that took less may be told as none.
TICK = 0.01


def times(cpu: float, other: float) -> float:
    """How many times ``other`` these CPU seconds are, each counted as a tick at least."""
    return max(cpu, TICK) / max(other, TICK)


@dataclass(frozen=True)
class Size:
    """How much is sent: everything counts requests, calls or pushes, ``rounds`` repetitions.

    ``seconds`` is how long wrk sends, where it is installed; 0: never. ``learning`` is how many seconds a trial of a
    connection gets: two, and what the call itself takes.
    """

    rounds: int = 5
    requests: int = 8_000
    seconds: int = 2
    learning: float = 3.2
    receipts: int = 5_000
    batch: int = 5_000
    pending: int = 100_000
    growth: int = 200_000
    advance: int = 10_000
    slow: int = 3_000
    starts: int = 7

    @classmethod
    def quick(cls) -> Size:
        """Enough to see that everything works; the numbers mean nothing."""
        return cls(1, 400, 1, 0.1, 200, 200, 2_000, 2_000, 200, 100, 1)


@dataclass(frozen=True)
class Row:
    """One line: the measured ``value`` against ``target``, which it should reach from below or above.

    Without a target it is only told.
    """

    name: str
    value: float
    target: float | None
    unit: str
    at_least: bool
    ours: str
    ceiling: str = ""
    rounds: Sequence[float] = field(default=())
    #: The same ratio by the clock, for ratios of CPU time; None for other rows.
    by_clock: float | None = None

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        if self.target is None:
            return True
        return self.value >= self.target if self.at_least else self.value <= self.target

    @property
    def share(self) -> float:
        """How much of the target is reached: 1 and more is good, whichever way the target lies."""
        if self.target is None:
            return 1.0
        if not self.at_least:
            return self.target / self.value if self.value else 1.0
        return self.value / self.target

    def shown(self) -> tuple[str, ...]:
        """The cells of the table."""
        sign = "≥" if self.at_least else "≤"
        spread = f" ({min(self.rounds):.2f} to {max(self.rounds):.2f})" if len(self.rounds) > 1 else ""
        return (
            self.name, self.ours, self.ceiling, f"{self.value:.2f}{self.unit}{spread}",
            "" if self.by_clock is None else f"{self.by_clock:.2f}",
            *(("", "") if self.target is None else (f"{sign} {self.target:g}{self.unit}", "yes" if self.met else "no")),
        )  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """One interleaved round: how many there were, and the seconds and CPU seconds that ours and the ceiling took."""

    count: int
    ours: float
    ceiling: float
    ours_cpu: float
    ceiling_cpu: float

    @property
    def times(self) -> float:
        """How many times the CPU time of the ceiling ours took."""
        return times(self.ours_cpu, self.ceiling_cpu)

    def __str__(self) -> str:
        return (
            f"{self.count / self.ours:,.0f}/s against {self.count / self.ceiling:,.0f}/s; CPU "
            f"{1e6 * self.ours_cpu / self.count:.0f} µs against {1e6 * self.ceiling_cpu / self.count:.0f} µs"
        )


def ratio_row(name: str, target: float, pairs: Sequence[Pair]) -> Row:
    """A row from interleaved rounds: the median of the rounds' own ratios of CPU time.

    A busy machine disturbs them less than ratios by the clock.
    """
    ratios = [1 / pair.times for pair in pairs]
    by_clock = median(pair.ceiling / pair.ours for pair in pairs)
    ours, ceiling = (
        median(1e6 * cpu / count for cpu, count in each)
        for each in zip(*(((p.ours_cpu, p.count), (p.ceiling_cpu, p.count)) for p in pairs), strict=True)
    )
    return Row(
        name, median(ratios), target, "", True, f"{ours:,.0f} µs", f"{ceiling:,.0f} µs", ratios, by_clock
    )


def times_row(name: str, target: float | None, pairs: Sequence[Pair]) -> Row:
    """A row from interleaved rounds: how many times the CPU time of the ceiling ours took, the median of the rounds."""
    row = ratio_row(name, 1.0, pairs)
    ratios = [pair.times for pair in pairs]
    return replace(row, value=median(ratios), target=target, unit=" x", at_least=False, rounds=ratios)


def most(
    name: str, value: float, target: float, unit: str, ceiling: str = "", rounds: Sequence[float] = ()
) -> Row:
    """A row that must stay below its target."""
    return Row(name, value, target, unit, False, f"{value:,.1f}{unit}", ceiling, rounds)


def expect(condition: bool, what: str) -> None:
    """Raise RuntimeError unless the work was done: a fast server that does not do it proves nothing."""
    if not condition:
        raise RuntimeError(f"the measurement is void: {what}")
