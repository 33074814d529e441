"""``GET /llms.txt``: what this is and how to use it, in one page that an agent can act on (llmstxt.org).

The prose is in ``llms.txt`` beside this module. What a provider, a scenario, a rule or a route says of itself is filled
in from there, so a plug-in provider is described as the built-in ones are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import Template

from voice_emulator.contract.rules.pages import rule_summaries
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation
from voice_emulator.wire.control.request import Route
from voice_emulator.wire.control.test_calls import Offer, offers
from voice_emulator.wire.runtime import Runtime

_PROSE = Path(__file__).with_suffix(".txt")
#: What a receiver may be sent, in words.
_ENCODINGS = {"query": "in the query string", "form": "as a form", "json": "as JSON"}


def llms_text(runtime: Runtime, tenant: Tenant, routes: Iterable[Route], control: str) -> str:
    """The page, with the credentials of ``tenant`` and the URL of the control port."""
    providers = runtime.providers
    rules = rule_summaries(providers.values())
    shown = {name: "\n".join(_provider(runtime, tenant, one)) for name, one in providers.items()}
    return Template(_PROSE.read_text(encoding="utf-8")).substitute(
        provider_names=", ".join(one.title for one in providers.values()),
        first_provider=next(iter(providers)),
        control=control,
        providers="\n".join(shown.values()),
        outcomes=", ".join(outcome.value for outcome in Outcome),
        scenarios="\n".join(f"- {name}: {text.partition('. ')[0]}" for name, text in runtime.loader.shipped()),
        rules="\n".join(f"- {rule['id']} ({rule['severity']}): {rule['title']}" for rule in rules),
        routes="\n".join(f"- {route.method} {route.path}: {route.summary}" for route in routes),
    )  # fmt: skip


def _provider(runtime: Runtime, tenant: Tenant, provider: Provider) -> Iterator[str]:
    yield f"## Provider {provider.id}: {provider.title}\n"
    # The documented ones: those that somebody configured are shown by the tenant's route alone.
    credentials = json.dumps(dict(provider.default_credentials), ensure_ascii=False)
    yield f"Credentials of the tenant `default` (another tenant has its own in `credentials.{provider.id}`): {credentials}\n"
    yield f"Numbers: {provider.numbering}\n"
    yield "Operations (path, what they accept: the fields that every request needs), each with a whole request:\n"
    for operation in provider.operations.values():
        yield _operation(runtime, provider, operation)
    yield ""
    for offer in offers(runtime.providers, runtime.schemas):
        if offer.provider is provider:
            yield from _call(runtime, tenant, offer)
            break
    for kind in provider.receipts.values():
        schema = runtime.schemas.get(kind.schema)
        ways = " or ".join(_ENCODINGS.get(name, name) for name in kind.encodings)
        yield f"Push `{kind.name}` ({kind.title}) goes to `callback_urls.{kind.url_key}`; its fields are {ways}."
        yield f"Acknowledge it with HTTP 200 and: {kind.accepted_body or kind.acknowledgement or 'any body'}"
        if schema.examples:
            yield f"Fields: {json.dumps(schema.examples[0], ensure_ascii=False)}"
        yield ""
    codes = ", ".join(f"{error.name} ({error.code})" for error in provider.errors)
    yield f"Errors that a rule's `reply: {{error: ...}}` may name, with the code in the reply: {codes}\n"


def _operation(runtime: Runtime, provider: Provider, operation: Operation) -> str:
    paths = sorted(route.path for route in provider.routes if operation.name in route.operations)
    schema = runtime.schemas.get(operation.request)
    headers = [header.name for header in operation.headers if header.required]
    notes = [
        f"header {', '.join(headers)}" if headers else "",
        "places calls" if operation.places_calls else "",
        "record query" if operation.queries_calls else "",
        "issues the token" if operation.issues_token else "",
    ]
    told = "; ".join(note for note in notes if note)
    encodings = " or ".join(sorted(operation.accepts))
    return (
        f"- {operation.name}: {'/'.join(sorted(operation.methods))} {paths[0]} ({encodings}{'; ' * bool(told)}{told}): "
        f"{', '.join(schema.document.get('required', ())) or 'none'}"
        + (f"\n  {json.dumps(schema.examples[0], ensure_ascii=False)}" if schema.examples else "")
    )


def _call(runtime: Runtime, tenant: Tenant, offer: Offer) -> Iterator[str]:
    first = offer.first_call(runtime, tenant)
    yield f"A call with `{offer.operation.name}`, as shell lines:\n"
    for variable, credential in first["variables"].items():
        yield f"    {variable}=...  # credentials.{offer.provider.id}.{credential}"
    for line in first["lines"]:
        yield "    " + line.replace("\n", "\n    ")
    reply = runtime.schemas.get(offer.operation.reply)
    if reply.examples:
        yield f"\nIts reply: {json.dumps(reply.examples[0], ensure_ascii=False)}\n"
