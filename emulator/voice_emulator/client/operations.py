"""The routes that set things up, as flows: health, tenants, scenarios, clock. ``tenant`` is a tenant's id.

:mod:`voice_emulator.client.observing` has the others. All raise a ControlError when the API refuses,
NotReady when nothing answers, and ValueError for a duration that is none. Durations are text with a
unit (``"90s"``), seconds, or timedeltas.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from voice_emulator.client.durations import Duration, seconds, text
from voice_emulator.client.errors import ClientError, NotReady
from voice_emulator.client.exchange import (
    JSON,
    YAML,
    Exchange,
    Flow,
    Pause,
    ask,
    document,
    given,
    path,
    query,
)
from voice_emulator.client.pages import Page, page
from voice_emulator.core.shapes import Advanced, Health, MutantState, Node, Placed, ShippedScenario, Tenant
from voice_emulator.errors import FileError

__tracebackhide__ = True

DEFAULT_TENANT = "default"

#: Real seconds that a reply may take beyond what the request itself asked to wait.
SLACK = 15.0
#: Real seconds between two looks for an emulator that is not ready yet.
BETWEEN_LOOKS = 0.05
#: Real seconds that a test call may take: a scenario's latency is part of its reply.
PLACE_TIMEOUT = 120.0
#: Real seconds for one look.
LOOK = 2.0

Scenario = str | Path | Mapping[str, Any]
Callbacks = Mapping[str, str | None]
ClockText = str | Mapping[str, Any]


def health() -> Flow[Health]:
    """Whether both ports serve, with the version and the scenario of the tenant ``default``."""
    return Health.read((yield from ask(Exchange("GET", "/health"))).document())


def nodes() -> Flow[tuple[Node, ...]]:
    """The replicas of the emulator and the tenants of each, the replica that answers first; one without a shared store."""
    reply = yield from ask(Exchange("GET", "/v1/nodes"))
    return tuple(map(Node.read, reply.document()["nodes"]))


def mutant() -> Flow[MutantState]:
    """The way in which the providers are wrong, and whether that has made a difference."""
    return MutantState.read((yield from ask(Exchange("GET", "/v1/mutant"))).document())


def put_mutant(name: str | None, provider: str | None = None) -> Flow[MutantState]:
    """Let the providers, or one of them, be wrong in one way; None for none. Raises Invalid for an unknown one."""
    body = document({"name": name, "provider": provider})
    reply = yield from ask(Exchange("PUT", "/v1/mutant", body=body, content_type=JSON))
    return MutantState.read(reply.document())


def wait_ready(timeout: Duration = 30) -> Flow[Health]:
    """Wait until an emulator is ready. Raises NotReady at the time-out (real time)."""
    deadline = time.monotonic() + seconds(timeout)
    while True:
        left = deadline - time.monotonic()
        try:
            reply = yield from ask(Exchange("GET", "/health", timeout=min(LOOK, max(left, BETWEEN_LOOKS))))
            return Health.read(reply.document())
        except ClientError as error:
            if time.monotonic() > deadline:
                raise NotReady(f"no emulator became ready within {text(timeout)}: {error}") from None
        yield Pause(BETWEEN_LOOKS)


def metrics() -> Flow[str]:
    """The metrics in Prometheus' text format."""
    return (yield from ask(Exchange("GET", "/metrics"))).text


def guide() -> Flow[str]:
    """``/llms.txt``: how to use the emulator, for a coding agent."""
    return (yield from ask(Exchange("GET", "/llms.txt"))).text


def openapi(provider: str | None = None) -> Flow[dict[str, Any]]:
    """The OpenAPI 3.1 document of a provider, or of the control API."""
    target = path("openapi.json") if provider is None else path("openapi", f"{provider}.json")
    return (yield from ask(Exchange("GET", target))).document()


def scenarios(*, limit: int | None = None, after: str | None = None) -> Flow[Page[ShippedScenario]]:
    """The shipped scenarios."""
    exchange = Exchange("GET", "/v1/scenarios", query(limit=limit, after=after))
    return (yield from page(exchange, "scenarios", ShippedScenario.read))


def scenario(name: str) -> Flow[str]:
    """The text of a shipped scenario."""
    return (yield from ask(Exchange("GET", path("v1", "scenarios", name)))).text


def create_tenant(
    id: str | None = None,
    *,
    scenario: Scenario | None = None,
    seed: int | None = None,
    clock: ClockText | None = None,
    callback_urls: Callbacks | None = None,
    credentials: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Flow[Tenant]:
    """Create a tenant. ``scenario`` is a shipped name, a Path, YAML text or a mapping; all are optional.

    Raises Conflict when the id or a key is taken, Invalid for bad input.
    """
    body = given(
        id=id, seed=seed, clock=clock, callback_urls=callback_urls, credentials=credentials, settings=settings
    )
    if scenario is not None:
        name, source = scenario_source(scenario)
        body.update({"scenario": name} if source is None else {"scenario_yaml": source.decode()})
    return Tenant.read((yield from ask(Exchange("POST", "/v1/tenants", body=document(body)))).document())


def tenants(*, limit: int | None = None, after: str | None = None) -> Flow[Page[Tenant]]:
    """The tenants."""
    return (
        yield from page(
            Exchange("GET", "/v1/tenants", query(limit=limit, after=after)), "tenants", Tenant.read
        )
    )


def tenant(tenant: str = DEFAULT_TENANT) -> Flow[Tenant]:
    """One tenant as it is now."""
    return Tenant.read((yield from ask(Exchange("GET", path("v1", "tenants", tenant)))).document())


def change_tenant(
    tenant: str = DEFAULT_TENANT,
    *,
    callback_urls: Callbacks | None = None,
    credentials: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    seed: int | None = None,
) -> Flow[Tenant]:
    """Change parts of a tenant: merged into what is there, and None inside a mapping removes."""
    changes = given(callback_urls=callback_urls, credentials=credentials, settings=settings, seed=seed)
    exchange = Exchange("PATCH", path("v1", "tenants", tenant), body=document(changes))
    return Tenant.read((yield from ask(exchange)).document())


def delete_tenant(tenant: str) -> Flow[None]:
    """Delete a tenant; its timers and open pushes are cancelled."""
    yield from ask(Exchange("DELETE", path("v1", "tenants", tenant)))


def scenario_source(scenario: Scenario) -> tuple[str, bytes | None]:
    """Name and YAML text of a scenario argument; the text is None for the name of a shipped one.

    A Path is read, with the variables and the files that it refers to; text with a line break is YAML, a
    mapping is written as JSON (which is YAML), and text that ends in .yaml or .yml is a path as well.
    """
    if isinstance(scenario, Mapping):
        return str(scenario.get("name", "")), document(scenario)
    if isinstance(scenario, str) and "\n" in scenario:
        return "", scenario.encode()
    if isinstance(scenario, Path) or scenario.endswith((".yaml", ".yml")):
        from voice_emulator.scenarios.portable import portable

        try:
            return str(scenario), portable(Path(scenario), os.environ)
        except OSError as error:
            raise FileError(f"cannot read the scenario {scenario}: {error.strerror or error}") from None
    return scenario, None


def load_scenario(tenant: str = DEFAULT_TENANT, scenario: Scenario = "happy-path") -> Flow[Tenant]:
    """Put another scenario in force: a shipped name, a Path, YAML text or a mapping.

    Raises Invalid with the findings of ``check``, and then nothing has changed; FileError for a file that refers to
    a variable or a file that is not there.
    """
    name, source = scenario_source(scenario)
    content_type, body = (JSON, document({"name": name})) if source is None else (YAML, source)
    target = path("v1", "tenants", tenant, "scenario")
    reply = yield from ask(Exchange("PUT", target, body=body, content_type=content_type))
    return Tenant.read(reply.document())


def reset(tenant: str = DEFAULT_TENANT, *, to_start: bool = False) -> Flow[Tenant]:
    """Forget calls, tokens, journal and counters; ``to_start`` also restores the start-up state."""
    target = path("v1", "tenants", tenant, "reset")
    reply = yield from ask(Exchange("POST", target, query(to="start" if to_start else None)))
    return Tenant.read(reply.document())


def advance(
    tenant: str = DEFAULT_TENANT,
    by: Duration | None = None,
    *,
    to: datetime | str | None = None,
    at_most: Duration | None = None,
    wall_limit: Duration = 30,
) -> Flow[Advanced]:
    """Take a manual clock forwards: ``by`` a duration, or ``to`` an instant, ``next`` or ``idle``.

    Returns after every push that fell due has been attempted, or ``wall_limit`` of real time has
    passed. ``at_most`` bounds ``idle``. Raises Conflict when the clock is not manual.
    """
    if by in ("next", "idle"):
        raise ValueError(f"a duration such as '90s', not {by!r}: write advance(to={by!r})")
    if (by is None) == (to is None):
        raise ValueError("say how far: by a duration, or to='next', to='idle' or an instant")
    body = given(
        seconds=None if by is None else seconds(by),
        to=to.isoformat() if isinstance(to, datetime) else to,
        at_most=None if at_most is None else text(at_most),
        wall_limit=seconds(wall_limit),
    )
    target = path("v1", "tenants", tenant, "clock", "advance")
    patience = seconds(wall_limit) + SLACK
    reply = yield from ask(Exchange("POST", target, body=document(body), timeout=patience))
    return Advanced.read(reply.document())


def place(
    tenant: str,
    provider: str,
    number: str,
    *,
    operation: str | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Flow[Placed]:
    """Place a test call to ``number`` as a client would, over the traffic port, with the tenant's credentials.

    ``operation`` is the provider's first by default; ``fields`` are laid over the documented
    example's, None leaves one out. Raises Conflict when the provider places no calls.
    """
    body = given(provider=provider, number=number, operation=operation, fields=fields)
    reply = yield from ask(
        Exchange("POST", path("v1", "tenants", tenant, "place"), body=document(body), timeout=PLACE_TIMEOUT)
    )
    return Placed.read(reply.document())
