"""Tenants, calls, attempts and journal entries as the control API shows them (INTERFACE section 4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.billing import money
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.core.pushes import Push, PushOutcome
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Fate
from voice_emulator.providers.provider import Provider

Json = dict[str, Any]


def time_text(instant: int | None) -> str | None:
    """RFC 3339, or null."""
    return rfc3339(instant) if instant is not None else None


def show_tenant(tenancy: Tenancy, tenant: Tenant) -> Json:
    """A tenant with its credentials in full: clients need them, and who asks may create tenants at will."""
    shown = tenancy.describe(tenant)
    return {
        "id": shown["id"],
        "scenario": shown["scenario"],
        "seed": shown["seed"],
        "clock": str(tenant.clock.spec),
        "now": rfc3339(tenant.now),
        "callback_urls": {key: tenant.secrets.url(url) for key, url in shown["callback_urls"].items()},
        "credentials": shown["credentials"],
        "settings": shown["settings"],
    }


def show_call(tenant: Tenant, providers: Mapping[str, Provider], call: Call) -> Json:
    """A call; what is known only at its end is null before."""
    over = call.ended and not call.dropped
    outcome, ended_by = call.outcome, call.ended_by
    provider = providers.get(call.provider)
    return {
        "id": call.id,
        "provider": call.provider,
        "operation": call.operation,
        "number": call.number,
        "caller": tenant.secrets.hide(call.caller) or None,
        "state": call.state.value,
        "outcome": outcome.value if outcome is not None else None,
        "cause": (provider.cause_of(call) or None) if over and provider is not None else None,
        "ended_by": ended_by.value if ended_by is not None else None,
        "submitted_at": rfc3339(call.submitted_at),
        "ring_at": time_text(call.ring_at),
        "answered_at": time_text(call.answered_at),
        "ended_at": time_text(call.ended_at),
        "talk_seconds": call.talk_seconds if call.ended else None,
        "keys": call.keys if call.ended else None,
        "billing": _billing(call) if over else None,
        "provider_id": call.provider_id or None,
        "batch_id": call.batch_id or None,
        "references": list(provider.references(call)) if provider is not None else [],
        "rule": call.rule,
        "receipt": receipt_status(tenant, call),
        "timeline": _timeline(tenant, call),
    }


def receipt_status(tenant: Tenant, call: Call) -> str:
    """How the client learnt of the end: delivered or reconciled, else how the newest push went."""
    if call.fate is Fate.ACKNOWLEDGED:
        return PushOutcome.DELIVERED.value
    if call.fate in (Fate.RECONCILED, Fate.UNCERTAIN):
        return call.fate.value
    attempts = tenant.attempts.of_call(call.id)
    if attempts and call.ended:
        return attempts[-1].outcome.value
    return "none" if call.fate in (Fate.DROPPED, Fate.ORPHAN) else Fate.PENDING.value


def _billing(call: Call) -> Json | None:
    bill = call.bill
    if bill is None:
        return None
    return {
        "cycle": bill.cycle,
        "cycles": bill.cycles,
        "unit_price": money(bill.unit_price),
        "basic_price": money(bill.basic_price),
        "charge": money(bill.charge),
    }


def _timeline(tenant: Tenant, call: Call) -> list[Json]:
    """What happened, in order: the call's own instants, then what was pushed about it."""
    line: list[tuple[int, str, str]] = []
    rule = f", rule {call.rule!r}" if call.rule else ""
    line.append(
        (call.submitted_at, "submitted", f"{call.operation}, call {call.ordinal} to {call.number}{rule}")
    )
    begin = call.submission.start_at
    if begin is not None and begin > call.submitted_at:
        line.append((call.submitted_at, "scheduled", f"for {rfc3339(begin)}"))
    if call.dialled_at is not None:
        line.append((call.dialled_at, "dialled", f"from {call.caller}" if call.caller else ""))
    if call.ring_at is not None:
        line.append((call.ring_at, "ringing", ""))
    if call.answered_at is not None:
        line.append((call.answered_at, "answered", ""))
    if call.ended_at is not None and call.dropped:
        line.append((call.ended_at, "dropped", "never dialled: no charge, no receipt"))
    elif call.ended_at is not None and call.outcome is not None and call.ended_by is not None:
        keys = f", keys {call.keys}" if call.keys else ""
        line.append((call.ended_at, "ended", f"{call.outcome.value}, by {call.ended_by.value}{keys}"))
    line += [(attempt.at, "callback", _attempt_text(attempt)) for attempt in tenant.attempts.of_call(call.id)]
    line.sort(key=lambda point: point[0])
    return [{"at": rfc3339(at), "event": event, "detail": detail} for at, event, detail in line]


def _attempt_text(attempt: Attempt) -> str:
    answer = f" with {attempt.reply.status}" if attempt.reply is not None else ""
    reason = f": {attempt.reason}" if attempt.reason else ""
    return f"{attempt.label}: {attempt.outcome.value}{answer}{reason}"


def show_pending(push: Push, where: str) -> Json:
    """An attempt that has not ended, in the shape of one that has; ``where`` says what it waits for."""
    call_ids = list(dict.fromkeys(call.id for call in push.calls))
    numbers = list(dict.fromkeys(call.number for call in push.calls))
    return {
        "id": f"{push.id}.{push.attempt}",
        "call_id": call_ids[0] if call_ids else None,
        "call_ids": call_ids,
        "number": numbers[0] if numbers else None,
        "numbers": numbers,
        "provider": push.provider,
        "kind": push.kind,
        "attempt": push.attempt,
        "at": rfc3339(push.due),
        "url": None,
        "method": "",
        "headers": [],
        "body": "",
        "fields": {},
        "receipts": [],
        "faults": [] if push.by_hand else list(push.effect.faults),
        "outcome": "pending",
        "reason": where,
        "status": None,
        "reply": None,
        "duration_ms": 0.0,
        "rule": push.by_rule,
    }


def pending_of(tenant: Tenant) -> list[Json]:
    """Everything that is on the wire or due, or waits for other pushes."""
    outbox = tenant.outbox
    shown = [show_pending(push, "on the wire") for push in list(outbox.in_flight.values())]
    shown += [show_pending(push, "due") for push in list(outbox.due)]
    shown += [
        show_pending(push, "waits for others to share a push with")
        for parts in list(outbox.gathered.values())
        for push in parts
    ]
    return shown + [show_pending(push, "held back until others have overtaken it") for push in outbox.held]


def show_finding(finding: Finding) -> Json:
    """A finding with its instant."""
    return {**finding.shown(), "at": time_text(finding.at) if finding.at else None}


def show_entry(entry: Entry) -> Json:
    """A journal entry: a request's parts stand in the entry itself, anything else under its kind."""
    head: Json = {"id": entry.id, "kind": entry.kind, "at": rfc3339(entry.at)}
    shown = entry.record.shown()
    if entry.kind == "request":
        return head | shown
    head["provider"] = shown.get("provider")
    head["operation"] = shown.get("operation")
    head[entry.kind] = shown
    return head
