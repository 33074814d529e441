"""What a run exercised of all that the providers, the scenario language and the rules have, and what it never did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from voice_emulator.contract.memory import memory_of
from voice_emulator.contract.rules import all_rules
from voice_emulator.core.faults import FAULTS
from voice_emulator.core.scenario import RECEIPT_FAULTS
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome, PushOutcome
from voice_emulator.providers.contract import FindingRule, When
from voice_emulator.providers.provider import Provider

#: Outcomes of pushes that reached for the receiver.
_SENT = (PushOutcome.DELIVERED, PushOutcome.REFUSED, PushOutcome.FAILED)
#: Everything a rule can do to a reply or a receipt, in the words of the scenario file.
ALL_FAULTS = (
    "reply.error",
    "reply.verbatim",
    *(f"fault.{name}" for name in FAULTS),
    *(f"receipt.{name}" for name in RECEIPT_FAULTS),
)


def split(known: Iterable[str], counts: Mapping[str, int]) -> dict[str, Any]:
    """``{"exercised": {name: count}, "never": [names], "of": how many there are}``; names not known count too."""
    names = dict.fromkeys((*known, *sorted(counts)))
    return {
        "exercised": {name: counts[name] for name in names if counts.get(name)},
        "never": [name for name in names if not counts.get(name)],
        "of": len(names),
    }


def coverage(tenant: Tenant, providers: Mapping[str, Provider]) -> dict[str, Any]:
    """INTERFACE section 7, ``coverage``."""
    totals = tenant.totals
    outcomes: Counter[str] = Counter()
    for (_, outcome), count in totals.calls.items():
        outcomes[str(outcome)] += count
    return {
        "outcomes": split([outcome.value for outcome in Outcome], outcomes),
        "faults": split(ALL_FAULTS, totals.faults),
        "providers": {name: _of_provider(tenant, provider) for name, provider in providers.items()},
        "rules": {"of": len(tenant.scenario.rules), "unused": unused_rules(tenant)},
    }


def _of_provider(tenant: Tenant, provider: Provider) -> dict[str, Any]:
    totals, name = tenant.totals, provider.id
    operations = {op: count for (owner, op), count in totals.requests.items() if owner == name and op}
    outcomes = {str(outcome): count for (owner, outcome), count in totals.calls.items() if owner == name}
    causes = {cause: count for (owner, cause), count in totals.causes.items() if owner == name}
    return {
        "operations": split(provider.operations, operations),
        "outcomes": split([outcome.value for outcome in Outcome], outcomes),
        "causes": split(provider.contract.causes, causes),
        "errors": _errors(tenant, provider),
    }


def _errors(tenant: Tenant, provider: Provider) -> dict[str, Any]:
    """Error codes by operation, each with the names of all errors that share it."""
    named: dict[tuple[str, str], list[str]] = {}
    for error in provider.errors:
        for operation in sorted(error.operations) or ("",):
            names = named.setdefault((operation, error.code), [])
            if error.name not in names:
                names.append(error.name)
    counts: Counter[tuple[str, str]] = Counter()
    for (owner, operation, code), count in tenant.totals.codes.items():
        if owner == provider.id:
            # An error that may come from any operation is listed once, without one.
            counts[(operation, code) if (operation, code) in named else ("", code)] += count
    shown = [
        {"operation": operation or None, "code": code, "names": names, "count": counts[operation, code]}
        for (operation, code), names in named.items()
    ]
    return {
        "exercised": [each for each in shown if each["count"]],
        "never": [each for each in shown if not each["count"]],
        "of": len(shown),
    }


def judged(tenant: Tenant) -> int:
    """How many requests say something about the client: all but those that the emulator itself failed at."""
    return max(0, sum(tenant.totals.requests.values()) - memory_of(tenant).own_failures)


def rules_exercised(tenant: Tenant, providers: Mapping[str, Provider]) -> dict[str, dict[str, int]]:
    """How often each contract rule had something to judge, by rule and provider."""
    return {
        rule.id: {
            name: _occasions(tenant, rule, provider)
            for name, provider in providers.items()
            if not rule.providers or name in rule.providers
        }
        for rule in all_rules(providers.values())
    }


def _occasions(tenant: Tenant, rule: FindingRule, provider: Provider) -> int:
    totals = tenant.totals
    if rule.occasional or rule.present:
        return memory_of(tenant).occasions[rule.id, provider.id]
    if rule.when is When.PUSHED:
        return sum(totals.pushes[provider.id, outcome] for outcome in _SENT)
    if rule.when is When.DERIVED and rule.judges is None:
        return sum(count for (name, _), count in totals.calls.items() if name == provider.id)
    return sum(
        totals.requests[provider.id, operation.name]
        for operation in provider.operations.values()
        if (not rule.operations or operation.name in rule.operations)
        and (rule.judges is None or rule.judges(provider.contract, operation))
    )


def unused_rules(tenant: Tenant) -> list[dict[str, Any]]:
    """The scenario's rules that never applied, each with what came nearest."""
    return [
        {
            "rule": name,
            "matched": tally.arrivals + tally.number_arrivals,
            "nearest": tally.nearest and [tenant.secrets.difference(one) for one in tally.nearest],
        }
        for name, tally in tenant.rules.unused().items()
    ]
