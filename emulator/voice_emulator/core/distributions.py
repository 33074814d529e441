"""Durations as a scenario writes them: fixed, or drawn from a named distribution.

Each type turns a uniform number in [0, 1) into microseconds by inverting its distribution function, so one draw gives
one duration. All durations are between 0 and :data:`LONGEST`: a long tail would otherwise leave the calendar.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, Protocol

from voice_emulator.core.values import plain_value

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


@plain_value
class Fixed:
    """Always the same duration."""

    value: int

    def at(self, unit: float) -> int:
        """The fixed value."""
        return self.value


@plain_value
class Uniform:
    """Anything between ``low`` and ``high``, equally likely."""

    low: int
    high: int

    def at(self, unit: float) -> int:
        """Linear between the bounds."""
        return self.low + int((self.high - self.low) * unit)


@plain_value
class Normal:
    """Bell-shaped around ``mean`` with standard deviation ``sd``, cut at 0."""

    mean: int
    sd: int

    def at(self, unit: float) -> int:
        """The quantile, never below 0."""
        return min(LONGEST, max(0, round(self.mean + self.sd * _quantile(max(unit, _TINY)))))


@plain_value
class Lognormal:
    """Skewed like human talk time: half are below ``median``, one in twenty above ``p95``."""

    median: int
    p95: int

    def at(self, unit: float) -> int:
        """The quantile."""
        if self.median <= 0:
            return 0
        sigma = math.log(self.p95 / self.median) / _quantile(0.95)
        exponent = min(_MAX_EXPONENT, sigma * _quantile(max(unit, _TINY)))
        return min(LONGEST, round(self.median * math.exp(exponent)))


@plain_value
class Exponential:
    """Waiting time of independent arrivals with the given ``mean``."""

    mean: int

    def at(self, unit: float) -> int:
        """The quantile."""
        return min(LONGEST, round(-self.mean * math.log1p(-unit)))


def _quantile(unit: float) -> float:
    """That of the standard normal distribution."""
    found: float = _standard().inv_cdf(unit)
    return found


@cache
def _standard() -> Any:
    from statistics import NormalDist  # loads fractions and more, which few scenarios need

    return NormalDist()
