"""Every route of the control port, in one table. The server and its OpenAPI document both read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from voice_emulator.core.clock import SECOND
from voice_emulator.core.vocabulary import EntryKind, Outcome, PushOutcome, Severity, State
from voice_emulator.providers.provider import Provider
from voice_emulator.schemas.validate import Schema
from voice_emulator.wire.control import (
    calls,
    clock,
    journal,
    parameters,
    search,
    system,
    tenants,
    waits,
)
from voice_emulator.wire.control import test_calls as place
from voice_emulator.wire.control.document import request_schemas as control_bodies
from voice_emulator.wire.control.event_stream import KINDS
from voice_emulator.wire.control.parameters import Parameter
from voice_emulator.wire.control.request import JSON, Body, ResponseSpec, Route
from voice_emulator.wire.control.tenant_changes import account_errors

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
TENANT = "/v1/tenants/{id}"
_TENANT_RESPONSE = ResponseSpec(200, "The tenant.", "Tenant")
_CONFLICT = ResponseSpec(409, "Not possible as things are.", "Problem")


def control_routes(providers: Mapping[str, Provider]) -> tuple[Route, ...]:
    """The routes, their parameters and bodies fitted to ``providers``."""
    bodies = control_bodies.schemas(providers)
    provider = parameters.choice("provider", "Only this provider.", list(providers))
    number = parameters.glob("number", "Only called numbers that match this glob.")
    return (
        *_system(),
        *_mutant(bodies),
        *_tenants(providers, bodies),
        *_calls(bodies, provider, number),
        *_journal(provider),
    )


def _get(
    name: str,
    path: str,
    summary: str,
    answer: object,
    response: ResponseSpec,
    *query: Parameter,
    **more: object,
) -> Route:
    return Route(name, "GET", path, summary, answer, (response,), query, **more)  # type: ignore[arg-type]


def _system() -> tuple[Route, ...]:
    healthy = ResponseSpec(200, "Both ports serve.", "Health")
    starting = ResponseSpec(503, "Starting or stopping.", "Problem")
    return (
        *(
            Route(name, "GET", f"/{name}", "Whether both ports serve", system.health, (healthy, starting),
                  public=True, tag="system")
            for name in ("health", "livez", "readyz")
        ),
        _get("metrics", "/metrics", "Prometheus metrics", system.metrics,
             ResponseSpec(200, "Metrics.", None, "text/plain"), tag="system"),
        _get("openapi", "/openapi.json", "This document", system.openapi_control,
             ResponseSpec(200, "OpenAPI 3.1.", "Anything"), tag="system"),
        _get("openapi_provider", "/openapi/{provider}", "The document of a provider: `<provider>.json`",
             system.openapi_provider, ResponseSpec(200, "OpenAPI 3.1, callbacks included.", "Anything"),
             tag="system"),
        _get("llms", "/llms.txt", "How to use this emulator, in one page for an agent", system.llms,
             ResponseSpec(200, "Text.", None, "text/plain"), tag="system", of_default=True),
        _get("list_nodes", "/v1/nodes", "The replicas, and which tenants each owns", system.list_nodes,
             ResponseSpec(200, "All of them; without a shared store, this one.", "Nodes"), tag="system"),
        _get("ca_file", "/v1/tls/ca.pem", "The authority that made the certificate of `--tls-self-signed`",
             system.ca_file, ResponseSpec(200, "A certificate.", None, system.PEM), tag="system"),
        _get("page", "/", "The web page", system.page, ResponseSpec(200, "HTML.", None, "text/html"),
             page=True, tag="system"),
        _get("page_file", "/ui/{file}", "A file of the web page", system.page_file,
             ResponseSpec(200, "The file.", None, "*/*"), page=True, tag="system"),
        _get("list_scenarios", "/v1/scenarios", "Shipped scenarios", system.list_scenarios,
             ResponseSpec(200, "A page of them.", "Scenarios"),
             parameters.limit(), parameters.cursor("[^\\r\\n]+"), tag="scenarios"),
        _get("scenario_schema", "/scenario.schema.json", "The JSON Schema of scenario files",
             system.scenario_schema, ResponseSpec(200, "JSON Schema 2020-12.", "Anything"), tag="scenarios"),
        _get("get_scenario", "/v1/scenarios/{name}", "The text of a shipped scenario", system.get_scenario,
             ResponseSpec(200, "YAML.", None, "application/yaml"), tag="scenarios"),
    )  # fmt: skip


def _mutant(bodies: Mapping[str, Schema]) -> tuple[Route, ...]:
    response = ResponseSpec(200, "The mutant in force.", "MutantState")
    return (
        _get("get_mutant", "/v1/mutant", "The way in which the providers are wrong", system.get_mutant, response,
             tag="system"),
        Route("put_mutant", "PUT", "/v1/mutant", "Let the providers be wrong in one way", system.put_mutant,
              (response, _CONFLICT), body=Body(bodies["put_mutant"]), tag="system",
              details="Laid over the scenarios of all tenants; its counters are set to zero."),
    )  # fmt: skip


def _tenants(providers: Mapping[str, Provider], bodies: Mapping[str, Schema]) -> tuple[Route, ...]:
    def body(name: str, *texts: str) -> Body:
        return Body(bodies[name], texts=texts)

    def account(name: str, *, required: bool = True) -> Body:
        return Body(
            bodies[name],
            required,
            check=lambda document: account_errors(providers, document),
            heavy=tenants.LONG_SCENARIO,
        )

    to_start = parameters.choice(
        "to", "`start` also restores the configuration the tenant began with.", ["start"]
    )
    return (
        Route("list_tenants", "GET", "/v1/tenants", "Tenants, oldest first", tenants.list_tenants,
              (ResponseSpec(200, "A page of them.", "Tenants"), _CONFLICT),
              (parameters.limit(), parameters.cursor(control_bodies.TENANT_ID.strip("^$")))),
        Route("create_tenant", "POST", "/v1/tenants", "Create a tenant", tenants.create_tenant,
              (ResponseSpec(201, "The tenant; `Location` names it.", "Tenant"), _CONFLICT),
              body=account("create_tenant", required=False)),
        _get("get_tenant", TENANT, "A tenant", tenants.get_tenant, _TENANT_RESPONSE),
        Route("change_tenant", "PATCH", TENANT, "Change a tenant by a merge patch", tenants.change_tenant,
              (_TENANT_RESPONSE, _CONFLICT), body=account("change_tenant"),
              details="Members are merged, null removes. What is set here survives a change of scenario."),
        Route("delete_tenant", "DELETE", TENANT, "Delete a tenant", tenants.delete_tenant,
              (ResponseSpec(204, "Gone, with its timers and open pushes."), _CONFLICT)),
        _get("get_tenant_scenario", f"{TENANT}/scenario", "The text of the scenario in force",
             tenants.get_scenario_text, ResponseSpec(200, "YAML.", None, "application/yaml"), tag="scenarios"),
        Route("load_scenario", "PUT", f"{TENANT}/scenario", "Load a scenario", tenants.load_scenario,
              (_TENANT_RESPONSE, _CONFLICT), body=body("load_scenario", *YAML_TYPES),
              details="An invalid one changes nothing; `errors` holds the findings of `check`."),
        Route("reset_tenant", "POST", f"{TENANT}/reset", "Forget everything that happened",
              tenants.reset_tenant, (_TENANT_RESPONSE, _CONFLICT), (to_start,),
              details="Calls, tokens, journal and rule counters go, a manual clock returns to its start."),
        Route("advance", "POST", f"{TENANT}/clock/advance", "Advance a manual clock", clock.advance,
              (ResponseSpec(200, "What happened.", "Advanced"), _CONFLICT), body=body("advance"),
              details="Answers after every push that fell due has been attempted, or after `wall_limit`."),
    )  # fmt: skip


def _calls(bodies: Mapping[str, Schema], provider: Parameter, number: Parameter) -> tuple[Route, ...]:
    outcomes = [outcome.value for outcome in Outcome]
    attempt_outcomes = [outcome.value for outcome in PushOutcome]
    finished = [word for word in attempt_outcomes if word != PushOutcome.PENDING]
    page = parameters.limit()
    return (
        _get("list_calls", f"{TENANT}/calls", "Calls, in the order of submission", calls.list_calls,
             ResponseSpec(200, "A page of them.", "Calls"), provider, number,
             parameters.choice("state", "Only calls in this state.", [state.value for state in State]),
             parameters.choice("outcome", "Only calls that ended so.", outcomes),
             parameters.query(calls.CALL_KEYS), page, parameters.cursor(calls.CALLS_CURSOR), tag="calls"),
        _get("get_call", f"{TENANT}/calls/{{call_id}}", "One call with its timeline", calls.get_call,
             ResponseSpec(200, "The call.", "Call"), tag="calls"),
        Route("push_again", "POST", f"{TENANT}/calls/{{call_id}}/push", "Push the receipt again, now",
              calls.push_again, (ResponseSpec(200, "The attempts.", "Pushed"), _CONFLICT), tag="calls"),
        _get("list_callbacks", f"{TENANT}/callbacks", "Push attempts, in the order they ended",
             calls.list_callbacks, ResponseSpec(200, "A page of them; pending ones come last.", "Callbacks"),
             provider, number, parameters.text("kind", "Only receipts of this kind."),
             parameters.text("call_id", "Only pushes about this call."),
             parameters.choice("outcome", "Only attempts that ended so.", attempt_outcomes),
             parameters.query(calls.CALLBACK_KEYS), page, parameters.cursor(calls.CALLBACKS_CURSOR), tag="calls"),
        _get("list_offers", f"{TENANT}/place", "What test calls can be placed", place.list_offers,
             ResponseSpec(200, "Operations, each with its fields.", "Offers"), tag="calls"),
        Route("place", "POST", f"{TENANT}/place", "Place a test call, as a client would", place.place,
              (ResponseSpec(200, "What was sent and came back.", "Placed"), _CONFLICT), body=Body(bodies["place"]),
              tag="calls",
              details="Sent over the traffic port with the tenant's credentials: an example of the "
              "operation's schema with this number in it, and `fields` over it; null leaves one out."),
        _get("wait", f"{TENANT}/wait", "Wait until there are N", waits.wait,
             ResponseSpec(200, "As soon as there are N, or at the time-out.", "Waited"),
             Parameter("for", "What to wait for; each counts once it is over.",
                       {"type": "string", "enum": list(waits.EVENTS), "default": "callbacks"},
                       parameters.one_of(list(waits.EVENTS)), "callbacks"),
             Parameter("count", "How many.",
                       {"type": "integer", "minimum": 1, "maximum": page.schema["maximum"], "default": 1},
                       parameters.integer(1, page.schema["maximum"]), 1),
             parameters.duration("timeout", "How long at most, in real time.", 5 * SECOND, control_bodies.LONGEST_WAIT),
             provider, number,
             parameters.choice("outcome", "Only calls or attempts that ended so.", [*outcomes, *finished]),
             parameters.number_after("The `next` of an earlier wait for the same."), tag="waiting"),
        Route("verify", "POST", f"{TENANT}/verify", "Verify which requests came", waits.verify,
              (ResponseSpec(200, "The verdict, with near misses.", "VerifyResult"),),
              body=Body(bodies["verify"], required=False),
              details="Waits up to `within` while that can change the verdict. Default: at least one.",
              tag="waiting"),
    )  # fmt: skip


def _journal(provider: Parameter) -> tuple[Route, ...]:
    kinds = Parameter(
        "kind", f"Only these kinds, joined by commas: {', '.join(KINDS)}.",
        {"type": "string", "pattern": f"^({'|'.join(KINDS)})(,({'|'.join(KINDS)}))*$"}, _kinds,
        frozenset(KINDS),
    )  # fmt: skip
    brief = parameters.switch("brief", "`true`: requests as rows, without headers and bodies.")
    after_event = parameters.number_after(
        "Ids above this one; without it, and without `Last-Event-ID`, only what is new."
    )
    after_event = Parameter(after_event.name, after_event.description, after_event.schema, after_event.read)
    return (
        _get("list_journal", f"{TENANT}/journal", "Everything, in order", journal.list_journal,
             ResponseSpec(200, "A page of entries.", "Entries"),
             parameters.choice("kind", "Only this kind.", get_args(EntryKind)),
             provider,
             parameters.text("call_id", "Only what placed, reported or blames this call."),
             parameters.query(search.ENTRY_KEYS), brief, parameters.limit(), parameters.number_after(), tag="journal"),
        _get("list_violations", f"{TENANT}/violations", "Where the client broke the contract",
             journal.list_violations, ResponseSpec(200, "A page of them.", "Violations"), provider,
             parameters.choice("severity", "Only these.", get_args(Severity)),
             parameters.text("rule", "Only this rule."),
             parameters.query(search.VIOLATION_KEYS), parameters.limit(), parameters.number_after(), tag="journal"),
        _get("report", f"{TENANT}/report", "The contract report", journal.get_report,
             ResponseSpec(200, "The report; media type by format.", None, "*/*"),
             parameters.choice("format", "How.", ["json", "junit", "html", "markdown"], "json"),
             tag="journal"),
        _get("explain", f"{TENANT}/journal/{{entry_id}}/explain", "Why a request or push went as it did",
             journal.explain_entry, ResponseSpec(200, "Rules, draws and the course of the call.", "Anything"),
             tag="journal"),
        _get("har", f"{TENANT}/har", "The journal as an HTTP archive", journal.get_har,
             ResponseSpec(200, "HAR 1.2.", "Anything", JSON), tag="journal"),
        _get("events", f"{TENANT}/events", "Server-sent events", journal.stream_events,
             ResponseSpec(200, "The stream; `Last-Event-ID` resumes it.", None, "text/event-stream"),
             kinds, after_event, brief, tag="journal"),
        _get("list_rules", "/v1/rules", "Contract rules, and how to fix a finding of each", journal.list_rules,
             ResponseSpec(200, "All of them.", "Rules"), tag="journal"),
    )  # fmt: skip


def _kinds(text: str) -> frozenset[str]:
    read = parameters.one_of(KINDS)
    return frozenset(map(read, text.split(",")))
