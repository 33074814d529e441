"""Watches every finished request and every push attempt, and enters what the rules find.

A request that went well costs next to nothing: which rules concern an operation is worked out once, and the rest
depends on cheap questions (was it refused? does it have a query string?). A rule that fails must not harm the request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace

from voice_emulator.contract.memory import Memory, memory_of
from voice_emulator.contract.rules import all_rules
from voice_emulator.contract.rules.derived import last_queries, orphaned_call, pages_unread
from voice_emulator.contract.rules.pushes import SLOW, PushContext, calls_json_otherwise, is_odd
from voice_emulator.contract.rules.requests import FORM_BYTES, HALF_ESCAPE
from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.findings import Finding
from voice_emulator.core.listeners import Listener
from voice_emulator.core.progress import DELIVERED, ENDED, REFUSED, REQUESTS, UNDELIVERED, Latency
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_value
from voice_emulator.core.vocabulary import Fate, PushOutcome
from voice_emulator.providers.contract import FindingRule, Hit, When
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Operation, Reply
from voice_emulator.providers.rule_context import LOSING, RuleContext, SeenRequest
from voice_emulator.schemas.validate import Schema, SchemaSet

log = logging.getLogger(__name__)


@plain_value
class Watched:
    """The rules that concern one operation, by what makes them look."""

    schema: Schema | None
    refused: tuple[FindingRule, ...]
    arrived: tuple[FindingRule, ...]
    query: tuple[FindingRule, ...]
    form: tuple[FindingRule, ...]
    placed: tuple[FindingRule, ...]
    remembered: tuple[FindingRule, ...]
    missing: tuple[tuple[str, FindingRule], ...] = ()
    present: tuple[tuple[str, FindingRule], ...] = ()
    shows_calls: bool = False


class Watch(Listener):
    """Keeps the verdict on all tenants up to date."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet) -> None:
        self._providers = providers
        self._schemas = schemas
        self._rules = all_rules(providers.values())
        self._pushed = [rule for rule in self._rules if rule.when is When.PUSHED]
        self._watched: dict[tuple[str, str], Watched] = {}

    def _sort(self, provider_id: str, name: str) -> Watched:
        """The rules for an operation; for requests that fit none, ``name`` is empty."""
        provider = self._providers.get(provider_id)
        operation = provider.operations.get(name) if provider is not None else None
        schema = self._schemas.get(operation.request) if operation is not None else None
        fitting: dict[When, tuple[FindingRule, ...]] = {}
        for when in When:
            fitting[when] = tuple(
                rule
                for rule in self._rules
                if rule.when is when
                and (not rule.operations or name in rule.operations)
                and (not rule.providers or (provider is not None and provider.id in rule.providers))
                and (when is not When.ARRIVED or _judges(rule, provider, operation))
            )
        arrived = fitting[When.ARRIVED]
        always = tuple(rule for rule in arrived if not rule.missing and not rule.present)
        return Watched(
            schema, fitting[When.REFUSED], always, fitting[When.QUERY], fitting[When.FORM],
            fitting[When.PLACED], fitting[When.REMEMBERED],
            missing=tuple((rule.missing, rule) for rule in arrived if rule.missing),
            present=tuple((rule.present, rule) for rule in arrived if rule.present),
            shows_calls=operation is not None and operation.queries_calls,
        )  # fmt: skip

    # --- tenants ------------------------------------------------------------------------------

    def call_ended(self, tenant: Tenant, call: Call, at: int) -> None:
        """Count the call and its cause."""
        memory_of(tenant).timeline.add(ENDED, at)
        provider = self._providers.get(call.submission.provider)
        if provider is not None:
            cause = provider.cause_of(call)
            if cause:
                tenant.totals.causes[provider.id, cause] += 1

    def derive_findings(self, tenant: Tenant) -> list[Finding]:
        """The findings that follow from the present state."""
        found = []
        for orphan in tenant.conservation.orphans:
            provider, operation, at = orphan.provider, orphan.operation, orphan.ended_at
            source = self._providers[provider].operations[operation].source
            found += [
                _finding(orphaned_call, hit, provider, operation, source, None, at)
                for hit in _tried(orphaned_call, orphan)
            ]
        for query in last_queries(tenant):
            found += [
                _finding(
                    pages_unread,
                    hit,
                    query.provider,
                    query.operation,
                    query.source,
                    query.entry_id or None,
                    query.at,
                )
                for hit in _tried(pages_unread, query)
            ]
        return found

    # --- requests -----------------------------------------------------------------------------

    def request_finished(self, tenant: Tenant, seen: SeenRequest) -> None:
        """Look at one finished request."""
        memory = memory_of(tenant)
        request, reply, fault = seen.request, seen.reply, seen.fault
        of = request.provider, request.operation_name
        watched = self._watched.get(of)
        if watched is None:
            watched = self._watched[of] = self._sort(*of)
        memory.timeline.add(REQUESTS, seen.at)
        if reply is not None and reply.code.startswith("emulator-5") and fault is None:
            memory.own_failures += 1
            return
        due: tuple[FindingRule, ...] = watched.arrived
        for header, rule in watched.missing:
            if not request.headers.get(header):
                due += (rule,)
        for name, rule in watched.present:
            if name in request.fields:
                memory.occasions[rule.id, request.provider] += 1
                due += (rule,)
        if fault is not None or seen.reply_rule is not None:
            _count_faults(tenant, seen)
        if seen.problems or reply is None or reply.refused or fault in LOSING:
            memory.timeline.add(REFUSED, seen.at)
            due += watched.refused
        if request.raw_query:
            due += watched.query
        if request.encoding in ("urlencoded", "text") and _odd_form(request.body):
            due += watched.form
        if seen.calls and (memory.lost or fault is not None or seen.cancelled or seen.reply_rule is not None):
            due += watched.placed
        if memory.refused_tokens:
            due += watched.remembered
        if due:
            self._check(tenant, seen, memory, watched, due)
        if watched.shows_calls and reply is not None and not reply.refused and fault not in LOSING:
            self._shown(tenant, seen, memory, reply)

    def _check(
        self, tenant: Tenant, seen: SeenRequest, memory: Memory, watched: Watched, due: Iterable[FindingRule]
    ) -> None:
        request = seen.request
        provider = self._providers.get(request.provider)
        context = RuleContext(tenant, seen, provider, memory, watched.schema)
        operation = request.operation
        name, source = (operation.name, operation.source) if operation is not None else ("", "")
        secrets = None
        for rule in due:
            for hit in _tried(rule, context):
                found = _finding(rule, hit, request.provider, name, source, seen.entry_id, tenant.now)
                if found.call_id is None and len(seen.calls) == 1:
                    found = replace(found, call_id=seen.calls[0])
                # A message may quote a secret of the request.
                if secrets is None:
                    secrets = seen.masker.secret_values(request.fields)
                self._enter(tenant, replace(found, message=seen.masker.text(found.message, secrets)))

    def _shown(self, tenant: Tenant, seen: SeenRequest, memory: Memory, reply: Reply) -> None:
        """A record query showed these calls to the client: enter that in the accounts."""
        request, contract = seen.request, self._providers[seen.request.provider].contract
        rows = contract.rows.get(request.operation_name)
        listed = rows(reply.payload) if rows is not None and reply.payload is not None else None
        for index, call in enumerate(reply.shown_calls):
            priced = contract.charge is not None and listed is not None and index < len(listed)
            told = contract.charge(listed[index]) if priced and contract.charge and listed else None
            tenant.conservation.shown(call, told)
        if memory.lost:
            # The client has queried the records, so it knows what it submits again from now on.
            memory.lost.clear()

    # --- pushes -------------------------------------------------------------------------------

    def attempt_finished(self, tenant: Tenant, attempt: Attempt) -> None:
        """Look at one finished attempt."""
        push, outcome = attempt.push, attempt.outcome
        provider = self._providers[push.provider]
        memory = memory_of(tenant)
        delivered = outcome is PushOutcome.DELIVERED
        charge = provider.contract.charge
        again = push.attempt != attempt.number
        shown = (attempt.fields, *attempt.others)
        for index, part in enumerate(push.parts):
            call, told = part.call, None
            if delivered and charge is not None and call is not None and call.fate is not Fate.ACKNOWLEDGED:
                told = charge(shown[index])
            tenant.conservation.attempted(part, outcome, again=again, ours=attempt.ours, told=told)
            if delivered and call is not None and memory.lost:
                memory.lost.forget((push.provider, call.number))
        memory.timeline.add(DELIVERED if delivered else UNDELIVERED, attempt.at)
        for name in attempt.faults:
            tenant.totals.faults[f"receipt.{name}"] += 1
        if attempt.reply is not None:
            latency = memory.latencies.get(push.provider)
            if latency is None:
                latency = memory.latencies[push.provider] = Latency()
            latency.add(attempt.duration)
        if attempt.url is not None and attempt.url.startswith("https:"):
            memory.occasions["receiver-tls-trouble", push.provider] += 1
        kind = provider.receipts[push.kind]
        looked_at = not delivered or attempt.duration > SLOW or is_odd(attempt)
        if looked_at or calls_json_otherwise(attempt, kind):
            context = PushContext(tenant, attempt, kind)
            for rule in self._pushed:
                for hit in _tried(rule, context):
                    found = _finding(
                        rule, hit, push.provider, push.kind, kind.source, attempt.entry_id, tenant.now
                    )
                    message = tenant.secrets.hide(found.message)
                    # Each of its receipts was as badly received.
                    for call_id in attempt.call_ids or (None,):
                        self._enter(tenant, replace(found, call_id=call_id, message=message))

    @staticmethod
    def _enter(tenant: Tenant, found: Finding) -> None:
        tenant.findings.add(found)
        tenant.journal.append("violation", found.at, found)
        tenant.events.publish("violation", found.at, found)


def _judges(rule: FindingRule, provider: Provider | None, operation: Operation | None) -> bool:
    """Whether requests of an operation give ``rule`` something to judge."""
    if provider is None or operation is None:
        return False
    return rule.judges is None or rule.judges(provider.contract, operation)


def _odd_form(body: bytes) -> bool:
    """Whether a form holds anything that the rule about encoding should look at."""
    return (
        bool(body.translate(None, FORM_BYTES))
        or b"=+" in body
        or (b"%" in body and HALF_ESCAPE.search(body) is not None)
    )


def _count_faults(tenant: Tenant, seen: SeenRequest) -> None:
    faults = tenant.totals.faults
    if seen.fault is not None:
        faults[f"fault.{seen.fault}"] += 1
    if seen.reply_rule is not None:
        verbatim = seen.reply is not None and seen.reply.code.startswith("verbatim")
        faults["reply.verbatim" if verbatim else "reply.error"] += 1


def _tried(rule: FindingRule, context: object) -> list[Hit]:
    try:
        return [hit if isinstance(hit, Hit) else Hit(hit) for hit in rule.check(context)]
    except Exception:
        log.exception("the rule %s failed", rule.id)
        return []


def _finding(
    rule: FindingRule, hit: Hit, provider: str, operation: str, source: str, entry: int | None, at: int
) -> Finding:
    return Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        provider=provider,
        operation=operation,
        message=hit.message[:1000],
        source=hit.source or rule.source or source,
        entry=entry,
        at=at,
        call_id=hit.call_id,
    )
