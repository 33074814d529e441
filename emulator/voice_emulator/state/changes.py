"""Collects what has changed in the tenants since the last commit, and makes rows of it."""

from __future__ import annotations

import json
import logging
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules.queries import LAST_QUERIES, PagedQuery
from voice_emulator.core.accounts import Key
from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import TimeSource
from voice_emulator.core.directory import ISSUED_LIMIT
from voice_emulator.core.findings import FINDING_LIMIT, Finding
from voice_emulator.core.ledger import COUNTED_NUMBERS, Ledger
from voice_emulator.core.listeners import Listener
from voice_emulator.core.placing import Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.tokens import REMEMBERED, Token
from voice_emulator.state import documents as kinds
from voice_emulator.state.codec import encode
from voice_emulator.state.documents import call_text, counters_text, progress_text, push_text, snapshot_text
from voice_emulator.state.store import Changes
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

log = logging.getLogger(__name__)

#: Rows of these kinds are bounded: so many of the newest stay. They are counted out each time this many were written.
NEWEST = {kinds.TOKEN: REMEMBERED, kinds.COUNT: 2 * COUNTED_NUMBERS}
COUNTED_OUT = 50_000
#: Calls that the ledger has forgotten leave the store together.
FORGOTTEN_AT_ONCE = 1_000


@dataclass(slots=True)
class Kept:
    """What the store has of one tenant, as far as later commits depend on it."""

    #: How many calls of the ledger's count of ended ones are no longer in ``ended``; these, oldest first; and those
    #: of them that are still in the store, because pushes may have to be sent.
    forgotten: int = 0
    ended: deque[Call] = field(default_factory=deque)
    overdue: list[Call] = field(default_factory=list)
    staying: int = 0
    #: The id of its call, or an empty text, by the id of each push still to be sent.
    pushes: dict[str, str] = field(default_factory=dict)
    #: By identity: the submission, its key, and how many calls in the store are of it.
    submissions: dict[int, tuple[Submission, str, int]] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)
    #: By kind, where keys are running numbers: the newest, and of ids that were issued the oldest.
    last: Counter[str] = field(default_factory=Counter)
    first_issued: int = 1
    #: By kind: rows written since they were last counted out.
    written: Counter[str] = field(default_factory=Counter)

    def next(self, kind: str) -> str:
        """A new key for a row of ``kind``."""
        self.last[kind] += 1
        return str(self.last[kind])

    def shared(self, submission: Submission, key: str = "") -> tuple[str, bool]:
        """The key of a submission, one more of whose calls is kept, and whether it is new."""
        _, known, count = self.submissions.get(id(submission), (None, "", 0))
        key = known or key or self.next(kinds.SUBMISSION)
        self.submissions[id(submission)] = (submission, key, count + 1)
        return key, count == 0

    def forget(self, ledger: Ledger, *, wholly: bool) -> list[tuple[str, str]]:
        """The rows of calls that the ledger has forgotten and that have no more pushes to send."""
        while self.forgotten < ledger.forgotten:
            self.overdue.append(self.ended.popleft())
            self.forgotten += 1
        if not self.overdue or not (wholly or len(self.overdue) >= 2 * self.staying + FORGOTTEN_AT_ONCE):
            return []
        busy = set(self.pushes.values())
        gone = [call for call in self.overdue if call.id not in busy]
        self.overdue = [call for call in self.overdue if call.id in busy]
        self.staying = len(self.overdue)
        rows = [(kind, call.id) for call in gone for kind in (kinds.CALL, kinds.PROGRESS, kinds.ENDED)]
        for call in gone:
            rows += self.dropped(call.submission)
        return rows

    def dropped(self, submission: Submission) -> list[tuple[str, str]]:
        """One call fewer of a submission is kept: its row, if it was the last."""
        _, key, count = self.submissions.pop(id(submission))
        if count == 1:
            return [(kinds.SUBMISSION, key)]
        self.submissions[id(submission)] = (submission, key, count - 1)
        return []


@dataclass(slots=True)
class PendingChanges:
    """What has changed in one tenant since the last commit."""

    configured: bool = False
    reset: bool = False
    placed: list[Call] = field(default_factory=list)
    calls: dict[str, Call] = field(default_factory=dict)
    #: Calls that are kept, and were not accepted after all.
    taken_back: list[Call] = field(default_factory=list)
    ended: dict[str, int] = field(default_factory=dict)
    #: Pushes still to be sent, by id, each with its instant of sending once it is on the wire.
    pushes: dict[str, tuple[Push, int | None]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    tokens: dict[str, Token] = field(default_factory=dict)
    issued: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    queries: dict[str, PagedQuery] = field(default_factory=dict)


class ChangeCollector(Listener, ABC):
    """Notes what happens to tenants. Who derives from it decides when that is committed."""

    def __init__(self, runtime: Runtime, source: TimeSource, kept: dict[str, Kept]) -> None:
        """Collect for a store which has ``kept`` of the tenants."""
        self._runtime = runtime
        self._source = source
        self._kept = kept
        self._changes: dict[str, PendingChanges] = {}
        #: Set by :meth:`_plan`, until the changes are taken.
        self._planned: object | None = None
        #: Nothing will change any more.
        self._closing = False

    @abstractmethod
    def _plan(self) -> None:
        """Something has changed: see to it that it is committed by the end of this turn of the loop."""

    def _changed(self, tenant: Tenant) -> PendingChanges:
        """The changes of ``tenant``, which are committed soon."""
        if self._planned is None:
            self._plan()
        changes = self._changes.get(tenant.id)
        if changes is None:
            changes = self._changes[tenant.id] = PendingChanges()
        return changes

    # --- tenants ------------------------------------------------------------------------------

    def tenant_opened(self, tenant: Tenant) -> None:
        """Keep the tenant."""
        self._kept.setdefault(tenant.id, Kept())
        self.tenant_configured(tenant)

    def tenant_configured(self, tenant: Tenant) -> None:
        """Note the configuration."""
        self._changed(tenant).configured = True

    def token_changed(self, tenant: Tenant, token: Token) -> None:
        """Note the token."""
        self._changed(tenant).tokens[token.value] = token

    def id_issued(self, tenant: Tenant, key: Key) -> None:
        """Note the id."""
        self._changed(tenant).issued.append((key[1], key[2]))

    def event_published(self, tenant: Tenant, kind: str, subject: Any, note: str) -> None:
        """Note a finding, and what happened to a call or to the clock; forget everything at a reset."""
        if kind == "call":
            changes = self._changed(tenant)
            call: Call = subject
            changes.calls[call.id] = call
            if call.ended:
                changes.ended[call.id] = tenant.ledger.ended_count
                self._kept[tenant.id].ended.append(call)
        elif kind == "violation":
            self._changed(tenant).findings.append(subject)
        elif kind in ("clock", "scenario"):
            if kind == "clock" and note == "reset":
                self._changes[tenant.id] = PendingChanges(reset=True)
                self._kept[tenant.id] = Kept()
            self.tenant_configured(tenant)

    # --- requests -----------------------------------------------------------------------------

    def _note_request(self, tenant: Tenant, record: RequestRecord, calls: Sequence[Call]) -> None:
        """Note a request's calls, and what it counts."""
        request = record.request
        changes = self._changed(tenant)
        if request.operation is not None:
            number = request.numbers[0] if request.numbers else ""
            changes.counts[json.dumps([number, request.provider, request.operation.name])] = request.ordinal
        if calls:
            changes.placed += calls
            for call in calls:
                changes.counts[json.dumps([call.number, call.provider])] = call.ordinal

    def calls_taken_back(self, tenant: Tenant, calls: Sequence[Call]) -> None:
        """Forget calls that were not accepted after all, kept or not."""
        changes = self._changed(tenant)
        placed = {call.id: call for call in changes.placed}
        for call in calls:
            changes.calls.pop(call.id, None)
            if placed.pop(call.id, None) is None:
                changes.taken_back.append(call)
        changes.placed = list(placed.values())

    def request_finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """Note what a record query has shown to the client: it may have reconciled calls, and may have more to read."""
        # What the rules have counted can wait for the next commit.
        self._changes.setdefault(tenant.id, PendingChanges())
        if record.reply is not None and record.reply.shown_calls:
            self._changed(tenant).calls.update((call.id, call) for call in record.reply.shown_calls)
        query = memory_of(tenant).rooms.get(LAST_QUERIES, {}).get(record.operation)
        if query is not None:
            self._changed(tenant).queries[query.operation] = query

    # --- pushes -------------------------------------------------------------------------------

    def push_scheduled(self, tenant: Tenant, push: Push) -> None:
        """Note the push."""
        self._changed(tenant).pushes[push.id] = (push, None)

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

    # --- rows ---------------------------------------------------------------------------------

    def _rows(self, changed: dict[str, PendingChanges]) -> dict[str, Changes]:
        rows = {}
        for tenant_id, noted in changed.items():
            tenant = self._runtime.tenancy.get(tenant_id)
            if tenant is not None and tenant_id in self._kept:
                rows[tenant_id] = self._rows_of(tenant, noted, self._kept[tenant_id])
        return rows

    def _rows_of(self, tenant: Tenant, noted: PendingChanges, kept: Kept) -> Changes:
        rows = Changes(only=(kinds.TENANT, kinds.COUNTERS) if noted.reset else None)
        put = rows.put
        if noted.configured:
            put.append((kinds.TENANT, "", snapshot_text(tenant)))
        self._add_calls(tenant, noted, kept, rows)
        for call in noted.taken_back:
            rows.drop += [(kinds.CALL, call.id), (kinds.PROGRESS, call.id), *kept.dropped(call.submission)]
        for push, sent in noted.pushes.values():
            kept.pushes[push.id] = push.call.id if push.call is not None else ""
            put.append((kinds.PUSH, push.id, push_text(push, sent)))
        for push_id in noted.done:
            kept.pushes.pop(push_id, None)
            rows.drop.append((kinds.PUSH, push_id))
        put += [(kinds.TOKEN, token.value, encode(token)) for token in noted.tokens.values()]
        put += [(kinds.COUNT, key, str(count)) for key, count in noted.counts.items()]
        put += [(kinds.QUERY, name, encode(query)) for name, query in noted.queries.items()]
        put += [(kinds.ISSUED, kept.next(kinds.ISSUED), json.dumps(issued)) for issued in noted.issued]
        for finding in noted.findings:
            if kept.last[kinds.FINDING] < FINDING_LIMIT:
                put.append((kinds.FINDING, kept.next(kinds.FINDING), encode(finding)))
        self._forget(tenant, noted, kept, rows)
        put.append((kinds.COUNTERS, "", counters_text(tenant, self._source())))
        return rows

    @staticmethod
    def _add_calls(tenant: Tenant, noted: PendingChanges, kept: Kept, rows: Changes) -> None:
        packed: dict[int, Any] = {}
        for call in noted.placed:
            submission, is_new = kept.shared(call.submission)
            if is_new:
                rows.put.append((kinds.SUBMISSION, submission, encode(call.submission)))
            rows.put.append((kinds.CALL, call.id, call_text(call, submission, packed)))
        for call in noted.calls.values():
            rows.put.append((kinds.PROGRESS, call.id, progress_text(call)))
            orphan = tenant.conservation.orphan(call.id)
            if orphan is not None:
                kept.orphans.add(call.id)
                rows.put.append((kinds.ORPHAN, call.id, encode(orphan)))
            elif call.id in kept.orphans:
                kept.orphans.remove(call.id)
                rows.drop.append((kinds.ORPHAN, call.id))
        rows.put += [(kinds.ENDED, call_id, str(number)) for call_id, number in noted.ended.items()]

    def _forget(self, tenant: Tenant, noted: PendingChanges, kept: Kept, rows: Changes) -> None:
        """Forget what the tenant has forgotten."""
        rows.drop += kept.forget(tenant.ledger, wholly=self._closing)
        while kept.last[kinds.ISSUED] - kept.first_issued >= ISSUED_LIMIT:
            rows.drop.append((kinds.ISSUED, str(kept.first_issued)))
            kept.first_issued += 1
        kept.written[kinds.TOKEN] += len(noted.tokens)
        kept.written[kinds.COUNT] += len(noted.counts)
        for kind, limit in NEWEST.items():
            if kept.written[kind] > COUNTED_OUT:
                kept.written[kind] = 0
                rows.newest = {**rows.newest, kind: limit}
