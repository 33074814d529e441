"""The future of one tenant: a heap of what falls due on its clock.

Order is (due, sequence): what was scheduled first happens first among equals, so a run is
deterministic. Entries are plain functions with one argument; cancelling is lazy, so that ten
thousand pending calls cost nothing to cancel.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush, nsmallest
from typing import Any

#: Called with (argument, due instant) when its time has come.
Action = Callable[[Any, int], None]


class Engine:
    """Heap of (due, sequence, action, argument); knows nothing of what the actions do."""

    __slots__ = ("_earliest", "_heap", "_sequence")

    def __init__(self) -> None:
        """Start empty."""
        self._heap: list[tuple[int, int, Action, Any]] = []
        self._sequence = 0
        self._earliest: Callable[[int], None] | None = None

    def __len__(self) -> int:
        return len(self._heap)

    def on_earlier(self, listener: Callable[[int], None] | None) -> None:
        """Have ``listener`` called with the due instant whenever something becomes the next thing due."""
        self._earliest = listener
        if listener is not None and self._heap:
            listener(self._heap[0][0])

    def detach(self) -> Callable[[int], None] | None:
        """Take the listener away, so that it can be given back when the clock has changed."""
        listener, self._earliest = self._earliest, None
        return listener

    def schedule(self, due: int, action: Action, argument: Any) -> None:
        """Let ``action(argument, due)`` happen at instant ``due``."""
        heap = self._heap
        listener = self._earliest
        earlier = listener is not None and (not heap or due < heap[0][0])
        self._sequence += 1
        heappush(heap, (due, self._sequence, action, argument))
        if earlier and listener is not None:
            listener(due)

    def next_due(self) -> int | None:
        """The instant of the next thing due; None when nothing is pending."""
        return self._heap[0][0] if self._heap else None

    def fire(self, now: int, at_most: int | None = None) -> int:
        """Let everything happen that is due at ``now``; returns how many things did.

        What an action schedules for ``now`` or earlier happens in the same call. ``at_most`` bounds
        one call, so that a long queue does not keep a server from its sockets.
        """
        heap = self._heap
        fired = 0
        while heap and heap[0][0] <= now and (at_most is None or fired < at_most):
            due, _, action, argument = heappop(heap)
            fired += 1
            action(argument, due)
        return fired

    def clear(self) -> None:
        """Forget everything pending."""
        self._heap.clear()

    def upcoming(self, limit: int) -> list[tuple[int, str, Any]]:
        """The next ``limit`` pending entries as (due, action name, argument), soonest first."""
        soonest = nsmallest(limit, self._heap, key=lambda entry: entry[:2])
        return [(due, action.__name__, argument) for due, _, action, argument in soonest]
