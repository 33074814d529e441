"""The traffic port: the life of a request, from its first byte to the calls it starts.

:meth:`Gateway.handle` reads top to bottom in the order of docs/architecture.md. Calls begin only
after the reply is on the wire; a receipt overtakes its reply solely by the rule ``before_reply``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.core.calls import Call
from voice_emulator.core.scenario import Rule
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider, Route
from voice_emulator.providers.request import Problem, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.http.response_writer import takes_direct_writes
from voice_emulator.wire.http.server import Connection
from voice_emulator.wire.traffic.decoding import decode
from voice_emulator.wire.traffic.downloads import Outside, is_push
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.failures import hasty_failure
from voice_emulator.wire.traffic.faults import Hanging, put_on_the_wire, send_plain, write_plain
from voice_emulator.wire.traffic.handling import is_heavy, unit
from voice_emulator.wire.traffic.pipeline import RequestPipeline
from voice_emulator.wire.traffic.request_body import BodyRefused, Intake, body_at_hand, is_at_hand, request_of
from voice_emulator.wire.traffic.routes import RouteTable
from voice_emulator.wire.turns import apart, in_turns

log = logging.getLogger(__name__)

#: Real seconds a reply waits for pushes that a rule sends before it.
OVERTAKING_LIMIT = 1.0
#: A client that sends this header hears in ``Emulator-Rule`` which rules acted.
EXPLAIN_HEADER = "emulator-explain"


class Gateway:
    """Serves all providers at their own paths."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        tenancy: Tenancy,
        push_now: Callable[[Tenant], Awaitable[None]],
        *,
        strict: bool = False,
        lenient: bool = False,
        on_bug: Callable[[str], None] | None = None,
    ) -> None:
        """``push_now`` carries a tenant's due pushes and waits for them; ``on_bug`` hears of ours under strict."""
        self.providers = providers
        self.passage = RequestPipeline(
            providers, schemas, tenancy, strict=strict, lenient=lenient, on_bug=on_bug
        )
        self._routes = RouteTable(providers)
        self._push_now = push_now
        self._hanging = Hanging()
        self._intake = Intake()
        self._outside = Outside(tenancy, self.passage, self._hanging)
        self._ready: list[tuple[asyncio.Transport, RequestRecord, Sequence[Call]]] = []

    def at_once(self, connection: Connection, message: RawRequestMessage, stream: StreamReader) -> bool:
        """Answer a request that is whole, within the arrival of its bytes; False when it may have to be waited for.

        Then, or when it is out of the ordinary, :meth:`handle` carries it, with what was read here kept by the
        ``connection``.
        """
        started = time.perf_counter()
        transport = connection.transport
        if transport is None or not takes_direct_writes(message, transport):
            return False
        request = request_of(
            message.method, message.path, message.headers, b"", connection.peer, connection.scheme
        )
        headers = request.headers
        route = self._routes.find(request.path)
        if route is None or route[1].serve is not None or "expect" in headers or EXPLAIN_HEADER in headers:
            return False
        if is_push(request):
            return False
        request.body = body_at_hand(stream)
        if is_heavy(request):
            connection.kept = request, None, False
            return False
        request.provider, target = route
        request.path = target.path if request.path == target.path else request.path
        decode(request, headers.get("content-type", ""))
        problems: list[Problem] | None = None
        try:
            problems = self.passage.receive(request, target.select)
        except Exception:  # noqa: BLE001 - it will be met again, where it is answered and told
            waits = True
        else:
            waits = request.tenant.rules.delays_replies or self.passage.takes_long(request)
        if waits:
            connection.kept = request, problems, True
            return False
        record, calls, _ = self.passage.answer(request, problems, target.select, started)
        # Replies to all that has come in one round of the event loop go out together: a client that is woken once
        # costs a fraction of one that is woken for each.
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._send_ready)
        self._ready.append((transport, record, calls))
        return True

    def _send_ready(self) -> None:
        ready, self._ready = self._ready, []
        for transport, record, _ in ready:
            write_plain(transport, record)
        for transport, record, calls in ready:
            try:
                self.passage.conclude(record, calls)
            except Exception:
                log.exception("the calls of a request could not begin")
                transport.abort()

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """The life of a request that takes its time, or comes in pieces."""
        if is_at_hand(raw) or (isinstance(raw.protocol, Connection) and raw.protocol.kept is not None):
            return await self._handle(raw, body_at_hand(raw.content))
        try:
            body = await self._intake.read_body(raw)
        except BodyRefused as error:
            return hasty_failure(error.status, str(error))
        try:
            return await self._handle(raw, body)
        finally:
            self._intake.release(len(body))

    async def _handle(self, raw: web.BaseRequest, body: bytes) -> web.StreamResponse:
        started = time.perf_counter()
        connection = raw.protocol
        problems: list[Problem] | None = None
        if isinstance(connection, Connection) and connection.kept is not None:
            request, problems, decoded = connection.kept
            connection.kept = None
            target = self._target(request)
            if target is None:
                raise AssertionError(f"{request.path} has lost its route")
            if not decoded:
                await apart(True, decode, request, request.headers.get("content-type", ""))
        else:
            request = request_of(raw.method, raw.raw_path, raw.headers, body, raw.remote or "", raw.scheme)
            if is_push(request):
                return await self._outside.push(raw, request)
            if request.method == "CONNECT":
                return await self._outside.tunnel(raw, request)
            target = self._target(request)
            if target is None:
                return await self._outside.lost(raw, request, self._routes.explain(request.path))
            if target.serve is not None:
                return await self._outside.download(raw, request, target.serve, target.methods)
            await apart(is_heavy(request), decode, request, request.headers.get("content-type", ""))
        answering = self.passage.answer_in_turns(request, problems, target.select, started)
        record, calls, fault_rule = await in_turns(answering)
        try:
            for call in calls:
                if call.effect is not None and call.effect.before_reply:
                    await self._overtake(request.tenant, calls)
                    break
            return await self._send(raw, record, fault_rule)
        finally:
            # Also when the client has gone: the provider dials whether or not its reply arrived.
            self.passage.conclude(record, calls)

    def close(self) -> None:
        """Let go of the requests that a rule keeps hanging: the process is about to stop."""
        self._hanging.release()

    # --- the steps ----------------------------------------------------------------------------

    def _target(self, request: Request) -> Route | None:
        """The route of a request, whose provider is noted; None when nobody serves the path."""
        route = self._routes.find(request.path)
        if route is None:
            return None
        request.provider, target = route
        if request.path == target.path:
            request.path = target.path  # the same text, of which the journal then holds one only
        return target

    async def _overtake(self, tenant: Tenant, calls: Sequence[Call]) -> None:
        """End the calls whose receipt precedes the reply, and give its push a second's head start."""
        tenant.steps.finish_at_once(calls, tenant.now)
        tenant.engine.fire(tenant.now)
        await asyncio.wait([asyncio.ensure_future(self._push_now(tenant))], timeout=OVERTAKING_LIMIT)

    async def _send(
        self, raw: web.BaseRequest, record: RequestRecord, fault_rule: Rule | None
    ) -> web.StreamResponse:
        """Put the reply on the wire, through the fault if there is one."""
        request, reply = record.request, record.reply
        if reply is None:
            raise AssertionError("a request is sent its reply before it has one")
        effect = fault_rule.fault if fault_rule is not None else None
        extra = self._extra(record) if EXPLAIN_HEADER in request.headers else ()
        if effect is None and not extra:
            response = send_plain(raw, record, reply)
            if response is not None:
                return response
        latency = 0
        if fault_rule is not None and effect is not None and effect.latency is not None:
            latency = effect.latency.at(unit(request, fault_rule.name, "latency"))
        return await put_on_the_wire(raw, record, reply, effect, latency, extra, self._hanging)

    def _extra(self, record: RequestRecord) -> tuple[tuple[str, str], ...]:
        """The headers that tell a client which asked for it what acted."""
        named = [
            f"{kind}={name}"
            for kind, name in (("reply", record.reply_rule), ("fault", record.fault_rule))
            if name
        ]
        return (("Emulator-Rule", ("; ".join(named) or "none").encode("ascii", "replace").decode()),
                ("Emulator-Entry", str(record.entry_id)))  # fmt: skip
