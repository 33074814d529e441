"""What the traffic port answers outside of any operation: paths nobody serves, links to downloads, and pushes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from aiohttp import web

from voice_emulator.core.tenancy import Tenancy
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.wire.http.agent import AGENT
from voice_emulator.wire.traffic.failures import failure_reply
from voice_emulator.wire.traffic.faults import Hanging, put_on_the_wire
from voice_emulator.wire.traffic.pipeline import RequestPipeline

log = logging.getLogger(__name__)


def is_push(request: Request) -> bool:
    """Whether an emulator sent this request as a receipt."""
    return request.headers.get("user-agent") == AGENT


class Outside:
    """Journals such requests for the tenant ``default``; no rule acts on them."""

    def __init__(
        self,
        tenancy: Tenancy,
        passage: RequestPipeline,
        hanging: Hanging,
    ) -> None:
        """``passage`` has the journal, and hears of the end."""
        self._tenancy = tenancy
        self._passage = passage
        self._hanging = hanging
        self._told = False

    async def push(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        """A receipt that came to a traffic port: through a port mapping, or from another emulator.

        Carried out, it could place a call whose receipt comes here again, for ever.
        """
        why = "this is a push of an emulator: its callback URL leads to a traffic port"
        if not self._told:
            self._told = True
            log.warning("push refused: %s; set the callback URL to the receiver of your application", why)
        return await self._reply(raw, request, failure_reply(508, why), [])

    async def lost(self, raw: web.BaseRequest, request: Request, why: str) -> web.StreamResponse:
        """No provider serves this path: our own failure."""
        return await self._reply(raw, request, failure_reply(404, why), [Problem("unknown-path", why)])

    async def tunnel(self, raw: web.BaseRequest, request: Request) -> web.StreamResponse:
        """CONNECT: a client that takes the emulator for a proxy to an https:// URL."""
        why = (
            "CONNECT is not served: the emulator is no proxy for https:// URLs; make its own address the base URL, "
            "or use http:// through the proxy setting"
        )
        reply = failure_reply(405, why)
        reply.headers += (("Allow", "GET, POST"),)
        return await self._reply(raw, request, reply, [Problem("method", why)])

    async def download(
        self,
        raw: web.BaseRequest,
        request: Request,
        serve: Callable[[Request], Reply],
        methods: frozenset[str],
    ) -> web.StreamResponse:
        """A link that a provider gave out, for instance to a recording."""
        request.tenant = self._tenancy.default
        request.now = request.tenant.now
        if request.method not in methods and request.method != "HEAD":
            why = f"{request.path} answers {' and '.join(sorted(methods))}, not {request.method}"
            reply = failure_reply(405, why)
            reply.headers += (("Allow", ", ".join(sorted(methods))),)
            return await self._reply(raw, request, reply, [Problem("method", why)])
        return await self._reply(raw, request, serve(request), [])

    async def _reply(
        self, raw: web.BaseRequest, request: Request, reply: Reply, problems: list[Problem]
    ) -> web.StreamResponse:
        tenant = request.tenant = self._tenancy.default
        request.now = tenant.now
        record = self._passage.journal(request, time.perf_counter())
        record.reply, record.problems = reply, problems
        try:
            return await put_on_the_wire(raw, record, reply, None, 0, (), self._hanging)
        finally:
            self._passage.finished(tenant, record)
