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
#: The number of a tenant's first record: as many digits as in the samples, and far below 2**31.
FIRST_RECORD = 1_000_001


class Counts:
    """How often each key was seen, for at least the latest ``limit`` keys.

    There are two dicts: when the young one is full it becomes the old one, and the keys of the old one that were not
    seen since are forgotten. That takes half the memory of an ordered dict.
    """

    __slots__ = ("_limit", "_old", "_young")

    def __init__(self, limit: int = COUNTED_NUMBERS) -> None:
        self._young: dict[str, int] = {}
        self._old: dict[str, int] = {}
        self._limit = limit

    def next(self, key: str) -> int:
        """Count one more; returns which it is, from 1."""
        young = self._young
        count = young.get(key)
        if count is None:
            count = self._old.pop(key, 0)
            if len(young) >= self._limit:
                self._old = young
                young = self._young = {}
        young[key] = count + 1
        return count + 1

    def put(self, key: str, count: int) -> None:
        """Continue to count ``key`` from ``count``."""
        if self.seen(key) < count:
            self.next(key)
            self._young[key] = count

    def seen(self, key: str) -> int:
        """How often ``key`` was counted so far."""
        return self._young.get(key) or self._old.get(key, 0)

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
        self._counts: dict[tuple[str, ...], Counts] = {}
        self.forgotten = 0
        #: The number of the next record, by provider; :data:`FIRST_RECORD` if the provider is missing.
        self.records: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def __iter__(self) -> Iterator[Call]:
        return iter(self._calls.values())

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._calls

    def ordinal(self, number: str, *space: str) -> int:
        """Count one more call, or request, for ``number``; returns which it is, from 1.

        ``space`` is (provider,) for a call and (provider, operation) for a request that names ``number`` first.
        """
        counts = self._counts.get(space)
        if counts is None:
            counts = self._counts[space] = Counts()
        return counts.next(number)

    def restore_count(self, space: tuple[str, ...], number: str, count: int) -> None:
        """Continue to count ``number`` from ``count``."""
        self._counts.setdefault(space, Counts()).put(number, count)

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
