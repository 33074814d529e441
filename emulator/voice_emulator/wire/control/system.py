"""What the control port says of the emulator itself: health, metrics, documents, scenarios, the web page, replicas."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web

from voice_emulator.core.shapes import Health, MutantState, Node, ShippedScenario
from voice_emulator.core.words import nearest
from voice_emulator.errors import StateError, UsageError
from voice_emulator.openapi.providers import provider_document
from voice_emulator.scenarios.schema import scenario_schema as schema_for
from voice_emulator.wire.control.problems import ControlError, missing, wrong
from voice_emulator.wire.control.request import ControlRequest, reply_json
from voice_emulator.wire.ownership import Replica
from voice_emulator.wire.relay.relay import NoOwner

#: The name of the only replica, where no store is shared.
ALONE = "local"
PAGE_FOLDER = Path(__file__).parents[2] / "ui"
PAGE_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".woff2": "font/woff2",
}
PEM = "application/x-pem-file"
#: The page takes everything from this port and sends nothing elsewhere; nobody may frame it.
PAGE_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


async def health(request: ControlRequest) -> web.Response:
    """``GET /health``, ``/livez``, ``/readyz``: 503 while starting and while stopping."""
    return reply_json(Health.shown(**request.services.health(request.route.path)))


async def metrics(request: ControlRequest) -> web.Response:
    """``GET /metrics``."""
    kind = "text/plain; version=0.0.4; charset=utf-8"
    return web.Response(body=request.services.metrics.text(), headers={"Content-Type": kind})


async def ca_file(request: ControlRequest) -> web.Response:
    """``GET /v1/tls/ca.pem``: the authority of a self-signed certificate, for clients to trust."""
    pem = request.runtime.ca_pem
    if pem is None:
        raise ControlError(404, "this emulator made no certificate itself: start it with --tls-self-signed")
    return web.Response(body=pem, headers={"Content-Type": PEM})


async def openapi_control(request: ControlRequest) -> web.Response:
    """``GET /openapi.json``: this very API."""
    return reply_json(request.services.document())


async def openapi_provider(request: ControlRequest) -> web.Response:
    """``GET /openapi/{provider}.json``."""
    runtime = request.runtime
    wanted = request.path["provider"][:60]
    name = wanted.removesuffix(".json")
    provider = runtime.providers.get(name)
    if provider is None or not wanted.endswith(".json"):
        files = [f"{known}.json" for known in runtime.providers]
        raise missing(f"there is no document {wanted!r}{nearest(wanted, files)}")
    return reply_json(provider_document(provider, runtime.schemas, runtime.traffic, runtime.version))


async def llms(request: ControlRequest) -> web.Response:
    """``GET /llms.txt``: how to use this emulator, for an agent."""
    return web.Response(text=request.services.guide(), content_type="text/plain", charset="utf-8")


async def scenario_schema(request: ControlRequest) -> web.Response:
    """``GET /scenario.schema.json``: what editors check and complete scenarios with."""
    return reply_json(schema_for(request.runtime.providers))


async def list_scenarios(request: ControlRequest) -> web.Response:
    """``GET /v1/scenarios``, by name."""
    after, limit = request.query["after"], request.query["limit"]
    shipped = [
        (name, text) for name, text in request.runtime.loader.shipped() if after is None or name > after
    ]
    page = [ShippedScenario.shown(name=name, description=text) for name, text in shipped[:limit]]
    return reply_json({"scenarios": page, "next": page[-1]["name"] if len(shipped) > limit else None})


async def get_scenario(request: ControlRequest) -> web.Response:
    """``GET /v1/scenarios/{name}``: the text of a shipped scenario."""
    try:
        scenario = request.runtime.loader.named(request.path["name"])
    except UsageError as error:
        raise missing(str(error)) from error
    return web.Response(
        body=scenario.text.encode(), headers={"Content-Type": "application/yaml; charset=utf-8"}
    )


async def get_mutant(request: ControlRequest) -> web.Response:
    """``GET /v1/mutant``: what it did at all replicas."""
    mutant = request.runtime.mutant
    states = [*await ask_others(request, "/v1/mutant"), {"acted": mutant.acted, "requests": mutant.requests}]
    requests: Counter[str] = Counter()
    for state in states:
        requests.update(state["requests"])
    return reply_json(
        MutantState.shown(
            name=mutant.name, provider=mutant.provider, acted=sum(state["acted"] for state in states),
            requests=dict(requests),
        )
    )  # fmt: skip


async def put_mutant(request: ControlRequest) -> web.Response:
    """``PUT /v1/mutant``: another one, or none, at all replicas; an unknown one changes nothing."""
    document, runtime = request.document, request.runtime
    try:
        overlay = runtime.mutant.put(document["name"], document.get("provider"))
    except UsageError as error:
        raise wrong("/name", str(error)) from error
    runtime.mutant.listen()
    runtime.tenancy.lay_over(overlay)
    await ask_others(request, "/v1/mutant", method="PUT", document=document)
    return await get_mutant(request)


async def page(request: ControlRequest) -> web.Response:
    """``GET /``."""
    return _page_file("index.html")


async def page_file(request: ControlRequest) -> web.Response:
    """``GET /ui/{file}``."""
    return _page_file(request.path["file"])


def _page_file(name: str) -> web.Response:
    # Compared with the names that are there, so that no name leads out of the folder.
    present = {entry.name: entry for entry in PAGE_FOLDER.iterdir()} if PAGE_FOLDER.is_dir() else {}
    found = present.get(name)
    if found is None or found.suffix not in PAGE_TYPES or not found.is_file():
        raise missing(f"the web page has no file {name[:100]!r}")
    headers = {
        "Content-Type": PAGE_TYPES[found.suffix],
        "Content-Security-Policy": PAGE_POLICY,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-cache",
    }
    return web.Response(body=found.read_bytes(), headers=headers)


async def list_nodes(request: ControlRequest) -> web.Response:
    """``GET /v1/nodes``: the replicas, the one that answers first."""
    runtime = request.runtime
    own = Node.shown(
        name=runtime.ownership.name if runtime.ownership is not None else ALONE,
        url=runtime.options.node_url or runtime.control,
        traffic=runtime.traffic,
        version=runtime.version,
        answers=True,
        tenants=[tenant.id for tenant in runtime.tenancy],
    )
    others = [] if request.relayed else await _others(request)
    found = await asyncio.gather(*(_asked(request, replica) for replica in others))
    return reply_json({"nodes": [own, *found], "next": None})


async def _asked(request: ControlRequest, replica: Replica) -> dict[str, Any]:
    relay = request.runtime.relay
    try:
        if relay is not None:
            status, document = await relay.ask(replica, "/v1/nodes")
            if status == 200:
                return dict(document["nodes"][0])
    except NoOwner:
        pass
    return Node.shown(name=replica.name, url=replica.url, traffic="", version="", answers=False, tenants=[])


async def _others(request: ControlRequest) -> list[Replica]:
    """The other replicas. Raises ControlError 503 when the store does not answer."""
    ownership = request.runtime.ownership
    if ownership is None:
        return []
    try:
        return [replica for replica in await ownership.replicas() if replica.name != ownership.name]
    except StateError as error:
        raise _unavailable(f"the store does not answer: {error}") from error


async def all_tenants(request: ControlRequest) -> list[str]:
    """The ids of the tenants of all replicas, the oldest first. Raises ControlError 503."""
    runtime = request.runtime
    if runtime.ownership is None or request.relayed:
        return [tenant.id for tenant in runtime.tenancy]
    try:
        return await runtime.ownership.tenants()
    except StateError as error:
        raise _unavailable(f"the store does not answer: {error}") from error


async def ask_others(
    request: ControlRequest, target: str, *, method: str = "GET", document: Any = None
) -> list[dict[str, Any]]:
    """The replies of all other replicas to one request; none when another replica passed this one on.

    Raises ControlError 503 when one does not answer.
    """
    relay = request.runtime.relay
    if relay is None or request.relayed:
        return []
    asked = [
        relay.ask(replica, target, method=method, document=document) for replica in await _others(request)
    ]
    answers = await of_all_replicas(asked)
    for status, answer in answers:
        if status != 200:
            raise ControlError(status, f"another replica refused: {answer['detail']}")
    return [answer for _, answer in answers]


async def of_all_replicas(asked: Iterable[Awaitable[Any]]) -> list[Any]:
    """What was asked of several replicas. Raises ControlError 503 when one does not answer."""
    try:
        return list(await asyncio.gather(*asked))
    except NoOwner as error:
        raise _unavailable(str(error)) from error


def _unavailable(why: str) -> ControlError:
    return ControlError(503, why, headers={"Retry-After": "1"})
