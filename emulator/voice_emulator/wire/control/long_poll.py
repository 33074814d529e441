"""Waiting for what happens to a tenant, without polling and without missing what came before.

A waiter looks first, then waits, with nothing in between that could let the loop run; what it found so far is
remembered, so each look covers new things only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol

from voice_emulator.core.clock import SECOND
from voice_emulator.core.journal import Entry
from voice_emulator.core.listeners import Listener
from voice_emulator.core.tenants import Tenant
from voice_emulator.wire.traffic.exchange import RequestRecord


class Waiters(Listener):
    """The long polls and event streams of all tenants, woken by events, and when their tenant is deleted."""

    def __init__(self) -> None:
        #: By tenant id, what each of them waits for; None is any event.
        self._waiting: dict[str, dict[asyncio.Event, Collection[str] | None]] = {}
        self.closing = False
        self._empty = asyncio.Event()
        self._empty.set()

    def enter(self, tenant: Tenant, kinds: Collection[str] | None = None) -> asyncio.Event:
        """An asyncio event, to be given to :meth:`leave`.

        It is set by each event of ``kinds`` (default: of any), when the tenant is deleted and when the emulator stops.
        """
        woken = asyncio.Event()
        self._empty.clear()
        # A tenant of the same id may have gone just now.
        waiting = tenant.events.waiting = self._waiting.setdefault(tenant.id, {})
        waiting[woken] = kinds
        if self.closing:
            woken.set()
        return woken

    def leave(self, tenant: Tenant, woken: asyncio.Event) -> None:
        """Wake it no more."""
        others = self._waiting.get(tenant.id)
        if others is not None:
            others.pop(woken, None)
            if not others:
                del self._waiting[tenant.id]
        if not self._waiting:
            self._empty.set()

    def tenant_deleted(self, tenant: Tenant) -> None:
        """Wake all that wait for something of this tenant."""
        for woken in self._waiting.get(tenant.id, ()):
            woken.set()

    def tenant_left(self, tenant: Tenant) -> None:
        """As :meth:`tenant_deleted`: here nothing happens to it any more."""
        self.tenant_deleted(tenant)

    def close(self) -> None:
        """Everything goes away."""
        self.closing = True
        for waiting in self._waiting.values():
            for woken in waiting:
                woken.set()

    async def all_gone(self, seconds: float) -> None:
        """Wait until nobody waits any more, at most ``seconds`` of real time."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            # Whoever still waits is cut off with the connections.
            pass

    async def until(
        self, tenant: Tenant, kinds: Collection[str], ready: Callable[[], bool], patience: int
    ) -> bool:
        """Wait until ``ready()``, which events of ``kinds`` may bring about.

        At most ``patience`` real microseconds, less when the tenant or the emulator goes away. Returns
        what ``ready()`` says at the end.
        """
        if ready():
            return True
        woken = self.enter(tenant, kinds)
        try:
            async with asyncio.timeout(patience / SECOND):
                while not (tenant.closed or self.closing):
                    await woken.wait()
                    woken.clear()
                    if ready():
                        return True
        except TimeoutError:
            pass
        finally:
            self.leave(tenant, woken)
        return ready()


class Source(Protocol):
    """Where numbered things come from, in the order in which they were finished."""

    def fresh(self) -> Iterator[tuple[int, Any]]:
        """(running number, thing) pairs that were not given before."""


class NumberedSource:
    """Things that a tenant's part numbers itself: ended calls, finished attempts."""

    def __init__(
        self, tenant: Tenant, following: Callable[[int], Iterator[tuple[int, Any]]], after: int
    ) -> None:
        """``following(n)`` yields what has a number above ``n``."""
        self._tenant = tenant
        self._following = following
        self._position = after
        self._resets = tenant.resets

    def fresh(self) -> Iterator[tuple[int, Any]]:
        """What was finished since the last time; after a reset numbers start again."""
        if self._tenant.resets != self._resets:
            self._resets, self._position = self._tenant.resets, 0
        for number, thing in self._following(self._position):
            self._position = number
            yield number, thing


class RequestSource:
    """Finished requests out of the journal, by the number they were given at their end."""

    def __init__(self, tenant: Tenant, after: int) -> None:
        """Give those with a number above ``after``."""
        self._tenant = tenant
        self._after = after
        self._position = 0
        self._unfinished: list[Entry] = []
        self._resets = tenant.resets

    def fresh(self) -> Iterator[tuple[int, Any]]:
        """What was finished since the last time; a reset forgets what was under way."""
        if self._tenant.resets != self._resets:
            self._resets = self._tenant.resets
            self._unfinished.clear()
        entries = [*self._unfinished, *self._tenant.journal.after(self._position, "request")]
        self._position = self._tenant.journal.last_id
        self._unfinished = [entry for entry in entries if not _number(entry)]
        finished = sorted(
            (_number(entry), entry.id, entry) for entry in entries if _number(entry) > self._after
        )
        for number, _, entry in finished:
            yield number, entry


def _number(entry: Entry) -> int:
    return entry.record.finished if isinstance(entry.record, RequestRecord) else 0


class Collector:
    """The first ``count`` things of a source that match."""

    def __init__(self, source: Source, matches: Callable[[Any], bool], count: int, tenant: Tenant) -> None:
        """Collect from ``source``; what a reset of ``tenant`` forgets is forgotten here too."""
        self._source = source
        self._matches = matches
        self._count = count
        self._tenant = tenant
        self._resets = tenant.resets
        self._found: list[tuple[int, Any]] = []

    def ready(self) -> bool:
        """Look for more; whether there are enough."""
        if self._tenant.resets != self._resets:
            self._resets = self._tenant.resets
            self._found.clear()
        if len(self._found) < self._count:
            for number, thing in self._source.fresh():
                if self._matches(thing):
                    self._found.append((number, thing))
                    if len(self._found) == self._count:
                        break
        return len(self._found) >= self._count

    @property
    def things(self) -> list[Any]:
        """The first ``count`` things: not more, so that the answer does not depend on who was quicker."""
        return [thing for _, thing in self._found[: self._count]]

    @property
    def next(self) -> int | None:
        """The number of the last of them: where a following wait goes on."""
        taken = self._found[: self._count]
        return taken[-1][0] if taken else None
