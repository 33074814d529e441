"""What is scheduled on the clock of one tenant: a heap.

The order is (due, sequence): of things due at the same instant, the one scheduled first happens first, so a run is
deterministic. Entries are plain functions with one argument and cannot be cancelled, only cleared all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from voice_emulator.core.listeners import Listeners

#: Bits below the instant, for the sequence: one integer for both saves 48 bytes for each pending call.
_SEQUENCE_BITS = 40

#: Called with (argument, due instant) when its time has come.
Action = Callable[[Any, int], None]


class Engine:
    """A heap of (due and sequence as one number, action, argument)."""

    __slots__ = ("_heap", "_listeners", "_sequence")

    def __init__(self, listeners: Listeners | None = None) -> None:
        self._heap: list[tuple[int, Action, Any]] = []
        self._sequence = 0
        self._listeners = listeners or Listeners()

    def __len__(self) -> int:
        return len(self._heap)

    def schedule(self, due: int, action: Action, argument: Any) -> None:
        """Call ``action(argument, due)`` at instant ``due``."""
        heap = self._heap
        self._sequence += 1
        key = (due << _SEQUENCE_BITS) + self._sequence
        earlier = not heap or key < heap[0][0]
        heappush(heap, (key, action, argument))
        if earlier:
            for told in self._listeners.due_earlier:
                told(due)

    def next_due(self) -> int | None:
        """The instant of the next thing due; None when nothing is pending."""
        return self._heap[0][0] >> _SEQUENCE_BITS if self._heap else None

    def fire(self, now: int, at_most: int | None = None) -> int:
        """Run the actions due at ``now``, at most ``at_most``; returns how many.

        What an action schedules for ``now`` or earlier runs in the same call.
        """
        heap = self._heap
        fired = 0
        following = (now + 1) << _SEQUENCE_BITS
        while heap and heap[0][0] < following and (at_most is None or fired < at_most):
            key, action, argument = heappop(heap)
            fired += 1
            action(argument, key >> _SEQUENCE_BITS)
        return fired

    def clear(self) -> None:
        """Forget everything pending."""
        self._heap.clear()
