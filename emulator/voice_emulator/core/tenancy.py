"""All tenants of the process: creates, finds and deletes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from voice_emulator.core.accounts import AccountRules
from voice_emulator.core.clock import ClockSpec, TimeSource
from voice_emulator.core.directory import Directory
from voice_emulator.core.draws import hexadecimal
from voice_emulator.core.layers import Layer
from voice_emulator.core.listeners import Listener, Listeners
from voice_emulator.core.overlay import NO_OVERLAY, Overlay
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenants import DEFAULT_TENANT, Bounds, Tenant

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class TenantTaken(Exception):
    """A tenant with this id already exists."""


class Tenancy:
    """The tenants, by id. ``default`` always exists and cannot be deleted.

    Where replicas share them, these are the tenants of this one. If ``default`` is another's, :attr:`default` is a
    shadow: an object to read requests and to mask with, which owns nothing and which no listener knows.
    """

    def __init__(
        self,
        accounts: Mapping[str, AccountRules],
        source: TimeSource,
        *,
        bounds: Bounds | None = None,
        options: Layer | None = None,
        overlay: Overlay = NO_OVERLAY,
    ) -> None:
        """``options`` is the configuration layer of the command line, ``overlay`` what is laid over every scenario."""
        self.accounts = accounts
        self.listeners = Listeners()
        self.directory: Directory[Tenant] = Directory(listeners=self.listeners)
        self._source = source
        self._bounds = bounds or Bounds()
        self._options = options or Layer()
        self._overlay = overlay
        self._tenants: dict[str, Tenant] = {}
        self._shadow: Tenant | None = None
        self._made = 0
        self._nonce = hexadecimal(8, "tenant", source())

    def __iter__(self) -> Iterator[Tenant]:
        return iter(tuple(self._tenants.values()))

    def __len__(self) -> int:
        return len(self._tenants)

    @property
    def default(self) -> Tenant:
        """The tenant that always exists, or its shadow."""
        return self._tenants.get(DEFAULT_TENANT) or self._shadowed()

    def _shadowed(self) -> Tenant:
        if self._shadow is None:
            raise AssertionError("there is no tenant default yet")
        return self._shadow

    def shadow_default(self, scenario: Scenario) -> None:
        """Have a shadow of ``default`` from now on, for as long as it is not here."""
        self._shadow = self._made_of(DEFAULT_TENANT, scenario, Directory())

    def get(self, tenant_id: str) -> Tenant | None:
        """The tenant with this id, if any."""
        return self._tenants.get(tenant_id)

    def register(self, listener: Listener) -> None:
        """Tell ``listener`` of all that happens from now on, after those registered before it."""
        self.listeners.add(listener)
        for tenant in self:
            tenant.listeners.bind(self.listeners, tenant)
            listener.tenant_opened(tenant)

    def lay_over(self, overlay: Overlay) -> None:
        """Lay ``overlay`` over the scenarios of all tenants, present and future. Raises ValueError for a bad setting."""
        self._overlay = overlay
        for tenant in self:
            tenant.lay_over(overlay)

    def create(
        self,
        scenario: Scenario,
        *,
        id: str | None = None,
        clock: ClockSpec | None = None,
        api: Layer | None = None,
        options: Layer | None = None,
    ) -> Tenant:
        """Create a tenant; without ``id`` it gets a new one.

        ``options`` replaces the option layer of the process (the seed of the command line is for ``default`` alone).
        Raises TenantTaken, KeyTaken, and ValueError for a bad id or setting.
        """
        name = id if id is not None else self.new_id()
        if not _ID.fullmatch(name):
            raise ValueError(f"a tenant id is 1 to 64 letters, digits, '.', '_' or '-', not {name!r}")
        if name in self._tenants:
            raise TenantTaken(f"there is already a tenant {name!r}")
        tenant = self._made_of(name, scenario, self.directory, clock=clock, options=options, api=api)
        self._tenants[name] = tenant
        tenant.listeners.bind(self.listeners, tenant)
        for told in self.listeners.tenant_opened:
            told(tenant)
        return tenant

    def _made_of(
        self,
        name: str,
        scenario: Scenario,
        directory: Directory[Tenant],
        *,
        clock: ClockSpec | None = None,
        options: Layer | None = None,
        api: Layer | None = None,
    ) -> Tenant:
        return Tenant(
            name, scenario, directory, self.accounts, self._source,
            clock=clock, options=options or self._options, api=api, bounds=self._bounds, overlay=self._overlay,
        )  # fmt: skip

    def new_id(self) -> str:
        """The id of a tenant whose creator named none."""
        self._made += 1
        return f"t-{self._made}-{hexadecimal(6, self._nonce, self._made)}"

    def delete(self, tenant_id: str) -> bool:
        """Delete a tenant; False if there is none with this id. Raises ValueError for ``default``."""
        if tenant_id == DEFAULT_TENANT:
            raise ValueError("the tenant 'default' always exists; reset it instead")
        return self._remove(tenant_id, "tenant_deleted")

    def leave(self, tenant_id: str) -> bool:
        """Give up a tenant that another replica owns; False if there is none with this id here."""
        return self._remove(tenant_id, "tenant_left")

    def _remove(self, tenant_id: str, notice: str) -> bool:
        tenant = self._tenants.pop(tenant_id, None)
        if tenant is None:
            return False
        for told in (*self.listeners.tenant_clearing, *getattr(self.listeners, notice)):
            told(tenant)
        tenant.close()
        return True
