"""The steps of a request on the traffic port: received, answered, concluded, and journalled on the way.

No step waits or touches a socket; :class:`voice_emulator.wire.traffic.gateway.Gateway` does that between them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence

from voice_emulator.core.calls import Call
from voice_emulator.core.lifecycle import NUMBER_COST, TURN, take_back
from voice_emulator.core.masking import Masker
from voice_emulator.core.scenario import Rule
from voice_emulator.core.tenancy import Tenancy
from voice_emulator.core.tenants import DEFAULT_TENANT, Tenant
from voice_emulator.core.turns import Turns, at_once
from voice_emulator.errors import StateError, Unreachable
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.attribution import Attribution, open_names, secret_names
from voice_emulator.wire.traffic.exchange import RequestRecord, weight_of
from voice_emulator.wire.traffic.failures import failure_reply
from voice_emulator.wire.traffic.handling import Handling, Select

log = logging.getLogger(__name__)


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
    ) -> None:
        """Under ``strict`` a reply of ours that breaks its own schema is an error."""
        self._tenancy = tenancy
        self._attribution = Attribution(providers, tenancy)
        self._handling = Handling(providers, schemas, strict=strict)
        self._lenient = lenient
        self._listeners = tenancy.listeners
        #: Hides secrets in the journal, those of all providers: clients use wrong base URLs.
        self.masker = Masker(secret_names(providers.values(), schemas), open_names(providers.values()))

    def receive(self, request: Request, select: Select | None) -> list[Problem]:
        """Find operation and tenant; nothing is counted or kept yet."""
        request.lenient = self._lenient
        request.tenant = self._tenancy.get(DEFAULT_TENANT)  # type: ignore[assignment]  # None where another replica owns it
        problems = self._handling.select(request, select)
        self._attribution.attribute(request)
        return problems

    def answer(
        self, request: Request, problems: list[Problem] | None, select: Select | None, started: float
    ) -> tuple[RequestRecord, Sequence[Call], Rule | None]:
        """Everything between decoding and sending. Raises nothing: a bug in the emulator becomes a reply too.

        ``problems`` are those of :meth:`receive`, None when it has not been called.
        """
        return at_once(self.answer_in_turns(request, problems, select, started))

    @staticmethod
    def takes_long(request: Request) -> bool:
        """Whether :meth:`answer` to a request that is not heavy would block the event loop for long.

        :meth:`answer_in_turns` does not.
        """
        rules = request.tenant.rules
        per_number = NUMBER_COST + (rules.size if rules.acts_on_numbers else 0)
        return rules.size > TURN or per_number * len(request.numbers) > TURN

    def answer_in_turns(
        self, request: Request, problems: list[Problem] | None, select: Select | None, started: float
    ) -> Turns[tuple[RequestRecord, Sequence[Call], Rule | None]]:
        """As :meth:`answer`, in short turns."""
        handling = self._handling
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
                problems += yield from handling.examine(request, operation)
                if request.tenant.rules.acts_on_requests:
                    reply_rule, fault_rule = yield from handling.rules(request, operation)
            record.problems = problems
            reply, calls = yield from handling.respond(request, record, reply_rule, fault_rule)
            handling.check_own(request, reply)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not look like success
            if record is None:
                record = self.journal(request, started)
            reply = self._bug(request, error)
        record.reply = reply
        if calls:
            record.calls = tuple([call.id for call in calls])
        if reply_rule is not None or fault_rule is not None:
            request.tenant.rules.applied(reply_rule if record.reply_rule else None, fault_rule)
            record.fault_rule = fault_rule.name if fault_rule else None
        try:
            for told in self._listeners.reply_ready:
                record.keeping = told(request.tenant, record, calls)
        except Unreachable as error:
            calls = self.refuse(record, calls, error)
        except StateError as error:
            # What is not saved is not accepted.
            record.reply, record.calls, calls = self._bug(request, error), (), ()
        return record, calls, fault_rule

    def refuse(self, record: RequestRecord, calls: Sequence[Call], why: StateError) -> Sequence[Call]:
        """The request cannot be kept now: answer 503, and take its ``calls`` back. Returns those that are left: none."""
        tenant = record.request.tenant
        record.reply, record.calls = failure_reply(503, str(why)), ()
        if calls and not tenant.closed:
            take_back(tenant, calls)
        return ()

    def kept(self, record: RequestRecord, calls: Sequence[Call]) -> Sequence[Call]:
        """What the reply waited for is done, or has failed. Returns the calls to start."""
        keeping, record.keeping = record.keeping, None
        why = keeping.done.result() if keeping is not None else None
        if keeping is None or why is None or not (keeping.needed or record.request.tenant.closed):
            return calls
        return self.refuse(record, calls, why)

    def journal(self, request: Request, started: float) -> RequestRecord:
        """Journal the request before anything can go wrong with it; the reply is added later."""
        tenant = request.tenant
        masker = tenant.secrets.masker or self.masker.within(tenant.secrets)
        at = request.now or tenant.now
        record = RequestRecord(request, masker, at, started=started, weight=weight_of(request))
        record.entry_id = tenant.journal.append("request", record.at, record).id
        tenant.totals.requests[request.provider, request.operation_name] += 1
        return record

    def conclude(self, record: RequestRecord, calls: Sequence[Call]) -> None:
        """The reply is sent, or never will be: start the calls, and finish the record."""
        tenant = record.request.tenant
        record.duration = int((time.perf_counter() - record.started) * 1e6)
        if calls and not tenant.closed and tenant.steps.begin(calls, tenant.now):
            asyncio.get_running_loop().call_soon(self._begin_more, tenant)
        self.finished(tenant, record)

    def _begin_more(self, tenant: Tenant) -> None:
        if tenant.steps.begin_more():
            asyncio.get_running_loop().call_soon(self._begin_more, tenant)

    def finished(self, tenant: Tenant, record: RequestRecord) -> None:
        """A request is finished, and its record no longer changes."""
        # The journal is in the order of arrival; a reader that follows it needs the order of finishing too.
        journal = tenant.journal
        journal.finished += 1
        record.finished = journal.finished
        more = record.more_weight
        if more:
            journal.weigh(record.entry_id, more)
        tenant.events.publish("request", record.at, record, weight=record.weight + more)
        for told in self._listeners.request_finished:
            told(tenant, record)
        record.compact()

    def _bug(self, request: Request, error: Exception) -> Reply:
        name = request.operation_name or request.path
        log.error("the emulator failed at %s", name, exc_info=error)
        for told in self._listeners.bug_found:
            told(f"{name}: {error}")
        return failure_reply(500, f"the emulator itself failed at {name}: {type(error).__name__}: {error}")
