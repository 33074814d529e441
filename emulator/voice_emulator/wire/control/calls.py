"""Calls and callbacks over the control API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from aiohttp import web

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.placing import ReceiptPlan
from voice_emulator.core.pushes import Push
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Step
from voice_emulator.core.words import nearest
from voice_emulator.wire.control.problems import conflict, missing
from voice_emulator.wire.control.query import Query, Values, values_by
from voice_emulator.wire.control.request import ControlRequest, reply_apart, reply_json
from voice_emulator.wire.control.search import FindingIndex
from voice_emulator.wire.control.views import pending_of, receipt_status, show_call

CALL_KEYS = (
    "id", "provider", "operation", "number", "caller", "state", "outcome", "cause", "ended_by", "keys",
    "rule", "provider_id", "batch_id", "receipt", "has", "finding",
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
CALLS_CURSOR = "[0-9]{1,19}-[^\\r\\n]*"
CALLBACKS_CURSOR = "[0-9]{1,18}([.][0-9]{1,18})?"
#: Calls and attempts that a filter looks at before others have their turn.
LOOKED_AT = 1_000
#: Real seconds, beside the delivery's own time-out, that a push by hand is waited for.
PUSH_MARGIN = 5


def call_values(request: ControlRequest, call: Call, findings: FindingIndex) -> Callable[[str], Values]:
    """The values of a call by key. ``id`` is any id: ours, the provider's, the batch's, the client's own."""
    provider = request.runtime.providers.get(call.provider)

    def read(key: str) -> Any:
        if key == "id":
            references = provider.references(call) if provider is not None else ()
            return [call.id, call.provider_id, call.batch_id, *references]
        if key == "cause":
            return provider.cause_of(call) if provider is not None and call.ended and not call.dropped else ""
        if key == "receipt":
            return receipt_status(request.tenant, call)
        if key == "has":
            return findings.has(call.id)
        return findings.rules(call.id) if key == "finding" else getattr(call, key)

    return values_by(read, [key for key in CALL_KEYS if key != "has"])


def call_filter(request: ControlRequest) -> Callable[[Call], bool]:
    """What the query parameters of calls demand."""
    query = request.query
    provider, number, state, outcome = (
        query.get(name) for name in ("provider", "number", "state", "outcome")
    )
    terms: Query | None = query.get("q")
    findings = FindingIndex(request.tenant)

    def wanted(call: Call) -> bool:
        return (
            (provider is None or call.provider == provider)
            and (number is None or number(call.number))
            and (state is None or call.state == state)
            and (outcome is None or call.outcome == outcome)
            and (not terms or terms.matches(call_values(request, call, findings)))
        )

    return wanted


async def list_calls(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/calls``, in the order of submission."""
    tenant, limit = request.tenant, request.query["limit"]
    wanted = call_filter(request)
    calls = _calls_after(tenant, request.query["after"])
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
    providers = request.runtime.providers
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
    if call_id in tenant.ledger:
        for call in calls:
            if call.id == call_id:
                break
        return calls
    return (call for call in calls if call.submitted_at >= int(instant))


def _call(request: ControlRequest) -> Call:
    wanted = request.path["call_id"]
    call = request.tenant.ledger.get(wanted)
    if call is None:
        raise missing(
            f"there is no call {wanted[:100]!r}, or it has been forgotten{nearest(wanted[:100], ())}"
        )
    return call


async def get_call(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/calls/{call_id}``."""
    return reply_json(show_call(request.tenant, request.runtime.providers, _call(request)))


async def push_again(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/calls/{call_id}/push``: its receipts once more, now, untouched by any rule.

    Responds with the attempts when they have ended.
    """
    tenant, call = request.tenant, _call(request)
    if not call.ended:
        raise conflict(f"call {call.id} is {call.state.value}: its receipt is not due yet")
    plans = [plan for plan in call.submission.receipts if plan.on is Step.END and not call.dropped]
    if not plans:
        raise conflict(f"call {call.id} has no receipt: it was never dialled, or its operation pushes none")
    pushes = [_push_by_hand(tenant, call, plan) for plan in plans]
    ids = [id(push) for push in pushes]
    attempts: dict[int, Attempt] = {}

    def ready() -> bool:
        # Each look keeps what it finds: a tenant remembers only so many attempts.
        attempts.update(
            {id(one.push): one for one in tenant.attempts.of_call(call.id) if id(one.push) in ids}
        )
        return len(attempts) == len(pushes)

    for push in pushes:
        tenant.outbox.push_now(push)
    if tenant.clock.manual:
        # Nothing else carries pushes of a manual clock.
        request.services.keep(request.runtime.driver.push_all(tenant))
    seconds = request.runtime.options.callback_timeout * len(pushes) + PUSH_MARGIN
    await request.services.waiters.until(tenant, ("callback",), ready, round(seconds * 1_000_000))
    return reply_json({"callbacks": [attempts[each].shown() for each in ids if each in attempts]})


def _push_by_hand(tenant: Tenant, call: Call, plan: ReceiptPlan) -> Push:
    """A push with an unused id, so that its nonce and its attempts are its own."""
    outbox = tenant.outbox
    taken = {attempt.push.id for attempt in tenant.attempts.of_call(call.id)}
    taken |= {push.id for push in (*outbox.due, *outbox.in_flight.values())}
    number = 1
    while (name := f"{call.id}-{plan.kind}-again{number}") in taken:
        number += 1
    return Push(name, call.provider, plan.kind, call, call, tenant.now, by_hand=True)


def attempt_filter(request: ControlRequest) -> Callable[[dict[str, Any]], bool]:
    """What the query parameters of callbacks demand of an attempt as it is shown."""
    query = request.query
    exact = {name: query[name] for name in ("provider", "kind", "outcome") if query.get(name) is not None}
    number, call_id = query.get("number"), query.get("call_id")
    terms: Query | None = query.get("q")

    def wanted(shown: dict[str, Any]) -> bool:
        return (
            all(shown[name] == value for name, value in exact.items())
            and (call_id is None or call_id in shown["call_ids"])
            and (number is None or any(map(number, shown["numbers"] or [""])))
            and (
                not terms
                or terms.matches(values_by(lambda key: shown[_SEVERAL.get(key, key)], CALLBACK_KEYS))
            )
        )

    return wanted


#: Where a push that carries several receipts has all the values of a key.
_SEVERAL = {"call_id": "call_ids", "number": "numbers"}


def glance(attempt: Attempt) -> dict[str, Any]:
    """The members of an attempt that filters look at, without rendering the rest."""
    return {
        "id": attempt.id,
        "call_ids": attempt.call_ids,
        "provider": attempt.push.provider,
        "kind": attempt.push.kind,
        "numbers": attempt.numbers,
        "outcome": attempt.outcome.value,
        "attempt": attempt.number,
        "status": attempt.reply.status if attempt.reply is not None else None,
        "rule": attempt.push.by_rule,
        "faults": list(attempt.faults),
        "url": attempt.url,
    }


async def list_callbacks(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/callbacks``: attempts in the order they ended, then those that have not."""
    tenant, limit = request.tenant, request.query["limit"]
    wanted = attempt_filter(request)
    index, _, skipped = (request.query["after"] or "0").partition(".")
    position = int(index)
    shown: list[Attempt] = []
    if not skipped:
        for looked_at, (number, attempt) in enumerate(list(tenant.attempts.after(position)), 1):
            if looked_at % LOOKED_AT == 0:
                await asyncio.sleep(0)
            if not wanted(glance(attempt)):
                continue
            if len(shown) == limit:
                return await _attempts_shown(shown, [], str(position))
            shown.append(attempt)
            position = number
    pending = [each for each in pending_of(tenant) if wanted(each)][int(skipped or 0) :]
    room = limit - len(shown)
    following = f"{position}.{int(skipped or 0) + room}" if len(pending) > room else None
    return await _attempts_shown(shown, pending[:room], following)


async def _attempts_shown(
    attempts: Sequence[Attempt], pending: Sequence[dict[str, Any]], following: str | None
) -> web.Response:
    return await reply_apart(
        [attempt.weight for attempt in attempts],
        lambda: {"callbacks": [*(attempt.shown() for attempt in attempts), *pending], "next": following},
    )
