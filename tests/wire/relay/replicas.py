"""Two replicas in one event loop, with a directory that is a dictionary."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.rig import Running, started
from voice_emulator.app import Emulator
from voice_emulator.core.accounts import Key
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import StateError
from voice_emulator.wire.ownership import Figures, Replica


@dataclass
class Directory:
    """What the store would hold: who owns each tenant, and where the replicas are."""

    owners: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, Replica] = field(default_factory=dict)
    running: dict[str, Running] = field(default_factory=dict)
    down: bool = False

    def check(self) -> None:
        if self.down:
            raise StateError("the store does not answer")


@dataclass
class FakeOwnership:
    """The ownership that one replica sees. ``cached`` is what it believes of others, right or wrong."""

    name: str
    directory: Directory
    cached: dict[str, str] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    finds: int = 0
    told: Callable[[Collection[Replica]], None] | None = None
    #: Tenants that it does not know of until it looks again.
    overlooked: set[str] = field(default_factory=set)

    @property
    def reachable(self) -> bool:
        return not self.directory.down

    def figures(self) -> Figures:
        return Figures(len(self.directory.owners), 0, 0, ())

    def owns(self, tenant_id: str) -> bool:
        return self.directory.owners.get(tenant_id) == self.name

    def _tenant_of(self, keys: Iterable[Key]) -> str:
        keys = tuple(keys)
        for tenant_id, owner in self.directory.owners.items():
            emu = self.directory.running[owner].emulator
            found = emu.runtime.tenancy.directory.find(keys)
            if found is not None and found.id == tenant_id:
                return tenant_id
        return DEFAULT_TENANT

    def known_owner(self, keys: Iterable[Key]) -> Replica | None:
        owner = self.cached.get(self._tenant_of(keys))
        return self.directory.nodes[owner] if owner not in (None, self.name) else None

    async def find(self, keys: Iterable[Key]) -> str:
        self.directory.check()
        self.finds += 1
        return self._tenant_of(keys)

    async def locate(self, tenant_id: str) -> Replica | None:
        self.directory.check()
        owner = self.cached.get(tenant_id) or self.directory.owners.get(tenant_id)
        if owner is None or tenant_id in self.overlooked:
            raise LookupError(tenant_id)
        self.cached[tenant_id] = owner
        return None if owner == self.name else self.directory.nodes[owner]

    def moved(self, tenant_id: str) -> None:
        self.forgotten.append(tenant_id)
        self.cached.pop(tenant_id, None)
        self.overlooked.discard(tenant_id)

    async def create(self, tenant_id: str, keys: Iterable[Key]) -> None:
        self.directory.check()

    def created(self, tenant_id: str) -> None:
        self.directory.owners[tenant_id] = self.name

    async def reserve(self, tenant_id: str, keys: Iterable[Key]) -> None:
        self.directory.check()

    async def settled(self) -> None:
        pass

    async def tenants(self) -> list[str]:
        self.directory.check()
        return list(self.directory.owners)

    async def replicas(self) -> list[Replica]:
        self.directory.check()
        return list(self.directory.nodes.values())

    def watch(self, told: Callable[[Collection[Replica]], None]) -> None:
        self.told = told


@dataclass
class Pair:
    """Replica ``a`` owns ``default`` and ``near``, ``b`` owns ``far``."""

    a: Running
    b: Running
    directory: Directory
    seen_by_a: FakeOwnership
    seen_by_b: FakeOwnership

    def form(self, tenant: str, **fields: str) -> dict[str, str]:
        owner = self.directory.running[self.directory.owners[tenant]]
        known = owner.emulator.runtime.tenancy.get(tenant)
        assert known is not None
        credentials = known.credentials["nxcloud"]
        return {
            "appkey": credentials["appkey"], "secretkey": credentials["secretkey"], "phone": "6281200000000",
            "country_code": "62", "show_phone": "123456", "url": "https://nxcloud.com/1963370420.m4a", **fields,
        }  # fmt: skip


@asynccontextmanager
async def pair(secret: str | None = None, scenario: str = "happy-path") -> AsyncIterator[Pair]:
    """Two replicas with one scenario: a shipped name, or YAML text."""
    directory = Directory()
    seen = FakeOwnership("a", directory), FakeOwnership("b", directory)

    def share(ownership: FakeOwnership) -> Callable[[Emulator], None]:
        def prepare(emulator: Emulator) -> None:
            emulator.runtime.ownership = ownership
            object.__setattr__(emulator.options, "node_secret", secret)

        return prepare

    async with started(scenario, prepare=share(seen[0])) as a, started(scenario, prepare=share(seen[1])) as b:
        for name, emu in (("a", a), ("b", b)):
            directory.nodes[name] = Replica(name, emu.control)
            directory.running[name] = emu
        directory.owners |= {DEFAULT_TENANT: "a", "near": "a", "far": "b"}
        for emu, name in ((a, "near"), (b, "far")):
            loaded = emu.emulator.runtime.tenancy.default.scenario
            emu.new_tenant(name).load(loaded)
        tenancy = b.emulator.runtime.tenancy
        tenancy.directory.remove(tenancy._tenants.pop(DEFAULT_TENANT))
        yield Pair(a, b, directory, *seen)
