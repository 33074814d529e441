"""Calls, pushes and tenants as the texts of a state file, and back: the two directions side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from operator import attrgetter
from typing import Any

from voice_emulator.core.billing import bill
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import Clock, ClockSpec, TimeSource
from voice_emulator.core.conservation import Orphan
from voice_emulator.core.placing import Batch, Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import PLAIN_RECEIPT, Retry, Scenario
from voice_emulator.core.tenants import Snapshot, Tenant
from voice_emulator.core.totals import Totals
from voice_emulator.core.vocabulary import Fate, PushOutcome, State, Step
from voice_emulator.state.codec import decode, encode, pack, unpack

#: Of a call, by attribute: what never changes, and what changes as it goes on. ``details`` comes after the latter.
_CONSTANT = ("number", "ordinal", "plan", "rule", "effect", "receipt_rule", "provider_id")
_PROGRESS = (
    "state", "submitted_at", "dialled_at", "ring_at", "answered_at", "ended_at", "dropped", "query_from", "fate",
    "open_pushes", "marks", "record",
)  # fmt: skip
_constant, _progress = attrgetter(*_CONSTANT), attrgetter(*_PROGRESS)


# --- calls --------------------------------------------------------------------------------------


def call_text(call: Call, packed: dict[int, Any]) -> str:
    """What never changes of a call. ``packed`` remembers plans and effects by identity: many calls share them."""

    def once(value: Any) -> Any:
        key = id(value)
        if key not in packed:
            packed[key] = pack(value)
        return packed[key]

    return _text([once(value) if is_dataclass(value) else value for value in _constant(call)])


def progress_text(call: Call) -> str:
    """What changes of a call as it goes on."""
    return _text([*_progress(call), None if call.details is None else pack(call.details)])


def call_from(
    call_id: str, submission: Submission, constant: str, progress: str, shared: dict[str, Any]
) -> Call:
    """The call that these texts were made of. ``shared`` makes one object of equal plans and effects."""

    def once(packed: Any) -> Any:
        key = _text(packed)
        if key not in shared:
            shared[key] = unpack(packed)
        return shared[key]

    values = dict(zip(_CONSTANT, json.loads(constant), strict=True))
    *known, details = json.loads(progress)
    values |= zip(_PROGRESS, known, strict=True)
    call = Call(
        call_id, values["number"], values["ordinal"], submission, once(values.pop("plan")), values["submitted_at"]
    )  # fmt: skip
    for name, value in values.items():
        setattr(call, name, value)
    call.effect, call.details = once(values["effect"]), unpack(details)
    call.state, call.fate = State(values["state"]), Fate(values["fate"])
    if call.record and not call.provider_id:
        call.provider_id = str(call.record)
    if call.ended:
        call.bill = bill(submission.tariff, call.answered, call.talk_seconds)
    return call


# --- pushes -------------------------------------------------------------------------------------


def push_text(push: Push) -> str:
    """A push; one that reports a call without what the call knows, any other with its subject.

    Receipts that travel with it have texts of their own: it names their ids.
    """
    if push.call is None:
        return encode(push)
    ruled = push.effect is not PLAIN_RECEIPT
    batch = None if push.batch is None else [push.batch.most, push.batch.wait, push.batch.receiver]
    others = [other.id for other in push.others]
    waits = list(push.retry.waits)
    return _text(
        [push.provider, push.kind, ruled, push.rule, waits, push.step.value, push.copy, batch, others]
    )


def push_from(push_id: str, call: Call | None, text: str, attempt: int, due: int) -> tuple[Push, list[str]]:
    """The push that ``text`` was made of, at its attempt; and the ids of the receipts that travel with it."""
    if call is None:
        push: Push = decode(text)
        push.attempt, push.due = attempt, due
        return push, []
    provider, kind, ruled, rule, waits, step, copy, batch, others = json.loads(text)
    return Push(
        push_id, provider, kind, call, call, due,
        effect=(ruled and call.effect) or PLAIN_RECEIPT, rule=rule, retry=Retry(tuple(waits)), step=Step(step),
        attempt=attempt, copy=copy, batch=None if batch is None else Batch(*batch),
    ), others  # fmt: skip


# --- tenants ------------------------------------------------------------------------------------


def snapshot_text(tenant: Tenant) -> str:
    """The snapshot of a tenant; scenarios as the text they were loaded from."""
    saved = tenant.snapshot()
    values = {each.name: getattr(saved, each.name) for each in fields(saved)} | {
        "scenario": saved.scenario.text, "first": saved.first.text, "clock": saved.clock.spec,
        "start": saved.clock.start,
    }  # fmt: skip
    return encode(values)


def snapshot_from(
    text: str, counters: Mapping[str, Any], source: TimeSource, scenario: Callable[[str], Scenario]
) -> Snapshot:
    """The snapshot that ``text`` was made of; a scaled clock has gone on since the process ended.

    ``scenario`` reads a scenario's text.
    """
    values = decode(text)
    spec: ClockSpec = values["clock"]
    passed = max(0, source() - counters["machine"]) if spec.mode == "scaled" else 0
    at = counters["now"] + int(passed * spec.speed)
    values["clock"] = Clock(spec, source, at=at, start=values.pop("start"))
    return Snapshot(**values | {name: scenario(values[name]) for name in ("scenario", "first")})


def counters_text(tenant: Tenant, machine: int) -> str:
    """A tenant's counters and clock now; ``machine`` is the machine's time."""
    tallies = {
        name: [tally.arrivals, tally.number_arrivals, tally.applied]
        for name, tally in tenant.rules.tallies.items()
        if tally.arrivals or tally.number_arrivals or tally.applied
    }
    totals = {name: getattr(tenant.totals, name) for name in Totals.__slots__}
    return encode(
        {
            "now": tenant.now, "machine": machine, "forgotten": tenant.ledger.forgotten, "tallies": tallies,
            "accounts": tenant.conservation.accounts, "totals": totals, "records": tenant.ledger.records,
        }
    )  # fmt: skip


def restore_counters(tenant: Tenant, counters: Mapping[str, Any], last: Mapping[str, str | None]) -> None:
    """Set a tenant's counters. ``last`` is the outcome of each call's last push."""
    for name, counts in counters["totals"].items():
        getattr(tenant.totals, name).update(counts)
    for name, (arrivals, number_arrivals, applied) in counters["tallies"].items():
        tally = tenant.rules.tallies.get(name)
        if tally is not None:
            tally.arrivals, tally.number_arrivals, tally.applied = arrivals, number_arrivals, applied
    tenant.ledger.records.update(counters["records"])

    def orphan(call: Call) -> Orphan:
        outcome = last.get(call.id)
        return Orphan(
            call.id, call.provider, call.operation, call.number, call.ended_at or 0,
            PushOutcome(outcome) if outcome else None, call.receipt_rule,
        )  # fmt: skip

    orphans = (orphan(call) for call in tenant.ledger if call.fate is Fate.ORPHAN)
    tenant.conservation.restore(counters["accounts"], orphans)


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
