"""A request's passage through the traffic port: received, answered, concluded, and journalled on the way.

No step here waits, and none touches a socket; :class:`voice_emulator.wire.traffic.gateway.Gateway` does that between them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence

from voice_emulator.core.calls import Call
from voice_emulator.core.lifecycle import NUMBER_COST, TURN
from voice_emulator.core.masking import Masker
from voice_emulator.core.scenario import Rule
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.turns import Turns, at_once
from voice_emulator.errors import StateError
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.attribution import Attribution, open_names, secret_names
from voice_emulator.wire.traffic.exchange import RequestRecord, weight_of
from voice_emulator.wire.traffic.failures import failure_reply
from voice_emulator.wire.traffic.handling import Answering, Select, is_heavy

log = logging.getLogger(__name__)

Watch = Callable[[Tenant, RequestRecord], None]


class RequestPipeline:
    """The steps, in the order of docs/architecture.md."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        schemas: SchemaSet,
        tenancy: Tenancy,
        *,
        strict: bool = False,
        lenient: bool = False,
        on_bug: Callable[[str], None] | None = None,
    ) -> None:
        """``on_bug`` hears of bugs of ours under ``strict``."""
        self._tenancy = tenancy
        self._attribution = Attribution(providers, tenancy)
        self._answering = Answering(providers, schemas, strict=strict)
        self._strict = strict
        self._lenient = lenient
        self._on_bug = on_bug
        #: What hides secrets in the journal: those of all providers, since clients err in their base URLs.
        self.masker = Masker(secret_names(providers.values(), schemas), open_names(providers.values()))
        #: Called with each finished request.
        self.watchers: list[Watch] = []
        #: Called before the reply goes out, with the calls behind it: what is accepted must be kept by then.
        #: Raises StateError when it cannot be.
        self.ahead: Callable[[Tenant, RequestRecord, Sequence[Call]], None] | None = None

    def receive(self, request: Request, select: Select | None) -> list[Problem]:
        """Find operation and tenant; nothing is counted or kept yet."""
        request.lenient = self._lenient
        request.tenant = self._tenancy.default
        problems = self._answering.select(request, select)
        self._attribution.attribute(request)
        return problems

    def answer(
        self, request: Request, problems: list[Problem] | None, select: Select | None, started: float
    ) -> tuple[RequestRecord, Sequence[Call], Rule | None]:
        """Everything between decoding and the wire; raises nothing, a bug of ours is a reply too.

        ``problems`` are those of :meth:`receive`, None when it has not been called.
        """
        return at_once(self.answer_in_turns(request, problems, select, started))

    @staticmethod
    def takes_long(request: Request) -> bool:
        """Whether :meth:`answer` would keep others waiting: :meth:`answer_in_turns` does not."""
        rules = request.tenant.rules
        per_number = NUMBER_COST + (rules.size if rules.acts_on_numbers else 0)
        return rules.size > TURN or per_number * len(request.numbers) > TURN or is_heavy(request)

    def answer_in_turns(
        self, request: Request, problems: list[Problem] | None, select: Select | None, started: float
    ) -> Turns[tuple[RequestRecord, Sequence[Call], Rule | None]]:
        """What :meth:`answer` does."""
        answering = self._answering
        record: RequestRecord | None = None
        calls: Sequence[Call] = ()
        reply_rule = fault_rule = None
        try:
            if problems is None:
                problems = self.receive(request, select)
            self._attribution.count(request)
            record = self.journal(request, started)
            operation = request.operation
            if operation is not None:
                problems += yield from answering.examine(request, operation)
                reply_rule, fault_rule = yield from answering.rules(request, operation)
            record.problems = problems
            reply, calls = yield from answering.respond(request, record, reply_rule, fault_rule)
            answering.check_own(request, reply)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not wear a provider's success
            if record is None:
                record = self.journal(request, started)
            reply = self._bug(request, error)
        record.reply = reply
        if calls:
            record.calls = tuple([call.id for call in calls])
        if reply_rule is not None or fault_rule is not None:
            request.tenant.rules.applied(reply_rule if record.reply_rule else None, fault_rule)
            record.fault_rule = fault_rule.name if fault_rule else None
        if self.ahead is not None:
            try:
                self.ahead(request.tenant, record, calls)
            except StateError as error:
                # What is not kept was never accepted.
                record.reply, record.calls, calls = self._bug(request, error), (), ()
        return record, calls, fault_rule

    def journal(self, request: Request, started: float) -> RequestRecord:
        """Enter the request before anything can go wrong with it; the reply is filled in later."""
        tenant = request.tenant
        masker = self.masker.within(tenant.secrets)
        at = request.now or tenant.now
        record = RequestRecord(request, masker, at, started=started, weight=weight_of(request))
        record.entry_id = tenant.journal.append("request", record.at, record).id
        tenant.totals.requests[request.provider, request.operation_name] += 1
        return record

    def conclude(self, record: RequestRecord, calls: Sequence[Call]) -> None:
        """The reply is on the wire, or never will be: the calls begin, and whoever watches is told."""
        tenant = record.request.tenant
        record.duration = int((time.perf_counter() - record.started) * 1e6)
        if calls and not tenant.closed and tenant.steps.begin(calls, tenant.now):
            asyncio.get_running_loop().call_soon(self._begin_more, tenant)
        self.finished(tenant, record)

    def _begin_more(self, tenant: Tenant) -> None:
        if tenant.steps.begin_more():
            asyncio.get_running_loop().call_soon(self._begin_more, tenant)

    def finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """A request is over, and nothing of its record changes any more."""
        # The journal has them in the order of arrival; who reads on wants those that are over.
        journal = tenant.journal
        journal.finished += 1
        record.finished = journal.finished
        more = record.more_weight
        if more:
            journal.weigh(record.entry_id, more)
        tenant.events.publish("request", record.at, record, weight=record.weight + more)
        for watch in self.watchers:
            watch(tenant, record)
        record.settle()

    def _bug(self, request: Request, error: Exception) -> Reply:
        name = request.operation_name or request.path
        log.error("the emulator failed at %s", name, exc_info=error)
        if self._strict and self._on_bug is not None:
            self._on_bug(f"{name}: {error}")
        return failure_reply(500, f"the emulator itself failed at {name}: {type(error).__name__}: {error}")
