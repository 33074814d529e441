"""The machine's time: the only place where wall time enters. Everything else asks a tenant's clock.

Tools that freeze time in a client's tests (freezegun) replace functions of the module ``time`` for the whole process.
The emulator's clock goes on: it reads the system's clocks by number where it can.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from voice_emulator.core.listeners import Listeners

log = logging.getLogger(__name__)

#: Jumps of the wall clock below this, in microseconds, are not logged: NTP makes them every day.
JUMP = 2_000_000


def _clock(number: str, instead: Callable[[], int]) -> Callable[[], int]:
    """Reads a clock in nanoseconds: by its number or, where the system has none (Windows), with ``instead``."""
    known = getattr(time, number, None)
    return instead if known is None else partial(time.clock_gettime_ns, known)


_wall = _clock("CLOCK_REALTIME", time.time_ns)
_steady = _clock("CLOCK_MONOTONIC", time.monotonic_ns)


def wall_now() -> int:
    """The wall clock in microseconds since the epoch."""
    return _wall() // 1000


def steady_now() -> int:
    """A clock in microseconds that is never set; it may stop while the machine sleeps."""
    return _steady() // 1000


class MachineTime:
    """The source of all running clocks: it follows the wall clock forwards and never goes back.

    After a laptop's sleep, or when a wrong clock is corrected, it jumps to the wall clock, so that signatures are not
    stale. When the wall clock is set back, it runs on at normal speed until the wall clock has caught up.
    """

    __slots__ = ("_behind", "_offset", "listeners")

    def __init__(self) -> None:
        self._offset = wall_now() - steady_now()
        self._behind = False
        self.listeners = Listeners()

    def continue_from(self, instant: int) -> None:
        """Never go back behind ``instant``, which an earlier process had reached."""
        self._offset = max(self._offset, instant - steady_now())

    def now(self) -> int:
        """Microseconds since the epoch; never less than before."""
        steady = _steady() // 1000
        known = steady + self._offset
        wall = _wall() // 1000
        ahead = wall - known
        if ahead <= 0:
            if ahead < -JUMP and not self._behind:
                self._behind = True
                log.warning(
                    "the machine's clock was set back by %s; running clocks do not follow", _span(-ahead)
                )
            return known
        self._offset = wall - steady
        if ahead > JUMP:
            log.warning("the machine's clock jumped forwards by %s; running clocks follow", _span(ahead))
            for told in self.listeners.clock_jumped:
                told()
        self._behind = False
        return wall


def _span(micros: int) -> str:
    return str(timedelta(seconds=round(micros / 1_000_000)))
