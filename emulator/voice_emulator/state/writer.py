"""Writes down what happens, before the outside world can know of it.

Calls, tokens and ids are committed before the reply that tells of them, one transaction a request. A push is
noted as on the wire, and that is committed, before its first byte leaves; how it went is committed after. All
other steps are gathered and committed once per turn of the event loop.
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
from voice_emulator.core.events import Event
from voice_emulator.core.ledger import COUNTED_NUMBERS
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.tokens import REMEMBERED, Token
from voice_emulator.errors import StateError
from voice_emulator.state.codec import encode
from voice_emulator.state.database import StateFile
from voice_emulator.state.documents import account_of, books_of, course_of, fixed_of, push_of
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

log = logging.getLogger(__name__)

#: Rows of issued ids, counts and tokens between two looks at whether there are too many.
PRUNING = 20_000
#: The state file's name for the scenario of the command line.
STARTED_WITH = "started_with"


@dataclass(slots=True)
class PendingChanges:
    """What has changed of one tenant since the last commit."""

    account: bool = False
    reset: bool = False
    placed: list[Call] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    ended: dict[str, int] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    #: Pushes to be made, by id; with the instant once they are on the wire.
    pushes: dict[str, tuple[Push, int | None]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    issued: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)


class StateWriter:
    """Keeps the state of all tenants in one file."""

    def __init__(
        self, file: StateFile, runtime: Runtime, source: TimeSource, on_failure: Callable[[str], None]
    ) -> None:
        """``on_failure`` hears, once, why nothing can be kept any more; from then on nothing leaves either."""
        self._file = file
        self._runtime = runtime
        self._source = source
        self._on_failure = on_failure
        self._marks: dict[str, PendingChanges] = {}
        self._forgotten: dict[str, int] = {}
        self._attached: set[str] = set()
        self._planned: asyncio.Handle | None = None
        self._committed: asyncio.Future[None] | None = None
        self._failed = False
        self._rows = 0

    def open(self) -> None:
        """Listen to all tenants there are and will be; needs the running loop."""
        runtime = self._runtime
        runtime.gateway.passage.ahead = self.accept
        runtime.gateway.passage.watchers.append(self._answered)
        runtime.delivery.ahead = self.sending
        runtime.delivery.watchers.append(self._attempted)
        runtime.tenancy.directory.on_issue = self._issued
        runtime.tenancy.on_open.append(self._attach)
        runtime.tenancy.on_close.append(self._detach)
        for tenant in runtime.tenancy:
            self._attach(tenant)
        self._started_with()

    def _started_with(self) -> None:
        def put() -> None:
            self._file.put_meta(STARTED_WITH, self._runtime.start_scenario.text)
            self._file.prune(ISSUED_LIMIT, 2 * COUNTED_NUMBERS, REMEMBERED)

        self._transact(put)

    def close(self) -> None:
        """Write what is left, and let go of the file."""
        self.flush()
        self._file.close()

    # --- what happens to tenants --------------------------------------------------------------

    def _attach(self, tenant: Tenant) -> None:
        self._forgotten[tenant.id] = tenant.ledger.forgotten
        self._attached.add(tenant.id)
        tenant.on_change = lambda: self._reconfigured(tenant)
        tenant.tokens.on_change = lambda token: self._changed(tenant).tokens.__setitem__(token.value, token)
        tenant.outbox.on_schedule = lambda push: self._changed(tenant).pushes.__setitem__(
            push.id, (push, None)
        )
        tenant.events.listen(lambda event: self._heard(tenant, event))
        self._reconfigured(tenant)

    def _detach(self, tenant: Tenant) -> None:
        self._attached.discard(tenant.id)
        self._marks.pop(tenant.id, None)
        self._transact(lambda: self._file.forget_tenant(tenant.id, wholly=True))

    def _reconfigured(self, tenant: Tenant) -> None:
        self._changed(tenant).account = True
        self.flush()

    def _heard(self, tenant: Tenant, event: Event) -> None:
        if event.kind == "call":
            marks = self._changed(tenant)
            call: Call = event.subject
            marks.calls[call.id] = call
            if call.ended:
                marks.ended[call.id] = tenant.ledger.ended_count
        elif event.kind == "clock" and event.note == "reset":
            self._marks[tenant.id] = PendingChanges(reset=True)
            self._forgotten[tenant.id] = 0
            self._reconfigured(tenant)
        elif event.kind in ("clock", "scenario"):
            self._reconfigured(tenant)

    def _issued(self, tenant: Tenant, key: Key) -> None:
        self._changed(tenant).issued.append((key[1], key[2]))

    # --- requests -----------------------------------------------------------------------------

    def accept(self, tenant: Tenant, record: RequestRecord, calls: Sequence[Call]) -> None:
        """Commit a request's calls, tokens and ids: its reply is about to go out.

        Raises StateError when they cannot be kept, so that nobody is told of them.
        """
        request = record.request
        marks = self._changed(tenant)
        if request.operation is not None:
            space = json.dumps([request.provider, request.operation.name])
            marks.counts[space, request.numbers[0] if request.numbers else ""] = request.ordinal
        if calls:
            marks.placed += calls
            space = json.dumps([calls[0].provider])
            for call in calls:
                marks.counts[space, call.number] = call.ordinal
        self.flush()
        if self._failed:
            raise StateError(f"the state file {self._file.path} cannot be written any more")

    def _answered(self, tenant: Tenant, record: RequestRecord) -> None:
        """Calls that a record query has shown to the client have changed their standing."""
        if record.reply is not None and record.reply.shown_calls:
            self._changed(tenant).calls.update((call.id, call) for call in record.reply.shown_calls)

    # --- pushes -------------------------------------------------------------------------------

    async def sending(self, tenant: Tenant, attempt: Attempt) -> None:
        """Return once it is committed that this attempt is on the wire."""
        push = attempt.push
        if not push.by_hand and tenant.id in self._attached:
            self._changed(tenant).pushes[push.id] = (push, attempt.at)
            if self._committed is None:
                self._committed = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._committed)

    def _attempted(self, tenant: Tenant, attempt: Attempt) -> None:
        push = attempt.push
        marks = self._changed(tenant)
        if not push.by_hand and push.attempt == attempt.number:
            marks.pushes.pop(push.id, None)
            marks.done.add(push.id)
        if push.call is not None:
            marks.calls[push.call.id] = push.call
            marks.last[push.call.id] = attempt.outcome.value

    # --- writing ------------------------------------------------------------------------------

    def _changed(self, tenant: Tenant) -> PendingChanges:
        """The marks of ``tenant``, which will be written at the end of this turn of the loop at the latest."""
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_soon(self.flush)
        marks = self._marks.get(tenant.id)
        if marks is None:
            marks = self._marks[tenant.id] = PendingChanges()
        return marks

    def flush(self) -> None:
        """Commit everything that has changed."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None
        marked, self._marks = self._marks, {}
        if marked:
            self._transact(lambda: self._write(marked))
        if self._failed:
            # Whoever waits for the commit of a push waits until the process has stopped: it must not leave.
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
            self._on_failure(why)

    def _write(self, marked: dict[str, PendingChanges]) -> None:
        for tenant_id, marks in marked.items():
            tenant = self._runtime.tenancy.get(tenant_id)
            if tenant is None or tenant_id not in self._attached:
                continue
            if marks.reset:
                self._file.forget_tenant(tenant_id, wholly=False)
            if marks.account:
                self._file.put_account(tenant_id, account_of(tenant))
            self._write_calls(tenant_id, marks)
            self._write_rest(tenant, marks)
        if self._rows > PRUNING:
            self._rows = 0
            self._file.prune(ISSUED_LIMIT, 2 * COUNTED_NUMBERS, REMEMBERED)

    def _write_calls(self, tenant_id: str, marks: PendingChanges) -> None:
        numbers: dict[int, int] = {}
        packed: dict[int, Any] = {}
        rows = []
        for call in marks.placed:
            key = id(call.submission)
            if key not in numbers:
                numbers[key] = self._file.add_submission(tenant_id, encode(call.submission))
            rows.append((tenant_id, call.id, numbers[key], fixed_of(call, packed), course_of(call)))
        self._file.add_calls(rows)
        self._file.put_courses(
            (course_of(call), marks.ended.get(call.id), marks.last.get(call.id), tenant_id, call.id)
            for call in marks.calls.values()
        )

    def _write_rest(self, tenant: Tenant, marks: PendingChanges) -> None:
        name, file = tenant.id, self._file
        file.put_pushes(
            (name, push.id, push.call.id if push.call is not None else None, push_of(push), push.attempt, push.due, sent)
            for push, sent in marks.pushes.values()
        )  # fmt: skip
        file.drop_pushes((name, push_id) for push_id in marks.done)
        file.put_tokens((name, token.value, encode(token)) for token in marks.tokens.values())
        file.add_issued((name, space, value) for space, value in marks.issued)
        file.put_counts((name, space, key, count) for (space, key), count in marks.counts.items())
        self._rows += len(marks.issued) + len(marks.counts) + len(marks.tokens)
        if tenant.ledger.forgotten > self._forgotten[name]:
            self._forgotten[name] = tenant.ledger.forgotten
            file.forget_calls(name, tenant.ledger.forgotten)
        file.put_books(name, books_of(tenant, self._source()))
