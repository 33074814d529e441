"""The clock of a tenant: real, scaled or manual.

Instants are microseconds since the Unix epoch. The machine's time is passed in as a function: nothing here reads a
clock of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, Literal

from voice_emulator.core.values import plain_value
from voice_emulator.core.words import nearest

SECOND = 1_000_000
MILLISECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
#: The last instant of any clock, in the year 9990: wall-clock texts have four digits for the year, and plans look ahead.
LAST = 253_086_076_800 * SECOND
_LAST_SHOWN = LAST + 9 * 365 * DAY
#: Returns the machine's time in microseconds since the epoch; it must never run backwards.
TimeSource = Callable[[], int]
Mode = Literal["real", "manual", "scaled"]

FASTEST = 100_000
#: The texts of a clock, and RFC 3339 times with an offset, as JSON Schema and Python take them.
SPEED_PATTERN = r"(?!0+([.]0+)?x)(0?[0-9]{1,5}([.][0-9]{1,6})?|100000([.]0{1,6})?)x"
CLOCK_PATTERN = rf"^(real|manual|{SPEED_PATTERN})$"
_TIME_PATTERN = (
    r"(0[1-9]|1[0-2])-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
TIME_PATTERN = rf"^(?!0000)[0-9]{{4}}-{_TIME_PATTERN}"
#: Clocks start in between the epoch and the year 2200, in UTC and where they are.
_EDGES = r"(?!1970-01-01T.*[+](?!00:00)|2199-12-31T.*-(?!00:00)[0-9:]+$)"
START_PATTERN = rf"^{_EDGES}(19[7-9][0-9]|2[01][0-9]{{2}})-{_TIME_PATTERN}"
EXAMPLE_TIME = "2026-01-05T09:00:00+08:00"


class ClockError(Exception):
    """The clock cannot be moved as requested, for example backwards."""


@plain_value
class ClockSpec:
    """A clock as a scenario, an option or the API describes it.

    ``speed`` is the number of tenant seconds per real second (1 unless scaled); ``start`` is the first instant of a
    manual clock (default: the machine's time at creation).
    """

    mode: Mode = "real"
    speed: float = 1.0
    start: int | None = None

    def __str__(self) -> str:
        return f"{self.speed:g}x" if self.mode == "scaled" else self.mode


def parse_clock(text: str) -> ClockSpec:
    """The clock ``real``, ``manual``, or a speed such as ``60x``. Raises ValueError."""
    modes: dict[str, Mode] = {"real": "real", "manual": "manual"}
    if text in modes:
        return ClockSpec(modes[text])
    if re.fullmatch(SPEED_PATTERN, text):
        return ClockSpec("scaled", float(text[:-1]))
    if re.fullmatch(r"[0-9.]+x", text):
        raise ValueError(f"invalid clock {text[:40]!r}: a speed is more than 0x and at most {FASTEST}x")
    hint = nearest(text[:40], ("real", "manual", "60x"))
    raise ValueError(f"invalid clock {text[:40]!r}: write real, manual, or a speed such as 60x{hint}")


def started(spec: ClockSpec, text: str) -> ClockSpec:
    """The clock with a first instant, an RFC 3339 time. Raises ValueError."""
    try:
        start = parse_rfc3339(text)
    except ValueError:
        message = f"the start of a clock must be like {EXAMPLE_TIME}, offset included, not {text[:40]!r}"
        raise ValueError(message) from None
    if not re.fullmatch(START_PATTERN, text):
        raise ValueError(f"the start of a clock must be between the years 1970 and 2200, not {text}")
    if spec.mode == "real":
        raise ValueError("a real clock has no start")
    return replace(spec, start=start)


def clock_of(value: str | Mapping[str, Any]) -> ClockSpec:
    """A clock as the API and Python take it: a text, or ``{"mode": ..., "start": ...}``. Raises ValueError."""
    if isinstance(value, str):
        return parse_clock(value)
    unknown = [name for name in value if name not in ("mode", "start")]
    if unknown or "mode" not in value or not all(isinstance(member, str) for member in value.values()):
        raise ValueError(
            f'a clock is a text or {{"mode": "manual", "start": "{EXAMPLE_TIME}"}}, not {value!r}'
        )
    spec = parse_clock(value["mode"])
    return started(spec, value["start"]) if "start" in value else spec


class Clock:
    """One tenant's time. A manual clock moves only by :meth:`advance_to`, and only forwards."""

    __slots__ = ("_anchor", "_now", "_origin", "_source", "now", "spec", "start")

    def __init__(
        self, spec: ClockSpec, source: TimeSource, *, at: int | None = None, start: int | None = None
    ) -> None:
        """Start a clock at ``at`` (default: the spec's start, else the machine's time now).

        ``start`` is when it first started, if it continues an earlier clock.
        """
        self.spec = spec
        self._source = source
        self._origin = source()
        first = at if at is not None else spec.start
        self.start = self._origin if first is None or (spec.mode == "real" and at is None) else first
        if spec.mode == "real":
            self.start = self._origin
        self._anchor = self.start
        self._now = self.start
        if start is not None:
            self.start = start
        #: The present instant. On a real clock this is the source itself: it is called several times per request.
        self.now: TimeSource = {"real": source, "manual": self._standing, "scaled": self._scaled}[spec.mode]

    @property
    def manual(self) -> bool:
        """Whether time stands still until it is advanced."""
        return self.spec.mode == "manual"

    def _standing(self) -> int:
        return self._now

    def _scaled(self) -> int:
        now = self._anchor + int((self._source() - self._origin) * self.spec.speed)
        return min(LAST, now)  # a call of min() takes as long as the rest

    def wall_delay(self, due: int) -> float | None:
        """Real seconds until ``due``: 0 if it is past, None on a manual clock."""
        if self.spec.mode == "manual":
            return None
        return max(0.0, (due - self.now()) / self.spec.speed / SECOND)

    def advance_to(self, instant: int) -> None:
        """Move a manual clock forwards to ``instant``. Raises ClockError as :meth:`check_advance` does."""
        self.check_advance(instant)
        self._now = instant

    def check_advance(self, instant: int) -> None:
        """Raise ClockError if the clock is not manual, or if ``instant`` is in the past or after :data:`LAST`."""
        if self.spec.mode != "manual":
            raise ClockError(f"only a manual clock can be advanced; this one is {self.spec}")
        if instant < self._now:
            raise ClockError(f"a clock runs forwards only: {rfc3339(instant)} is before {rfc3339(self._now)}")
        if instant > LAST:
            raise ClockError(f"a clock ends at {rfc3339(LAST)}")

    def rewind(self) -> None:
        """Set a manual clock back to its start; other clocks go on."""
        if self.spec.mode == "manual":
            self._now = self.start


def rfc3339(instant: int) -> str:
    """``instant`` in UTC as RFC 3339 with microseconds, as in the control API."""
    return moment(instant).isoformat(timespec="microseconds")


def parse_rfc3339(text: str) -> int:
    """The instant of an RFC 3339 time with offset. Raises ValueError with the reason."""
    if not re.fullmatch(TIME_PATTERN, text):
        raise ValueError(f"invalid time {text[:40]!r}: write {EXAMPLE_TIME}, offset included")
    parsed = datetime.fromisoformat(text)
    return (parsed - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(instant: int, offset_hours: float = 0) -> datetime:
    """``instant`` as an aware datetime at a fixed offset from UTC; instants past year 9999 become the last one."""
    return _epoch(offset_hours) + timedelta(microseconds=min(instant, _LAST_SHOWN))


@lru_cache(maxsize=64)
def _epoch(offset_hours: float) -> datetime:
    zone = UTC if not offset_hours else timezone(timedelta(hours=offset_hours))
    return datetime(1970, 1, 1, tzinfo=UTC).astimezone(zone)


def wall_text(instant: int, offset_hours: float = 0, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """``instant`` as wall-clock text at a fixed offset, truncated to what ``pattern`` shows."""
    if "%f" in pattern:
        return moment(instant, offset_hours).strftime(pattern)
    return _second_text(instant // SECOND, offset_hours, pattern)


@lru_cache(maxsize=4_096)
def _second_text(second: int, offset_hours: float, pattern: str) -> str:
    """Cached: the calls of a batch share their seconds, and formatting is slow."""
    return moment(second * SECOND, offset_hours).strftime(pattern)


def parse_wall_text(text: str, offset_hours: float = 0, pattern: str = "%Y-%m-%d %H:%M:%S") -> int:
    """The instant of a wall-clock text at a fixed offset. Raises ValueError."""
    naive = datetime.strptime(text, pattern)
    aware = naive.replace(tzinfo=timezone(timedelta(hours=offset_hours)))
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
