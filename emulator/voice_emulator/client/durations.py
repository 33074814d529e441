"""Durations as people write them: ``"90s"``, ``"250ms"``, ``"1h"``, a number of seconds, a timedelta."""

from __future__ import annotations

import math
import re
from datetime import timedelta

#: Any way to say how long: text with a unit, seconds, or a timedelta.
Duration = str | int | float | timedelta

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TEXT = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)?", re.ASCII)


def seconds(duration: Duration) -> float:
    """``duration`` in seconds; an int where it is whole, so that it reads well in JSON.

    Raises ValueError for text that is no duration, and for anything negative or not finite.
    """
    if isinstance(duration, timedelta):
        value = duration.total_seconds()
    elif isinstance(duration, str):
        found = _TEXT.fullmatch(duration.strip())
        if found is None:
            raise ValueError(f"{duration!r} is no duration; write 250ms, 90s, 5m, 1h or a number of seconds")
        value = round(float(found[1]) * _UNITS[found[2] or "s"], 6)
    else:
        value = float(duration)
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{duration!r} is no duration: it must be finite and not negative")
    return int(value) if value.is_integer() else value


def text(duration: Duration) -> str:
    """``duration`` as the query of the control API takes it: ``5s``, ``250ms``."""
    value = seconds(duration)
    return f"{value}s" if isinstance(value, int) else f"{round(value * 1000)}ms"
