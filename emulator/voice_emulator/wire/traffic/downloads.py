"""Requests that belong to no operation: unknown paths, links to downloads, CONNECT, and pushes of an emulator."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from aiohttp import web

from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.wire.http.agent import AGENT, CLIENT
from voice_emulator.wire.traffic.failures import failure_reply, unread_failure
from voice_emulator.wire.traffic.faults import HeldRequests, send_spoiled
from voice_emulator.wire.traffic.pipeline import RequestPipeline

log = logging.getLogger(__name__)


def is_push(request: Request) -> bool:
    """Whether an emulator sent this request as a receipt."""
    return request.headers.get("user-agent") == AGENT


class OtherRequests:
    """Answers them and journals them for the tenant ``default``; no rule applies."""

    def __init__(self, tenancy: Tenancy, pipeline: RequestPipeline, held: HeldRequests) -> None:
        self._tenancy = tenancy
        self._pipeline = pipeline
        self._held = held
        self._warned = False

    async def refuse_push(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        """Refuse a receipt that arrives at a traffic port, by way of a port mapping or from another emulator.

        Handled as a request, it could place a call whose receipt arrives here again, endlessly.
        """
        why = "this is a push of an emulator: its callback URL leads to a traffic port"
        if not self._warned:
            self._warned = True
            log.warning("push refused: %s; set the callback URL to the receiver of your application", why)
        return await self._reply(raw, request, failure_reply(508, why), [])

    async def unknown_path(self, raw: web.BaseRequest, request: Request, why: str) -> web.StreamResponse:
        """No provider serves this path."""
        if request.headers.get("user-agent") == CLIENT:
            # A command of ours at the wrong port tells its user. The client under test did nothing wrong.
            return unread_failure(404, why)
        return await self._reply(raw, request, failure_reply(404, why), [Problem("unknown-path", why)])

    async def refuse_tunnel(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        """CONNECT: the client uses the emulator as a proxy for an https:// URL."""
        why = (
            "CONNECT is not supported: the emulator is not a proxy for https:// URLs; use its address as the base URL, "
            "or use http:// through the proxy setting"
        )
        return await self._refuse_method(raw, request, why, "GET, POST")

    async def download(
        self,
        raw: web.BaseRequest,
        request: Request,
        serve: Callable[[Request], Reply],
        methods: frozenset[str],
    ) -> web.StreamResponse:
        """A link that a provider handed out, for instance to a recording."""
        self._attribute(request)
        if request.method not in methods and request.method != "HEAD":
            why = f"{request.path} takes {' and '.join(sorted(methods))}, not {request.method}"
            return await self._refuse_method(raw, request, why, ", ".join(sorted(methods)))
        return await self._reply(raw, request, serve(request), [])

    def _attribute(self, request: Request) -> Tenant:
        """To ``default``; where another replica owns that, to the tenant of the link."""
        tenant = self._tenancy.get(DEFAULT_TENANT) or request.tenant
        request.tenant, request.now = tenant, tenant.now
        return tenant

    async def _refuse_method(
        self, raw: web.BaseRequest, request: Request, why: str, allowed: str
    ) -> web.StreamResponse:
        reply = failure_reply(405, why)
        reply.headers += (("Allow", allowed),)
        return await self._reply(raw, request, reply, [Problem("method", why)])

    async def _reply(
        self, raw: web.BaseRequest, request: Request, reply: Reply, problems: list[Problem]
    ) -> web.StreamResponse:
        tenant = self._attribute(request)
        record = self._pipeline.journal(request, time.perf_counter())
        record.reply, record.problems = reply, problems
        try:
            return await send_spoiled(raw, record, reply, None, 0, (), self._held)
        finally:
            self._pipeline.finished(tenant, record)
