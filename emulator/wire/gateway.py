"""The traffic port: the life of a request, from its first byte to the calls it starts.

:meth:`Gateway.handle` reads top to bottom in the order of docs/architecture.md. Calls begin only
after the reply is on the wire; a receipt overtakes its reply solely by the rule ``before_reply``.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from aiohttp import web

from emulator.core.calls import Call
from emulator.core.lifecycle import finish_at_once, start
from emulator.core.masking import Masker
from emulator.core.scenario import Rule
from emulator.core.tenancy import Tenancy
from emulator.core.tenants import Tenant
from emulator.errors import StateError
from emulator.loading.schemas import SchemaSet
from emulator.providers.base import Provider
from emulator.providers.request import Problem, Reply, Request
from emulator.wire.answering import Answering, Select, unit
from emulator.wire.decoding import decode, decode_json
from emulator.wire.faults import Hanging, put_on_the_wire, send_plain
from emulator.wire.intake import BodyRefused, Intake, body_at_hand, request_of
from emulator.wire.own_replies import failure_reply, hasty_failure
from emulator.wire.record import RequestRecord, weight_of
from emulator.wire.routes import RouteTable

log = logging.getLogger(__name__)

#: From how many bytes on a reply's body counts for what the journal holds.
LONG_REPLY = 4_096
#: Ten times the numbers that any operation takes. What lies beyond is not counted, and not kept in the journal.
NUMBERS_LIMIT = 50_000
#: Real seconds a reply waits for pushes that a rule sends before it.
OVERTAKING_LIMIT = 1.0
#: A client that sends this header hears in ``Emulator-Rule`` which rules acted.
EXPLAIN_HEADER = "emulator-explain"

Watch = Callable[[Tenant, RequestRecord], None]


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
        self._tenancy = tenancy
        self._routes = RouteTable(providers)
        self._answering = Answering(providers, schemas, strict=strict)
        self._masker = Masker(_secret_names(providers.values(), schemas))
        self._push_now = push_now
        self._strict = strict
        self._lenient = lenient
        self._on_bug = on_bug
        self._unknown_keys_told: set[str] = set()
        self._hanging = Hanging()
        self._intake = Intake()
        #: Called with each finished request.
        self.watchers: list[Watch] = []
        #: Called before the reply goes out, with the calls behind it: what is accepted must be kept by then.
        #: Raises StateError when it cannot be.
        self.ahead: Callable[[Tenant, RequestRecord, Sequence[Call]], None] | None = None

    def masker(self, provider: str) -> Masker:
        """What hides secrets in what went to ``provider``: those of all, since clients err in their base URLs."""
        return self._masker

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """The life of a request."""
        started = time.perf_counter()
        try:
            body = body_at_hand(raw)
            if body is None:
                body = await self._intake.read_body(raw)
        except BodyRefused as error:
            return hasty_failure(error.status, str(error))
        request = request_of(raw, body)
        route = self._routes.find(request.path)
        if route is None:
            return await self._lost(raw, request, self._routes.explain(request.path))
        request.provider, target = route
        if request.path == target.path:
            request.path = target.path  # the same text, of which the journal then holds one only
        if target.serve is not None:
            return await self._download(raw, request, target.serve, target.methods)
        content_type = request.headers.get("content-type", "")
        if not decode_json(request, content_type):
            await decode(request, content_type)
        record, calls, fault_rule = self._answer(request, target.select, started)
        tenant = request.tenant
        try:
            for call in calls:
                if call.effect is not None and call.effect.before_reply:
                    await self._overtake(tenant, calls)
                    break
            return await self._send(raw, record, fault_rule)
        finally:
            # Also when the client has gone: the provider dials whether or not its reply arrived.
            record.duration = int((time.perf_counter() - started) * 1e6)
            if calls and not tenant.closed:
                start(tenant, calls, tenant.now)
            self._finished(tenant, record)

    def close(self) -> None:
        """Let go of the requests that a rule keeps hanging: the process is about to stop."""
        self._hanging.release()

    # --- the steps ----------------------------------------------------------------------------

    def _answer(
        self, request: Request, select: Select | None, started: float
    ) -> tuple[RequestRecord, Sequence[Call], Rule | None]:
        """Everything between decoding and the wire; raises nothing, a bug of ours is a reply too."""
        request.lenient = self._lenient
        tenant = request.tenant = self._tenancy.default
        answering = self._answering
        record: RequestRecord | None = None
        calls: Sequence[Call] = ()
        reply_rule = fault_rule = None
        try:
            problems = answering.select(request, select)
            tenant = self._attribute(request)
            record = self._journal(tenant, request, started)
            operation = request.operation
            if operation is not None:
                problems += answering.examine(request, operation)
                reply_rule, fault_rule = answering.rules(request, operation)
            record.problems = problems
            reply, calls = answering.respond(request, record, reply_rule, fault_rule)
            answering.check_own(request, reply)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not wear a provider's success
            if record is None:
                record = self._journal(tenant, request, started)
            reply = self._bug(request, error)
        record.reply = reply
        if calls:
            record.calls = tuple([call.id for call in calls])
        if reply_rule is not None or fault_rule is not None:
            tenant.rules.applied(reply_rule if record.reply_rule else None, fault_rule)
            record.fault_rule = fault_rule.name if fault_rule else None
        if self.ahead is not None:
            try:
                self.ahead(tenant, record, calls)
            except StateError as error:
                # What is not kept was never accepted.
                record.reply, record.calls, calls = self._bug(request, error), (), ()
        return record, calls, fault_rule

    def _attribute(self, request: Request) -> Tenant:
        """Find the tenant whose credential, token or issued id the request carries."""
        operation = request.operation
        if operation is None:
            tenant = request.tenant = self._tenancy.default
            request.now = tenant.now
            return tenant
        keys = list(operation.identify(request))
        found = self._tenancy.directory.find(keys)
        if found is None and keys:
            self._tell_unknown_key(request, keys[0])
        request.attributed = found is not None
        tenant = request.tenant = found or self._tenancy.default
        request.now = tenant.now
        numbers = request.numbers = tuple(operation.numbers(request)[:NUMBERS_LIMIT])
        request.ordinal = tenant.ledger.request_ordinal(
            request.provider, operation.name, numbers[0] if numbers else ""
        )
        return tenant

    def _journal(self, tenant: Tenant, request: Request, started: float) -> RequestRecord:
        """Enter the request before anything can go wrong with it; the reply is filled in later."""
        record = RequestRecord(
            request, self.masker(request.provider), request.now or tenant.now, started=started,
            weight=weight_of(request),
        )  # fmt: skip
        record.entry_id = tenant.journal.append("request", record.at, record).id
        name = request.operation.name if request.operation is not None else ""
        tenant.totals.requests[request.provider, name] += 1
        return record

    async def _overtake(self, tenant: Tenant, calls: Sequence[Call]) -> None:
        """End the calls whose receipt precedes the reply, and give its push a second's head start."""
        finish_at_once(tenant, calls, tenant.now)
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

    def _finished(self, tenant: Tenant, record: RequestRecord) -> None:
        weight, reply = record.weight, record.reply
        if reply is not None and len(reply.body) > LONG_REPLY:
            more = 3 * len(reply.body)
            tenant.journal.weigh(record.entry_id, more)
            weight += more
        tenant.events.publish("request", record.at, record, weight=weight)
        for watch in self.watchers:
            watch(tenant, record)

    # --- what is no operation -----------------------------------------------------------------

    async def _lost(self, raw: web.BaseRequest, request: Request, why: str) -> web.StreamResponse:
        """No provider serves this path: our own failure, journalled for ``default``."""
        request.tenant = self._tenancy.default
        return await self._reply_simply(raw, request, failure_reply(404, why), [Problem("unknown-path", why)])

    async def _download(
        self,
        raw: web.BaseRequest,
        request: Request,
        serve: Callable[[Request], Reply],
        methods: frozenset[str],
    ) -> web.StreamResponse:
        """A link that a provider gave out, for instance to a recording: no operation, no rule acts on it."""
        request.tenant = self._tenancy.default
        request.now = request.tenant.now
        request.scratch["tenancy"] = self._tenancy
        if request.method not in methods and request.method != "HEAD":
            why = f"{request.path} answers {' and '.join(sorted(methods))}, not {request.method}"
            reply = failure_reply(405, why)
            reply.headers += (("Allow", ", ".join(sorted(methods))),)
            return await self._reply_simply(raw, request, reply, [Problem("method", why)])
        return await self._reply_simply(raw, request, serve(request), [])

    async def _reply_simply(
        self, raw: web.BaseRequest, request: Request, reply: Reply, problems: list[Problem]
    ) -> web.StreamResponse:
        """Journal and answer what is no operation."""
        tenant = request.tenant
        request.now = tenant.now
        record = self._journal(tenant, request, time.perf_counter())
        record.reply, record.problems = reply, problems
        try:
            return await put_on_the_wire(raw, record, reply, None, 0, (), self._hanging)
        finally:
            self._finished(tenant, record)

    # --- details ------------------------------------------------------------------------------

    def _extra(self, record: RequestRecord) -> tuple[tuple[str, str], ...]:
        """The headers that tell a client which asked for it what acted."""
        named = [
            f"{kind}={name}"
            for kind, name in (("reply", record.reply_rule), ("fault", record.fault_rule))
            if name
        ]
        return (("Emulator-Rule", ("; ".join(named) or "none").encode("ascii", "replace").decode()),
                ("Emulator-Entry", str(record.entry_id)))  # fmt: skip

    def _bug(self, request: Request, error: Exception) -> Reply:
        name = request.operation.name if request.operation is not None else request.path
        log.error("the emulator failed at %s", name, exc_info=error)
        if self._strict and self._on_bug is not None:
            self._on_bug(f"{name}: {error}")
        return failure_reply(500, f"the emulator itself failed at {name}: {type(error).__name__}: {error}")

    def _tell_unknown_key(self, request: Request, key: tuple[str, str, str]) -> None:
        """One line per unknown key: what came, what ``default`` has, and the way around."""
        if key[0] == "id" or len(self._unknown_keys_told) > 1000:
            return
        shown = f"{request.provider} {key[1]} {key[2][:80]!r}"
        if shown in self._unknown_keys_told:
            return
        self._unknown_keys_told.add(shown)
        provider = self.providers[request.provider]
        known = dict(provider.keys(self._tenancy.default.credentials[provider.id])).get(key[1])
        log.warning(
            "nobody has %s; tenant 'default' has %r (register your own with PATCH /v1/tenants/default, "
            "or start with --auth lenient)",
            shown, known,
        )  # fmt: skip


def _secret_names(providers: Iterable[Provider], schemas: SchemaSet) -> set[str]:
    names = {"authorization"}
    for provider in providers:
        names |= provider.secrets
        for operation in provider.operations.values():
            names |= schemas.get(operation.request).secrets | schemas.get(operation.reply).secrets
            names |= {header.name for header in operation.headers if header.secret}
    return names
