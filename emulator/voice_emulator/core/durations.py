"""Durations as text: ``250ms``, ``3s``, ``2m``, ``1h``. Everywhere else a duration is a number of microseconds."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil

UNITS = {"ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
#: Characters of a duration.
LENGTH_LIMIT = 24
_DURATION = re.compile(r"([0-9]+(?:[.][0-9]+)?)(ms|s|m|h)")


def parse_duration(text: str) -> int:
    """Microseconds of ``250ms``, ``3s``, ``2m`` or ``1h``; a part of one counts as a whole. Raises ValueError."""
    match = _DURATION.fullmatch(text)
    if match is None or len(text) > LENGTH_LIMIT:
        raise ValueError(f"invalid duration {text[:40]!r}: write 250ms, 3s, 2m or 1h")
    return ceil(Fraction(match[1]) * UNITS[match[2]])
