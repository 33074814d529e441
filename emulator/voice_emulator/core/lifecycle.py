"""Places and withdraws the calls of a submission. :mod:`voice_emulator.core.steps` runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.draws import draw
from voice_emulator.core.matchers import Subject
from voice_emulator.core.placing import Submission
from voice_emulator.core.plan import DEFAULT_EFFECT, make_plan
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.turns import Turns, at_once

#: The cost of one number in addition to the rules it is matched against, in rules; and the cost after which others
#: have their turn.
NUMBER_COST = 5
TURN = 2_000


def place(
    tenant: Tenant, submission: Submission, numbers: Sequence[str], fields: Mapping[str, Any], now: int
) -> list[Call]:
    """Create the planned calls of ``submission``, one per occurrence of a number, in order.

    ``fields`` are the request's, for rules that match them. All calls enter the ledger together; ``tenant.steps.start``
    starts them after the reply is on the wire.
    """
    return at_once(place_in_turns(tenant, submission, numbers, fields, now))


def place_in_turns(
    tenant: Tenant,
    submission: Submission,
    numbers: Sequence[str],
    fields: Mapping[str, Any],
    now: int,
    *,
    heavy: bool = False,
) -> Turns[list[Call]]:
    """What :func:`place` does; ``heavy`` is whether matching ``fields`` takes long."""
    calls: list[Call] = []
    seed, provider, operation = tenant.seed, submission.provider, submission.operation
    limits, wants_keys = submission.limits, submission.wants_keys
    elapsed = now - tenant.scenario_loaded_at
    ledger, rules = tenant.ledger, tenant.rules
    ruled = rules.acts_on_numbers
    cost = NUMBER_COST + (rules.size if ruled else 0)
    spent = 0
    for number in numbers:
        spent += cost
        if spent > TURN:
            spent = 0
            yield None
        ordinal = ledger.ordinal(number, provider)
        receipt_rule = None
        if ruled:
            unit = partial(draw, seed, provider, operation, number, ordinal)
            subject = Subject(provider, operation, (number,), fields, ordinal, elapsed, heavy)
            call_rule, receipt_rule = yield from rules.for_number(subject, unit)
        else:
            call_rule = rules.for_plain_number(number)
        name, effect = None, DEFAULT_EFFECT
        if call_rule is not None:
            name, effect = call_rule.name, call_rule.call or DEFAULT_EFFECT
        plan = rules.plans.certain(effect, limits, wants_keys=wants_keys)
        if plan is None:
            unit = partial(draw, seed, provider, operation, number, ordinal, name or "")
            plan = make_plan(effect, limits, unit, wants_keys=wants_keys)
        call = Call(
            _call_id(tenant, provider, operation, number, ordinal), number, ordinal, submission, plan, now
        )
        call.rule = name
        if receipt_rule is not None and receipt_rule.receipt is not None:
            call.effect = receipt_rule.receipt
            call.receipt_rule = receipt_rule.name
        calls.append(call)
    # All of them now: the tenant may have been reset in between.
    for call in calls:
        ledger.add(call)
    tenant.totals.placed(provider, len(calls))
    tenant.conservation.placed(provider, len(calls))
    return calls


def _call_id(tenant: Tenant, *key: object) -> str:
    """An id, drawn like all others; it can repeat only after a number's count was forgotten."""
    call_id = tenant.ids.drawn_hexadecimal(16, "call", *key)
    repeat = 0
    while call_id in tenant.ledger:
        repeat += 1
        call_id = tenant.ids.drawn_hexadecimal(16, "call", *key, repeat)
    return call_id


def take_back(tenant: Tenant, calls: Sequence[Call]) -> None:
    """Undo :func:`place`: the request was not accepted, and its calls are unknown outside."""
    provider = calls[0].submission.provider
    # A reset in between has forgotten them.
    known = [call for call in calls if tenant.ledger.get(call.id) is call]
    for call in known:
        tenant.ledger.remove(call)
    if known:
        tenant.totals.placed(provider, -len(known))
        tenant.conservation.placed(provider, -len(known))
        for told in tenant.listeners.calls_taken_back:
            told(known)


def withdraw(tenant: Tenant, calls: Sequence[Call], now: int) -> None:
    """Drop calls whose request was not accepted after all: they are not dialled, charged or reported."""
    for call in calls:
        call.submission = replace(call.submission, receipts=())
        tenant.steps.drop(call, now)
