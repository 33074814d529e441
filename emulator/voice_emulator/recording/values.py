"""Values on the wire as numbers and instants, whatever they are written as."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

#: Seconds since 1970 that a number may mean: 2001 to 2100. Larger ones are milliseconds.
_SECONDS = (1_000_000_000, 4_102_444_800)
_WALL = re.compile(
    r"([0-9]{4})[-/.]?([0-9]{2})[-/.]?([0-9]{2})[ T,]*([0-9]{2}):?([0-9]{2}):?([0-9]{2})(?:[:.,]([0-9]{1,6}))?"
)
_NUMBER = re.compile(r"-?[0-9]{1,20}([.][0-9]{1,20})?")


def number(value: Any) -> float | None:
    """A number, or text that is one; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def instant(value: Any) -> float | None:
    """Seconds since 1970, of a wall time as if it were UTC; None for anything else."""
    found = number(value)
    if found is not None:
        for unit in (1, 1_000):
            if _SECONDS[0] <= found / unit < _SECONDS[1]:
                return found / unit
    match = _WALL.search(value) if isinstance(value, str) else None
    if match is None:
        return None
    try:
        *parts, fraction = match.groups()
        at = datetime(*map(int, parts), tzinfo=UTC).timestamp()  # type: ignore[arg-type, misc]  # six numbers
        return at + (float(f"0.{fraction}") if fraction else 0.0)
    except ValueError:
        return None


def form(value: Any) -> str:
    """How a value is written: each digit as 9, letters and signs as they are; of anything but text, its type too."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        digits = re.sub("[0-9]", "9", str(value))
        return digits if isinstance(value, str) else f"number {digits}"
    return type(value).__name__


def money(value: Any) -> Decimal | None:
    """An amount; None for what is none."""
    try:
        return Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        return None
