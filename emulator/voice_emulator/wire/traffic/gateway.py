"""The traffic port: the life of a request, from its first byte to the calls it starts.

:meth:`Gateway.handle` reads top to bottom in the order of docs/architecture.md. Calls begin only after the reply is on
the wire; a receipt overtakes its reply only where a rule says ``before_reply``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.core.accounts import Key
from voice_emulator.core.calls import Call
from voice_emulator.core.scenario import Rule
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.core.values import plain_record
from voice_emulator.providers.provider import Provider, Route
from voice_emulator.providers.request import Problem, Request
from voice_emulator.wire.http.request_body import BodyReader, BodyRefused, complete_body, is_complete
from voice_emulator.wire.http.response_writer import takes_direct_writes
from voice_emulator.wire.http.server import Connection
from voice_emulator.wire.relay.relay import NoOwner, Relay
from voice_emulator.wire.traffic.decoding import decode
from voice_emulator.wire.traffic.downloads import OtherRequests, is_push
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.failures import unread_failure
from voice_emulator.wire.traffic.faults import HeldRequests, send_plain, send_spoiled, write_plain
from voice_emulator.wire.traffic.handling import is_heavy, unit
from voice_emulator.wire.traffic.pipeline import RequestPipeline
from voice_emulator.wire.traffic.request_parsing import EXPLAIN_HEADER, headers_of, parse_request
from voice_emulator.wire.traffic.routes import Owners, RouteTable, claimed
from voice_emulator.wire.turns import apart, in_turns

log = logging.getLogger(__name__)

#: Bytes of a body. The largest documented one is an 8 MB audio file in Base64 (Uploading IVR Voice Files, Huawei CEC).
BODY_LIMIT = 16 * 1024 * 1024
#: Real seconds in which a body must arrive.
BODY_SECONDS = 60.0
#: Bytes of bodies that are being read or handled; above it, further bodies are refused.
BODIES_LIMIT = 64 * 1024 * 1024
#: Real seconds a reply waits for pushes that a rule sends before it.
OVERTAKING_LIMIT = 1.0


@plain_record
class _Prepared:
    """What :meth:`Gateway.at_once` leaves to :meth:`Gateway.handle`; ``problems`` as in RequestPipeline.answer."""

    request: Request
    route: Route
    problems: list[Problem] | None = None
    decoded: bool = True


#: A reply that can go out, where to, and the calls that it starts.
_Ready = tuple[asyncio.Transport, RequestRecord, Sequence[Call]]


class Gateway:
    """Serves all providers at their own paths."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        tenancy: Tenancy,
        pipeline: RequestPipeline,
        push_now: Callable[[Tenant], Awaitable[None]],
    ) -> None:
        """``push_now`` sends a tenant's due pushes and waits for them."""
        self.providers = providers
        self.pipeline = pipeline
        self._routes = RouteTable(providers)
        self._push_now = push_now
        self._held = HeldRequests()
        self._bodies = BodyReader(BODY_LIMIT, BODY_SECONDS, BODIES_LIMIT)
        self._others = OtherRequests(tenancy, pipeline, self._held)
        self._ready: list[_Ready] = []
        #: Replies that are done once something is kept, by that.
        self._waiting: dict[asyncio.Future[Any], list[_Ready]] = {}
        self._tenancy = tenancy
        #: Passes requests on to other replicas, where there are any.
        self.relay: Relay | None = None

    def at_once(self, connection: Connection, message: RawRequestMessage, stream: StreamReader) -> bool:
        """Answer a complete request as its bytes arrive; False when it needs waiting or is unusual.

        :meth:`handle` then does it; ``connection.prepared`` keeps what was done here.
        """
        started = time.perf_counter()
        transport = connection.transport
        waits = connection.pending is not None and connection.waits
        if transport is None or waits or not takes_direct_writes(message, transport):
            return False
        headers = headers_of(message.raw_headers, message.headers)
        request = parse_request(
            message.method, message.path, headers, b"", connection.peer, connection.scheme
        )
        owners = self._routes.find(request.path)
        if len(owners) != 1 or headers.unusual:
            return False
        route = self._taken(request, *owners[0])
        if route.serve is not None:
            return False
        request.body = complete_body(stream)
        if is_heavy(request):
            connection.prepared = _Prepared(request, route, decoded=False)
            return False
        decode(request, headers.get("content-type", ""))
        problems: list[Problem] | None = None
        try:
            problems = self.pipeline.receive(request, route.select)
        except Exception:  # noqa: BLE001 - handle() meets it again, answers it and logs it
            waits = True
        else:
            if self.relay is not None and not self.relay.serves(request, connection):
                connection.prepared = _Prepared(request, route, problems)
                return self.relay.at_once(connection, message, request)
            waits = request.tenant.rules.delays_replies or self.pipeline.takes_long(request)
        if waits:
            connection.prepared = _Prepared(request, route, problems)
            return False
        record, calls, _ = self.pipeline.answer(request, problems, route.select, started)
        if record.keeping is not None:
            self._send_later(connection, record.keeping.done, (transport, record, calls))
            return True
        # Replies of one round of the event loop go out together: waking a client once costs a fraction of waking it
        # for each reply.
        if not self._ready:
            asyncio.get_running_loop().call_soon(self._send_ready)
        self._ready.append((transport, record, calls))
        return True

    def _send_later(self, connection: Connection, kept: asyncio.Future[Any], ready: _Ready) -> None:
        connection.pending = kept
        together = self._waiting.get(kept)
        if together is None:
            together = self._waiting[kept] = []
            kept.add_done_callback(self._send_kept)
        together.append(ready)

    def _send_kept(self, kept: asyncio.Future[Any]) -> None:
        """Send the replies that waited for this."""
        self._send(
            [
                (transport, record, self.pipeline.kept(record, calls))
                for transport, record, calls in self._waiting.pop(kept)
            ]
        )

    def _send_ready(self) -> None:
        ready, self._ready = self._ready, []
        self._send(ready)

    def _send(self, ready: Sequence[_Ready]) -> None:
        for transport, record, _ in ready:
            write_plain(transport, record)
        tenant, now = None, 0
        for transport, record, calls in ready:
            if record.request.tenant is not tenant:
                # Calls of one round begin at the same instant: it is asked for, and kept in memory, once.
                tenant = record.request.tenant
                now = tenant.now
            try:
                self.pipeline.conclude(record, calls, now)
            except Exception:
                log.exception("the calls of a request could not be started")
                transport.abort()

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """The life of a request that takes time, or arrives in pieces."""
        connection = raw.protocol
        prepared: _Prepared | None = None
        if isinstance(connection, Connection):
            prepared, connection.prepared = connection.prepared, None
            if connection.pending is not None:
                await asyncio.wait([connection.pending])
                connection.pending = None
        if prepared is not None or is_complete(raw):
            return await self._handle(raw, prepared or complete_body(raw.content))
        try:
            body = await self._bodies.read(raw)
        except BodyRefused as error:
            return unread_failure(error.status, str(error))
        try:
            return await self._handle(raw, body)
        finally:
            self._bodies.release(len(body))

    async def _handle(self, raw: web.BaseRequest, given: _Prepared | bytes) -> web.StreamResponse:
        started = time.perf_counter()
        if isinstance(given, bytes):
            request = parse_request(
                raw.method,
                raw.raw_path,
                headers_of(raw.raw_headers, raw.headers),
                given,
                raw.remote or "",
                raw.scheme,
            )
            owners = self._routes.find(request.path)
            other = is_push(request) or request.method == "CONNECT" or not owners
            if self.relay is not None and (other or owners[0][1].serve is not None):
                passed = await self._pass_on(raw, request, () if other else owners[0][1].identify(request))
                if passed is not None:
                    return passed
            if is_push(request):
                return await self._others.refuse_push(raw, request)
            if request.method == "CONNECT":
                return await self._others.refuse_tunnel(raw, request)
            shared = len(owners) > 1
            route = await self._of_shared(request, owners) if shared else None
            if len(owners) == 1:
                route = self._taken(request, *owners[0])
            if route is None:
                if self.relay is not None and (passed := await self._pass_on(raw, request, ())) is not None:
                    return passed
                return await self._others.unknown_path(raw, request, self._routes.explain(request.path))
            if route.serve is not None:
                return await self._others.download(raw, request, route.serve, route.methods)
            given = _Prepared(request, route, decoded=shared)
        request = given.request
        if not given.decoded:
            await self._decode(request)
        if self.relay is not None and (passed := await self._of_replicas(raw, given)) is not None:
            return passed
        turns = self.pipeline.answer_in_turns(request, given.problems, given.route.select, started)
        record, calls, fault_rule = await in_turns(turns)
        if record.keeping is not None:
            calls = await self._kept(record, calls, record.keeping.done)
        try:
            if any(call.effect is not None and call.effect.before_reply for call in calls):
                await self._overtake(request.tenant, calls)
            return await self._reply(raw, record, fault_rule)
        finally:
            # Also when the client has gone: the provider dials whether or not its reply arrived.
            self.pipeline.conclude(record, calls)

    async def _kept(
        self, record: RequestRecord, calls: Sequence[Call], done: asyncio.Future[Any]
    ) -> Sequence[Call]:
        """The calls that a request starts, once they are kept: none if they cannot be."""
        try:
            await asyncio.wait([done])
        except asyncio.CancelledError:
            # The client has gone, and what is kept begins anyway.
            done.add_done_callback(
                lambda _: self.pipeline.conclude(record, self.pipeline.kept(record, calls))
            )
            raise
        return self.pipeline.kept(record, calls)

    def close(self) -> None:
        """End the requests that a rule holds open: the process is about to stop."""
        self._held.release()

    # --- other replicas -----------------------------------------------------------------------

    async def _of_replicas(self, raw: web.BaseRequest, given: _Prepared) -> web.StreamResponse | None:
        """Pass a request on to the owner of its tenant; None when it is answered here."""
        request, select = given.request, given.route.select
        try:
            problems = (
                given.problems if given.problems is not None else self.pipeline.receive(request, select)
            )
        except Exception:  # noqa: BLE001 - the pipeline meets it again, answers it and logs it
            return await self._pass_on(raw, request, ())
        passed = await self._pass_on(raw, request)
        if passed is None:
            # Its tenant may have been taken over just now, perhaps after it had been here before: as another object.
            stays = request.attributed and not request.tenant.closed
            given.problems = problems if stays else self.pipeline.receive(request, select)
            passed = self._homeless(request)
        return passed

    def _homeless(self, request: Request) -> web.StreamResponse | None:
        """The failure for a request that would be of ``default``, which is not here; None for any other."""
        if request.attributed or self._tenancy.get(DEFAULT_TENANT) is not None:
            return None
        return unread_failure(503, "no replica owns the tenant default at the moment")

    async def _pass_on(
        self, raw: web.BaseRequest, request: Request, keys: Iterable[Key] | None = None
    ) -> web.StreamResponse | None:
        """The same for a request with these keys; default: those of its operation."""
        if self.relay is None:
            return None
        if keys is not None:
            keys = tuple(keys)
            self._attribute(request, keys)
        try:
            passed = await self.relay.traffic(raw, request, keys)
        except NoOwner as error:
            if request.attributed and not request.tenant.closed:
                # The store does not answer. What need not be kept is answered anyway.
                return None
            return unread_failure(503, str(error))
        if passed is not None or keys is None:
            return passed
        self._attribute(request, keys)
        return self._homeless(request)

    def _attribute(self, request: Request, keys: Iterable[Key]) -> None:
        """Find the tenant of a request by these keys, as it is here now."""
        request.attributed = False
        found = self._tenancy.directory.find(keys)
        if found is not None:
            request.tenant, request.attributed = found, True

    # --- the steps ----------------------------------------------------------------------------

    async def _decode(self, request: Request) -> None:
        await apart(is_heavy(request), decode, request, request.headers.get("content-type", ""))

    async def _of_shared(self, request: Request, owners: Owners) -> Route | None:
        """The route of a request to a path that several providers have; None when none of them takes it."""
        await self._decode(request)
        found = claimed(request, owners)
        if found is None:
            request.provider = ""
            return None
        return self._taken(request, *found)

    @staticmethod
    def _taken(request: Request, provider: str, route: Route) -> Route:
        """Note the provider of a request; returns its route."""
        request.provider = provider
        if request.path == route.path:
            request.path = route.path  # the same string object, which all journal entries then share
        return route

    async def _overtake(self, tenant: Tenant, calls: Sequence[Call]) -> None:
        """End the calls whose receipt comes before the reply, and give the push a second's head start."""
        tenant.steps.finish_at_once(calls, tenant.now)
        tenant.engine.fire(tenant.now)
        await asyncio.wait([asyncio.ensure_future(self._push_now(tenant))], timeout=OVERTAKING_LIMIT)

    async def _reply(
        self, raw: web.BaseRequest, record: RequestRecord, fault_rule: Rule | None
    ) -> web.StreamResponse:
        """Put the reply on the wire, through the fault if there is one."""
        request, reply = record.request, record.reply
        if reply is None:
            raise AssertionError("no reply to send")
        effect = fault_rule.fault if fault_rule is not None else None
        extra = self._extra(record) if EXPLAIN_HEADER in request.headers else ()
        if effect is None and not extra:
            response = send_plain(raw, record, reply)
            if response is not None:
                return response
        latency = 0
        if fault_rule is not None and effect is not None and effect.latency is not None:
            latency = effect.latency.at(unit(request, fault_rule.name, "latency"))
        return await send_spoiled(raw, record, reply, effect, latency, extra, self._held)

    def _extra(self, record: RequestRecord) -> tuple[tuple[str, str], ...]:
        """The headers that name the rules that acted, for a client that asked."""
        named = [
            f"{kind}={name}"
            for kind, name in (("reply", record.reply_rule), ("fault", record.fault_rule))
            if name
        ]
        return (("Emulator-Rule", ("; ".join(named) or "none").encode("ascii", "replace").decode()),
                ("Emulator-Entry", str(record.entry_id)))  # fmt: skip
