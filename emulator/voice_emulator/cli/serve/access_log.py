"""The lines of ``serve``: one for each request and each push, in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from voice_emulator.cli.logs import ROW
from voice_emulator.core.attempts import Attempt
from voice_emulator.core.listeners import Listener
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import PushOutcome
from voice_emulator.providers.provider import Provider
from voice_emulator.report.traffic_line import LineLimit, traffic_line
from voice_emulator.wire.control.search import traffic_row
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.turns import apart, takes_a_while

log = logging.getLogger(__name__)


class AccessLog(Listener):
    """Logs what happens to all tenants. Without it nothing is rendered."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        """Print lines in the running loop; ``providers`` tell why a request was refused."""
        self._providers = providers
        # Summed up in a line without a row of its own.
        self._limit = LineLimit(
            asyncio.get_running_loop(), lambda line: log.info("%s", line, extra={ROW: None})
        )
        self._rendering: set[asyncio.Task[None]] = set()

    def request_finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """Log a request; a large one is rendered in another thread."""
        if not self._limit.admit("request", record.refused):
            return
        if takes_a_while([record.weight]):
            task = asyncio.ensure_future(self._later(tenant, lambda: traffic_row(record, self._providers)))
            self._rendering.add(task)
            task.add_done_callback(self._rendering.discard)
        else:
            _log(tenant, traffic_row(record, self._providers))

    def attempt_finished(self, tenant: Tenant, attempt: Attempt) -> None:
        """Log a push."""
        if self._limit.admit("callback", attempt.outcome is not PushOutcome.DELIVERED):
            _log(tenant, attempt.shown())

    async def _later(self, tenant: Tenant, render: Callable[[], Mapping[str, Any]]) -> None:
        _log(tenant, await apart(True, render))


def _log(tenant: Tenant, row: Mapping[str, Any]) -> None:
    log.info("%s", traffic_line(row, tenant.id), extra={ROW: {**row, "tenant": tenant.id}})
