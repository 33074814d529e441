"""The ledger of calls, from which both receipts and record queries are rendered.

It is bounded: past a limit the calls that ended first are forgotten. A call that has not ended is never forgotten.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from voice_emulator.core.calls import Call

ENDED_LIMIT = 50_000
COUNTED_NUMBERS = 200_000
#: Combinations of counts that numbers share.
SHARED_COUNTS = 1_000
#: The number of a tenant's first record: as many digits as in the samples, and far below 2**31.
FIRST_RECORD = 1_000_001


class Counts:
    """How often each key was seen, in several spaces, for at least the latest ``limit`` keys.

    There are two dicts: when the young one is full it becomes the old one, and the keys of the old one that were not
    seen since are forgotten. That takes half the memory of an ordered dict. Keys with the same counts share one tuple.
    """

    __slots__ = ("_following", "_limit", "_old", "_spaces", "_young")

    def __init__(self, limit: int = COUNTED_NUMBERS) -> None:
        self._young: dict[str, tuple[int, ...]] = {}
        self._old: dict[str, tuple[int, ...]] = {}
        self._limit = limit
        #: The place of each space in the tuples.
        self._spaces: dict[str, int] = {}
        #: What follows upon a tuple when one more is counted at a place.
        self._following: dict[tuple[tuple[int, ...], int], tuple[int, ...]] = {}

    def next(self, key: str, space: str = "") -> int:
        """Count one more; returns which it is, from 1."""
        young = self._young
        counts = young.get(key)
        if counts is None:
            counts = self._old.pop(key, ())
            if len(young) >= self._limit:
                self._old = young
                young = self._young = {}
        place = self._spaces.get(space)
        if place is None:
            place = self._spaces[space] = len(self._spaces)
        following = self._following.get((counts, place))
        if following is None:
            following = self._counted(counts, place, 1)
            if len(self._following) >= SHARED_COUNTS:
                self._following.clear()
            self._following[counts, place] = following
        young[key] = following
        return following[place]

    @staticmethod
    def _counted(counts: tuple[int, ...], place: int, more: int) -> tuple[int, ...]:
        missing = (0,) * (place + 1 - len(counts))
        counts += missing
        return (*counts[:place], counts[place] + more, *counts[place + 1 :])

    def put(self, key: str, count: int, space: str = "") -> None:
        """Continue to count ``key`` from ``count``."""
        seen = self.seen(key, space)
        if seen < count:
            self.next(key, space)
            self._young[key] = self._counted(self._young[key], self._spaces[space], count - seen - 1)

    def seen(self, key: str, space: str = "") -> int:
        """How often ``key`` was counted so far."""
        counts = self._young.get(key) or self._old.get(key, ())
        place = self._spaces.get(space, len(counts))
        return counts[place] if place < len(counts) else 0

    def clear(self) -> None:
        """Back to zero."""
        self._young.clear()
        self._old.clear()


_NO_NAMES: Mapping[str, Call] = MappingProxyType({})


class Ledger:
    """All calls of one tenant, in the order they were submitted."""

    __slots__ = (
        "_calls", "_counts", "_ended", "_ended_limit", "_named", "forgotten", "records",
    )  # fmt: skip

    def __init__(self, ended_limit: int = ENDED_LIMIT) -> None:
        self._calls: dict[str, Call] = {}
        self._named: dict[str, dict[str, Call]] = {}
        self._ended: deque[Call] = deque()
        self._ended_limit = ended_limit
        #: By provider.
        self._counts: dict[str, Counts] = {}
        self.forgotten = 0
        #: The number of the next record, by provider; :data:`FIRST_RECORD` if the provider is missing.
        self.records: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def ordinal(self, number: str, provider: str, operation: str = "") -> int:
        """Count one more call for ``number``; returns which it is, from 1.

        With ``operation``, count one more request that names ``number`` first.
        """
        counts = self._counts.get(provider)
        if counts is None:
            counts = self._counts[provider] = Counts()
        return counts.next(number, operation)

    def restore_count(self, space: tuple[str, ...], number: str, count: int) -> None:
        """Continue to count ``number`` from ``count``; ``space`` is what :meth:`ordinal` got besides it."""
        provider, operation = (*space, "")[:2]
        self._counts.setdefault(provider, Counts()).put(number, count, operation)

    @property
    def ended_count(self) -> int:
        """How many calls have ended so far: the running number of the one that ended last."""
        return self.forgotten + len(self._ended)

    def add(self, call: Call) -> None:
        """Enter a new call."""
        self._calls[call.id] = call

    def remove(self, call: Call) -> None:
        """Forget a call that has not begun."""
        del self._calls[call.id]
        named = self._named.get(call.provider)
        if named is not None and named.get(call.provider_id) is call:
            del named[call.provider_id]

    def get(self, call_id: str) -> Call | None:
        """The call with this id, unless unknown or forgotten."""
        return self._calls.get(call_id)

    def name(self, call: Call, name: str) -> None:
        """Let ``call`` be found by the id that the customer knows."""
        call.provider_id = name
        named = self._named.get(call.provider)
        if named is None:
            named = self._named[call.provider] = {}
        named[name] = call

    def named(self, provider: str, name: str) -> Call | None:
        """The call of ``provider`` with this name (:meth:`name`), unless unknown or forgotten."""
        return self._named.get(provider, _NO_NAMES).get(name)

    def number_record(self, call: Call) -> None:
        """Give the record of ``call``, which ends now, the next number of its provider.

        It is also the customer's id of a call whose submission returned none.
        """
        call.record = self.records.get(call.provider, FIRST_RECORD)
        self.records[call.provider] = call.record + 1
        call.provider_id = call.provider_id or str(call.record)

    def ended(self, call: Call) -> None:
        """Note that ``call`` has ended; past the limit, forget the call that ended first."""
        self._ended.append(call)
        if len(self._ended) > self._ended_limit:
            oldest = self._ended.popleft()
            self._calls.pop(oldest.id, None)
            named = self._named.get(oldest.provider)
            if named is not None and named.get(oldest.provider_id) is oldest:
                del named[oldest.provider_id]
            self.forgotten += 1

    def ended_after(self, index: int) -> Iterator[tuple[int, Call]]:
        """(running number, call) pairs of ended calls with a number above ``index``, in the order they ended; from 1."""
        for position in range(max(0, index - self.forgotten), len(self._ended)):
            yield self.forgotten + position + 1, self._ended[position]

    def of_provider(self, provider: str) -> Iterator[Call]:
        """Calls of one provider, oldest first."""
        return (call for call in self._calls.values() if call.submission.provider == provider)

    def clear(self) -> None:
        """Forget every call and every count."""
        self._calls.clear()
        self._named.clear()
        self._ended.clear()
        self._counts.clear()
        self.records.clear()
        self.forgotten = 0
