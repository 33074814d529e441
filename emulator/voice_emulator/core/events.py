"""What is happening, for those who watch: a short memory of events, and listeners.

An event refers to the thing it is about and is rendered only when somebody reads it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

Kind = Literal["request", "call", "callback", "violation", "clock", "scenario", "system"]

#: How many events a late or reconnecting watcher can still get.
REMEMBERED = 5_000
#: Bytes that the heavy ones among them may hold on to.
BYTE_LIMIT = 32 * 1024 * 1024
#: From how many bytes on a subject is heavy: lighter ones are bounded by their number alone.
HEAVY = 4 * 1024


class Event(NamedTuple):
    """Something that happened at instant ``at``; ``id`` grows by one with each event of a tenant."""

    id: int
    kind: Kind
    at: int
    subject: Any
    note: str = ""


class Events:
    """The newest events of one tenant, and who listens."""

    __slots__ = ("_heavy", "_listeners", "_recent", "_weight", "last_id")

    def __init__(self, limit: int = REMEMBERED) -> None:
        """Remember at most ``limit`` events."""
        # Plain tuples: most are never looked at again.
        self._recent: deque[tuple[int, Kind, int, Any, str]] = deque(maxlen=limit)
        self._listeners: tuple[Callable[[Event], None], ...] = ()
        self._heavy: deque[tuple[int, int]] = deque()
        self._weight = 0
        self.last_id = 0

    def publish(self, kind: Kind, at: int, subject: Any, note: str = "", weight: int = 0) -> None:
        """Remember an event and tell every listener. ``weight`` is how many bytes ``subject`` holds on to."""
        self.last_id += 1
        self._recent.append((self.last_id, kind, at, subject, note))
        if self._listeners:
            event = Event(self.last_id, kind, at, subject, note)
            for listener in self._listeners:
                listener(event)
        if weight > HEAVY:
            self._make_room(weight)

    def _make_room(self, weight: int) -> None:
        """Forget the oldest events until the heavy ones weigh no more than they may."""
        self._heavy.append((self.last_id, weight))
        self._weight += weight
        while self._weight > BYTE_LIMIT:
            event_id, gone = self._heavy.popleft()
            self._weight -= gone
            while self._recent and self._recent[0][0] <= event_id:
                self._recent.popleft()

    def forget(self) -> None:
        """Remember nothing of what was; ids go on."""
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

    def listen(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Call ``listener`` for every event from now on; returns the way to stop that."""
        self._listeners = (*self._listeners, listener)

        def stop() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return stop
