"""Writes what happens to the state file before the outside world can know of it.

Calls, tokens and ids are committed before the reply that names them, in one transaction per request. A push is
committed as being on the wire before its first byte leaves, and its outcome afterwards. All other changes are
collected and committed once per turn of the event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import TimeSource
from voice_emulator.core.directory import ISSUED_LIMIT
from voice_emulator.core.ledger import COUNTED_NUMBERS
from voice_emulator.core.listeners import Listener
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.tokens import REMEMBERED, Token
from voice_emulator.errors import StateError
from voice_emulator.state.codec import encode
from voice_emulator.state.database import StateFile
from voice_emulator.state.documents import call_text, counters_text, progress_text, push_text, snapshot_text
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

log = logging.getLogger(__name__)

#: The oldest issued ids, counts and tokens are pruned each time so many rows were written.
PRUNING = 20_000
#: The state file's name for the scenario of the command line.
STARTED_WITH = "started_with"


@dataclass(slots=True)
class PendingChanges:
    """What has changed in one tenant since the last commit."""

    configured: bool = False
    reset: bool = False
    placed: list[Call] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    #: Pushes still to be sent, by id, each with its instant of sending once it is on the wire.
    pushes: dict[str, tuple[Push, int | None]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    issued: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)


class StateWriter(Listener):
    """Keeps the state of all tenants in one file."""

    def __init__(self, file: StateFile, runtime: Runtime, source: TimeSource) -> None:
        """Write to ``file``; the listeners are told once when that fails, and then no reply or push goes out."""
        self._file = file
        self._runtime = runtime
        self._source = source
        self._changes: dict[str, PendingChanges] = {}
        #: How many calls the ledger of each known tenant had forgotten at the last commit.
        self._forgotten: dict[str, int] = {}
        self._planned: asyncio.Handle | None = None
        self._committed: asyncio.Future[None] | None = None
        self._failed = False
        self._rows = 0
        self._transact(self._begin)

    def _begin(self) -> None:
        self._file.put_meta(STARTED_WITH, self._runtime.start_scenario.text)
        self._prune()

    def _prune(self) -> None:
        self._file.prune(ISSUED_LIMIT, 2 * COUNTED_NUMBERS, REMEMBERED)

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        self._file.close()

    # --- tenants ------------------------------------------------------------------------------

    def tenant_opened(self, tenant: Tenant) -> None:
        """Keep the tenant."""
        self._forgotten[tenant.id] = tenant.ledger.forgotten
        self.tenant_configured(tenant)

    def tenant_deleted(self, tenant: Tenant) -> None:
        """Forget the tenant."""
        del self._forgotten[tenant.id]
        self._changes.pop(tenant.id, None)
        self._transact(lambda: self._file.forget_tenant(tenant.id, wholly=True))

    def tenant_configured(self, tenant: Tenant) -> None:
        """Commit the configuration at once."""
        self._changed(tenant).configured = True
        self.flush()

    def token_changed(self, tenant: Tenant, token: Token) -> None:
        """Note the token."""
        self._changed(tenant).tokens[token.value] = token

    def id_issued(self, tenant: Tenant, key: Key) -> None:
        """Note the id."""
        self._changed(tenant).issued.append((key[1], key[2]))

    def event_published(self, tenant: Tenant, kind: str, subject: Any, note: str) -> None:
        """Note what happened to a call or to the clock; forget everything at a reset."""
        if kind == "call":
            changes = self._changed(tenant)
            call: Call = subject
            changes.calls[call.id] = call
            if call.ended:
                changes.ended[call.id] = tenant.ledger.ended_count
        elif kind in ("clock", "scenario"):
            if kind == "clock" and note == "reset":
                self._changes[tenant.id] = PendingChanges(reset=True)
                self._forgotten[tenant.id] = 0
            self.tenant_configured(tenant)

    # --- requests -----------------------------------------------------------------------------

    def reply_ready(self, tenant: Tenant, record: RequestRecord, calls: Sequence[Call]) -> None:
        """Commit a request's calls, tokens and ids. Raises StateError when that fails."""
        request = record.request
        changes = self._changed(tenant)
        if request.operation is not None:
            space = json.dumps([request.provider, request.operation.name])
            changes.counts[space, request.numbers[0] if request.numbers else ""] = request.ordinal
        if calls:
            changes.placed += calls
            space = json.dumps([calls[0].provider])
            for call in calls:
                changes.counts[space, call.number] = call.ordinal
        self.flush()
        if self._failed:
            raise StateError(f"the state file {self._file.path} cannot be written any more")

    def request_finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """Note the calls that a record query has shown to the client: it may have reconciled them."""
        if record.reply is not None and record.reply.shown_calls:
            self._changed(tenant).calls.update((call.id, call) for call in record.reply.shown_calls)

    # --- pushes -------------------------------------------------------------------------------

    def push_scheduled(self, tenant: Tenant, push: Push) -> None:
        """Note the push."""
        self._changed(tenant).pushes[push.id] = (push, None)

    async def attempt_starting(self, tenant: Tenant, attempt: Attempt) -> None:
        """Return once it is committed that this attempt is on the wire."""
        push = attempt.push
        if not push.by_hand and tenant.id in self._forgotten:
            self._changed(tenant).pushes[push.id] = (push, attempt.at)
            if self._committed is None:
                self._committed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._committed)

    def attempt_finished(self, tenant: Tenant, attempt: Attempt) -> None:
        """Note the outcome."""
        push = attempt.push
        changes = self._changed(tenant)
        if not push.by_hand and push.attempt == attempt.number:
            for part in push.parts:
                changes.pushes.pop(part.id, None)
                changes.done.add(part.id)
        for call in push.calls:
            changes.calls[call.id] = call
            changes.last[call.id] = attempt.outcome.value

    # --- writing ------------------------------------------------------------------------------

    def _changed(self, tenant: Tenant) -> PendingChanges:
        """The changes of ``tenant``, which are written by the end of this turn of the loop."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_soon(self.flush)
        changes = self._changes.get(tenant.id)
        if changes is None:
            changes = self._changes[tenant.id] = PendingChanges()
        return changes

    def flush(self) -> None:
        """Commit everything that has changed."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        changed, self._changes = self._changes, {}
        if changed:
            self._transact(lambda: self._write(changed))
        if self._failed:
            # A push that waits for its commit waits until the process stops: it must not be sent.
            return
        if self._committed is not None:
            committed, self._committed = self._committed, None
            committed.set_result(None)

    def _transact(self, work: Callable[[], None]) -> None:
        if self._failed:
            return
        try:
            self._file.begin()
            work()
            self._file.commit()
        except (sqlite3.Error, TypeError) as error:
            self._failed = True
            why = f"the state file {self._file.path} cannot be written: {error}"
            log.critical("%s", why)
            for told in self._runtime.tenancy.listeners.state_lost:
                told(why)

    def _write(self, changed: dict[str, PendingChanges]) -> None:
        for tenant_id, changes in changed.items():
            tenant = self._runtime.tenancy.get(tenant_id)
            if tenant is None or tenant_id not in self._forgotten:
                continue
            if changes.reset:
                self._file.forget_tenant(tenant_id, wholly=False)
            if changes.configured:
                self._file.put_snapshot(tenant_id, snapshot_text(tenant))
            self._write_calls(tenant_id, changes)
            self._write_rest(tenant, changes)
        if self._rows > PRUNING:
            self._rows = 0
            self._prune()

    def _write_calls(self, tenant_id: str, changes: PendingChanges) -> None:
        numbers: dict[int, int] = {}
        packed: dict[int, Any] = {}
        rows = []
        for call in changes.placed:
            key = id(call.submission)
            if key not in numbers:
                numbers[key] = self._file.add_submission(tenant_id, encode(call.submission))
            rows.append((tenant_id, call.id, numbers[key], call_text(call, packed), progress_text(call)))
        self._file.add_calls(rows)
        self._file.put_progress(
            (progress_text(call), changes.ended.get(call.id), changes.last.get(call.id), tenant_id, call.id)
            for call in changes.calls.values()
        )

    def _write_rest(self, tenant: Tenant, changes: PendingChanges) -> None:
        name, file = tenant.id, self._file
        file.put_pushes(
            (name, push.id, push.call.id if push.call is not None else None, push_text(push), push.attempt, push.due, sent)
            for push, sent in changes.pushes.values()
        )  # fmt: skip
        file.drop_pushes((name, push_id) for push_id in changes.done)
        file.put_tokens((name, token.value, encode(token)) for token in changes.tokens.values())
        file.add_issued((name, space, value) for space, value in changes.issued)
        file.put_counts((name, space, key, count) for (space, key), count in changes.counts.items())
        self._rows += len(changes.issued) + len(changes.counts) + len(changes.tokens)
        if tenant.ledger.forgotten > self._forgotten[name]:
            self._forgotten[name] = tenant.ledger.forgotten
            file.forget_calls(name, tenant.ledger.forgotten)
        file.put_counters(name, counters_text(tenant, self._source()))
