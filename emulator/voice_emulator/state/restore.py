"""Reads a state file at the start: tenants, their calls and tokens, and everything that is still to happen."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, replace
from typing import Any

from voice_emulator.core.accounts import ISSUED
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import Clock, ClockSpec, TimeSource
from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.placing import Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenants import DEFAULT_TENANT, Snapshot, Tenant
from voice_emulator.core.vocabulary import State
from voice_emulator.errors import FileError, StateError, UsageError
from voice_emulator.state.codec import Undecodable, decode
from voice_emulator.state.database import StateFile
from voice_emulator.state.documents import call_from, push_from, restore_counters, snapshot_from
from voice_emulator.state.writer import STARTED_WITH
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pending:
    """What one tenant still has to do: calls to continue, pushes to send, pushes of unknown outcome with their instant."""

    tenant: Tenant
    calls: list[Call]
    pushes: list[Push]
    uncertain: list[tuple[Push, int]]


class Restore:
    """One reading of a state file: :meth:`read`, then :meth:`resume` once everything is written down again."""

    def __init__(self, file: StateFile, runtime: Runtime, source: TimeSource) -> None:
        """Read ``file`` into ``runtime``, whose only tenant is the new ``default``."""
        self._file = file
        self._runtime = runtime
        self._source = source
        self._scenarios = {runtime.start_scenario.text: runtime.start_scenario}
        self._pending: list[Pending] = []

    def read(self) -> None:
        """Create the tenants as they were.

        Raises StateError when the file does not fit this version, or the tenant of the command line.
        """
        try:
            self._read()
        except (Undecodable, KeyError, ValueError, TypeError) as error:
            raise StateError(
                f"this version cannot read the state file {self._file.path} ({error}); move it away to start afresh"
            ) from error
        except KeyTaken as error:
            raise StateError(
                f"the state file {self._file.path} does not fit the command line: {error}"
            ) from error

    def _read(self) -> None:
        saved = [row for row in self._file.tenants() if row[2] is not None]
        # default, which exists already, comes first: others may have been given credentials that it gave up.
        saved.sort(key=lambda row: row[0] != DEFAULT_TENANT)
        tenancy = self._runtime.tenancy
        read = []
        for name, text, counters_text in saved:
            counters = decode(counters_text or "")
            snapshot = snapshot_from(text, counters, self._source, self._scenario)
            if name == DEFAULT_TENANT:
                tenant = tenancy.default
                snapshot = self._as_started(tenant.snapshot(), snapshot)
            else:
                tenant = tenancy.create(
                    snapshot.scenario, id=name, clock=snapshot.asked_clock, api=snapshot.api
                )
            tenant.restore(snapshot)
            read.append((tenant, counters))
        for name, space, value in self._file.issued():
            owner = tenancy.get(name)
            if owner is not None:
                tenancy.directory.issue(owner, (ISSUED, space, value))
        self._pending = [self._fill(tenant, counters) for tenant, counters in read]

    def resume(self) -> None:
        """Schedule every step and push at its own instant: what is past due happens at once and in order."""
        for each in self._pending:
            each.tenant.steps.resume(each.calls, each.tenant.now)
            for push in each.pushes:
                each.tenant.outbox.schedule(push)
            for push, at in each.uncertain:
                self._runtime.delivery.give_up(each.tenant, push, at)
        if self._pending:
            log.info(
                "state of %s: %d tenants, %d calls, %d receipts to push, %d uncertain", self._file.path,
                len(self._pending), sum(len(tenant.ledger) for tenant in self._runtime.tenancy),
                sum(len(each.pushes) for each in self._pending),
                sum(len(each.uncertain) for each in self._pending),
            )  # fmt: skip

    def _scenario(self, text: str) -> Scenario:
        found = self._scenarios.get(text)
        if found is None:
            try:
                found = self._runtime.loader.sent(text)
            except (FileError, UsageError) as error:
                found = self._runtime.start_scenario
                log.warning(
                    "a scenario of the state file cannot be read any more, using %s: %s", found.name, error
                )
            self._scenarios[text] = found
        return found

    def _as_started(self, fresh: Snapshot, saved: Snapshot) -> Snapshot:
        """``default`` as saved, except where the command line has changed since then."""
        snapshot = replace(saved, first=fresh.first, first_api=fresh.first_api, asked_clock=fresh.asked_clock)
        if self._file.meta(STARTED_WITH) != fresh.first.text:
            log.info("the scenario of the command line has changed: %s", fresh.first.name)
            snapshot = replace(snapshot, scenario=fresh.first)
        if fresh.asked_clock != saved.asked_clock:
            spec = fresh.asked_clock or snapshot.scenario.clock or ClockSpec()
            at = saved.clock.now() if spec.mode != "real" and spec.start is None else None
            snapshot = replace(snapshot, clock=Clock(spec, self._source, at=at))
        return snapshot

    # --- one tenant ---------------------------------------------------------------------------

    def _fill(self, tenant: Tenant, counters: dict[str, Any]) -> Pending:
        for space, key, count in self._file.rows("counts", "space, key, count", tenant.id):
            tenant.ledger.restore_count(tuple(json.loads(space)), key, count)
        for (token,) in self._file.rows("tokens", "token", tenant.id):
            tenant.tokens.add(decode(token))
        calls, last = self._calls(tenant, counters["forgotten"])
        unknown = {call.provider for call in calls.values()} - self._runtime.providers.keys()
        if unknown:
            raise StateError(
                f"the state file {self._file.path} has calls of {min(unknown)}, a provider that is not there: install its "
                "plug-in, or move the file away to start afresh"
            )
        restore_counters(tenant, counters, last)
        found: dict[str, tuple[Push, int | None]] = {}
        company: dict[str, list[str]] = {}
        columns = "id, call, content, attempt, due, sent"
        for name, call_id, content, attempt, due, sent in self._file.rows(
            "pushes", columns, tenant.id, order="due, seq"
        ):
            call = calls[call_id] if call_id is not None else None
            push, company[name] = push_from(name, call, content, attempt, due)
            found[name] = (push, sent)
        for name, others in company.items():
            found[name][0].others = tuple(found[other][0] for other in others)
        carried = {other for others in company.values() for other in others}
        own = [pair for name, pair in found.items() if name not in carried]
        pushes = [push for push, sent in own if sent is None]
        uncertain = [(push, sent) for push, sent in own if sent is not None]
        free = [push for push in (*pushes, *(push for push, _ in uncertain)) if push.call is None]
        for provider in self._runtime.providers.values():
            provider.revive(tenant, [push for push in free if push.provider == provider.id])
        going = [call for call in calls.values() if call.state is not State.ENDED]
        return Pending(tenant, going, pushes, uncertain)

    def _calls(self, tenant: Tenant, forgotten: int) -> tuple[dict[str, Call], dict[str, str | None]]:
        """By id: all calls, also those that the ledger has forgotten but that have pushes to send; the last outcomes."""
        submissions: dict[int, Submission] = {
            number: decode(content)
            for number, content in self._file.rows("submissions", "seq, content", tenant.id)
        }
        shared: dict[str, Any] = {}
        calls: dict[str, Call] = {}
        last: dict[str, str | None] = {}
        ended: list[tuple[int, Call]] = []
        tenant.ledger.forgotten = forgotten
        columns = "id, submission, content, progress, ended, last"
        for name, submission, content, progress, number, outcome in self._file.rows(
            "calls", columns, tenant.id
        ):
            call = calls[name] = call_from(name, submissions[submission], content, progress, shared)
            last[name] = outcome
            if number is None or number > forgotten:
                tenant.ledger.add(call)
            if number is not None and number > forgotten:
                ended.append((number, call))
        for _, call in sorted(ended, key=lambda pair: pair[0]):
            tenant.ledger.ended(call)
        return calls, last
