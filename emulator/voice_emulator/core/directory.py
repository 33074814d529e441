"""Maps a credential, token or issued id to the tenant it belongs to.

One directory serves the whole process, because everything issued is unique in it. Issued tokens and ids are bounded:
the oldest are forgotten first. Credentials stay until they are given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from voice_emulator.core.accounts import ISSUED, Key
from voice_emulator.core.listeners import Listeners

_NOTHING: dict[str, Any] = {}

#: How many issued tokens and ids are remembered before the oldest is forgotten.
ISSUED_LIMIT = 500_000


class HasId(Protocol):
    """What the directory needs of a tenant."""

    @property
    def id(self) -> str:
        """Unique in the process."""


Owner = TypeVar("Owner", bound=HasId)


class KeyTaken(Exception):
    """A credential already belongs to another tenant."""

    def __init__(self, key: Key, owner: str) -> None:
        """``owner`` is the id of the tenant that has ``key``."""
        super().__init__(f"{key[0]} {key[1]} {key[2]!r} belongs to tenant {owner!r} already")
        self.key = key
        self.owner = owner


class _Rehearsed(Exception):
    """Ends a rehearsal, before anything has changed."""


class _Holder(Generic[Owner]):
    """The tenant that ids were issued to: one per tenant, replaced at a reset, which so forgets all ids at once."""

    __slots__ = ("count", "tenant")

    def __init__(self, tenant: Owner) -> None:
        self.tenant: Owner | None = tenant
        self.count = 0


class Directory(Generic[Owner]):
    """Maps keys to tenants; raises KeyTaken instead of ever giving one key to two tenants."""

    __slots__ = ("_credentials", "_dead", "_enrolled", "_holders", "_issued", "_issued_limit", "_listeners",
                 "_rehearsed", "_total")  # fmt: skip

    def __init__(self, issued_limit: int = ISSUED_LIMIT, listeners: Listeners | None = None) -> None:
        """Start empty; ``issued_limit`` tokens and ids are remembered over all tenants."""
        self._credentials: dict[Key, Owner] = {}
        # Per tenant id, so that resetting one tenant does not walk through all of them.
        self._enrolled: dict[str, list[Key]] = {}
        self._holders: dict[str, _Holder[Owner]] = {}
        #: By space, then by value: hundreds of thousands of ids need no key tuple of their own.
        self._issued: dict[str, dict[str, _Holder[Owner]]] = {}
        self._issued_limit = issued_limit
        self._total = 0
        #: How many of them belong to no tenant any more.
        self._dead = 0
        self._listeners = listeners or Listeners()
        self._rehearsed: list[Key] | None = None

    def find(self, keys: Iterable[Key]) -> Owner | None:
        """The tenant of the first known key; None when none is known."""
        for key in keys:
            tenant = self.owner(key)
            if tenant is not None:
                return tenant
        return None

    def owner(self, key: Key) -> Owner | None:
        """The tenant that ``key`` belongs to."""
        if key[0] != ISSUED:
            return self._credentials.get(key)
        holder = self._issued.get(key[1], _NOTHING).get(key[2])
        return holder.tenant if holder is not None else None

    def enrol(self, tenant: Owner, keys: Iterable[Key]) -> None:
        """Give ``tenant`` exactly these credentials. Raises KeyTaken and then changes nothing."""
        wanted = list(dict.fromkeys(keys))
        if self._rehearsed is not None:
            self._rehearsed += wanted
            raise _Rehearsed
        for key in wanted:
            owner = self._credentials.get(key)
            if owner is not None and owner is not tenant:
                raise KeyTaken(key, owner.id)
        for key in self._enrolled.get(tenant.id, ()):
            del self._credentials[key]
        for key in wanted:
            self._credentials[key] = tenant
        self._enrolled[tenant.id] = wanted

    def rehearse(self, work: Callable[[], object]) -> list[Key]:
        """The credentials that ``work`` would give a tenant; nothing is changed.

        ``work`` creates or changes a tenant: credentials are the first thing that it enrols. Raises what it raises before.
        """
        found: list[Key] = []
        self._rehearsed = found
        try:
            work()
        except _Rehearsed:
            pass
        finally:
            self._rehearsed = None
        return found

    def credentials(self, tenant: Owner) -> list[Key]:
        """The credentials that ``tenant`` has."""
        return self._enrolled.get(tenant.id, [])

    def issue(self, tenant: Owner, key: Key) -> bool:
        """Remember that ``key`` (:data:`ISSUED`, space, value) was issued to ``tenant``; False when it is in use."""
        _, space, value = key
        values = self._issued.get(space)
        if values is None:
            values = self._issued[space] = {}
        holder = values.get(value)
        if holder is not None:
            if holder.tenant is not None:
                return False
            self._forget(values, value)
        holder = self._holders.get(tenant.id)
        if holder is None:
            holder = self._holders[tenant.id] = _Holder(tenant)
        values[value] = holder
        holder.count += 1
        self._total += 1
        if self._total > self._issued_limit:
            fullest = max(self._issued.values(), key=len)
            self._forget(fullest, next(iter(fullest)))
        for told in self._listeners.id_issued:
            told(tenant, key)
        return True

    def withdraw(self, tenant: Owner) -> None:
        """Forget everything that was issued to ``tenant``; its credentials stay."""
        holder = self._holders.pop(tenant.id, None)
        if holder is None:
            return
        holder.tenant = None
        self._dead += holder.count
        # Dead ids are removed only when they are the majority, so that no reset pays for all tenants.
        if self._dead * 2 > self._total:
            self._sweep()

    def remove(self, tenant: Owner) -> None:
        """Forget ``tenant`` and everything that belongs to it."""
        self.withdraw(tenant)
        for key in self._enrolled.pop(tenant.id, ()):
            del self._credentials[key]

    def _forget(self, values: dict[str, _Holder[Owner]], value: str) -> None:
        holder = values.pop(value)
        holder.count -= 1
        self._total -= 1
        if holder.tenant is None:
            self._dead -= 1

    def _sweep(self) -> None:
        if self._dead == self._total:
            self._issued.clear()
        for space, values in self._issued.items():
            self._issued[space] = {
                value: holder for value, holder in values.items() if holder.tenant is not None
            }
        self._total -= self._dead
        self._dead = 0
