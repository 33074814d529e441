"""Which replica owns a tenant, as far as the two ports need to know it.

Without a shared store there is nothing to ask: ``Runtime.ownership`` is None, and every tenant is here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol

from voice_emulator.core.accounts import Key
from voice_emulator.core.values import plain_value


@plain_value
class Figures:
    """What a replica has counted: tenants that it owns, how many it took over, how many it lost because a commit was
    refused, and the real microseconds of its commits.
    """

    leases: int
    take_overs: int
    fenced: int
    latencies: Sequence[int]


@plain_value
class Replica:
    """Another process: its name, and its control port as this one reaches it."""

    name: str
    url: str


class Ownership(Protocol):
    """Answers from memory where it can, and asks the shared store where it must.

    Methods that wait raise StateError when the store does not answer.
    """

    @property
    def name(self) -> str:
        """The name of this replica."""
        ...

    @property
    def reachable(self) -> bool:
        """Whether the store answered the last time."""
        ...

    def figures(self) -> Figures:
        """What was counted so far; of latencies, those since the last time."""
        ...

    def owns(self, tenant_id: str) -> bool:
        """Whether this replica owns the tenant at this moment."""
        ...

    def known_owner(self, keys: Iterable[Key]) -> Replica | None:
        """Where a request with these keys belongs, if that is known to be another replica without asking the store.

        Keys of tenants that are owned here are found in the directory of the tenancy first.
        """
        ...

    async def find(self, keys: Iterable[Key]) -> str:
        """The id of the tenant of the first key that anyone knows; that of ``default`` when none is known."""
        ...

    async def locate(self, tenant_id: str) -> Replica | None:
        """The owner of a tenant; None when that is this replica, if need be after taking the tenant over.

        Raises LookupError when there is no such tenant.
        """
        ...

    def moved(self, tenant_id: str) -> None:
        """The replica that was thought to own the tenant does not: ask the store the next time."""
        ...

    async def tenants(self) -> list[str]:
        """The ids of all tenants of all replicas, the oldest first."""
        ...

    async def replicas(self) -> list[Replica]:
        """All replicas that are running, this one too."""
        ...

    def watch(self, told: Callable[[Collection[Replica]], None]) -> None:
        """Call ``told`` with all replicas that are running whenever it is noticed that one has come or gone."""
        ...

    async def create(self, tenant_id: str, keys: Iterable[Key]) -> None:
        """Let nobody else create this tenant, or have these credentials; :meth:`created` must follow.

        Raises TenantTaken and KeyTaken.
        """
        ...

    def created(self, tenant_id: str) -> None:
        """The tenant is there now, or could not be created."""
        ...

    async def reserve(self, tenant_id: str, keys: Iterable[Key]) -> None:
        """Let nobody else have these credentials, which a tenant of this replica is about to get. Raises KeyTaken."""
        ...

    async def settled(self) -> None:
        """Wait until everything that has changed here is kept."""
        ...
