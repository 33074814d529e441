"""Why a request was refused, and what to do about it, in sentences for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voice_emulator.core.accounts import named_values
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider, first_problem
from voice_emulator.providers.request import Problem
from voice_emulator.settings import option
from voice_emulator.wire.traffic.exchange import RequestRecord

#: Reasons that are named; a batch may have thousands.
LIMIT = 10


def reasons(record: RequestRecord, providers: Mapping[str, Provider]) -> list[str]:
    """What was wrong, the reason that was answered first: ``appkey: no tenant has the appkey 'x'``."""
    if not record.problems:
        rule = record.reply_rule or record.fault_rule
        return [f"rule {rule!r} of the scenario says so"] if rule else []
    first = _answered(record, providers)
    others = [problem for problem in record.problems[: LIMIT + 1] if problem is not first]
    secrets = record.masker.secret_values(record.request.fields)
    return [record.masker.text(_sentence(problem), secrets) for problem in (first, *others[: LIMIT - 1])]


def _answered(record: RequestRecord, providers: Mapping[str, Provider]) -> Problem:
    provider, operation = providers.get(record.request.provider), record.request.operation
    order = operation.order if operation is not None else ()
    return first_problem(record.problems, order or (provider.error_order if provider is not None else ()))


def _sentence(problem: Problem) -> str:
    place = field_of(problem)
    return (
        f"{place}: {problem.message}" if place and not problem.message.startswith(place) else problem.message
    )


def field_of(problem: Problem) -> str:
    """The field or header a problem is about, as a person writes it; empty when it is about none."""
    place = problem.place.removeprefix("header:")
    return place.removeprefix("/").replace("~1", "/").replace("~0", "~")


def advice(record: RequestRecord, tenant: Tenant, providers: Mapping[str, Provider]) -> list[str]:
    """How to fix it. A refusal that a rule made needs no fixing."""
    if not record.problems:
        return ["Nothing is wrong with the request. To have it answered, change or remove the rule."]
    provider = providers.get(record.request.provider)
    if provider is None:
        return ["Compare the base URL and the path with the provider's documentation."]
    found = list(dict.fromkeys(_credentials(record, tenant, provider)))
    return found or _from_the_table(record, provider)


def _credentials(record: RequestRecord, tenant: Tenant, provider: Provider) -> Iterator[str]:
    known: dict[str, list[str]] = {}
    for name, value in named_values(tenant.credentials.get(provider.id, {})):
        if isinstance(value, str) and value:
            known.setdefault(name, []).append(value)
    for problem in record.problems[:LIMIT]:
        name = field_of(problem)
        if name not in known:
            continue
        if provider.secrets and name in provider.secrets:
            yield f"Send the {name} of tenant {tenant.id!r}: Simulate, Tenant shows it."
        else:
            yield (
                f"Send {name}={' or '.join(known[name])} (tenant {tenant.id!r}), give a tenant this {name} "
                f"(PATCH /v1/tenants/{tenant.id}), or start with {option('--auth lenient', 'lenient=True')}."
            )


def _from_the_table(record: RequestRecord, provider: Provider) -> list[str]:
    code, operation = record.reply.code if record.reply is not None else "", record.operation or ""
    error = provider.find_error(code, operation) if code else None
    meaning = f"Code {code}: {error.meaning or error.text}." if error is not None else ""
    fields = list(dict.fromkeys(name for problem in record.problems if (name := field_of(problem))))[:LIMIT]
    repair = f"Correct {', '.join(fields)} and send the request again." if fields else ""
    return [sentence for sentence in (meaning, repair) if sentence]
