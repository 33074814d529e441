"""Durations as arguments of the client: ``"90s"``, ``"250ms"``, ``"1h"``, a number of seconds, a timedelta."""

from __future__ import annotations

import math
from datetime import timedelta

from voice_emulator.core.durations import UNITS, duration_text, parse_duration

__tracebackhide__ = True

#: Any way to say how long: text with a unit, seconds, or a timedelta.
Duration = str | int | float | timedelta


def seconds(duration: Duration) -> float:
    """``duration`` in seconds; an int where it is whole, so that it reads well in JSON. Raises ValueError."""
    value = _microseconds(duration) / UNITS["s"]
    return int(value) if value.is_integer() else value


def text(duration: Duration) -> str:
    """``duration`` as the control API takes it: ``5s``, ``250ms``. Raises ValueError."""
    return duration_text(_microseconds(duration))


def _microseconds(duration: Duration) -> int:
    if isinstance(duration, str):
        written = duration.strip()
        try:
            return parse_duration(f"{written}s" if written[-1:].isdigit() else written)
        except ValueError as error:
            raise ValueError(str(error)) from None
    value = duration.total_seconds() if isinstance(duration, timedelta) else float(duration)
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"invalid duration {duration!r}: it must be finite and not negative")
    return round(value * UNITS["s"])
