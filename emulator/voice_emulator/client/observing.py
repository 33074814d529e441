"""The routes that tell what happened, as flows: calls, callbacks, journal, findings; ``tenant`` is an id.

All raise what :mod:`voice_emulator.client.operations` says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from voice_emulator.client.durations import Duration, seconds, text
from voice_emulator.client.entries import Entry
from voice_emulator.client.exchange import Exchange, Flow, ask, document, given, path, query
from voice_emulator.client.operations import DEFAULT_TENANT, SLACK
from voice_emulator.client.pages import Page, page
from voice_emulator.client.waiting import WaitResult, wait_result
from voice_emulator.core.shapes import Call, Callback, VerifyResult, Violation

__tracebackhide__ = True

#: Real seconds for a push by hand: the receiver may take all of the emulator's own time-out.
PUSH_TIMEOUT = 120.0


def calls(
    tenant: str = DEFAULT_TENANT,
    *,
    provider: str | None = None,
    number: str | None = None,
    state: str | None = None,
    outcome: str | None = None,
    q: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Flow[Page[Call]]:
    """The calls in the order of submission; ``number`` is a glob, ``q`` a query (``outcome:busy``)."""
    wanted = query(
        provider=provider, number=number, state=state, outcome=outcome, q=q, limit=limit, after=after
    )
    return (
        yield from page(Exchange("GET", path("v1", "tenants", tenant, "calls"), wanted), "calls", Call.read)
    )


def call(tenant: str, call_id: str) -> Flow[Call]:
    """One call with its timeline."""
    found = yield from ask(Exchange("GET", path("v1", "tenants", tenant, "calls", call_id)))
    return Call.read(found.document())


def push(tenant: str, call_id: str) -> Flow[tuple[Callback, ...]]:
    """Push the receipt of an ended call again, now; returns the attempts once they are over."""
    target = path("v1", "tenants", tenant, "calls", call_id, "push")
    found = (yield from ask(Exchange("POST", target, timeout=PUSH_TIMEOUT))).document()
    return tuple(map(Callback.read, found.get("callbacks") or ()))


def callbacks(
    tenant: str = DEFAULT_TENANT,
    *,
    provider: str | None = None,
    number: str | None = None,
    outcome: str | None = None,
    kind: str | None = None,
    call_id: str | None = None,
    q: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Flow[Page[Callback]]:
    """Push attempts: those that are over in the order they ended, then those that are ``pending``."""
    target = path("v1", "tenants", tenant, "callbacks")
    wanted = query(
        provider=provider,
        number=number,
        outcome=outcome,
        kind=kind,
        call_id=call_id,
        q=q,
        limit=limit,
        after=after,
    )
    return (yield from page(Exchange("GET", target, wanted), "callbacks", Callback.read))


def journal(
    tenant: str = DEFAULT_TENANT,
    *,
    kind: Literal["request", "callback", "violation", "system"] | None = None,
    provider: str | None = None,
    q: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Flow[Page[Entry]]:
    """Everything that went over the wire, in order."""
    target = path("v1", "tenants", tenant, "journal")
    return (
        yield from page(
            Exchange("GET", target, query(kind=kind, provider=provider, q=q, limit=limit, after=after)),
            "entries",
            Entry.read,
        )
    )


def har(tenant: str = DEFAULT_TENANT) -> Flow[dict[str, Any]]:
    """The journal as an HTTP archive (HAR 1.2), for the tools that show such; secrets are masked."""
    return (yield from ask(Exchange("GET", path("v1", "tenants", tenant, "har")))).document()


def verify(
    tenant: str = DEFAULT_TENANT,
    *,
    provider: str | None = None,
    operation: str | None = None,
    number: str | None = None,
    fields: Mapping[str, Any] | None = None,
    exactly: int | None = None,
    at_least: int | None = None,
    at_most: int | None = None,
    within: Duration | None = None,
) -> Flow[VerifyResult]:
    """Whether as many requests matched as wanted (at least one, unless a number is given).

    Waits up to ``within`` of real time for it to become so; near misses say why others did not match.
    """
    body = given(
        provider=provider,
        operation=operation,
        number=number,
        fields=fields,
        exactly=exactly,
        at_least=at_least,
        at_most=at_most,
        within=None if within is None else text(within),
    )
    patience = SLACK + (0 if within is None else seconds(within))
    target = path("v1", "tenants", tenant, "verify")
    reply = yield from ask(Exchange("POST", target, body=document(body), timeout=patience))
    return VerifyResult.read(reply.document())


def wait(
    tenant: str = DEFAULT_TENANT,
    for_: Literal["callbacks", "calls", "requests"] = "callbacks",
    count: int = 1,
    *,
    timeout: Duration = 5,
    provider: str | None = None,
    number: str | None = None,
    outcome: str | None = None,
    after: str | None = None,
) -> Flow[WaitResult[Any]]:
    """Wait until there are ``count`` callbacks, calls or requests, or ``timeout`` of real time has passed.

    What came before counts as well, unless ``after`` (a cursor) leaves it out.
    """
    wanted = query(
        **{"for": for_},
        count=count,
        timeout=text(timeout),
        provider=provider,
        number=number,
        outcome=outcome,
        after=after,
    )
    target = path("v1", "tenants", tenant, "wait")
    reply = yield from ask(Exchange("GET", target, wanted, timeout=seconds(timeout) + SLACK))
    return wait_result(for_, reply.document())


def violations(
    tenant: str = DEFAULT_TENANT,
    *,
    provider: str | None = None,
    severity: Literal["error", "warning"] | None = None,
    rule: str | None = None,
    limit: int | None = None,
    after: str | None = None,
) -> Flow[Page[Violation]]:
    """Where the client under test broke the contract."""
    target = path("v1", "tenants", tenant, "violations")
    return (
        yield from page(
            Exchange(
                "GET",
                target,
                query(provider=provider, severity=severity, rule=rule, limit=limit, after=after),
            ),
            "violations",
            Violation.read,
        )
    )


def explain(entry_id: int, tenant: str = DEFAULT_TENANT) -> Flow[dict[str, Any]]:
    """Why the request or push of a journal entry went as it did: rules, draws, the course of the call."""
    target = path("v1", "tenants", tenant, "journal", str(entry_id), "explain")
    return (yield from ask(Exchange("GET", target))).document()


def report(tenant: str = DEFAULT_TENANT) -> Flow[dict[str, Any]]:
    """The contract report: violations, conservation, coverage."""
    target = path("v1", "tenants", tenant, "report")
    return (yield from ask(Exchange("GET", target, query(format="json")))).document()


def report_text(
    tenant: str = DEFAULT_TENANT, format: Literal["json", "junit", "html", "markdown"] = "json"
) -> Flow[str]:
    """The contract report as text in one of its formats, to be written to a file."""
    target = path("v1", "tenants", tenant, "report")
    return (yield from ask(Exchange("GET", target, query(format=format)))).text
