"""The journal: everything received and sent, in order, bounded in number and in bytes.

Entries keep the original bytes; secrets are masked when an entry is rendered (:mod:`voice_emulator.core.masking`), so
nothing is copied for entries that are never read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from voice_emulator.core.vocabulary import EntryKind

ENTRY_LIMIT = 10_000
BYTE_LIMIT = 32 * 1024 * 1024


class Record(Protocol):
    """The subject of an entry."""

    @property
    def weight(self) -> int:
        """Bytes in memory, roughly."""

    def shown(self) -> dict[str, Any]:
        """The record as JSON values, secrets masked."""


class Entry(NamedTuple):
    """One line of the journal; ``id`` grows by one, ``at`` is an instant on the tenant's clock."""

    id: int
    kind: EntryKind
    at: int
    record: Record


class Journal:
    """The newest entries of one tenant."""

    __slots__ = ("_byte_limit", "_bytes", "_entries", "_limit", "_more", "evicted", "finished", "last_id")

    def __init__(self, limit: int = ENTRY_LIMIT, byte_limit: int = BYTE_LIMIT) -> None:
        self._entries: deque[Entry] = deque()
        self._limit = limit
        self._byte_limit = byte_limit
        self._bytes = 0
        # By id: bytes of an entry that were counted after it was added.
        self._more: dict[int, int] = {}
        self.last_id = 0
        #: How many requests have finished: the number of the last one.
        self.finished = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def append(self, kind: EntryKind, at: int, record: Record) -> Entry:
        """Add an entry; past a bound, forget the oldest (the newest always stays)."""
        self.last_id += 1
        entry = Entry(self.last_id, kind, at, record)
        self._entries.append(entry)
        self._bytes += record.weight
        if len(self._entries) > self._limit or self._bytes > self._byte_limit:
            self._evict()
        return entry

    def weigh(self, entry_id: int, more: int) -> None:
        """Count ``more`` bytes of an entry that has grown since it was added."""
        if self.get(entry_id) is not None:
            self._more[entry_id] = self._more.get(entry_id, 0) + more
            self._bytes += more
            self._evict()

    def _evict(self) -> None:
        while len(self._entries) > 1 and (len(self._entries) > self._limit or self._bytes > self._byte_limit):
            oldest = self._entries.popleft()
            self._bytes -= oldest.record.weight + (self._more.pop(oldest.id, 0) if self._more else 0)
            self.evicted += 1

    def get(self, entry_id: int) -> Entry | None:
        """The entry with this id, unless unknown or evicted."""
        if not self._entries:
            return None
        index = entry_id - self._entries[0].id
        return self._entries[index] if 0 <= index < len(self._entries) else None

    def after(self, cursor: int, kind: EntryKind | None = None) -> Iterator[Entry]:
        """Entries with an id above ``cursor``, oldest first, of one kind or of all."""
        entries = self._entries
        if not entries:
            return
        for index in range(max(0, cursor + 1 - entries[0].id), len(entries)):
            entry = entries[index]
            if kind is None or entry.kind == kind:
                yield entry

    def clear(self) -> None:
        """Forget all entries; ids continue, so that old cursors stay valid."""
        self._entries.clear()
        self._more.clear()
        self._bytes = 0
        self.evicted = 0
