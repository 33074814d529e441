"""The tests of the suite, each for every chosen provider. They need pytest and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from voice_emulator.conformance import goldens
from voice_emulator.conformance.examples import (
    Example,
    authorised,
    encodings,
    examples_of,
    receipts_of,
    send,
)
from voice_emulator.conformance.session import START, Session, emulating
from voice_emulator.core.attempts import PushReply
from voice_emulator.core.clock import ClockSpec
from voice_emulator.core.plan import NO_LIMITS, make_plan
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import CallEffect, CallSpec, Scenario
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.vocabulary import Outcome
from voice_emulator.openapi.providers import provider_document
from voice_emulator.providers.examples import HOST, place_example
from voice_emulator.providers.provider import Envelope, Provider
from voice_emulator.providers.registry import discover
from voice_emulator.providers.request import Operation, Problem, Reply, Request
from voice_emulator.scenarios.catalogue import Catalogue
from voice_emulator.scenarios.loader import ScenarioLoader
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.exchange import RequestRecord

NUMBER = "6281234567890"


@cache
def schemas_of(provider: str) -> SchemaSet:
    """The schemas of one provider."""
    return SchemaSet.load({provider: discover()[provider]})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One case for each provider, or for each of its examples."""
    found = discover()
    chosen = metafunc.config.getoption("voice_emulator_provider", None) or list(found)
    unknown = [name for name in chosen if name not in found]
    if unknown:
        raise pytest.UsageError(f"there is no provider {unknown[0]!r}; installed are {', '.join(found)}")
    if "example" in metafunc.fixturenames:
        cases = [
            (found[name], each) for name in chosen for each in examples_of(found[name], schemas_of(name))
        ]
        names = [f"{provider.id}/{example.name}" for provider, example in cases]
        metafunc.parametrize(("provider", "example"), cases, ids=names)
    elif "provider" in metafunc.fixturenames:
        metafunc.parametrize("provider", [found[name] for name in chosen], ids=chosen)


# --- the examples, over the wire ------------------------------------------------------------------


async def _call_first(session: Session) -> None:
    """Place a call by each operation that can, and let it end: queries then have something to show."""
    for example in examples_of(session.provider, session.emulator.runtime.schemas):
        if example.number == 1 and example.operation.places_calls:
            await _sent(session, example)
    await session.settle()


async def _sent(session: Session, example: Example, encoding: str = "") -> Any:
    receiver = f"{session.receiver}/{session.provider.id}"
    fields, headers = authorised(session.provider, session.tenant, example, receiver)
    encoding = encoding or next(encodings(example.operation, fields))
    url = session.emulator.runtime.traffic
    return await send(session.client, url, session.provider, example.operation, encoding, fields, headers)


async def _replied(session: Session, example: Example, encoding: str) -> dict[str, Any]:
    """What one example gets, with every part compared with its schema."""
    provider, schemas, operation = session.provider, session.emulator.runtime.schemas, example.operation
    if not operation.places_calls:
        await _call_first(session)
    before, tried = len(session.received), session.tenant.attempts.total
    answer = await _sent(session, example, encoding)
    entry = [entry for entry in session.tenant.journal if entry.kind == "request"][-1].record
    assert isinstance(entry, RequestRecord)
    assert entry.operation == operation.name, "the request reached another operation"
    assert entry.request.encoding == (encoding if encoding != "query" else "none")
    payload = answer.payload
    if payload is not None:
        assert schemas.get(operation.reply).violations(payload) == []
    await session.settle()
    pushes = session.received[before:]
    attempts = [attempt for _, attempt in session.tenant.attempts.after(tried)]
    assert len(attempts) == len(pushes), "some receipts have no receiver"
    receipts = []
    for attempt, push in zip(attempts, pushes, strict=True):
        kind = provider.receipts[attempt.push.kind]
        assert kind.name in operation.receipts
        for fields in receipts_of(push):
            assert schemas.get(kind.schema).violations(fields) == []
        receipts.append(
            {
                "kind": kind.name,
                "at": attempt.shown()["at"],
                "outcome": attempt.outcome.value,
                "method": push.method,
                "target": (attempt.url or "").removeprefix(session.receiver),
                "content_type": push.content_type,
                "body": push.body.decode(),
            }
        )
    body = answer.body.decode() if payload is not None else f"{len(answer.body)} bytes"
    reply = {
        "status": answer.status,
        "content_type": answer.content_type,
        "body": body,
        "refused": entry.refused,
    }
    return {"reply": reply, "receipts": receipts}


def test_reply_and_receipts_of_an_example_are_as_its_schemas_and_its_golden_file_say(
    provider: Provider, example: Example, pytestconfig: pytest.Config
) -> None:
    """In every encoding that the operation accepts, with the same reply and the same receipts."""

    async def all_of() -> tuple[list[str], list[dict[str, Any]]]:
        async with emulating(provider.id) as session:
            fields, _ = authorised(session.provider, session.tenant, example, session.receiver)
            said_as = list(encodings(example.operation, fields))
            seen = []
            for encoding in said_as:
                session.tenant.reset()
                session.received.clear()
                seen.append(await _replied(session, example, encoding))
            return said_as, seen

    said_as, seen = asyncio.run(all_of())
    assert seen, "the operation accepts no encoding in which its example can be sent"
    assert all(other == seen[0] for other in seen), f"the encodings {said_as} get different replies"
    write = bool(pytestconfig.getoption("voice_emulator_write_golden", False))
    goldens.check(provider, example.name, seen[0], write=write)


@pytest.fixture
def kept(pytestconfig: pytest.Config) -> None:
    """The golden files, which the test above compares with what comes out; not while they are written."""
    if pytestconfig.getoption("voice_emulator_write_golden", False):
        pytest.skip("the golden files are being written")


@pytest.mark.usefixtures("kept")
def test_every_operation_accepts_an_example(provider: Provider) -> None:
    """One that is not refused, with the settings of ``Provider.example_settings``."""
    accepted = {
        example.operation.name
        for example in examples_of(provider, schemas_of(provider.id))
        if (kept := goldens.read(provider, example.name)) is not None and not kept["reply"]["refused"]
    }
    assert accepted == set(provider.operations)


def test_the_first_example_of_each_operation_gives_no_finding(provider: Provider) -> None:
    """Sent as the documents print it: what a reader copies must not be reported to the reader as a mistake."""

    async def found() -> list[str]:
        async with emulating(provider.id) as session:
            await _call_first(session)
            for example in examples_of(session.provider, session.emulator.runtime.schemas):
                if example.number == 1 and not example.operation.places_calls:
                    await _sent(session, example)
                    await session.settle()
            entries: list[Any] = [
                entry.record for entry in session.tenant.journal if entry.kind == "violation"
            ]
            return [f"{finding.rule} {finding.operation}: {finding.message}" for finding in entries]

    assert asyncio.run(found()) == []


@pytest.mark.usefixtures("kept")
def test_every_accepted_submission_has_its_receipts(provider: Provider) -> None:
    """Those that the operation names in ``receipts``, each at least once over its examples."""
    for operation in provider.operations.values():
        kept = [
            goldens.read(provider, example.name)
            for example in examples_of(provider, schemas_of(provider.id))
            if example.operation is operation
        ]
        told = [each["receipts"] for each in kept if each is not None and not each["reply"]["refused"]]
        if operation.places_calls and operation.receipts:
            assert all(told), f"an accepted example of {operation.name} has no receipt"


@pytest.mark.usefixtures("kept")
def test_no_golden_file_has_lost_its_example(provider: Provider) -> None:
    """Each belongs to an example."""
    known = {f"{example.name}.json" for example in examples_of(provider, schemas_of(provider.id))}
    assert {path.name for path in goldens.folder_of(provider).iterdir()} == known


# --- without the wire -----------------------------------------------------------------------------


def _tenant(provider: Provider, id: str = "default") -> Tenant:
    tenancy = Tenancy({provider.id: provider}, lambda: START)
    tenant = tenancy.create(Scenario("conformance"), id=id, clock=ClockSpec("manual", start=START))
    tenant.change({"settings": {provider.id: dict(provider.example_settings)}})
    return tenant


def _request(
    provider: Provider, operation: Operation, fields: Mapping[str, Any], tenant: Tenant, **more: Any
) -> Request:
    given: dict[str, Any] = {
        "method": "POST", "path": provider.paths_of(operation.name)[0], "query": {}, "headers": {}, "body": b"",
        "peer": "127.0.0.1", "encoding": "json" if "json" in operation.accepts else "urlencoded",
        "fields": fields, "document": fields, "host": HOST, "now": START, "wall": START,
    }  # fmt: skip
    return Request(provider=provider.id, operation=operation, tenant=tenant, **given | more)


def test_every_error_has_a_reply_that_satisfies_the_schema(provider: Provider) -> None:
    """As a rule's ``reply.error`` and as a problem of a request; none looks like success."""
    schemas, tenant = schemas_of(provider.id), _tenant(provider)
    for operation in provider.operations.values():
        request = _request(provider, operation, schemas.get(operation.request).examples[0], tenant)
        own = [
            Problem(error.code, "for the test", name=error.name)
            for error in provider.errors_of(operation.name)
        ]
        for problem in [
            *own,
            *(Problem(code, "for the test") for code in operation.order or provider.error_order),
        ]:
            reply = provider.refuse(request, problem)
            assert isinstance(reply, Reply)
            assert reply.refused, f"{operation.name} {problem.code} is not a refusal"
            if reply.payload is not None:
                wrong = schemas.get(operation.reply).violations(reply.payload)
                assert wrong == [], f"{operation.name} {problem.code}: {reply.body.decode()}"


def test_credentials_of_a_stranger_are_refused(provider: Provider) -> None:
    """Sent with credentials that no tenant has, every example that carries any is refused."""

    async def sent() -> dict[str, bool]:
        refused = {}
        stranger = _tenant(provider, "stranger")
        async with emulating(provider.id) as session:
            for example in examples_of(session.provider, session.emulator.runtime.schemas):
                strange, headers = authorised(session.provider, stranger, example, session.receiver)
                if (strange, headers) == authorised(
                    session.provider, session.tenant, example, session.receiver
                ):
                    continue
                await send(
                    session.client, session.emulator.runtime.traffic, session.provider, example.operation,
                    next(encodings(example.operation, strange)), strange, headers,
                )  # fmt: skip
                entry = [entry for entry in session.tenant.journal if entry.kind == "request"][-1].record
                assert isinstance(entry, RequestRecord)
                refused[example.name] = entry.refused
        return refused

    refused = asyncio.run(sent())
    assert refused, "no example carries credentials: Provider.authorise puts none in"
    assert all(refused.values()), [name for name, each in refused.items() if not each]


def _ended(
    provider: Provider, tenant: Tenant, operation: Operation, outcome: Outcome, ordinal: int
) -> Iterator[Push]:
    """The receipts of a call that went like ``outcome``."""
    plan = make_plan(CallEffect((CallSpec(outcome),)), NO_LIMITS, lambda purpose: 0.5)
    call = place_example(
        tenant,
        provider,
        operation,
        schemas_of(provider.id),
        NUMBER,
        at=tenant.now,
        ordinal=ordinal,
        plan=plan,
    )
    assert call is not None, f"{operation.name} has numbers and submits nothing"
    while (due := tenant.engine.next_due()) is not None:
        tenant.clock.advance_to(max(due, tenant.now))
        tenant.engine.fire(tenant.now)
    assert call.ended
    assert provider.cause_of(call) in provider.causes or not provider.causes
    while (push := tenant.outbox.take()) is not None:
        yield from push.parts


def test_receipts_of_every_outcome_satisfy_their_schema_and_are_encoded(provider: Provider) -> None:
    """In every encoding that a rule may ask for, and the documented acknowledgement is one."""
    schemas, tenant = schemas_of(provider.id), _tenant(provider)
    for operation in provider.operations.values():
        for ordinal, outcome in enumerate(Outcome if operation.places_calls else (), 1):
            for push in _ended(provider, tenant, operation, outcome, ordinal):
                kind = provider.receipts[push.kind]
                fields = kind.fields(tenant, push)
                assert schemas.get(kind.schema).violations(fields) == [], f"{operation.name} {outcome.value}"
                assert not set(kind.corrupt.values()) - {*schemas.get(kind.schema).document["properties"]}
                for encoding in (None, *kind.encodings):
                    effect = replace(push.effect, encoding=encoding)
                    envelope = Envelope(
                        tenant, push, dict(fields), "http://127.0.0.1/x", tenant.now, effect, kind.array
                    )
                    request = kind.encode(envelope)
                    assert request.url.startswith("http://127.0.0.1/x")
                    assert request.body or "?" in request.url
    for kind in provider.receipts.values():
        assert kind.judge(PushReply(200, (), kind.accepted_body.encode())) is None, kind.name
        assert kind.judge(PushReply(500, (), b"")) is not None, kind.name


def test_scenarios_may_name_all_that_the_provider_has(provider: Provider) -> None:
    """Its settings with their defaults, operations, errors, causes, receipt fields and retry words."""
    schemas = schemas_of(provider.id)
    rules: list[dict[str, Any]] = []
    for name, operation in provider.operations.items():
        match = {"provider": provider.id, "operation": name}
        rules += [
            {"match": match, "reply": {"error": error.name}, "times": 1} for error in provider.errors_of(name)
        ]
        if operation.places_calls:
            rules += [
                {"match": match, "call": {"outcome": "busy", "cause": cause}, "times": 1}
                for cause in sorted(provider.causes)
            ]
        for kind in operation.receipts if operation.places_calls else ():
            fields = sorted(schemas.get(provider.receipts[kind].schema).document["properties"])
            rules.append({"match": match, "receipt": {"set": dict.fromkeys(fields, "x")}, "times": 1})
            rules += [{"match": match, "receipt": {"retry": word}, "times": 1} for word in provider.retries]
    settings = {name: value for name, value in provider.settings.defaults().items() if value is not None}
    document = {"name": "conformance", "providers": {provider.id: settings}, "rules": rules}
    loader = ScenarioLoader(Catalogue({provider.id: provider}, schemas), {})
    assert len(loader.mapping(document).rules) == len(rules)


def test_the_openapi_document_has_every_operation_and_receipt(provider: Provider) -> None:
    """And each of its errors, settings and pages."""
    document = provider_document(provider, schemas_of(provider.id), "http://127.0.0.1:4880", "0")
    assert {tag["name"] for tag in document["tags"]} == set(provider.operations)
    assert set(document["webhooks"]) == set(provider.receipts)
    assert {error["name"] for error in document["x-errors"]} == {error.name for error in provider.errors}
    for operation in provider.operations.values():
        assert provider.paths_of(operation.name)[0] in document["paths"]
        assert operation.source, f"{operation.name} names no page as its source"
