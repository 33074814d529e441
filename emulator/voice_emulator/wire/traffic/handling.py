"""What a provider answers: the steps of a request's life between attribution and the wire, in order.

Nothing here touches a socket. Whatever is wrong with a request becomes a problem; the provider's own
order of codes picks the one that is answered, the journal keeps them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from voice_emulator.core.calls import Call
from voice_emulator.core.draws import draw
from voice_emulator.core.faults import FaultEffect, HttpStatus, TokenExpired
from voice_emulator.core.lifecycle import place_in_turns, withdraw
from voice_emulator.core.matchers import Subject
from voice_emulator.core.scenario import ReplyEffect, Rule
from voice_emulator.core.turns import Turns
from voice_emulator.errors import ContractBug
from voice_emulator.providers.provider import Provider, first_problem
from voice_emulator.providers.request import Operation, Problem, Reply, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.failures import failure_reply, verbatim_reply

#: Where a request keeps what its schema has against it, until it is over.
VIOLATIONS = "violations"
#: From how many bytes on explaining what is wrong with a body, and looking at its fields, takes a while.
HEAVY = 64 * 1024
#: Calls that get their ids before others have their turn.
NAMED_AT_ONCE = 500

Select = Callable[[Request], str | Problem]


class Answering:
    """Turns an attributed request into the provider's reply and the calls behind it."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet, *, strict: bool) -> None:
        """Under ``strict`` a reply of ours that breaks its own schema is an error."""
        self._providers = providers
        self._strict = strict
        #: By the name that the operation has for it.
        self._schemas = {
            name: schemas.get(name)
            for provider in providers.values()
            for operation in provider.operations.values()
            for name in (operation.request, operation.reply)
        }

    def select(self, request: Request, select: Select | None) -> list[Problem]:
        """Find the operation; a method it does not have is a problem like any other."""
        problems = list(request.faulty)
        if select is None:
            return [*problems, Problem("no-operation", "the path names no operation")]
        chosen = select(request)
        if isinstance(chosen, Problem):
            return [*problems, chosen]
        operation = self._providers[request.provider].operations[chosen]
        request.operation = operation
        if request.method not in operation.methods:
            problems.append(
                Problem("method", f"{request.method} is not {' or '.join(sorted(operation.methods))}")
            )
        if request.body and request.encoding not in operation.accepts:
            wanted = ", ".join(sorted(operation.accepts))
            problems.append(Problem("encoding", f"the body is {request.encoding}, {chosen} reads {wanted}"))
        return problems

    def examine(self, request: Request, operation: Operation) -> Turns[list[Problem]]:
        """Everything wrong with it: credentials, schema, the operation's own checks."""
        problems = list(operation.authenticate(request))
        if not request.faulty:
            schema = self._schemas[operation.request]
            instance = request.document if request.encoding == "json" else request.fields
            if not schema.accepts(instance):
                explain = partial(schema.violations, instance)
                violations = (yield explain) if is_heavy(request) else explain()
                request.scratch[VIOLATIONS] = violations
                problems += [operation.explain(request, violation) for violation in violations]
        problems += operation.check(request)
        return problems

    def rules(self, request: Request, operation: Operation) -> Turns[tuple[Rule | None, Rule | None]]:
        """The rules whose reply and whose fault act on this request."""
        tenant = request.tenant
        if not tenant.rules.acts_on_requests:
            return None, None
        attempt = request.ordinal
        elapsed = request.now - tenant.scenario_loaded_at
        subject = Subject(
            request.provider, operation.name, request.numbers, request.fields, attempt, elapsed, is_heavy(request)
        )  # fmt: skip
        return (
            yield from tenant.rules.for_request_in_turns(
                subject, lambda rule, purpose: unit(request, rule, purpose)
            )
        )

    def respond(
        self, request: Request, record: RequestRecord, reply_rule: Rule | None, fault_rule: Rule | None
    ) -> Turns[tuple[Reply, Sequence[Call]]]:
        """The reply, and the calls that happen behind it."""
        provider, operation = self._providers[request.provider], request.operation
        if record.problems:
            order = (operation.order if operation is not None else ()) or provider.error_order
            return provider.refuse(request, first_problem(record.problems, order)), ()
        if operation is None:
            return failure_reply(404, "the request names no operation"), ()
        effect = fault_rule.fault if fault_rule is not None else None
        places = effect.places if effect is not None else True
        forced = self._expired(provider, request, operation, effect)
        if forced is None and reply_rule is not None and reply_rule.reply is not None:
            forced = self._ruled(provider, request, operation, reply_rule, reply_rule.reply)
            if forced is not None:
                record.reply_rule = reply_rule.name
                places = places and reply_rule.reply.places
        if forced is not None:
            return forced, (yield from self._place(provider, request, operation)) if places else ()
        if not places and effect is not None and not effect.fault.placed_by_default:
            # The client never sees this reply (a gateway's error stands in its place), so nothing is performed.
            status = effect.fault.status if isinstance(effect.fault, HttpStatus) else 502
            return failure_reply(status, "not performed: a rule put a gateway error in front"), ()
        calls = (yield from self._place(provider, request, operation)) if places else ()
        try:
            return operation.answer(request, calls), calls
        except Exception:
            withdraw(request.tenant, calls, request.now)
            raise

    def _ruled(
        self, provider: Provider, request: Request, operation: Operation, rule: Rule, effect: ReplyEffect
    ) -> Reply | None:
        """What a rule's ``reply`` answers; None when it names an error that this operation does not have."""
        if effect.error is None:
            return verbatim_reply(effect)
        error = provider.find_error(effect.error, operation.name)
        if error is None:
            return None
        return provider.refuse(request, Problem(error.code, f"rule {rule.name!r} says so", name=error.name))

    def _expired(
        self, provider: Provider, request: Request, operation: Operation, effect: FaultEffect | None
    ) -> Reply | None:
        """The provider's own refusal of an expired token, where a rule says so."""
        if effect is None or not isinstance(effect.fault, TokenExpired) or provider.token_expired is None:
            return None
        error = provider.find_error(provider.token_expired, operation.name)
        if error is None:
            return None
        return provider.refuse(request, Problem(error.code, "a rule expired the token", name=error.name))

    def _place(self, provider: Provider, request: Request, operation: Operation) -> Turns[Sequence[Call]]:
        if operation.submit is None:
            return ()
        submission = operation.submit(request)
        if submission is None:
            return ()
        calls = yield from place_in_turns(
            request.tenant, submission, request.numbers, request.fields, request.now, heavy=is_heavy(request)
        )
        for index, call in enumerate(calls):
            if index % NAMED_AT_ONCE == NAMED_AT_ONCE - 1:
                yield None
            if call.plan.cause is not None and call.plan.cause not in provider.causes:
                call.drop_cause()
            call.provider_id = provider.call_id(request.tenant, request, call, index)
        return calls

    def check_own(self, request: Request, reply: Reply) -> None:
        """Under ``--strict`` a reply of ours that breaks its own schema stops the process."""
        if not self._strict or request.operation is None or reply.payload is None:
            return
        schema = self._schemas[request.operation.reply]
        if not schema.accepts(reply.payload):
            wrong = "; ".join(f"{v.pointer}: {v.message}" for v in schema.violations(reply.payload))
            raise ContractBug(f"our reply to {request.operation.name} breaks {schema.name}: {wrong}")


def is_heavy(request: Request) -> bool:
    """Whether looking at the fields of ``request`` takes a while."""
    return len(request.body) + len(request.raw_query) > HEAVY


def unit(request: Request, rule: str, purpose: str) -> float:
    """Draw for one request: its key, then rule and purpose."""
    return draw(request.tenant.seed, *request.key, rule, purpose)
