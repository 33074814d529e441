"""A distribution of scenario files for a list of measured seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from voice_emulator.core.clock import SECOND
from voice_emulator.core.distributions import Distribution, Lognormal, Uniform

#: Fewer measurements than this are a range, whatever they look like.
ENOUGH = 8
_SHARES = tuple(share / 20 for share in range(1, 20))


def fitted(measured: Sequence[int]) -> Any:
    """The duration, or distribution, whose quantiles are nearest: fixed, uniform or lognormal."""
    values = sorted(measured)
    if values[-1] - values[0] <= 1:
        return f"{values[len(values) // 2]}s"
    uniform = {"uniform": [f"{values[0]}s", f"{values[-1]}s"]}
    median, p95 = max(1, _at(values, 0.5)), _at(values, 0.95)
    if len(values) < ENOUGH or p95 <= median:
        return uniform
    lognormal = {"lognormal": {"median": f"{median:g}s", "p95": f"{p95:g}s"}}
    flat = _distance(values, Uniform(values[0] * SECOND, values[-1] * SECOND))
    skewed = _distance(values, Lognormal(int(median * SECOND), int(p95 * SECOND)))
    return uniform if flat <= skewed else lognormal


def _at(values: Sequence[int], share: float) -> float:
    return values[min(len(values) - 1, int(share * len(values)))]


def _distance(values: Sequence[int], distribution: Distribution) -> float:
    at: Callable[[float], int] = distribution.at
    return sum(abs(_at(values, share) - at(share) / SECOND) for share in _SHARES)
