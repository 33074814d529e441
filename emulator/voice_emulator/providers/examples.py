"""A call placed by the example request of an operation's own documents, for tools that need a real receipt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.lifecycle import place
from voice_emulator.core.plan import Plan
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation, Request
from voice_emulator.schemas.validate import SchemaSet

#: What ``Host`` would say: the address in links of such a receipt.
HOST = "127.0.0.1:4880"
#: A number that no provider's numbering refuses and no magic number, so the scenario decides how a call to it ends.
SAMPLE_NUMBER = "6281200017531"


def number_field(provider: Provider, operation: Operation, example: Mapping[str, Any]) -> str | None:
    """The field of an example that carries the called number as text; None when there is none."""
    path = provider.paths_of(operation.name)[0]
    for name, value in example.items():
        if isinstance(value, str):
            fields = {**example, name: SAMPLE_NUMBER}
            request = Request(provider.id, "POST", path, {}, {}, b"", "", fields=fields, document=fields)
            if list(operation.numbers(request)) == [SAMPLE_NUMBER]:
                return name
    return None


def place_example(
    tenant: Tenant,
    provider: Provider,
    operation: Operation,
    schemas: SchemaSet,
    number: str,
    *,
    at: int,
    ordinal: int = 1,
    fields: Mapping[str, Any] | None = None,
    callback_url: str | None = None,
    plan: Plan | None = None,
) -> Call | None:
    """Start a call to ``number`` at the instant ``at``; None when the example asks for no call.

    ``fields`` are added to the example; the rest is as in :func:`place_request`.
    """
    example = {**schemas.get(operation.request).examples[0], **(fields or {})}
    request = Request(
        provider=provider.id, method="POST", path="/", query={}, headers={}, body=b"", peer="127.0.0.1",
        encoding="json" if "json" in operation.accepts else "urlencoded", fields=example, document=example,
        host=HOST, operation=operation, tenant=tenant, attributed=True, lenient=True, now=at, wall=at,
        ordinal=ordinal, numbers=(number,),
    )  # fmt: skip
    return place_request(provider, operation, request, callback_url=callback_url, plan=plan)


def place_request(
    provider: Provider,
    operation: Operation,
    request: Request,
    *,
    callback_url: str | None = None,
    plan: Plan | None = None,
) -> Call | None:
    """Start the first call that an accepted request asks for, at once; None when it asks for none.

    ``callback_url`` receives the receipts instead of the configured URL, and ``plan`` decides how the call goes
    instead of the tenant's scenario.
    """
    tenant, at = request.tenant, request.now
    # The checks also read values that submit needs.
    tuple(operation.check(request))
    submission = operation.submit(request) if operation.submit is not None else None
    if submission is None:
        return None
    at_once = replace(submission, start_at=None, drop_at=None, concurrency=None)
    if callback_url is not None:
        at_once.callback_url = callback_url
    call = place(tenant, at_once, request.numbers, request.fields, at)[0]
    if plan is not None:
        call.plan = plan
    call.provider_id = provider.call_id(tenant, request, call, 0)
    tenant.steps.start([call], at)
    return call
