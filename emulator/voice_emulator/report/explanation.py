"""Why one request or one push went as it did: the rules in order, the draws, and the course of the call.

Everything is worked out again from what the journal keeps: draws depend on their keys alone, so they give the same
values again. What counts arrivals (``nth``, ``times``) is shown as it is now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.call_timeline import timeline
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import SECOND, rfc3339
from voice_emulator.core.draws import choose_weighted, draw
from voice_emulator.core.journal import Entry
from voice_emulator.core.matchers import Subject
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import Rule
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.words import counted
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.rule_context import SeenRequest

Json = dict[str, Any]
#: Calls of one batch explained one by one.
CALLS = 3


class JournalledRequest(SeenRequest, Protocol):
    """The part of a request's record that shows which rules acted."""

    fault_rule: str | None
    latency: int


class Unexplained(Exception):
    """An entry cannot be explained; the message says why."""


def explain(tenant: Tenant, providers: Mapping[str, Provider], entry: Entry) -> Json:
    """The explanation of a journal entry as JSON values. Raises Unexplained for entries that no rule can affect."""
    if entry.kind == "request":
        record = cast("JournalledRequest", entry.record)
        told = _request(tenant, record)
    elif entry.kind == "callback":
        told = _callback(tenant, providers, cast("Attempt", entry.record))
    else:
        raise Unexplained(f"entry {entry.id} is a {entry.kind}; rules act on requests and callbacks only")
    head: Json = {
        "entry": entry.id,
        "kind": entry.kind,
        "at": rfc3339(entry.at),
        "scenario": tenant.scenario.name,
    }
    if entry.at < tenant.scenario_loaded_at:
        told["note"] = "the scenario was loaded after this entry; its rules may not have been in force then"
    return head | told


# --- requests ---------------------------------------------------------------------------------


def _request(tenant: Tenant, record: JournalledRequest) -> Json:
    request = record.request
    operation = request.operation
    name = operation.name if operation is not None else ""
    elapsed = record.at - tenant.scenario_loaded_at
    subject = Subject(request.provider, name, request.numbers, request.fields, request.ordinal, elapsed)
    acted = {"reply": record.reply_rule, "fault": record.fault_rule}

    def unit(rule: str, purpose: str) -> float:
        return draw(tenant.seed, *request.key, rule, purpose)

    rules = [
        _held_against(tenant, rule, subject, unit, acted, effects)
        for rule in tenant.scenario.rules
        if (effects := [effect for effect in ("reply", "fault") if getattr(rule, effect) is not None])
    ]
    told: Json = {
        "what": f"{request.provider} {name or tenant.secrets.hide(request.path)}".lstrip(),
        "numbers": [record.masker.number(number) for number in request.numbers[:20]],
        "attempt": request.ordinal,
        "refused": [
            record.masker.text(line, record.masker.secret_values(request.fields)) for line in _reasons(record)
        ],
        "code": record.reply.code if record.reply is not None else None,
        "fault": record.fault,
        "acted": {effect: rule for effect, rule in acted.items() if rule},
        "rules": rules,
        "nearest": _nearest(rules) if not any(acted.values()) else None,
        "calls": [],
        "draws": _latency_draw(tenant, record, unit),
    }
    calls = [call for call_id in record.calls[:CALLS] if (call := tenant.ledger.get(call_id)) is not None]
    told["calls"] = [_call(tenant, call, request.fields) for call in calls]
    if len(record.calls) > len(calls):
        told["more_calls"] = len(record.calls) - len(calls)
    return told


def _reasons(record: JournalledRequest) -> list[str]:
    return [f"{each.place}: {each.message}" if each.place else each.message for each in record.problems]


def _latency_draw(tenant: Tenant, record: JournalledRequest, unit: Any) -> list[Json]:
    rule = next((each for each in tenant.scenario.rules if each.name == record.fault_rule), None)
    if rule is None or rule.fault is None or rule.fault.latency is None:
        return []
    drawn = unit(rule.name, "latency")
    return [
        {
            "purpose": "latency",
            "rule": rule.name,
            "drawn": round(drawn, 6),
            "means": _span(rule.fault.latency.at(drawn)),
        }
    ]


def _held_against(
    tenant: Tenant,
    rule: Rule,
    subject: Subject,
    unit: Any,
    acted: Mapping[str, str | None],
    effects: Sequence[str],
) -> Json:
    """One rule and one request (or number): whether it matched, what its chance drew, what it counts."""
    differences = [tenant.secrets.difference(each) for each in rule.match.differences(subject)]
    tally = tenant.rules.tallies.get(rule.name)
    told: Json = {
        "rule": rule.name,
        "effects": list(effects),
        "matched": not differences,
        "differences": differences,
        "acted": [effect for effect in effects if acted.get(effect) == rule.name],
    }
    if rule.chance is not None:
        drawn = unit(rule.name, "chance")
        told["draw"] = {
            "chance": rule.chance, "drawn": round(drawn, 6), "says": "yes" if drawn < rule.chance else "no",
        }  # fmt: skip
    if rule.match.nth is not None:
        told["nth"] = str(rule.match.nth)
    if rule.times is not None:
        told["times"] = rule.times
    if tally is not None:
        told["applied_so_far"] = tally.applied
    told["because"] = _because(told, rule)
    return told


def _because(told: Json, rule: Rule) -> str:
    if told["acted"]:
        return "it matched" + (
            f", and drew {told['draw']['drawn']} below {rule.chance}" if "draw" in told else ""
        )
    if told["differences"]:
        return "; ".join(told["differences"])
    if "draw" in told and told["draw"]["says"] == "no":
        return f"it matched, but drew {told['draw']['drawn']}, not below {rule.chance}"
    if rule.match.nth is not None:
        return f"it matched, but applies only to arrival {rule.match.nth}"
    if rule.times is not None and told.get("applied_so_far", 0) >= rule.times:
        return f"it matched, but its limit of {counted(rule.times, 'time')} is reached"
    return "it matched, but a rule above it acted, or the request was refused anyway"


def _nearest(rules: Sequence[Json]) -> Json | None:
    """The rule with the fewest differences."""
    missed = [rule for rule in rules if not rule["acted"]]
    if not missed:
        return None
    best = min(missed, key=lambda rule: len(rule["differences"]))
    return {"rule": best["rule"], "because": best["because"]}


# --- calls ------------------------------------------------------------------------------------


def _call(tenant: Tenant, call: Call, fields: Mapping[str, Any]) -> Json:
    elapsed = call.submitted_at - tenant.scenario_loaded_at
    subject = Subject(call.provider, call.operation, (call.number,), fields, call.ordinal, elapsed)
    acted = {"call": call.rule, "receipt": call.receipt_rule}

    def unit(rule: str, purpose: str) -> float:
        return draw(tenant.seed, call.provider, call.operation, call.number, call.ordinal, rule, purpose)

    candidates = {rule.name: rule for rule in (*tenant.scenario.rules, *tenant.scenario.magic)}
    own = {rule.name for rule in tenant.scenario.rules} | {call.rule}
    rules = [
        _held_against(tenant, rule, subject, unit, acted, effects)
        for rule in candidates.values()
        if rule.name in own
        and (effects := [effect for effect in ("call", "receipt") if getattr(rule, effect) is not None])
    ]
    return {
        "call": call.id,
        "number": call.number,
        "attempt": call.ordinal,
        "acted": {effect: rule for effect, rule in acted.items() if rule},
        "rules": rules,
        "nearest": _nearest(rules) if call.rule is None else None,
        "draws": _call_draws(call, candidates.get(call.rule or ""), unit),
        "fate": call.fate.value,
        "timeline": timeline(tenant, call),
    }


def _call_draws(call: Call, rule: Rule | None, unit: Any) -> list[Json]:
    """What was drawn for the call: its outcome, ringing, talking, who hangs up."""
    name = call.rule or ""
    plan = call.plan
    told: list[Json] = []

    def add(purpose: str, means: str) -> None:
        told.append(
            {"purpose": purpose, "rule": name or None, "drawn": round(unit(name, purpose), 6), "means": means}
        )

    choices = rule.call.choices if rule is not None and rule.call is not None else ()
    spec = choices[0] if choices else None
    if len(choices) > 1:
        weights = [choice.weight for choice in choices]
        spec = choices[choose_weighted(weights, unit(name, "mix"))]
        add("mix", f"{spec.outcome.value}: {spec.weight:g} of {sum(weights):g}")
    if spec is not None and spec.ring is not None and plan.ring is not None:
        add("ring", _span(plan.ring))
    if spec is not None and spec.talk is not None and plan.talk is not None:
        add("talk", _span(plan.talk))
    if spec is not None and len(spec.hangup) > 1:
        add("hangup", plan.ended_by.value)
    return told


# --- callbacks --------------------------------------------------------------------------------


def _callback(tenant: Tenant, providers: Mapping[str, Provider], attempt: Attempt) -> Json:
    push = attempt.push
    kind = providers[push.provider].receipts[push.kind]
    told: Json = {
        "what": f"{push.provider} {attempt.label}",
        "outcome": attempt.outcome.value,
        "reason": attempt.reason,
        "expected": kind.acknowledgement,
        "by_hand": push.by_hand,
        "acted": {"receipt": push.by_rule} if push.by_rule else {},
        "faults": list(attempt.faults),
        "rules": [],
        "nearest": None,
        "draws": [],
        "calls": [],
    }
    for part in push.parts[:CALLS]:
        if part.call is None:
            continue
        about = _call(tenant, part.call, {})
        # The request's fields are not kept with the call, so a rule about them is known only by whether it acted.
        told["rules"] += [
            rule for rule in about["rules"] if "receipt" in rule["effects"] and rule not in told["rules"]
        ]
        told["draws"] += _receipt_draws(tenant, part, part.call)
        told["calls"].append(
            about | {"rules": [rule for rule in about["rules"] if "call" in rule["effects"]]}
        )
    return told


def _receipt_draws(tenant: Tenant, push: Push, call: Call) -> list[Json]:
    name = call.receipt_rule or ""
    spans = {"delay": push.effect.delay, "query_lag": push.effect.query_lag}
    spans |= {f"gap{copy}": push.effect.gap for copy in range(1, push.effect.copies)}
    told = []
    for purpose, span in spans.items():
        if span is not None:
            drawn = draw(tenant.seed, call.provider, call.operation, call.number, call.ordinal, name, purpose)
            told.append(
                {"purpose": purpose, "rule": name, "drawn": round(drawn, 6), "means": _span(span.at(drawn))}
            )
    return told


def _span(micros: int) -> str:
    return f"{micros / SECOND:g} s"
