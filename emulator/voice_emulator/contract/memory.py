"""What the finding rules remember of one tenant: bounded, and forgotten when the tenant is reset."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from voice_emulator.core.progress import Latency, Timeline
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

#: Things one rule remembers of one tenant before the oldest is forgotten.
REMEMBERED = 10_000


class Recent(dict[K, V]):
    """A mapping of the newest :data:`REMEMBERED` keys, oldest first; use :meth:`put` to add one."""

    __slots__ = ("_limit",)

    def __init__(self, limit: int = REMEMBERED) -> None:
        super().__init__()
        self._limit = limit

    def put(self, key: K, value: V) -> None:
        """Remember; the key becomes the newest."""
        self.pop(key, None)
        self[key] = value
        if len(self) > self._limit:
            del self[next(iter(self))]

    def forget(self, key: K) -> V | None:
        """Forget a key; what was remembered under it."""
        return self.pop(key, None)


class Memory:
    """The memory of one tenant: a room per rule, and the course of the run."""

    __slots__ = (
        "latencies",
        "lost",
        "occasions",
        "own_failures",
        "refused_tokens",
        "rooms",
        "timeline",
    )

    def __init__(self) -> None:
        #: How often an occasional rule had something to judge, by (rule, provider).
        self.occasions: Counter[tuple[str, str]] = Counter()
        #: Requests that the emulator itself failed at. They say nothing about the client.
        self.own_failures = 0
        self.timeline = Timeline()
        self.latencies: dict[str, Latency] = {}
        self.rooms: dict[str, Any] = {}
        #: Numbers whose call was placed behind a reply that did not arrive, by (provider, number).
        self.lost: Recent[tuple[str, str], LostReply] = Recent()
        #: Tokens that were refused, and the newest journal entry at that time.
        self.refused_tokens: Recent[tuple[str, str, str], int] = Recent()

    def room(self, name: str, make: Callable[[], T]) -> T:
        """The room of one rule, made on first use."""
        found = self.rooms.get(name)
        if found is None:
            found = self.rooms[name] = make()
        room: T = found
        return room


@plain_record
class LostReply:
    """A submission whose reply the client never saw whole."""

    operation: str
    entry_id: int
    at: int
    why: str


def memory_of(tenant: Tenant) -> Memory:
    """The memory of a tenant, made on first use."""
    found = tenant.findings.memory
    if not isinstance(found, Memory):
        found = tenant.findings.memory = Memory()
    return found
