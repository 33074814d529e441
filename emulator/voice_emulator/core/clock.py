"""The clock of a tenant: real, scaled or manual.

Instants are microseconds since the Unix epoch. The machine's time comes in as a callable, so that
nothing in here reads a clock by itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Literal

from voice_emulator.core.words import nearest_word

SECOND = 1_000_000
MILLISECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
#: No clock goes further: the year 9990. Wall-clock texts have four digits for the year, and plans look ahead.
LAST = 253_086_076_800 * SECOND

#: Clocks start in between the epoch and this, the year 2200.
LAST_START = 7_258_118_400 * SECOND
_LAST_SHOWN = LAST + 9 * 365 * DAY
#: Gives the machine's time in microseconds since the epoch. It must never run backwards.
TimeSource = Callable[[], int]
Mode = Literal["real", "manual", "scaled"]

#: A regular expression, as JSON Schema takes them, for the speed of a scaled clock, and the fastest speed.
SPEED_PATTERN = "([0-9]{1,6}(?:[.][0-9]{1,6})?)x"
FASTEST = 100_000


class ClockError(Exception):
    """The clock cannot do what was asked, for instance go backwards."""


@dataclass(frozen=True, slots=True)
class ClockSpec:
    """What a scenario, an option or the API asks of a clock.

    ``speed`` is how many tenant seconds pass in one real second (1 unless scaled); ``start`` is the
    first instant of a manual clock, or None for the machine's time at creation.
    """

    mode: Mode = "real"
    speed: float = 1.0
    start: int | None = None

    def __str__(self) -> str:
        return f"{self.speed:g}x" if self.mode == "scaled" else self.mode


def parse_clock(text: str) -> ClockSpec:
    """The clock that ``real``, ``manual`` or a speed such as ``60x`` names. Raises ValueError."""
    modes: dict[str, Mode] = {"real": "real", "manual": "manual"}
    if text in modes:
        return ClockSpec(modes[text])
    match = re.fullmatch(SPEED_PATTERN, text)
    if match is None:
        word = nearest_word(text[:40], ("real", "manual", "60x"))
        hint = f"; did you mean {word!r}?" if word is not None else ""
        raise ValueError(f"invalid clock {text[:40]!r}: write real, manual, or a speed such as 60x{hint}")
    speed = float(match[1])
    if not 0 < speed <= FASTEST:
        raise ValueError(f"invalid clock {text!r}: a speed is more than 0x and at most {FASTEST}x")
    return ClockSpec("scaled", speed)


class Clock:
    """One tenant's time. A manual clock moves only by :meth:`advance_to`, and only forwards."""

    __slots__ = ("_anchor", "_now", "_origin", "_source", "now", "spec", "start")

    def __init__(
        self, spec: ClockSpec, source: TimeSource, *, at: int | None = None, start: int | None = None
    ) -> None:
        """Start a clock at ``at`` (default: the spec's start, else the machine's time now).

        ``start`` is when it first started, if it only goes on now.
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
        #: The present instant of the tenant. A real clock is the source itself: it is asked several times a request.
        self.now: TimeSource = {"real": source, "manual": self._standing, "scaled": self._scaled}[spec.mode]

    @property
    def manual(self) -> bool:
        """Whether time stands still until somebody advances it."""
        return self.spec.mode == "manual"

    def _standing(self) -> int:
        return self._now

    def _scaled(self) -> int:
        return min(self._anchor + int((self._source() - self._origin) * self.spec.speed), LAST)

    def wall_delay(self, due: int) -> float | None:
        """Real seconds until ``due``: 0 when it is past, None on a manual clock (nobody knows)."""
        if self.spec.mode == "manual":
            return None
        return max(0.0, (due - self.now()) / self.spec.speed / SECOND)

    def advance_to(self, instant: int) -> None:
        """Move a manual clock forwards to ``instant``. Raises ClockError as :meth:`check_advance` does."""
        self.check_advance(instant)
        self._now = instant

    def check_advance(self, instant: int) -> None:
        """Raise ClockError on a clock that is not manual, and when ``instant`` lies in the past."""
        if self.spec.mode != "manual":
            raise ClockError(f"only a manual clock can be advanced; this one is {self.spec}")
        if instant < self._now:
            raise ClockError(f"a clock runs forwards only: {rfc3339(instant)} is before {rfc3339(self._now)}")
        if instant > LAST:
            raise ClockError(f"a clock ends at {rfc3339(LAST)}")

    def rewind(self) -> None:
        """Take a manual clock back to its start (reset of a tenant); other clocks go on."""
        if self.spec.mode == "manual":
            self._now = self.start


def rfc3339(instant: int) -> str:
    """``instant`` in UTC as RFC 3339 with microseconds, the form the control API uses."""
    return moment(instant).isoformat(timespec="microseconds")


def parse_rfc3339(text: str) -> int:
    """The instant that an RFC 3339 time with offset names. Raises ValueError with the reason."""
    parsed = datetime.fromisoformat(text)
    if parsed.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset; write 2026-01-05T09:00:00+08:00")
    return (parsed - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def moment(instant: int, offset_hours: float = 0) -> datetime:
    """``instant`` as an aware datetime at a fixed offset from UTC, for rendering wall-clock texts.

    What lies beyond the years that a datetime has is shown as the last one.
    """
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
    """The calls of a batch share their seconds, and formatting one costs more than the rest of a field."""
    return moment(second * SECOND, offset_hours).strftime(pattern)


def parse_wall_text(text: str, offset_hours: float = 0, pattern: str = "%Y-%m-%d %H:%M:%S") -> int:
    """The instant that a wall-clock text at a fixed offset names. Raises ValueError."""
    naive = datetime.strptime(text, pattern)
    aware = naive.replace(tzinfo=timezone(timedelta(hours=offset_hours)))
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
