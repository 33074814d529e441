"""The machine's time: the only place where wall time enters. Everything else asks a tenant's clock.

Tools that freeze time for a client's tests (freezegun) replace the functions of the module ``time`` for the whole
process. The emulator's clock goes on: it asks the system's clocks by number where there are such.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import timedelta

log = logging.getLogger(__name__)

#: A step of the wall clock, in microseconds, that is told. Smaller ones are the daily work of NTP.
JUMP = 2_000_000

if hasattr(time, "clock_gettime_ns"):

    def wall_now() -> int:
        """The wall clock in microseconds since the epoch."""
        return time.clock_gettime_ns(time.CLOCK_REALTIME) // 1000

    def steady_now() -> int:
        """A clock in microseconds that nobody sets; it may stand still while the machine sleeps."""
        return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000

else:  # Windows
    _wall, _steady = time.time_ns, time.monotonic_ns

    def wall_now() -> int:
        """The wall clock in microseconds since the epoch."""
        return _wall() // 1000

    def steady_now() -> int:
        """A clock in microseconds that nobody sets; it may stand still while the machine sleeps."""
        return _steady() // 1000


class MachineTime:
    """The source of all running clocks: it follows the wall clock forwards and never goes back.

    After a laptop's sleep, or when a wrong clock is put right, it is where the wall clock is, so that what is signed
    with it is not stale. A wall clock that is set back is waited for, at the pace of time.
    """

    __slots__ = ("_behind", "_offset", "on_jump")

    def __init__(self) -> None:
        """Begin at the wall's time."""
        self._offset = wall_now() - steady_now()
        self._behind = False
        #: Called after a jump forwards: what is due is due earlier than timers think.
        self.on_jump: Callable[[], None] | None = None

    def now(self) -> int:
        """Microseconds since the epoch; never less than before."""
        steady = steady_now()
        known = steady + self._offset
        wall = wall_now()
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
            if self.on_jump is not None:
                self.on_jump()
        self._behind = False
        return wall


def _span(micros: int) -> str:
    return str(timedelta(seconds=round(micros / 1_000_000)))
