"""The control port: routing, who may enter, problems. What the routes do is in ``control_*.py``."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from aiohttp import web

from emulator.wire.asking import Asked, check_document, parse_json, read_body, read_query
from emulator.wire.control_routes import control_routes
from emulator.wire.events import Streams
from emulator.wire.guards import Guard
from emulator.wire.metrics import Metrics
from emulator.wire.problems import ControlError, invalid, respond
from emulator.wire.routing import ControlRoutes, Route
from emulator.wire.runtime import Runtime
from emulator.wire.waiting import Wakers

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Real seconds that streams and long polls are given to end when the emulator stops.
CLOSING = 1.0
_COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Server": "voice-emulator"}


class Control:
    """Serves the control port of one emulator."""

    def __init__(self, runtime: Runtime) -> None:
        """Work on ``runtime``, which needs no tenant yet."""
        self.runtime = runtime
        self.wakers = Wakers()
        self.metrics = Metrics(runtime)
        self.streams = Streams(runtime.providers, self.wakers)
        self.metrics.subscribers = lambda: self.streams.subscribers
        self.routes = control_routes(runtime.providers)
        self._table = ControlRoutes(self.routes)
        self._guard = Guard(runtime.options)
        self._kept: set[asyncio.Task[Any]] = set()
        runtime.tenancy.on_close.append(self.wakers.gone)

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
        asked = Asked(self, raw, route, dict(zip(route.in_path, values, strict=True)))
        if "id" in asked.path:
            # No tenant, no need to look at the rest.
            _ = asked.tenant
        asked.query = read_query(raw, route.query)
        await self._read_body(asked, route)
        return await route.answer(asked)

    async def _read_body(self, asked: Asked, route: Route) -> None:
        if route.body is None:
            return
        body = await read_body(asked.raw)
        kind = asked.raw.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind in route.body.texts or (route.body.texts and _looks_like_yaml(kind, body)):
            try:
                asked.text = body.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ControlError(
                    400, f"the body is not UTF-8: {error.reason} at byte {error.start}"
                ) from error
            return
        if not body:
            if route.body.required:
                raise invalid([("", "the body is missing")], "the body is invalid")
            asked.document = {}
            return
        asked.document = parse_json(body)
        check_document(route, asked.document)

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` to its end even if the client that waits for it goes away."""
        task = asyncio.ensure_future(work)
        self._kept.add(task)
        task.add_done_callback(self._let_go)
        return asyncio.shield(task)

    def _let_go(self, task: asyncio.Task[Any]) -> None:
        self._kept.discard(task)
        if not task.cancelled():
            # Whoever waits hears of it too; marked as seen for when nobody does any more.
            task.exception()

    async def close(self) -> None:
        """End all streams and long polls, and what was kept running."""
        self.wakers.close()
        await self.wakers.all_gone(CLOSING)
        for task in tuple(self._kept):
            task.cancel()
        if self._kept:
            await asyncio.wait(tuple(self._kept), timeout=CLOSING)


def _looks_like_yaml(kind: str, body: bytes) -> bool:
    """A body without a telling media type, as ``curl --data-binary @file`` sends it."""
    return not (kind == "application/json" or kind.endswith("+json")) and not body.lstrip().startswith(b"{")
