"""What is written of calls, pushes and tenants, and how they are made of it again. The two sides side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from voice_emulator.core.billing import bill
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import Clock, ClockSpec, TimeSource
from voice_emulator.core.conservation import Conservation, Orphan
from voice_emulator.core.placing import Submission
from voice_emulator.core.pushes import Push, PushOutcome
from voice_emulator.core.scenario import PLAIN_RECEIPT, Retry, Scenario
from voice_emulator.core.tenants import Snapshot, Tenant
from voice_emulator.core.totals import Totals
from voice_emulator.core.vocabulary import Fate, State, Step
from voice_emulator.state.codec import decode, encode, pack, unpack

#: Counters of :class:`Totals`, by the names of its slots.
_TOTALS = Totals.__slots__


# --- calls --------------------------------------------------------------------------------------


def fixed_of(call: Call, packed: dict[int, Any]) -> str:
    """What never changes of a call. ``packed`` remembers plans and effects, which many calls share, by identity."""

    def shared(value: Any) -> Any:
        key = id(value)
        if key not in packed:
            packed[key] = pack(value)
        return packed[key]

    return _text(
        [
            call.number, call.ordinal, shared(call.plan), call.rule, shared(call.effect), call.receipt_rule,
            call.provider_id,
        ]
    )  # fmt: skip


def course_of(call: Call) -> str:
    """What changes of a call as it goes on."""
    details = call.details
    return _text(
        [
            call.state.value, call.submitted_at, call.dialled_at, call.ring_at, call.answered_at, call.ended_at,
            call.dropped, call.query_from, call.fate.value, call.open_pushes, call.marks, call.record,
            None if details is None else pack(details),
        ]
    )  # fmt: skip


def call_from(call_id: str, submission: Submission, fixed: str, course: str, shared: dict[str, Any]) -> Call:
    """The call again. ``shared`` gives calls with equal plans and effects one and the same."""

    def once(packed: Any) -> Any:
        key = _text(packed)
        if key not in shared:
            shared[key] = unpack(packed)
        return shared[key]

    number, ordinal, plan, rule, effect, receipt_rule, provider_id = json.loads(fixed)
    (
        state, submitted, dialled, ring, answered, ended, dropped, query_from, fate, open_pushes, marks, record, details,
    ) = json.loads(course)  # fmt: skip
    call = Call(call_id, number, ordinal, submission, once(plan), submitted)
    call.rule, call.effect, call.receipt_rule, call.provider_id = (
        rule,
        once(effect),
        receipt_rule,
        provider_id,
    )
    call.state, call.dropped, call.query_from = State(state), dropped, query_from
    call.dialled_at, call.ring_at, call.answered_at, call.ended_at = dialled, ring, answered, ended
    call.fate, call.open_pushes, call.marks = Fate(fate), open_pushes, marks
    call.record = record
    if record and not provider_id:
        call.provider_id = str(record)
    call.details = unpack(details)
    if call.ended:
        call.bill = bill(submission.tariff, call.answered, call.talk_seconds)
    return call


# --- pushes -------------------------------------------------------------------------------------


def push_of(push: Push) -> str:
    """A push that reports a call leans on it; any other is written down whole, with what it is about."""
    if push.call is None:
        return encode(push)
    ruled = push.effect is not PLAIN_RECEIPT
    return _text(
        [push.provider, push.kind, ruled, push.rule, list(push.retry.waits), push.step.value, push.copy]
    )


def push_from(push_id: str, call: Call | None, fixed: str, attempt: int, due: int) -> Push:
    """The push again, at its attempt."""
    if call is None:
        push: Push = decode(fixed)
        push.attempt, push.due = attempt, due
        return push
    provider, kind, ruled, rule, waits, step, copy = json.loads(fixed)
    return Push(
        push_id, provider, kind, call, call, due,
        effect=(ruled and call.effect) or PLAIN_RECEIPT, rule=rule, retry=Retry(tuple(waits)), step=Step(step),
        attempt=attempt, copy=copy,
    )  # fmt: skip


# --- tenants ------------------------------------------------------------------------------------


def account_of(tenant: Tenant) -> str:
    """What makes a tenant the one it is; scenarios as the text they were loaded from."""
    known = tenant.particulars
    return encode(
        {
            "scenario": known.scenario.text, "api": known.api, "asked_clock": known.asked_clock,
            "clock": known.clock.spec, "start": known.clock.start, "first": known.first.text,
            "first_api": known.first_api, "begun": known.begun, "resets": known.resets, "scope": known.scope,
            "loaded_at": known.loaded_at,
        }
    )  # fmt: skip


def particulars_from(
    account: Mapping[str, Any],
    books: Mapping[str, Any],
    source: TimeSource,
    scenario: Callable[[str], Scenario],
) -> Snapshot:
    """A tenant's particulars again; its clock goes on, as far as it would have gone meanwhile.

    ``scenario`` makes one of its text.
    """
    spec: ClockSpec = account["clock"]
    passed = max(0, source() - books["machine"]) if spec.mode == "scaled" else 0
    clock = Clock(spec, source, at=books["now"] + int(passed * spec.speed), start=account["start"])
    return Snapshot(
        scenario(account["scenario"]), account["api"], account["asked_clock"], clock, scenario(account["first"]),
        account["first_api"], account["begun"], account["resets"], account["scope"], account["loaded_at"],
    )  # fmt: skip


def books_of(tenant: Tenant, machine: int) -> str:
    """A tenant's totals at this moment, its clock, and how often its rules were met."""
    tallies = {
        name: [tally.arrivals, tally.number_arrivals, tally.applied]
        for name, tally in tenant.rules.tallies.items()
        if tally.arrivals or tally.number_arrivals or tally.applied
    }
    totals = {name: getattr(tenant.totals, name) for name in _TOTALS}
    return encode(
        {
            "now": tenant.now, "machine": machine, "forgotten": tenant.ledger.forgotten, "tallies": tallies,
            "accounts": tenant.conservation.accounts, "totals": totals, "records": tenant.ledger.records,
        }
    )  # fmt: skip


def open_books(tenant: Tenant, books: Mapping[str, Any], last: Mapping[str, str | None]) -> None:
    """Go on with a tenant's books. ``last`` is how each call's last push went."""
    for name, counts in books["totals"].items():
        getattr(tenant.totals, name).update(counts)
    for name, (arrivals, number_arrivals, applied) in books["tallies"].items():
        tally = tenant.rules.tallies.get(name)
        if tally is not None:
            tally.arrivals, tally.number_arrivals, tally.applied = arrivals, number_arrivals, applied
    tenant.ledger.records.update(books["records"])
    _restore(tenant.conservation, books, tenant, last)


def _restore(
    conservation: Conservation, books: Mapping[str, Any], tenant: Tenant, last: Mapping[str, str | None]
) -> None:
    def orphan(call: Call) -> Orphan:
        how = last.get(call.id)
        return Orphan(
            call.id, call.provider, call.operation, call.number, call.ended_at or 0,
            PushOutcome(how) if how else None, call.receipt_rule,
        )  # fmt: skip

    orphans = (orphan(call) for call in tenant.ledger if call.fate is Fate.ORPHAN)
    conservation.restore(books["accounts"], orphans)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
