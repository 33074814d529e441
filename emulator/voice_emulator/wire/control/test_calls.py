"""A test call, placed as a client would: over the traffic port, with the tenant's own credentials.

What is sent is the first example of the operation's request schema with another number in it, so a new
provider needs nothing here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Iterator, Mapping
from itertools import count
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
from aiohttp import web

from voice_emulator.core.accounts import named_values
from voice_emulator.core.clock import SECOND
from voice_emulator.core.shapes import Placed, Sent
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.words import nearest
from voice_emulator.providers.examples import SAMPLE_NUMBER, number_field
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.registry import receiver_keys
from voice_emulator.providers.request import Operation
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.control.first_calls import FirstCall
from voice_emulator.wire.control.problems import ControlError, conflict, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.http.connection_errors import connection_error
from voice_emulator.wire.machine_time import wall_now
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.traffic.exchange import RequestRecord

#: Real microseconds that the reply may take; a rule may well make it hang.
PATIENCE = 10 * SECOND
#: Bytes of a reply that are read.
REPLY_LIMIT = 1024 * 1024
_FORM = "application/x-www-form-urlencoded"
_AGENTS = count(1)


class Offer:
    """One operation that places a call, as its first example shows it."""

    def __init__(self, provider: Provider, operation: Operation, example: Mapping[str, Any]) -> None:
        """Learn which field carries the number. Raises LookupError when none does."""
        self.provider = provider
        self.operation = operation
        self.path = provider.paths_of(operation.name)[0]
        #: What a client would get pushed back to a made-up address is better pushed to the tenant's receiver.
        self.example = {name: value for name, value in example.items() if name.lower() != "callbackurl"}
        found = number_field(provider, operation, self.example)
        if found is None:
            raise LookupError(f"no field of {operation.name} carries a number")
        self.number_field = found

    def filled(
        self, tenant: Tenant, number: str, changes: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields and headers for ``tenant``; a change to null leaves a field out."""
        given = {**self.example, self.number_field: number, **changes}
        # A signature is made of what is sent; what somebody changes on purpose stays, credentials included.
        sent = {name: value for name, value in given.items() if value is not None}
        fields, headers = self.provider.authorise(tenant, self.operation, sent, wall_now())
        fields = {**fields, self.number_field: number, **changes}
        return {name: value for name, value in fields.items() if value is not None}, headers

    def shown(self, secrets: Collection[str]) -> dict[str, Any]:
        """The offer with the fields that are neither number nor credential: those a person may want to change."""
        hidden = {self.number_field, *secrets, *dict(named_values(self.provider.default_credentials))}
        return {
            "provider": self.provider.id,
            "operation": self.operation.name,
            "title": self.operation.title,
            "numbering": self.provider.numbering,
            "number_field": self.number_field,
            "fields": {name: value for name, value in self.example.items() if name not in hidden},
        }

    def first_call(self, runtime: Runtime, tenant: Tenant) -> dict[str, Any]:
        """A call to a number for which only the scenario decides, as shell lines."""
        fields = {**self.example, self.number_field: SAMPLE_NUMBER}
        lines = FirstCall(_reachable(runtime.traffic), self.provider, tenant, runtime.schemas)
        return lines.shown(self.operation, self.path, fields)


def offers(providers: Mapping[str, Provider], schemas: SchemaSet) -> Iterator[Offer]:
    """Every operation that places calls and has an example, provider by provider."""
    for provider in providers.values():
        for operation in provider.operations.values():
            examples = schemas.get(operation.request).examples
            if operation.places_calls and examples:
                # Of the first one's shape: later ones leave empty what need not, or must not, be said twice.
                alike = [example for example in examples if example.keys() == examples[0].keys()]
                try:
                    yield Offer(provider, operation, alike[-1])
                except LookupError:
                    continue


async def list_offers(request: ControlRequest) -> web.Response:
    """``GET /v1/tenants/{id}/place``: what can be placed, where, and who may be called back."""
    runtime, tenant = request.runtime, request.tenant
    return reply_json(
        {
            "offers": [
                offer.shown(offer.provider.secrets) | {"curl": offer.first_call(runtime, tenant)}
                for offer in offers(runtime.providers, runtime.schemas)
            ],
            "receivers": list(receiver_keys(runtime.providers)),
            "traffic": runtime.traffic,
        }
    )


async def place(request: ControlRequest) -> web.Response:
    """``POST /v1/tenants/{id}/place``: one request over the traffic port; answers with what came back."""
    runtime, tenant, document = request.runtime, request.tenant, request.document
    known = list(offers(runtime.providers, runtime.schemas))
    fitting = [offer for offer in known if offer.provider.id == document["provider"]]
    if not fitting:
        raise conflict(f"{document['provider']} has no operation that places a call")
    wanted = document.get("operation")
    names = [offer.operation.name for offer in fitting]
    if wanted is not None and wanted not in names:
        message = f"{wanted[:60]!r} places no call at {document['provider']}{nearest(wanted[:60], names)}"
        raise wrong("/operation", message)
    offer = next(offer for offer in fitting if wanted in (None, offer.operation.name))
    fields, headers = offer.filled(tenant, document["number"], document.get("fields") or {})
    agent = f"voice-emulator test call {next(_AGENTS)}"
    before = tenant.journal.last_id
    status, reply, error = await _send(runtime.traffic, offer, fields, {**headers, "User-Agent": agent})
    entry, calls = _found(tenant, before, agent)
    sent = Sent.shown(method="POST", path=offer.path, status=status, reply=reply, error=error, entry=entry)
    return reply_json(Placed.shown(exchanges=[sent], calls=calls))


async def _send(
    base: str, offer: Offer, fields: Mapping[str, Any], headers: Mapping[str, str]
) -> tuple[int | None, str | None, str | None]:
    """Status and body of the reply, or why there is none."""
    options: dict[str, Any]
    accepts = offer.operation.accepts
    if "json" in accepts:
        options = {
            "data": json.dumps(fields).encode(),
            "headers": {**headers, "Content-Type": "application/json"},
        }
    elif "urlencoded" in accepts or "multipart" not in accepts:
        texts = {name: _text(value) for name, value in fields.items()}
        options = {"data": urlencode(texts).encode(), "headers": {**headers, "Content-Type": _FORM}}
    else:
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, _text(value))
        options = {"data": form, "headers": dict(headers)}
    timeout = aiohttp.ClientTimeout(total=PATIENCE / SECOND)
    try:
        # The certificate is our own, and may be made to be bad (--tls-fault): it proves nothing here.
        async with (
            aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(ssl=False)) as session,
            session.post(_reachable(base) + offer.path, allow_redirects=False, **options) as reply,
        ):
            body = await reply.content.read(REPLY_LIMIT)
            while not reply.content.at_eof() and len(body) < REPLY_LIMIT:
                body += await reply.content.read(REPLY_LIMIT - len(body))
            return reply.status, body.decode("utf-8", "replace"), None
    except TimeoutError:
        return None, None, f"no reply within {PATIENCE // SECOND} s"
    except (aiohttp.ClientError, asyncio.IncompleteReadError, OSError) as error:
        return None, None, connection_error(error, base, hint="")
    except ValueError as error:
        raise ControlError(422, f"this cannot be sent: {error}", kind="invalid-input") from error


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _reachable(base: str) -> str:
    """``base`` as a client can dial it: nobody listens *at* the unspecified address."""
    host = urlsplit(base).hostname
    return base.replace("0.0.0.0", "127.0.0.1", 1) if host == "0.0.0.0" else base.replace("[::]", "[::1]", 1)  # noqa: S104


def _found(tenant: Tenant, before: int, agent: str) -> tuple[int | None, list[str]]:
    """Journal entry and calls of the request that carried ``agent``."""
    for entry in tenant.journal.after(before, "request"):
        record = entry.record
        if isinstance(record, RequestRecord) and record.request.headers.get("user-agent") == agent:
            return entry.id, list(record.calls)
    return None, []
