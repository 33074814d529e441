"""Takes up again what a state file knows: tenants, their calls and tokens, and everything still to be done."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

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
from voice_emulator.state.documents import call_from, open_books, particulars_from, push_from
from voice_emulator.state.writer import STARTED_WITH, StateWriter
from voice_emulator.wire.runtime import Runtime

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Pending:
    """What one tenant still has to do: calls that go on, pushes to be made, pushes nobody knows the end of."""

    tenant: Tenant
    calls: list[Call]
    pushes: list[Push]
    uncertain: list[tuple[Push, int]]


def keep_state(
    file: StateFile, runtime: Runtime, source: TimeSource, on_failure: Callable[[str], None]
) -> StateWriter:
    """Take up what ``file`` knows, then keep everything in it; needs the running loop.

    Raises StateError when the file does not fit this version, or the tenant of the command line.
    """
    revival = Restore(file, runtime, source)
    try:
        pending = revival.read()
    except (Undecodable, KeyError, ValueError, TypeError) as error:
        raise StateError(
            f"the state file {file.path} cannot be read by this version ({error}); move it away to start anew"
        ) from error
    except KeyTaken as error:
        raise StateError(f"the state file {file.path} does not fit the command line: {error}") from error
    keeper = StateWriter(file, runtime, source, on_failure)
    keeper.open()
    for each in pending:
        _go_on(each, runtime)
    keeper.flush()
    if revival.known:
        log.info(
            "state of %s: %d tenants, %d calls, %d receipts to push, %d uncertain", file.path, revival.known,
            sum(len(tenant.ledger) for tenant in runtime.tenancy), sum(len(each.pushes) for each in pending),
            sum(len(each.uncertain) for each in pending),
        )  # fmt: skip
    return keeper


def _go_on(pending: Pending, runtime: Runtime) -> None:
    """Every step and every push at its own instant, so that what is past due happens at once and in order."""
    tenant = pending.tenant
    tenant.steps.resume(pending.calls, tenant.now)
    for push in pending.pushes:
        tenant.outbox.schedule(push)
    for push, at in pending.uncertain:
        runtime.delivery.give_up(tenant, push, at)


class Restore:
    """One reading of a state file. ``known`` is how many tenants it had."""

    def __init__(self, file: StateFile, runtime: Runtime, source: TimeSource) -> None:
        """Read ``file`` into ``runtime``, whose only tenant is the new ``default``."""
        self._file = file
        self._runtime = runtime
        self._source = source
        self._scenarios = {runtime.start_scenario.text: runtime.start_scenario}
        self.known = 0

    def read(self) -> list[Pending]:
        """Make the tenants what they were; returns what each has still to do."""
        saved = [(name, account, books) for name, account, books in self._file.tenants() if books is not None]
        self.known = len(saved)
        # First of all default, which is there already: others may have been given keys that it gave up.
        saved.sort(key=lambda row: row[0] != DEFAULT_TENANT)
        tenancy = self._runtime.tenancy
        read = []
        for name, account, books in saved:
            book = decode(books)
            particulars = particulars_from(decode(account), book, self._source, self._scenario)
            if name == DEFAULT_TENANT:
                tenant = tenancy.default
                particulars = self._as_started(tenant.particulars, particulars)
            else:
                tenant = tenancy.create(
                    particulars.scenario, id=name, clock=particulars.asked_clock, api=particulars.api
                )
            tenant.become(particulars)
            read.append((tenant, book))
        for name, space, value in self._file.issued():
            owner = tenancy.get(name)
            if owner is not None:
                tenancy.directory.issue(owner, ("id", space, value))
        return [self._fill(tenant, book) for tenant, book in read]

    def _scenario(self, text: str) -> Scenario:
        found = self._scenarios.get(text)
        if found is None:
            try:
                found = self._runtime.loader.sent(text)
            except (FileError, UsageError) as error:
                found = self._runtime.start_scenario
                log.warning(
                    "a scenario of the state file cannot be read now, using %s: %s", found.name, error
                )
            self._scenarios[text] = found
        return found

    def _as_started(self, fresh: Snapshot, saved: Snapshot) -> Snapshot:
        """``default`` as saved, except where the command line says something else than it did then."""
        particulars = replace(
            saved, first=fresh.first, first_api=fresh.first_api, asked_clock=fresh.asked_clock
        )
        if self._file.meta(STARTED_WITH) != fresh.first.text:
            log.info("the scenario of the command line is another one than before: %s", fresh.first.name)
            particulars = replace(particulars, scenario=fresh.first)
        if fresh.asked_clock != saved.asked_clock:
            spec = fresh.asked_clock or particulars.scenario.clock or ClockSpec()
            at = saved.clock.now() if spec.mode != "real" and spec.start is None else None
            particulars = replace(particulars, clock=Clock(spec, self._source, at=at))
        return particulars

    # --- one tenant ---------------------------------------------------------------------------

    def _fill(self, tenant: Tenant, book: dict[str, Any]) -> Pending:
        for space, key, count in self._file.rows("counts", "space, key, count", tenant.id):
            tenant.ledger.go_on(tuple(json.loads(space)), key, count)
        for (token,) in self._file.rows("tokens", "token", tenant.id):
            tenant.tokens.add(decode(token))
        calls, last = self._calls(tenant, book["forgotten"])
        open_books(tenant, book, last)
        pushes, uncertain = [], []
        columns = "id, call, fixed, attempt, due, sent"
        for name, call_id, fixed, attempt, due, sent in self._file.rows(
            "pushes", columns, tenant.id, order="due, seq"
        ):
            push = push_from(name, calls[call_id] if call_id is not None else None, fixed, attempt, due)
            if sent is None:
                pushes.append(push)
            else:
                uncertain.append((push, sent))
        free = [push for push in (*pushes, *(push for push, _ in uncertain)) if push.call is None]
        for provider in self._runtime.providers.values():
            provider.revive(tenant, [push for push in free if push.provider == provider.id])
        going = [call for call in calls.values() if call.state is not State.ENDED]
        return Pending(tenant, going, pushes, uncertain)

    def _calls(self, tenant: Tenant, forgotten: int) -> tuple[dict[str, Call], dict[str, str | None]]:
        """All calls by id, those the ledger has forgotten included: they have pushes to make. And last outcomes."""
        submissions: dict[int, Submission] = {
            number: decode(fixed) for number, fixed in self._file.rows("submissions", "seq, fixed", tenant.id)
        }
        shared: dict[str, Any] = {}
        calls: dict[str, Call] = {}
        last: dict[str, str | None] = {}
        ended: list[tuple[int, Call]] = []
        tenant.ledger.forgotten = forgotten
        columns = "id, submission, fixed, course, ended, last"
        for name, submission, fixed, course, number, outcome in self._file.rows("calls", columns, tenant.id):
            call = calls[name] = call_from(name, submissions[submission], fixed, course, shared)
            last[name] = outcome
            if number is None or number > forgotten:
                tenant.ledger.add(call)
            if number is not None and number > forgotten:
                ended.append((number, call))
        for _, call in sorted(ended, key=lambda pair: pair[0]):
            tenant.ledger.ended(call)
        return calls, last
