"""Writes what happens to a store of its own before the outside world can know of it.

Calls, tokens and ids are committed before the reply that names them, in one transaction per request. A push is
committed as being on the wire before its first byte leaves, and its outcome afterwards. All other changes are
collected and committed once per turn of the event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import TimeSource
from voice_emulator.core.tenants import Tenant
from voice_emulator.errors import StateError
from voice_emulator.state.changes import ChangeCollector, Kept
from voice_emulator.state.store import Changes, Store
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

log = logging.getLogger(__name__)


class StateWriter(ChangeCollector):
    """Keeps the state of all tenants in one store."""

    def __init__(self, store: Store, runtime: Runtime, source: TimeSource, kept: dict[str, Kept]) -> None:
        """Write to ``store``, which has ``kept`` of the tenants.

        The listeners are told once when that fails, and then no reply or push goes out. Raises StateError when ``store``
        cannot be written to at all.
        """
        super().__init__(runtime, source, kept)
        store.open()
        self._store = store
        self._handle: asyncio.Handle | None = None
        self._committed: asyncio.Future[None] | None = None
        self._failed = False

    def close(self) -> None:
        """Write what is left and close the store."""
        self._closing = True
        for tenant in self._runtime.tenancy:
            self._changed(tenant)
        self.flush()
        self._store.close()

    def check(self) -> None:
        """Write what could wait, and notice when what is written is lost. To be called now and then."""
        self.flush()
        self._attempt(self._store.check)

    def tenant_deleted(self, tenant: Tenant) -> None:
        """Forget the tenant."""
        del self._kept[tenant.id]
        self._changes.pop(tenant.id, None)
        self._attempt(lambda: self._store.commit({tenant.id: Changes(only=())}))

    def tenant_configured(self, tenant: Tenant) -> None:
        """Commit the configuration at once."""
        super().tenant_configured(tenant)
        self.flush()

    def reply_ready(self, tenant: Tenant, record: RequestRecord, calls: Sequence[Call]) -> None:
        """Commit a request's calls, tokens and ids. Raises StateError when that fails."""
        self._note_request(tenant, record, calls)
        self.flush()
        if self._failed:
            raise StateError(f"{self._store.name} cannot be written any more")

    async def attempt_starting(self, tenant: Tenant, attempt: Attempt) -> None:
        """Return once it is committed that this attempt is on the wire."""
        push = attempt.push
        if not push.by_hand and tenant.id in self._kept:
            self._changed(tenant).pushes[push.id] = (push, attempt.at)
            if self._committed is None:
                self._committed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._committed)

    # --- writing ------------------------------------------------------------------------------

    def _plan(self) -> None:
        self._planned = self._handle = asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Commit everything that has changed."""
        if self._handle is not None:
            self._handle.cancel()
            self._planned = self._handle = None
        changed, self._changes = self._changes, {}
        if changed:
            self._attempt(lambda: self._store.commit(self._rows(changed)))
        if self._failed:
            # A push that waits for its commit waits until the process stops: it must not be sent.
            return
        if self._committed is not None:
            committed, self._committed = self._committed, None
            committed.set_result(None)

    def _attempt(self, work: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            work()
        except (StateError, TypeError) as error:
            self._failed = True
            why = (
                str(error)
                if isinstance(error, StateError)
                else f"{self._store.name} cannot be written: {error}"
            )
            log.critical("%s", why)
            for told in self._runtime.tenancy.listeners.state_lost:
                told(why)
