"""A provider played through in memory with its default settings: what it really accepts and really pushes.

A page that describes a provider by this cannot disagree with what the traffic port does, and needs nothing from the
provider but its slots and examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from voice_emulator.core.calls import Call
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.core.plan import NO_LIMITS, make_plan
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import PLAIN_RECEIPT, CallEffect, CallSpec, Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.core.turns import at_once
from voice_emulator.core.vocabulary import Outcome, Party, PushOutcome
from voice_emulator.providers.examples import HOST, SAMPLE_NUMBER, number_field, place_request
from voice_emulator.providers.provider import Envelope, Provider, PushRequest
from voice_emulator.providers.request import Operation, Problem, Reply, Request, UploadedFile, compact_json
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.attribution import Attribution
from voice_emulator.wire.traffic.handling import Handling

#: When it is played: fixed, so that the page is always the same.
START = parse_rfc3339("2026-01-05T09:00:00+08:00")
#: A receiver that a sample may name.
RECEIVER = "http://127.0.0.1:9000/receipts"


@dataclass(frozen=True, slots=True)
class Played:
    """One request with all that follows; ``pushes`` holds fields and wire form of the first push of each kind."""

    request: Request
    reply: Reply
    call: Call | None
    pushes: Mapping[str, tuple[Mapping[str, Any], PushRequest]]


class Rehearsal:
    """One provider and one tenant of it, on a clock of their own."""

    def __init__(self, provider: Provider, schemas: SchemaSet) -> None:
        self.provider = provider
        self._schemas = schemas
        self._tenancy = Tenancy({provider.id: provider}, lambda: START)
        self.tenant: Tenant = self._tenancy.create(
            Scenario("rehearsal"), id=DEFAULT_TENANT, clock=ClockSpec("manual", start=START)
        )
        self._attribution = Attribution({provider.id: provider}, self._tenancy)
        self._handling = Handling({provider.id: provider}, schemas, strict=False)
        self._played: dict[tuple[str, Outcome, Party], Played | None] = {}

    def sample(self, operation: Operation) -> tuple[dict[str, Any], dict[str, str]]:
        """Fields and headers of its first example, with credentials, a neutral number, and no made-up receiver."""
        schema = self._schemas.get(operation.request)
        fields = dict(schema.examples[0]) if schema.examples else {}
        number = number_field(self.provider, operation, fields)
        if number is not None:
            fields[number] = SAMPLE_NUMBER
        for name in [name for name in fields if name.lower() == "callbackurl"]:
            fields[name] = RECEIVER
            if operation.places_calls:
                # Its receipts go to the configured receiver.
                del fields[name]
        return self.provider.authorise(self.tenant, operation, fields, START)

    def needed(self, operation: Operation) -> list[str]:
        """The fields of the sample without which it is refused."""
        fields, headers = self.sample(operation)
        known = self._problems(operation, self._request(operation, fields, headers))
        return [
            name
            for name in fields
            if self._problems(operation, self._request(operation, _without(fields, name), headers)) - known
        ]

    def methods(self, operation: Operation) -> list[str]:
        """The methods with which the sample is accepted."""
        fields, headers = self.sample(operation)
        found = {
            method: self._problems(operation, self._request(operation, fields, headers, method))
            for method in operation.methods
        }
        # What a sample asks about may not exist here, whatever the method.
        known = set.intersection(*found.values())
        return sorted(method for method, problems in found.items() if problems == known)

    def _problems(self, operation: Operation, request: Request) -> set[Problem]:
        return set(at_once(self._handling.examine(request, operation)))

    def play(
        self, operation: Operation, outcome: Outcome = Outcome.ANSWERED, by: Party = Party.CALLER
    ) -> Played | None:
        """The sample and all that follows, for a call that ends like this; None when it is refused: it may ask about what
        does not exist here.
        """
        key = (operation.name, outcome, by)
        if key not in self._played:
            # By a customer of its own: no play knows of the one before.
            self._played[key] = Rehearsal(self.provider, self._schemas).perform(operation, outcome, by)
        return self._played[key]

    @cached_property
    def pushed(self) -> Mapping[str, Operation]:
        """The kinds of push that follow from the samples, each with the first operation that causes it."""
        found: dict[str, Operation] = {}
        for operation in self.provider.operations.values():
            played = self.play(operation) if operation.receipts else None
            for kind in played.pushes if played is not None else ():
                found.setdefault(kind, operation)
        return found

    def perform(self, operation: Operation, outcome: Outcome, by: Party) -> Played | None:
        """Like :meth:`play`, with this very tenant."""
        request = self._request(operation, *self.sample(operation))
        if self._problems(operation, request):
            return None
        call = None
        if operation.places_calls:
            effect = CallEffect((CallSpec(outcome, hangup=((by, 1.0),)),))
            plan = make_plan(effect, NO_LIMITS, lambda purpose: 0.5)
            call = place_request(self.provider, operation, request, plan=plan)
        reply = operation.answer(request, [call] if call is not None else [])
        pushes: dict[str, tuple[Mapping[str, Any], PushRequest]] = {}
        for push in self._settled():
            pushes.setdefault(push.kind, self._encoded(push))
        return Played(request, reply, call, pushes)

    def _settled(self) -> Iterator[Push]:
        """The pushes until nothing is pending; each is acknowledged."""
        tenant = self.tenant
        while (due := tenant.engine.next_due()) is not None:
            tenant.clock.advance_to(max(due, tenant.now))
            tenant.engine.fire(tenant.now)
            while (push := tenant.outbox.take()) is not None:
                yield from push.parts
                tenant.outbox.settle(push, PushOutcome.DELIVERED, tenant.now)

    def _encoded(self, push: Push) -> tuple[Mapping[str, Any], PushRequest]:
        kind = self.provider.receipts[push.kind]
        fields = kind.fields(self.tenant, push)
        url = kind.target(self.tenant, push) or "http://127.0.0.1/"
        envelope = Envelope(self.tenant, push, dict(fields), url, self.tenant.now, PLAIN_RECEIPT, kind.array)
        return fields, kind.encode(envelope)

    def _request(
        self,
        operation: Operation,
        fields: Mapping[str, Any],
        headers: Mapping[str, str],
        method: str = "POST",
    ) -> Request:
        files = {
            name: UploadedFile("sample", "application/octet-stream", value)
            for name, value in fields.items()
            if isinstance(value, bytes)
        }
        plain = {name: value for name, value in fields.items() if name not in files}
        encoding = (
            "json" if "json" in operation.accepts and not files else "multipart" if files else "urlencoded"
        )
        body = compact_json(plain).encode() if encoding == "json" else b""
        request = Request(
            provider=self.provider.id, method=method, path=self.provider.paths_of(operation.name)[0], query={},
            headers={name.lower(): value for name, value in headers.items()}, body=body, peer="127.0.0.1",
            encoding=encoding, fields=plain, files=files, document=plain, host=HOST, wall=START,
            operation=operation,
        )  # fmt: skip
        self._attribution.attribute(request)
        self._attribution.count(request)
        return request


def _without(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def leaves(value: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a JSON document, each with its dotted place."""
    items: Iterable[tuple[Any, Any]]
    items = (
        value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    )
    if not isinstance(value, Mapping | list):
        yield before, value
    for name, member in items:
        yield from leaves(member, f"{before}.{name}" if before else str(name))
