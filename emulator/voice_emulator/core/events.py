"""What has happened to a tenant lately: a short memory of events for streams and long polls.

An event refers to its subject and is rendered only when it is read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, Literal, NamedTuple

from voice_emulator.core.listeners import Listeners

Kind = Literal["request", "call", "callback", "violation", "clock", "scenario", "system"]

#: How many events a late or reconnecting subscriber can still get.
REMEMBERED = 5_000
#: Bytes that the subjects of heavy events may take.
BYTE_LIMIT = 32 * 1024 * 1024
#: Subjects above so many bytes are heavy; lighter ones are bounded by their number alone.
HEAVY = 4 * 1024


class Event(NamedTuple):
    """Something that happened at instant ``at``; ``id`` grows by one with each event of a tenant."""

    id: int
    kind: Kind
    at: int
    subject: Any
    note: str = ""


class Events:
    """The newest events of one tenant."""

    __slots__ = ("_heavy", "_listeners", "_recent", "_weight", "last_id", "waiting")

    def __init__(self, limit: int = REMEMBERED, listeners: Listeners | None = None) -> None:
        # Plain tuples: most are never read.
        self._recent: deque[tuple[int, Kind, int, Any, str]] = deque(maxlen=limit)
        self._listeners = listeners or Listeners()
        self._heavy: deque[tuple[int, int]] = deque()
        self._weight = 0
        #: What to set (an ``asyncio.Event``, say) at an event of which kinds; None is any. Nobody waits, as a rule.
        self.waiting: Mapping[Any, Collection[str] | None] = {}
        self.last_id = 0

    def publish(self, kind: Kind, at: int, subject: Any, note: str = "", weight: int = 0) -> None:
        """Remember an event, tell the listeners and wake who waits. ``weight`` is the size of ``subject`` in bytes."""
        self.last_id += 1
        self._recent.append((self.last_id, kind, at, subject, note))
        for told in self._listeners.event_published:
            told(kind, subject, note)
        if self.waiting:
            for waiter, kinds in self.waiting.items():
                if kinds is None or kind in kinds:
                    waiter.set()
        if weight > HEAVY:
            self._make_room(weight)

    def _make_room(self, weight: int) -> None:
        """Forget the oldest events until the heavy ones are within :data:`BYTE_LIMIT`."""
        self._heavy.append((self.last_id, weight))
        self._weight += weight
        while self._weight > BYTE_LIMIT:
            event_id, gone = self._heavy.popleft()
            self._weight -= gone
            while self._recent and self._recent[0][0] <= event_id:
                self._recent.popleft()

    def forget(self) -> None:
        """Forget all events; ids continue."""
        self._recent.clear()
        self._heavy.clear()
        self._weight = 0

    def since(self, event_id: int) -> list[Event]:
        """The remembered events with an id above ``event_id``, oldest first."""
        recent = self._recent
        missing = self.last_id - event_id
        if missing <= 0:
            return []
        start = max(0, len(recent) - missing)
        return [Event._make(recent[index]) for index in range(start, len(recent))]
