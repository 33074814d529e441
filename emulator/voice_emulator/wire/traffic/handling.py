"""From an attributed request to the provider's reply: the steps in order, without touching a socket.

Whatever is wrong with a request becomes a problem. The provider's order of codes picks the one in the reply; the
journal keeps them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from voice_emulator.core.calls import Call
from voice_emulator.core.draws import draw
from voice_emulator.core.faults import FaultEffect, HttpStatus, TokenExpired
from voice_emulator.core.lifecycle import place_in_turns, withdraw
from voice_emulator.core.matchers import Subject
from voice_emulator.core.scenario import Rule
from voice_emulator.core.turns import Turns
from voice_emulator.errors import ContractBug
from voice_emulator.providers.provider import Provider, first_problem
from voice_emulator.providers.request import Operation, Problem, Reply, Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.traffic.failures import failure_reply, verbatim_reply

#: The key in ``Request.scratch`` for the violations of its schema.
VIOLATIONS = "violations"
#: Bytes. Explaining and matching longer bodies takes long.
HEAVY = 64 * 1024
#: Calls that get their ids in one turn.
NAMED_PER_TURN = 500

Select = Callable[[Request], str | Problem]


class Handling:
    """Makes the provider's reply to an attributed request, and the calls that it starts."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet, *, strict: bool) -> None:
        """With ``strict``, a reply of ours that violates its own schema is an error."""
        self._providers = providers
        self._strict = strict
        #: By name.
        self._schemas = {
            name: schemas.get(name)
            for provider in providers.values()
            for operation in provider.operations.values()
            for name in (operation.request, operation.reply)
        }

    def select(self, request: Request, select: Select | None) -> list[Problem]:
        """Find the operation; a wrong method is a problem like any other."""
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
            problems.append(Problem("encoding", f"the body is {request.encoding}; {chosen} reads {wanted}"))
        return problems

    def examine(self, request: Request, operation: Operation) -> Turns[list[Problem]]:
        """All its problems: credentials, schema, the operation's own checks."""
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
        """The rules whose reply and whose fault apply to this request."""
        tenant = request.tenant
        attempt = request.ordinal
        elapsed = request.now - tenant.scenario_loaded_at
        subject = Subject(
            request.provider, operation.name, request.numbers, request.fields, attempt, elapsed, is_heavy(request)
        )  # fmt: skip
        return (
            yield from tenant.rules.for_request(subject, lambda rule, purpose: unit(request, rule, purpose))
        )

    def respond(
        self, request: Request, record: RequestRecord, reply_rule: Rule | None, fault_rule: Rule | None
    ) -> Turns[tuple[Reply, Sequence[Call]]]:
        """The reply, and the calls that it starts."""
        provider, operation = self._providers[request.provider], request.operation
        if record.problems:
            order = (operation.order if operation is not None else ()) or provider.error_order
            return provider.refuse(request, first_problem(record.problems, order)), ()
        if operation is None:
            return failure_reply(404, "the request names no operation"), ()
        effect = fault_rule.fault if fault_rule is not None else None
        places = effect.places if effect is not None else True
        forced: Reply | None = None
        if effect is not None and isinstance(effect.fault, TokenExpired):
            forced = self._error(
                provider, request, operation, provider.token_expired, "a rule expired the token"
            )
        if forced is None and reply_rule is not None and (ruled := reply_rule.reply) is not None:
            why = f"rule {reply_rule.name!r} says so"
            forced = (
                verbatim_reply(ruled)
                if ruled.error is None
                else self._error(provider, request, operation, ruled.error, why)
            )
            if forced is not None:
                record.reply_rule = reply_rule.name
                places = places and ruled.places
        if forced is not None:
            return forced, (yield from self._place(provider, request, operation, effect)) if places else ()
        if not places and effect is not None and not effect.fault.placed_by_default:
            # The client gets a gateway's error instead of this reply, so nothing is performed.
            status = effect.fault.status if isinstance(effect.fault, HttpStatus) else 502
            return failure_reply(status, "not performed: a rule put a gateway error in front"), ()
        calls = (yield from self._place(provider, request, operation, effect)) if places else ()
        try:
            return operation.answer(request, calls), calls
        except Exception:
            withdraw(request.tenant, calls, request.now)
            raise

    def _error(
        self, provider: Provider, request: Request, operation: Operation, name: str | None, why: str
    ) -> Reply | None:
        """The provider's refusal with the error of this name; None when this operation does not have it."""
        error = provider.find_error(name, operation.name) if name is not None else None
        return (
            provider.refuse(request, Problem(error.code, why, name=error.name)) if error is not None else None
        )

    def _place(
        self, provider: Provider, request: Request, operation: Operation, effect: FaultEffect | None
    ) -> Turns[Sequence[Call]]:
        if operation.submit is None:
            return ()
        submission = operation.submit(request)
        if submission is None:
            return ()
        numbers = request.numbers
        if effect is not None and effect.in_part and len(numbers) > 1:
            numbers = numbers[:-1]
        calls = yield from place_in_turns(
            request.tenant, submission, numbers, request.fields, request.now, heavy=is_heavy(request)
        )
        for index, call in enumerate(calls):
            if index % NAMED_PER_TURN == NAMED_PER_TURN - 1:
                yield None
            if call.plan.cause is not None and call.plan.cause not in provider.causes:
                call.drop_cause()
            call.provider_id = provider.call_id(request.tenant, request, call, index)
        return calls

    def check_own(self, request: Request, reply: Reply) -> None:
        """With ``--strict``, a reply of ours that violates its own schema stops the process."""
        if not self._strict or request.operation is None or reply.payload is None:
            return
        schema = self._schemas[request.operation.reply]
        if not schema.accepts(reply.payload):
            wrong = "; ".join(f"{v.pointer}: {v.message}" for v in schema.violations(reply.payload))
            raise ContractBug(f"our reply to {request.operation.name} violates {schema.name}: {wrong}")


def is_heavy(request: Request) -> bool:
    """Whether reading the fields of ``request`` takes long."""
    return len(request.body) + len(request.raw_query) > HEAVY


def unit(request: Request, rule: str, purpose: str) -> float:
    """A draw for one request, by its key, the rule and the purpose."""
    return draw(request.tenant.seed, *request.key, rule, purpose)
