"""Makes a tenant that another replica had, in the running process, of the rows that the store has of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable

from voice_emulator.errors import StateError
from voice_emulator.replicas.committer import Committer
from voice_emulator.replicas.store import Owned
from voice_emulator.state import documents as kinds
from voice_emulator.state.codec import WRONG, decode
from voice_emulator.state.restore import Rows, TenantReader
from voice_emulator.state.store import Row
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


class Restoring:
    """Restores one tenant after the other."""

    def __init__(self, name: str, runtime: Runtime, machine: MachineTime, committer: Committer) -> None:
        """``name`` is that of the store."""
        self._name = name
        self._runtime = runtime
        self._machine = machine
        self._committer = committer
        self._reader = TenantReader(name, runtime, machine)

    def open(self, tenant_id: str, rows: Iterable[Row], owned: Owned) -> bool:
        """Open the tenant, and go on with what it was doing. False when it was never opened before.

        Raises KeyTaken, and StateError when its rows cannot be read.
        """
        found = Rows(rows)
        if not found[kinds.COUNTERS]:
            return False
        tenancy = self._runtime.tenancy
        self._committer.restore(tenant_id)
        try:
            counters = json.loads(found[kinds.COUNTERS][""])
            # No clock runs back, even if this machine's is behind.
            self._machine.continue_from(counters["machine"])
            snapshot = self._reader.snapshot(found, counters)
            options = decode(found[kinds.OPTIONS][""])
            tenant = tenancy.create(
                snapshot.scenario, id=tenant_id, clock=snapshot.asked_clock, api=snapshot.api, options=options
            )
            tenant.restore(snapshot)
            pending = self._reader.fill(tenant, found, counters)
            self._committer.adopt(tenant, pending.kept, owned)
            self._reader.resume(pending)
        except WRONG as error:
            log.debug("cannot read tenant %r", tenant_id, exc_info=error)
            tenancy.leave(tenant_id)
            raise StateError(f"this version cannot read what {self._name} has of it") from error
        except BaseException:
            tenancy.leave(tenant_id)
            raise
        finally:
            self._committer.opened(tenant_id)
        self._runtime.driver.tenant_opened(tenant)
        log.info(
            "took over tenant %r: %d calls, %d receipts to push, %d uncertain", tenant_id, len(tenant.ledger),
            len(pending.pushes), len(pending.uncertain),
        )  # fmt: skip
        return True
