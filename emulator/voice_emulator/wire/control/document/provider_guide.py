"""The section of ``/llms.txt`` on one provider: all that a client of it needs."""

from __future__ import annotations

from collections.abc import Iterator

from voice_emulator.core.accounts import named_values
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.examples import SAMPLE_NUMBER
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.document.push_guide import as_json, push_lines, shared_receivers
from voice_emulator.wire.control.document.rehearsal import RECEIVER, Rehearsal, leaves
from voice_emulator.wire.control.test_calls import Offer, offers
from voice_emulator.wire.runtime import Runtime

#: How a body may be sent, in words; what is not listed is accepted too, and clients can do without it.
_BODIES = {"json": "JSON", "urlencoded": "form", "multipart": "multipart"}


def provider_section(runtime: Runtime, tenant: Tenant, provider: Provider) -> str:
    """All of it. The shell lines are for ``tenant``; the rest is worked out once, since a rehearsal takes 10 ms."""
    if provider.id not in runtime.guides:
        rehearsal = Rehearsal(provider, runtime.schemas)
        parts = _requests(rehearsal, runtime.schemas), _replies(rehearsal, runtime.schemas)
        before, after = ("\n".join(part) for part in parts)
        runtime.guides[provider.id] = before, after
    before, after = runtime.guides[provider.id]
    offer = next(
        (each for each in offers(runtime.providers, runtime.schemas) if each.provider is provider), None
    )
    return "\n".join((before, *(_call(runtime, tenant, offer) if offer is not None else ()), after))


def _requests(rehearsal: Rehearsal, schemas: SchemaSet) -> Iterator[str]:
    provider = rehearsal.provider
    yield f"## Provider {provider.id}: {provider.title}\n"
    # The documented ones: those that somebody configured are shown by the tenant's route alone.
    yield (
        f"Credentials of the tenant `default` (another tenant has its own in `credentials.{provider.id}`): "
        f"{as_json(dict(provider.default_credentials))}\n"
    )
    yield f"Numbers: {provider.numbering}\n"
    yield "Operations (path; body; headers: the fields without which the sample is refused), each with a sample:\n"
    headers: dict[str, str] = {}
    for operation in provider.operations.values():
        yield from _operation(rehearsal, schemas, operation)
        sent = rehearsal.sample(operation)[1]
        headers |= {header.name: header.description for header in operation.headers if header.name in sent}
    yield "".join(f"\nHeader `{name}`: {text}" for name, text in headers.items()) + "\n" * bool(headers)


def _replies(rehearsal: Rehearsal, schemas: SchemaSet) -> Iterator[str]:
    """Pushes, settings and errors."""
    provider = rehearsal.provider
    told: dict[tuple[str, ...], str] = {}
    for kind in provider.receipts.values():
        yield from push_lines(rehearsal, schemas, kind, told)
    yield from shared_receivers(rehearsal, schemas)
    defaults = ", ".join(f"{name}={as_json(value)}" for name, value in provider.default_settings().items())
    yield f"Settings (`settings.{provider.id}` of a tenant) with their defaults: {defaults}\n"
    codes: dict[str, dict[str, None]] = {}
    for error in provider.errors:
        codes.setdefault(error.name, {})[error.code] = None
    listed = ", ".join(f"{name} ({'/'.join(found)})" for name, found in codes.items())
    yield f"Errors that a rule's `reply: {{error: ...}}` may name, with the code in the reply: {listed}\n"


def _operation(rehearsal: Rehearsal, schemas: SchemaSet, operation: Operation) -> Iterator[str]:
    provider = rehearsal.provider
    first, *others = provider.paths_of(operation.name)
    fields, headers = rehearsal.sample(operation)
    given = [*(value for _, value in named_values(provider.default_credentials)), SAMPLE_NUMBER, RECEIVER]
    schema = schemas.get(operation.request)
    example = schema.examples[0] if schema.examples else {}
    # Ids and times are the example's own: others mean nothing to a reader.
    shown = {name: value if value in given else example.get(name, value) for name, value in fields.items()}
    for name, value in shown.items():
        if isinstance(value, bytes):
            shown[name] = "(a file)"
        elif name in schema.secrets and value not in given:
            shown[name] = "TOKEN" if name in example else "(made for each request)"
    accepts = (
        {"multipart"} if any(isinstance(value, bytes) for value in fields.values()) else operation.accepts
    )
    bodies = [word for name, word in _BODIES.items() if name in accepts]
    notes = [
        f"also at {', '.join(others)}" if others else "",
        " or ".join(bodies or sorted(operation.accepts)),
        f"headers {', '.join(headers)}" if headers else "",
        "places calls" if operation.places_calls else "",
        "record query" if operation.queries_calls else "",
        "issues the token" if operation.issues_token else "",
    ]
    yield (
        f"- {operation.name}: {'/'.join(rehearsal.methods(operation))} {first} "
        f"({'; '.join(note for note in notes if note)}): {', '.join(rehearsal.needed(operation)) or 'none'}"
    )
    yield f"  {as_json(shown)}"
    if operation.issues_token:
        reply = schemas.get(operation.reply)
        places = [
            place
            for place, _ in leaves(reply.examples[0] if reply.examples else {})
            if place.rpartition(".")[2] in reply.secrets
        ]
        if places:
            yield f"  reply, with the token in `{places[0]}`: {as_json(reply.examples[0])}"


def _call(runtime: Runtime, tenant: Tenant, offer: Offer) -> Iterator[str]:
    first = offer.first_call(runtime, tenant)
    if not first["lines"]:
        return
    yield f"A call with `{offer.operation.name}`, as shell lines:\n"
    for variable, credential in first["variables"].items():
        yield f"    {variable}=...  # credentials.{offer.provider.id}.{credential}"
    for line in first["lines"]:
        yield "    " + line.replace("\n", "\n    ")
    reply = runtime.schemas.get(offer.operation.reply)
    if reply.examples:
        yield f"\nIts reply: {as_json(reply.examples[0])}\n"
