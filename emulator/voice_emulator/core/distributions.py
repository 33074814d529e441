"""Durations as a scenario writes them: fixed, or drawn from a named distribution.

Each type turns a uniform number in [0, 1) into microseconds by inverting its distribution function, so one draw gives
one duration. All durations are between 0 and :data:`LONGEST`: a long tail would otherwise leave the calendar.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

_STANDARD = NormalDist()
_P95 = _STANDARD.inv_cdf(0.95)
# inv_cdf is not defined at 0; half of the smallest draw step keeps the tail finite.
_TINY = 2.0**-54
#: The longest duration that is ever drawn, in microseconds: a year.
LONGEST = 366 * 24 * 3600 * 1_000_000
# Past this power of e every duration is longer than that.
_MAX_EXPONENT = 40.0


class Distribution(Protocol):
    """Turns a uniform number into a duration in microseconds."""

    def at(self, unit: float) -> int:
        """The duration, in microseconds, at quantile ``unit`` in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same duration."""

    value: int

    def at(self, unit: float) -> int:
        """The fixed value."""
        return self.value


@dataclass(frozen=True, slots=True)
class Uniform:
    """Anything between ``low`` and ``high``, equally likely."""

    low: int
    high: int

    def at(self, unit: float) -> int:
        """Linear between the bounds."""
        return self.low + int((self.high - self.low) * unit)


@dataclass(frozen=True, slots=True)
class Normal:
    """Bell-shaped around ``mean`` with standard deviation ``sd``, cut at 0."""

    mean: int
    sd: int

    def at(self, unit: float) -> int:
        """The quantile, never below 0."""
        return min(LONGEST, max(0, round(self.mean + self.sd * _STANDARD.inv_cdf(max(unit, _TINY)))))


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Skewed like human talk time: half are below ``median``, one in twenty above ``p95``."""

    median: int
    p95: int

    def at(self, unit: float) -> int:
        """The quantile."""
        if self.median <= 0:
            return 0
        sigma = math.log(self.p95 / self.median) / _P95
        exponent = min(_MAX_EXPONENT, sigma * _STANDARD.inv_cdf(max(unit, _TINY)))
        return min(LONGEST, round(self.median * math.exp(exponent)))


@dataclass(frozen=True, slots=True)
class Exponential:
    """Waiting time of independent arrivals with the given ``mean``."""

    mean: int

    def at(self, unit: float) -> int:
        """The quantile."""
        return min(LONGEST, round(-self.mean * math.log1p(-unit)))
