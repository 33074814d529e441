"""The control port: routing, who may enter, problems. What the routes do is in the modules beside this one."""

from __future__ import annotations

import asyncio
import logging

from aiohttp import web

from voice_emulator.wire.control.access import Guard
from voice_emulator.wire.control.openapi import control_document
from voice_emulator.wire.control.problems import ControlError, invalid, respond
from voice_emulator.wire.control.request import (
    Body,
    BodyBudget,
    ControlRequest,
    check_document,
    not_utf8,
    parse_json,
    read_body,
    read_query,
)
from voice_emulator.wire.control.routes import control_routes
from voice_emulator.wire.control.routing import ControlRoutes
from voice_emulator.wire.control.services import ControlServices
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.turns import HEAVY, apart

log = logging.getLogger(__name__)

_COMMON_HEADERS = {"X-Content-Type-Options": "nosniff"}


class Control:
    """Serves the control port of one emulator."""

    def __init__(self, runtime: Runtime) -> None:
        """Work on ``runtime``, which needs no tenant yet."""
        self.services = ControlServices(runtime)
        self.routes = control_routes(runtime.providers)
        self._table = ControlRoutes(self.routes)
        self.services.document = lambda: control_document(
            self.routes, runtime.providers, runtime.control, runtime.version
        )
        self._reading = BodyBudget()
        self._guard = Guard(runtime.options)

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
        if not response.prepared:
            for name, value in _COMMON_HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    async def _answer(self, raw: web.BaseRequest) -> web.StreamResponse:
        path = raw.path_qs.partition("?")[0].partition("#")[0]
        methods, values = self._table.find(path)
        shared = next(iter(methods.values()), None)
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
        asked = ControlRequest(self.services, raw, route, dict(zip(route.in_path, values, strict=True)))
        if "id" in asked.path:
            # No tenant, no need to look at the rest.
            _ = asked.tenant
        asked.query = read_query(raw, route.query)
        if route.body is None:
            return await route.answer(asked)
        body = await read_body(raw, self._reading)
        try:
            await self._take_body(asked, route.body, body)
            return await route.answer(asked)
        finally:
            self._reading.bytes -= len(body)

    async def _take_body(self, asked: ControlRequest, taken: Body, body: bytes) -> None:
        kind = asked.raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in taken.texts or (taken.texts and _looks_like_yaml(kind, body)):
            try:
                asked.text = body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise not_utf8(body, error) from error
            return
        if not body:
            if taken.required:
                raise invalid([("", "the body is missing")], "the body is invalid")
            asked.document = {}
            return
        heavy = len(body) > HEAVY
        asked.document = await apart(heavy, parse_json, body)
        await apart(heavy, check_document, asked.route, asked.document)

    async def close(self) -> None:
        """End all streams and long polls, and what was kept running."""
        await self.services.close()


def _looks_like_yaml(kind: str, body: bytes) -> bool:
    """A body without a telling media type, as ``curl --data-binary @file`` sends it."""
    return not (kind == "application/json" or kind.endswith("+json")) and not body.lstrip().startswith(b"{")
