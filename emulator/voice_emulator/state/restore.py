"""Reads tenants from a store: their calls and tokens, and everything that is still to happen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules.queries import LAST_QUERIES
from voice_emulator.core.accounts import ISSUED
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import Clock, ClockSpec
from voice_emulator.core.directory import KeyTaken
from voice_emulator.core.placing import Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenants import DEFAULT_TENANT, Snapshot, Tenant
from voice_emulator.core.vocabulary import State
from voice_emulator.errors import FileError, StateError, UsageError
from voice_emulator.state import documents as kinds
from voice_emulator.state.changes import NEWEST, Kept
from voice_emulator.state.codec import WRONG, decode
from voice_emulator.state.documents import call_from, counted, push_from, restore_counters, snapshot_from
from voice_emulator.state.store import Row, Store
from voice_emulator.wire.machine_time import MachineTime
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pending:
    """What one tenant still has to do: calls to continue, pushes to send, pushes of unknown outcome with their instant."""

    tenant: Tenant
    calls: list[Call]
    pushes: list[Push]
    uncertain: list[tuple[Push, int]]
    #: What the store has.
    kept: Kept


class Rows(dict[str, dict[str, str]]):
    """The rows of one tenant: values by kind and key, oldest first."""

    def __init__(self, rows: Iterable[Row]) -> None:
        """Sort ``rows``."""
        for kind, key, value in rows:
            self[kind][key] = value

    def __missing__(self, kind: str) -> dict[str, str]:
        found = self[kind] = {}
        return found


class TenantReader:
    """Makes tenants of their rows, one at a time: at the start, or in a running process."""

    def __init__(self, name: str, runtime: Runtime, time: MachineTime) -> None:
        """``name`` is that of the store, in the words of a message."""
        self._name = name
        self._runtime = runtime
        self._time = time
        self._scenarios = {runtime.start_scenario.text: runtime.start_scenario}

    def snapshot(self, rows: Rows, counters: dict[str, Any]) -> Snapshot:
        """Configuration, clock and identity of the tenant. Raises what a text does that cannot be read."""
        return snapshot_from(rows[kinds.TENANT][""], counters, self._time.now, self._scenario)

    def _scenario(self, text: str) -> Scenario:
        found = self._scenarios.get(text)
        if found is None:
            try:
                found = self._runtime.loader.sent(text)
            except (FileError, UsageError) as error:
                found = self._runtime.start_scenario
                log.warning(
                    "a scenario of %s cannot be read any more, using %s: %s",
                    self._name,
                    found.name,
                    error,
                )
            self._scenarios[text] = found
        return found

    def fill(self, tenant: Tenant, rows: Rows, counters: dict[str, Any]) -> Pending:
        """Give ``tenant``, which has its snapshot already, all that it had. Nothing is scheduled yet.

        Raises StateError, and what a text does that cannot be read.
        """
        kept = Kept(forgotten=counters["forgotten"])
        for kind in (kinds.SUBMISSION, kinds.ISSUED, kinds.FINDING):
            kept.last[kind] = max(map(int, rows[kind]), default=0)
        kept.first_issued = min(map(int, rows[kinds.ISSUED]), default=1)
        kept.written.update({kind: len(rows[kind]) for kind in NEWEST})
        for text in rows[kinds.ISSUED].values():
            space, value = json.loads(text)
            self._runtime.tenancy.directory.issue(tenant, (ISSUED, space, value))
        for key, count in rows[kinds.COUNT].items():
            number, *space = json.loads(key)
            tenant.ledger.restore_count(tuple(space), number, int(count))
        for text in rows[kinds.TOKEN].values():
            tenant.tokens.add(decode(text))
        calls = self._calls(tenant, rows, kept)
        unknown = {call.provider for call in calls.values()} - self._runtime.providers.keys()
        if unknown:
            raise StateError(
                f"{self._name} has calls of {min(unknown)}, a provider that is not there: install its plug-in, or "
                "move the file away to start afresh"
            )
        kept.orphans.update(rows[kinds.ORPHAN])
        restore_counters(tenant, counters, [decode(text) for text in rows[kinds.ORPHAN].values()])
        # The journal of the earlier process is gone: its entries have no numbers any more.
        findings = [replace(decode(text), entry=None) for text in rows[kinds.FINDING].values()]
        tenant.findings.restore(findings, counted(counters["findings"]))
        queries = {name: replace(decode(text), entry_id=0) for name, text in rows[kinds.QUERY].items()}
        memory_of(tenant).rooms[LAST_QUERIES] = queries
        found = {name: push_from(name, text, calls) for name, text in rows[kinds.PUSH].items()}
        for push, _, others in found.values():
            kept.pushes[push.id] = push.call.id if push.call is not None else ""
            push.others = tuple(found[other][0] for other in others)
        carried = {other for _, _, others in found.values() for other in others}
        own = [
            found[name][:2]
            for name in sorted(found, key=lambda name: found[name][0].due)
            if name not in carried
        ]
        pushes = [push for push, sent in own if sent is None]
        uncertain = [(push, sent) for push, sent in own if sent is not None]
        free = [push for push in (*pushes, *(push for push, _ in uncertain)) if push.call is None]
        for provider in self._runtime.providers.values():
            provider.revive(tenant, [push for push in free if push.provider == provider.id])
        going = [call for call in calls.values() if call.state is not State.ENDED]
        return Pending(tenant, going, pushes, uncertain, kept)

    @staticmethod
    def _calls(tenant: Tenant, rows: Rows, kept: Kept) -> dict[str, Call]:
        """By id: all calls, also those that the ledger has forgotten but that have pushes to send."""
        submissions: dict[str, Submission] = {
            key: decode(text) for key, text in rows[kinds.SUBMISSION].items()
        }
        keys = {id(submission): key for key, submission in submissions.items()}
        shared: dict[str, Any] = {}
        calls: dict[str, Call] = {}
        ended: list[tuple[int, Call]] = []
        tenant.ledger.forgotten = kept.forgotten
        for name, text in rows[kinds.CALL].items():
            call = calls[name] = call_from(name, text, rows[kinds.PROGRESS].get(name), submissions, shared)
            kept.shared(call.submission, keys[id(call.submission)])
            number = int(rows[kinds.ENDED].get(name, 0))
            if 0 < number <= kept.forgotten:
                kept.overdue.append(call)
                continue
            tenant.ledger.add(call)
            if number:
                ended.append((number, call))
        for _, call in sorted(ended, key=lambda pair: pair[0]):
            tenant.ledger.ended(call)
            kept.ended.append(call)
        return calls

    def resume(self, pending: Pending) -> None:
        """Schedule every step and push at its own instant: what is past due happens at once and in order."""
        tenant = pending.tenant
        tenant.steps.resume(pending.calls, tenant.now)
        for push in pending.pushes:
            tenant.outbox.schedule(push)
        for push, at in pending.uncertain:
            self._runtime.delivery.give_up(tenant, push, at)


class Restore:
    """One reading of a store: :meth:`read`, then :meth:`resume` once everything can be written down again."""

    def __init__(self, store: Store, runtime: Runtime, time: MachineTime) -> None:
        """Read ``store`` into ``runtime``, whose only tenant is the new ``default``."""
        self._store = store
        self._runtime = runtime
        self._time = time
        self._reader = TenantReader(store.name, runtime, time)
        self._pending: list[Pending] = []

    @property
    def kept(self) -> dict[str, Kept]:
        """By tenant: what the store has."""
        return {each.tenant.id: each.kept for each in self._pending}

    def read(self) -> None:
        """Create the tenants as they were.

        Raises StateError when the contents do not fit this version, or the tenant of the command line.
        """
        try:
            self._read()
        except WRONG as error:
            log.debug("cannot read %s", self._store.name, exc_info=error)
            raise StateError(
                f"this version cannot read {self._store.name}; move it away to start afresh"
            ) from error
        except KeyTaken as error:
            raise StateError(f"{self._store.name} does not fit the command line: {error}") from error

    def _read(self) -> None:
        found = {name: Rows(self._store.load(name)) for name in self._store.tenants()}
        # A tenant whose first commit did not include its counters was not opened yet.
        saved = {
            name: json.loads(rows[kinds.COUNTERS][""]) for name, rows in found.items() if rows[kinds.COUNTERS]
        }
        # If the wall clock was set back meanwhile, what is pending does not wait so much longer.
        self._time.continue_from(max((counters["machine"] for counters in saved.values()), default=0))
        tenancy = self._runtime.tenancy
        read = []
        # default, which exists already, comes first: others may have been given credentials that it gave up.
        for name in sorted(saved, key=lambda name: name != DEFAULT_TENANT):
            snapshot = self._reader.snapshot(found[name], saved[name])
            if name == DEFAULT_TENANT:
                tenant = tenancy.default
                snapshot = self._as_started(tenant.snapshot(), snapshot)
            else:
                tenant = tenancy.create(
                    snapshot.scenario, id=name, clock=snapshot.asked_clock, api=snapshot.api
                )
            tenant.restore(snapshot)
            read.append((tenant, saved[name]))
        self._pending = [
            self._reader.fill(tenant, found.pop(tenant.id), counters) for tenant, counters in read
        ]

    def resume(self) -> None:
        """Schedule every step and push at its own instant: what is past due happens at once and in order."""
        for each in self._pending:
            self._reader.resume(each)
        if self._pending:
            log.info(
                "%s: %d tenants, %d calls, %d receipts to push, %d uncertain", self._store.name,
                len(self._pending), sum(len(tenant.ledger) for tenant in self._runtime.tenancy),
                sum(len(each.pushes) for each in self._pending),
                sum(len(each.uncertain) for each in self._pending),
            )  # fmt: skip

    def _as_started(self, fresh: Snapshot, saved: Snapshot) -> Snapshot:
        """``default`` as saved, except where the command line has changed since then."""
        snapshot = replace(saved, first=fresh.first, first_api=fresh.first_api, asked_clock=fresh.asked_clock)
        if saved.first.text != fresh.first.text:
            log.info("the scenario of the command line has changed: %s", fresh.first.name)
            snapshot = replace(snapshot, scenario=fresh.first)
        if fresh.asked_clock != saved.asked_clock:
            spec = fresh.asked_clock or snapshot.scenario.clock or ClockSpec()
            at = saved.clock.now() if spec.mode != "real" and spec.start is None else None
            snapshot = replace(snapshot, clock=Clock(spec, self._time.now, at=at))
        return snapshot
