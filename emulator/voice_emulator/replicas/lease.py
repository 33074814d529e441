"""How long this replica owns its tenants."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

#: The share of a lease after which its owner gives up: the store's clock and ours, and the way between them, may differ.
SAFE = 0.8


class Lease:
    """The lease of all tenants of this replica.

    It ends by the monotonic clock, counted from before the renewal was sent. So a process that was stopped finds it
    expired as soon as it goes on.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """A lease of so many real seconds, which is not held yet."""
        self.seconds = seconds
        self.clock = clock
        self._end = float("-inf")
        self._renewed: asyncio.Future[None] | None = None

    @property
    def held(self) -> bool:
        """Whether nobody else can own the tenants."""
        return self.clock() < self._end

    def renewed(self, sent: float) -> None:
        """The store has renewed it, as asked at ``sent``."""
        self._end = max(self._end, sent + SAFE * self.seconds)
        waiting, self._renewed = self._renewed, None
        if waiting is not None:
            waiting.set_result(None)

    def give_up(self) -> None:
        """It is not held any more."""
        self._end = float("-inf")

    async def renewal(self) -> None:
        """Wait until it is renewed the next time."""
        if self._renewed is None:
            self._renewed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._renewed)
