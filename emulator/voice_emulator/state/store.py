"""What a store of state does, whatever it is made of.

A store holds rows: a tenant, a kind, a key within that kind, and a value. All are text, and only the emulator knows
what they mean. :class:`Store` belongs to one process: it is read once, at the start, and from then on that process writes,
commit by commit. The store that replicas share (:mod:`voice_emulator.replicas.store`) keeps the same rows and takes the
same changes, but is waited for, and each of its tenants has an owner of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from voice_emulator.core.accounts import Key

#: Kind, key and value.
Row = tuple[str, str, str]


@dataclass(slots=True)
class Changes:
    """What one commit changes of one tenant, in the order of the members."""

    #: If this is set, forget everything of the tenant but rows of these kinds.
    only: Collection[str] | None = None
    #: Rows to keep. One with a known kind and key gets a new value and stays in its place.
    put: list[Row] = field(default_factory=list)
    #: Rows to forget: kind and key. A row that is not there is no error.
    drop: list[tuple[str, str]] = field(default_factory=list)
    #: By kind: so many of the newest rows stay, older ones are forgotten.
    newest: Mapping[str, int] = field(default_factory=dict)
    #: All credentials of the tenant, where replicas share the store and must find it by them; None: as before.
    keys: Sequence[Key] | None = None


class Store(Protocol):
    """Holds the rows of all tenants for one owner at a time.

    Every method raises StateError, whose message is one sentence without contents of the store.
    """

    @property
    def name(self) -> str:
        """What it is, in the words of a message: ``the state file state.db``."""
        ...

    def tenants(self) -> list[str]:
        """The tenants that have rows, the oldest first."""
        ...

    def load(self, tenant: str) -> list[Row]:
        """The rows of a tenant, oldest first. Only once, before :meth:`open`; nothing is changed by it.

        Raises StateError if anything that was ever committed is missing or differs, if the store has not said so before.
        """
        ...

    def open(self) -> None:
        """Begin to write."""
        ...

    def commit(self, changes: Mapping[str, Changes]) -> None:
        """Carry out the changes of these tenants, all or none: the death of the process afterwards undoes nothing."""
        ...

    def check(self) -> None:
        """Raise StateError if what is committed from now on would be lost."""
        ...

    def close(self) -> None:
        """Give it up. May be called at any time, and more than once."""
        ...
