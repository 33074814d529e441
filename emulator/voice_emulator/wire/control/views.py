"""Tenants, calls, attempts and journal entries as the control API shows them (:mod:`voice_emulator.core.shapes`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voice_emulator.core import shapes
from voice_emulator.core.call_timeline import timeline
from voice_emulator.core.calls import Call
from voice_emulator.core.journal import Entry
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Fate, PushOutcome
from voice_emulator.providers.provider import Provider

Json = dict[str, Any]


def show_tenant(tenant: Tenant) -> Json:
    """A tenant with its credentials in full: clients need them, and who asks may create tenants at will."""
    return shapes.Tenant.shown(
        id=tenant.id,
        scenario=tenant.scenario.name,
        seed=tenant.seed,
        clock=str(tenant.clock.spec),
        now=tenant.now,
        callback_urls={key: tenant.secrets.url(url) for key, url in tenant.callback_urls.items()},
        credentials=tenant.credentials,
        settings=tenant.raw_settings,
    )


def show_call(tenant: Tenant, providers: Mapping[str, Provider], call: Call) -> Json:
    """A call; what is known only at its end is null before."""
    over = call.ended and not call.dropped
    provider = providers.get(call.provider)
    return shapes.Call.shown(
        id=call.id,
        provider=call.provider,
        operation=call.operation,
        number=call.number,
        caller=tenant.secrets.hide(call.caller) or None,
        state=call.state,
        outcome=call.outcome,
        cause=(provider.cause_of(call) or None) if over and provider is not None else None,
        ended_by=call.ended_by,
        submitted_at=call.submitted_at,
        ring_at=call.ring_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        talk_seconds=call.talk_seconds if call.ended else None,
        keys=call.keys if call.ended else None,
        billing=_billing(call) if over else None,
        provider_id=call.provider_id or None,
        batch_id=call.batch_id or None,
        references=provider.references(call) if provider is not None else (),
        rule=call.rule,
        receipt=receipt_status(tenant, call),
        timeline=timeline(tenant, call),
    )


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
    return shapes.Billing.shown(
        cycle=bill.cycle,
        cycles=bill.cycles,
        unit_price=bill.unit_price,
        basic_price=bill.basic_price,
        charge=bill.charge,
    )


def show_pending(push: Push, where: str) -> Json:
    """An attempt that has not ended, in the shape of one that has; ``where`` says what it waits for."""
    calls = {call.id: call.number for call in push.calls}
    numbers = list(dict.fromkeys(calls.values()))
    return shapes.Callback.shown(
        id=f"{push.id}.{push.attempt}",
        call_id=next(iter(calls), None),
        call_ids=list(calls),
        number=next(iter(numbers), None),
        numbers=numbers,
        provider=push.provider,
        kind=push.kind,
        attempt=push.attempt,
        label=push.label(push.attempt),
        at=push.due,
        url=None,
        method="",
        headers=[],
        body="",
        fields={},
        receipts=(),
        faults=() if push.by_hand else push.effect.faults,
        outcome=PushOutcome.PENDING,
        reason=where,
        status=None,
        reply=None,
        duration_ms=0.0,
        rule=push.by_rule,
    )


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


def show_entry(entry: Entry) -> Json:
    """A journal entry: a request's parts stand in the entry itself, anything else under its kind."""
    shown = entry.record.shown()
    if entry.kind != "request":
        shown = {
            "provider": shown.get("provider"), "operation": shown.get("operation"), entry.kind: shown,
        }  # fmt: skip
    return shapes.JournalEntry.shown(id=entry.id, kind=entry.kind, at=entry.at, **shown)
