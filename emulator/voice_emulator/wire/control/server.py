"""The control port: routing, who may enter, problems. What the routes do is in the modules beside this one."""

from __future__ import annotations

import asyncio
import logging
from functools import cached_property
from typing import Any

from aiohttp import web

from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import Unreachable
from voice_emulator.providers.kit.replies import one_line
from voice_emulator.wire.control.access import Guard
from voice_emulator.wire.control.problems import ControlError, invalid, respond
from voice_emulator.wire.control.request import (
    Body,
    ControlRequest,
    Route,
    check_document,
    check_encoding,
    parse_json,
    read_query,
    reply_json,
)
from voice_emulator.wire.control.routing import ControlRoutes
from voice_emulator.wire.control.services import ControlServices
from voice_emulator.wire.http.request_body import BodyReader, BodyRefused
from voice_emulator.wire.http.response_writer import SentResponse
from voice_emulator.wire.relay.frames import PATH
from voice_emulator.wire.relay.incoming import RelayedConnection
from voice_emulator.wire.relay.relay import NoOwner, NotAReplica, Relay
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.turns import HEAVY, apart

log = logging.getLogger(__name__)

#: Bytes of a body: no scenario and no change to a tenant is larger.
BODY_LIMIT = 1024 * 1024
#: Bytes of bodies that are being read or handled; above it, further bodies are refused.
BODIES_LIMIT = 32 * 1024 * 1024
#: Real seconds in which a body must arrive.
BODY_SECONDS = 30.0
#: The same as the routes of these paths, without loading the others.
PROBES = ("/health", "/livez", "/readyz")
_COMMON_HEADERS = {"X-Content-Type-Options": "nosniff"}


class Control:
    """Serves the control port of one emulator."""

    def __init__(self, runtime: Runtime) -> None:
        """Work on ``runtime``, which needs no tenant yet."""
        self.services = ControlServices(runtime)
        self._runtime = runtime
        self.services.guide = self._guide
        self.services.document = self._document
        self._bodies = BodyReader(BODY_LIMIT, BODY_SECONDS, BODIES_LIMIT)
        self._guard = Guard(runtime.options)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """The routes, loaded by the first request other than a probe: that is a tenth of the start."""
        from voice_emulator.wire.control.routes import control_routes

        return control_routes(self._runtime.providers)

    @cached_property
    def _table(self) -> ControlRoutes:
        return ControlRoutes(self.routes)

    def _document(self) -> dict[str, Any]:
        from voice_emulator.wire.control.document.openapi import control_document

        runtime = self._runtime
        return control_document(self.routes, runtime.providers, runtime.control, runtime.version)

    def _guide(self) -> str:
        # Imported on first use: serving does not need it.
        from voice_emulator.wire.control.document.llms import llms_text

        runtime = self._runtime
        return llms_text(runtime, runtime.tenancy.default, self.routes, runtime.control)

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; whatever goes wrong becomes a problem document."""
        try:
            response = await self._answer(raw)
        except ControlError as error:
            response = respond(error)
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("the control API failed at %s %s", raw.method, raw.path)
            response = respond(
                ControlError(500, f"the emulator itself failed: {type(error).__name__}: {error}")
            )
        if not isinstance(response, SentResponse) and not response.prepared:
            for name, value in _COMMON_HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _answer(self, raw: web.BaseRequest) -> web.StreamResponse:
        if raw.path_qs in PROBES and raw.method == "GET":
            self._guard.check(raw, public=True, page=False)
            return reply_json(self.services.health(raw.path_qs))
        path = raw.path_qs.partition("?")[0].partition("#")[0]
        relay, relayed = self._runtime.relay, isinstance(raw.protocol, RelayedConnection)
        if relay is not None and path.startswith(PATH):
            return await self._accept(relay, raw)
        methods, values = self._table.find(path)
        shared = next(iter(methods.values()), None)
        if not relayed:  # the replica to which the client came has let it in
            self._guard.check(
                raw, public=shared is not None and shared.public, page=shared is not None and shared.page
            )
        if shared is None:
            raise ControlError(404, self._table.explain(raw.path))
        route = methods.get("GET" if raw.method == "HEAD" else raw.method)
        if route is None:
            allowed = sorted({*methods, *(("HEAD",) if "GET" in methods else ())})
            raise ControlError(
                405,
                f"{raw.path[:200]} takes {', '.join(allowed)}, not {raw.method}",
                headers={"Allow": ", ".join(allowed)},
            )
        request = ControlRequest(self.services, raw, route, dict(zip(route.in_path, values, strict=True)))
        if relay is not None and (passed := await self._pass_on(relay, request)) is not None:
            return passed
        if "id" in request.path:
            # No tenant, no need to look at the rest.
            _ = request.tenant
        request.query = read_query(raw, route.query)
        if route.body is None:
            return await self._answered(request)
        body = await self._read_body(raw)
        try:
            await self._take_body(request, route.body, body)
            return await self._answered(request)
        finally:
            self._bodies.release(len(body))

    @staticmethod
    async def _accept(relay: Relay, raw: web.BaseRequest) -> web.StreamResponse:
        try:
            return await relay.accept(raw)
        except NotAReplica as error:
            raise ControlError(403, str(error), kind="not-a-replica") from None

    async def _pass_on(self, relay: Relay, request: ControlRequest) -> web.StreamResponse | None:
        """Pass a request about a tenant on to its owner; None when it is answered here."""
        tenant_id = request.path.get("id", DEFAULT_TENANT if request.route.of_default else None)
        if tenant_id is None:
            return None
        raw, held = request.raw, 0

        async def read(raw: web.BaseRequest) -> bytes:
            nonlocal held
            body = await self._read_body(raw)
            held = len(body)
            return body

        try:
            return await relay.control(raw, tenant_id, read)
        except NoOwner as error:
            if raw.method == "GET" and self._runtime.tenancy.get(tenant_id) is not None:
                # The store does not answer: what is here can still be read.
                return None
            headers = {"Retry-After": "1", "Emulator-Error": one_line(str(error))}
            raise ControlError(503, str(error), headers=headers) from error
        finally:
            self._bodies.release(held)

    async def _answered(self, request: ControlRequest) -> web.StreamResponse:
        """The reply of the route, once what it has changed is kept where replicas share it."""
        ownership = self._runtime.ownership
        if ownership is None or request.route.method == "GET":
            return await request.route.answer(request)
        try:
            response = await request.route.answer(request)
            await ownership.settled()
        except Unreachable as error:
            raise ControlError(503, str(error), headers={"Emulator-Error": one_line(str(error))}) from error
        return response

    async def _read_body(self, raw: web.BaseRequest) -> bytes:
        """The whole body. Raises ControlError 415 when it is compressed, and as BodyReader refuses it."""
        headers = {"Connection": "close"}
        coding = raw.headers.get("Content-Encoding", "").strip().lower()
        if coding and coding != "identity":
            message = f"a body compressed with {coding[:40]} is not accepted; send it uncompressed"
            raise ControlError(415, message, headers=headers)
        try:
            return await self._bodies.read(raw)
        except BodyRefused as error:
            if error.status == 503:
                headers["Retry-After"] = "1"
            raise ControlError(error.status, str(error), headers=headers) from None

    async def _take_body(self, request: ControlRequest, taken: Body, body: bytes) -> None:
        kind = request.raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in taken.texts or (taken.texts and _looks_like_yaml(kind, body)):
            check_encoding(body)
            request.text = body.decode()
            return
        if not body:
            if taken.required:
                raise invalid([("", "the body is missing")], "the body is invalid")
            request.document = {}
            return
        request.document = await apart(len(body) > HEAVY, parse_json, body)
        await apart(len(body) > taken.heavy, check_document, request.route, request.document)

    async def close(self) -> None:
        """End all streams and long polls, and what was kept running."""
        await self.services.close()


def _looks_like_yaml(kind: str, body: bytes) -> bool:
    """A body without a telling media type, as ``curl --data-binary @file`` sends it."""
    return not (kind == "application/json" or kind.endswith("+json")) and not body.lstrip().startswith(b"{")
