"""Calls, pushes and tenants as the rows of a store, and back: the two directions side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, is_dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any

from voice_emulator.contract.memory import memory_of
from voice_emulator.core.billing import bill
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import Clock, ClockSpec, TimeSource
from voice_emulator.core.conservation import Account, Orphan, Sums
from voice_emulator.core.placing import Batch, Submission
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import PLAIN_RECEIPT, Retry, Scenario
from voice_emulator.core.tenants import Snapshot, Tenant
from voice_emulator.core.totals import Totals
from voice_emulator.core.vocabulary import Fate, State, Step
from voice_emulator.state.codec import decode, encode, pack, unpack

# The kinds of rows, and what the key of each is.
TENANT = "tenant"  # empty: one row
COUNTERS = "counters"  # empty: one row
SUBMISSION = "submission"  # a running number
CALL = "call"  # the call's id
PROGRESS = "progress"  # the call's id; as long as there is none, the call is as it was placed
ENDED = "ended"  # the call's id; the value is its running number among the calls that ended
ORPHAN = "orphan"  # the call's id
PUSH = "push"  # the push's id
TOKEN = "token"  # its value
ISSUED = "issued"  # a running number
COUNT = "count"  # what is counted
FINDING = "finding"  # a running number
QUERY = "query"  # the operation
OPTIONS = (
    "options"  # empty: one row, where replicas share the store: what the command line said of the tenant
)

#: Of a call, by attribute: what never changes, and what changes as it goes on. ``details`` comes after the latter.
_CONSTANT = ("number", "ordinal", "plan", "rule", "effect", "receipt_rule", "provider_id")
_PROGRESS = (
    "state", "submitted_at", "dialled_at", "ring_at", "answered_at", "ended_at", "dropped", "query_from", "fate",
    "open_pushes", "marks", "record",
)  # fmt: skip
_constant, _progress = attrgetter(*_CONSTANT), attrgetter(*_PROGRESS)


# --- calls --------------------------------------------------------------------------------------


def call_text(call: Call, submission: str, packed: dict[int, Any]) -> str:
    """A call of the submission with this key, as it was placed.

    ``packed`` remembers plans and effects by identity: many calls share them.
    """

    def once(value: Any) -> Any:
        key = id(value)
        if key not in packed:
            packed[key] = pack(value)
        return packed[key]

    constant = [once(value) if is_dataclass(value) else value for value in _constant(call)]
    return _text([submission, constant, _progressed(call)])


def progress_text(call: Call) -> str:
    """What changes of a call as it goes on."""
    return _text(_progressed(call))


def _progressed(call: Call) -> list[Any]:
    return [*_progress(call), None if call.details is None else pack(call.details)]


def call_from(
    call_id: str,
    text: str,
    progress: str | None,
    submissions: Mapping[str, Submission],
    shared: dict[str, Any],
) -> Call:
    """The call that these texts were made of. ``shared`` makes one object of equal plans and effects."""

    def once(packed: Any) -> Any:
        key = _text(packed)
        if key not in shared:
            shared[key] = unpack(packed)
        return shared[key]

    number, constant, placed = json.loads(text)
    submission = submissions[number]
    values = dict(zip(_CONSTANT, constant, strict=True))
    *known, details = placed if progress is None else json.loads(progress)
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


def push_text(push: Push, sent: int | None) -> str:
    """A push; one that reports a call without what the call knows, any other with its subject.

    ``sent`` is when its attempt began, None until it is on the wire. Receipts that travel with it have texts of their own:
    it names their ids.
    """
    progress = [push.attempt, push.due, sent, [other.id for other in push.others]]
    if push.call is None:
        return _text([None, *progress, pack(push)])
    ruled = push.effect is not PLAIN_RECEIPT
    batch = None if push.batch is None else [push.batch.most, push.batch.wait, push.batch.receiver]
    waits = list(push.retry.waits)
    content = [push.provider, push.kind, ruled, push.rule, waits, push.step.value, push.copy, batch]
    return _text([push.call.id, *progress, content])


def push_from(push_id: str, text: str, calls: Mapping[str, Call]) -> tuple[Push, int | None, list[str]]:
    """The push that ``text`` was made of, at its attempt, when that began, and the ids of what travels with it."""
    call_id, attempt, due, sent, others, content = json.loads(text)
    if call_id is None:
        push: Push = unpack(content)
        push.attempt, push.due = attempt, due
        return push, sent, others
    call = calls[call_id]
    provider, kind, ruled, rule, waits, step, copy, batch = content
    return Push(
        push_id, provider, kind, call, call, due,
        effect=(ruled and call.effect) or PLAIN_RECEIPT, rule=rule, retry=Retry(tuple(waits)), step=Step(step),
        attempt=attempt, copy=copy, batch=None if batch is None else Batch(*batch),
    ), sent, others  # fmt: skip


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
    """A tenant's counters and clock now; ``machine`` is the machine's time. This is written in every commit."""
    tallies = {
        name: [tally.arrivals, tally.number_arrivals, tally.applied]
        for name, tally in tenant.rules.tallies.items()
        if tally.arrivals or tally.number_arrivals or tally.applied
    }
    memory = memory_of(tenant)
    return _text(
        {
            "now": tenant.now, "machine": machine, "forgotten": tenant.ledger.forgotten, "tallies": tallies,
            "records": tenant.ledger.records, "own_failures": memory.own_failures,
            "accounts": {
                name: [account.accepted, account.fates, _texts(account.sums)]
                for name, account in tenant.conservation.accounts.items()
            },
            "totals": {name: _pairs(getattr(tenant.totals, name)) for name in _TOTALS},
            "charged": {name: str(charge) for name, charge in tenant.totals.charged.items()},
            "occasions": _pairs(memory.occasions), "findings": _pairs(tenant.findings.counts),
        }
    )  # fmt: skip


def restore_counters(tenant: Tenant, counters: Mapping[str, Any], orphans: Iterable[Orphan]) -> None:
    """Set a tenant's counters."""
    accounts = {}
    for name in _TOTALS:
        getattr(tenant.totals, name).update(counted(counters["totals"][name]))
    tenant.totals.charged.update((name, Decimal(charge)) for name, charge in counters["charged"].items())
    for name, (arrivals, number_arrivals, applied) in counters["tallies"].items():
        tally = tenant.rules.tallies.get(name)
        if tally is not None:
            tally.arrivals, tally.number_arrivals, tally.applied = arrivals, number_arrivals, applied
    tenant.ledger.records.update(counters["records"])
    for name, (accepted, fates, sums) in counters["accounts"].items():
        amounts: list[Any] = [Decimal(each) if each is not None else None for each in sums]
        known = {Fate(fate): count for fate, count in fates.items()}
        accounts[name] = Account(accepted, known, Sums(*amounts))
    tenant.conservation.restore(accounts, orphans)
    memory = memory_of(tenant)
    memory.own_failures = counters["own_failures"]
    memory.occasions.update(counted(counters["occasions"]))


#: Those of a tenant's totals that count.
_TOTALS = tuple(name for name in Totals.__slots__ if name != "charged")


def _texts(sums: Sums) -> list[str | None]:
    amounts = sums.ledger, sums.receipts, sums.receipts_due, sums.queries, sums.queries_due
    return [None if amount is None else str(amount) for amount in amounts]


def _pairs(counts: Mapping[Any, int]) -> list[Any]:
    return list(counts.items())


def counted(pairs: Iterable[Any]) -> dict[Any, int]:
    """The counts that were written as pairs of key and count."""
    return {tuple(key) if isinstance(key, list) else key: count for key, count in pairs}


def _text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
