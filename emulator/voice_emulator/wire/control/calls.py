"""Calls and callbacks over the control API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.events import Event
from voice_emulator.core.placing import ReceiptPlan
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Step
from voice_emulator.core.words import nearest
from voice_emulator.wire.control.problems import conflict, missing, wrong
from voice_emulator.wire.control.query import Query
from voice_emulator.wire.control.request import ControlRequest, reply_apart, reply_json
from voice_emulator.wire.control.views import pending_of, receipt_status, show_call

CALL_KEYS = (
    "id", "provider", "operation", "number", "caller", "state", "outcome", "cause", "ended_by", "keys",
    "rule",
    "provider_id", "batch_id", "receipt",
)  # fmt: skip
CALLBACK_KEYS = (
    "id",
    "call_id",
    "provider",
    "kind",
    "number",
    "outcome",
    "attempt",
    "status",
    "rule",
    "faults",
    "url",
)
#: Calls and attempts that a filter looks at before others have their turn.
LOOKED_AT = 1_000
#: Real seconds, beside the delivery's own time-out, that a push by hand is waited for.
PUSH_MARGIN = 5


def call_value(asked: ControlRequest, call: Call) -> Callable[[str], str]:
    """The values of a call that queries can ask for."""

    def value(key: str) -> str:
        if key == "cause":
            provider = asked.runtime.providers.get(call.provider)
            return provider.cause_of(call) if provider is not None and call.ended and not call.dropped else ""
        if key == "receipt":
            return receipt_status(asked.tenant, call)
        found = getattr(call, key)
        return str(found) if found is not None else ""

    return value


def call_filter(asked: ControlRequest) -> Callable[[Call], bool]:
    """What the query parameters of calls demand."""
    query = asked.query
    provider, number, state, outcome = (
        query.get(name) for name in ("provider", "number", "state", "outcome")
    )
    terms: Query | None = query.get("q")

    def wanted(call: Call) -> bool:
        return (
            (provider is None or call.provider == provider)
            and (number is None or number(call.number))
            and (state is None or call.state == state)
            and (outcome is None or call.outcome == outcome)
            and (not terms or terms.matches(call_value(asked, call)))
        )

    return wanted


async def list_calls(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/calls``, in the order of submission."""
    tenant, limit = asked.tenant, asked.query["limit"]
    wanted = call_filter(asked)
    calls = _calls_after(tenant, asked.query["after"])
    found: list[Call] = []
    for index, call in enumerate(list(calls)):
        if index % LOOKED_AT == LOOKED_AT - 1:
            await asyncio.sleep(0)
        if wanted(call):
            found.append(call)
            if len(found) > limit:
                break
    page = found[:limit]
    following = f"{page[-1].submitted_at}-{page[-1].id}" if len(found) > limit else None
    providers = asked.runtime.providers
    return await reply_apart(
        [0] * len(page),
        lambda: {"calls": [show_call(tenant, providers, call) for call in page], "next": following},
    )


def _calls_after(tenant: Tenant, cursor: str | None) -> Any:
    """Calls behind the one the cursor names; behind its instant, should it have been forgotten meanwhile."""
    calls = iter(tenant.ledger)
    if cursor is None:
        return calls
    instant, _, call_id = cursor.partition("-")
    if not (instant.isascii() and instant.isdigit() and len(instant) < 20):
        raise wrong("?after", "is no cursor of this list")
    if call_id in tenant.ledger:
        for call in calls:
            if call.id == call_id:
                break
        return calls
    return (call for call in calls if call.submitted_at >= int(instant))


def _call(asked: ControlRequest) -> Call:
    wanted = asked.path["call_id"]
    call = asked.tenant.ledger.get(wanted)
    if call is None:
        raise missing(
            f"there is no call {wanted[:100]!r}, or it has been forgotten{nearest(wanted[:100], ())}"
        )
    return call


async def get_call(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/calls/{call_id}``."""
    return reply_json(show_call(asked.tenant, asked.runtime.providers, _call(asked)))


async def push_again(asked: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/calls/{call_id}/push``: its receipts once more, now, untouched by any rule.

    Answers with the attempts once they are over.
    """
    tenant, call = asked.tenant, _call(asked)
    if not call.ended:
        raise conflict(f"call {call.id} is {call.state.value}: its receipt is not due yet")
    plans = [plan for plan in call.submission.receipts if plan.on is Step.END and not call.dropped]
    if not plans:
        raise conflict(f"call {call.id} has no receipt: it was never dialled, or its operation pushes none")
    pushes = [_push_by_hand(tenant, call, plan) for plan in plans]
    attempts: dict[int, Attempt] = {}

    def note(event: Event) -> None:
        if isinstance(event.subject, Attempt) and any(event.subject.push is push for push in pushes):
            attempts[id(event.subject.push)] = event.subject

    stop = tenant.events.listen(note)
    try:
        for push in pushes:
            tenant.outbox.push_now(push)
        if tenant.clock.manual:
            # Nothing else carries pushes of a clock that stands.
            asked.services.keep(asked.runtime.driver.push_due(tenant))
        seconds = asked.runtime.options.callback_timeout * len(pushes) + PUSH_MARGIN
        await asked.services.waiters.until(
            tenant, ("callback",), lambda: len(attempts) == len(pushes), round(seconds * 1_000_000)
        )
    finally:
        stop()
    return reply_json({"callbacks": [attempts[id(push)].shown() for push in pushes if id(push) in attempts]})


def _push_by_hand(tenant: Tenant, call: Call, plan: ReceiptPlan) -> Push:
    """A push of its own, with an id nobody has: its nonce and its attempts are its own too."""
    outbox = tenant.outbox
    taken = {attempt.push.id for attempt in tenant.attempts.of_call(call.id)}
    taken |= {push.id for push in (*outbox.due, *outbox.in_flight.values())}
    number = 1
    while (name := f"{call.id}-{plan.kind}-again{number}") in taken:
        number += 1
    return Push(name, call.provider, plan.kind, call, call, tenant.now, by_hand=True)


def attempt_filter(asked: ControlRequest) -> Callable[[dict[str, Any]], bool]:
    """What the query parameters of callbacks demand of an attempt as it is shown."""
    query = asked.query
    exact = {
        name: query[name]
        for name in ("provider", "kind", "call_id", "outcome")
        if query.get(name) is not None
    }
    number = query.get("number")
    terms: Query | None = query.get("q")

    def wanted(shown: dict[str, Any]) -> bool:
        return (
            all(shown[name] == value for name, value in exact.items())
            and (number is None or number(shown["number"] or ""))
            and (not terms or terms.matches(lambda key: _text(shown[key])))
        )

    return wanted


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return str(value) if value is not None else ""


def glance(attempt: Attempt) -> dict[str, Any]:
    """The members of an attempt that filters look at, without rendering the rest."""
    call = attempt.push.call
    return {
        "id": attempt.id,
        "call_id": attempt.call_id,
        "provider": attempt.push.provider,
        "kind": attempt.push.kind,
        "number": call.number if call is not None else None,
        "outcome": attempt.outcome.value,
        "attempt": attempt.number,
        "status": attempt.reply.status if attempt.reply is not None else None,
        "rule": attempt.push.rule,
        "faults": list(attempt.faults),
        "url": attempt.url,
    }


async def list_callbacks(asked: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/callbacks``: attempts in the order they ended, then those that have not."""
    tenant, limit = asked.tenant, asked.query["limit"]
    wanted = attempt_filter(asked)
    index, _, pending_index = (asked.query["after"] or "0").partition(".")
    if not (index.isascii() and index.isdigit() and len(index) < 19) or len(pending_index) > 18:
        raise wrong("?after", "is no cursor of this list")
    position, skipped = int(index), 0
    shown: list[Attempt] = []
    if pending_index:
        if not (pending_index.isascii() and pending_index.isdigit()):
            raise wrong("?after", "is no cursor of this list")
        skipped = int(pending_index)
    else:
        for index_of, (number, attempt) in enumerate(list(tenant.attempts.after(position))):
            if index_of % LOOKED_AT == LOOKED_AT - 1:
                await asyncio.sleep(0)
            if not wanted(glance(attempt)):
                continue
            if len(shown) == limit:
                return await _attempts_shown(shown, [], str(position))
            shown.append(attempt)
            position = number
    pending = [each for each in pending_of(tenant) if wanted(each)][skipped:]
    room = limit - len(shown)
    following = f"{position}.{skipped + room}" if len(pending) > room else None
    return await _attempts_shown(shown, pending[:room], following)


async def _attempts_shown(
    attempts: Sequence[Attempt], pending: Sequence[dict[str, Any]], following: str | None
) -> web.Response:
    return await reply_apart(
        [attempt.weight for attempt in attempts],
        lambda: {"callbacks": [*(attempt.shown() for attempt in attempts), *pending], "next": following},
    )
