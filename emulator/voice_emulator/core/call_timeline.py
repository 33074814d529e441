"""The timeline of a call: what happened to it, then the attempts to report it."""

from __future__ import annotations

from typing import Any

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.shapes import TimelineStep
from voice_emulator.core.tenants import Tenant


def timeline(tenant: Tenant, call: Call) -> list[dict[str, Any]]:
    """What happened, in order, as the control API shows it."""
    hide = tenant.secrets.hide
    rule = f", rule {call.rule!r}" if call.rule else ""
    submitted = f"{call.operation}, call {call.ordinal} to {call.number}{rule}"
    steps: list[tuple[int | None, str, str]] = [(call.submitted_at, "submitted", submitted)]
    begin = call.submission.start_at
    if begin is not None and begin > call.submitted_at:
        steps.append((call.submitted_at, "scheduled", f"for {rfc3339(begin)}"))
    steps += [
        (call.dialled_at, "dialled", f"from {hide(call.caller)}" if call.caller else ""),
        (call.ring_at, "ringing", ""),
        (call.answered_at, "answered", ""),
    ]
    if call.dropped:
        steps.append((call.ended_at, "dropped", "never dialled: no charge, no receipt"))
    elif call.outcome is not None and call.ended_by is not None:
        keys = f", keys {call.keys}" if call.keys else ""
        steps.append((call.ended_at, "ended", f"{call.outcome.value}, by {call.ended_by.value}{keys}"))
    steps += [
        (attempt.at, "callback", hide(_attempt(attempt))) for attempt in tenant.attempts.of_call(call.id)
    ]
    known = sorted(
        ((at, event, detail) for at, event, detail in steps if at is not None), key=lambda step: step[0]
    )
    return [TimelineStep.shown(at=at, event=event, detail=detail) for at, event, detail in known]


def _attempt(attempt: Attempt) -> str:
    status = f" with {attempt.reply.status}" if attempt.reply is not None else ""
    reason = f": {attempt.reason}" if attempt.reason else ""
    return f"{attempt.label}: {attempt.outcome.value}{status}{reason}"
