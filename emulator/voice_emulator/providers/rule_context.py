"""What a finding rule about requests gets: the finished request, its provider, and the memory of the tenant."""

from __future__ import annotations

from typing import Any, Protocol

from voice_emulator.core.accounts import Key
from voice_emulator.core.masking import Masker
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.contract import NO_CONTRACT, Contract
from voice_emulator.providers.provider import Provider, first_problem
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import Schema, Violation


class SentReply(Protocol):
    """What went on the wire."""

    status: int | None


#: Faults behind which the client cannot read its reply.
LOSING = frozenset(
    {"reset", "hang", "empty", "truncate", "garbage", "invalid_json", "http_status", "html_error"}
)


class SeenRequest(Protocol):
    """A finished request as rules see it; the traffic port's record of a request is one."""

    request: Request
    masker: Masker
    at: int
    problems: list[Problem]
    reply: Reply | None
    reply_rule: str | None
    fault: str | None
    calls: tuple[str, ...]
    entry_id: int
    cancelled: bool

    @property
    def sent(self) -> SentReply | None:
        """What the client could see of the reply."""


class RuleContext:
    """One finished request, the provider that handled it, and what the rules remember of the tenant."""

    __slots__ = ("_schema", "_violations", "memory", "provider", "seen", "tenant")

    def __init__(
        self, tenant: Tenant, seen: SeenRequest, provider: Provider | None, memory: Any, schema: Schema | None
    ) -> None:
        """``provider`` is None for an unknown path, ``schema`` for a request without an operation."""
        self.tenant = tenant
        self.seen = seen
        self.provider = provider
        self.memory = memory
        self._schema = schema
        self._violations: list[Violation] | None = None

    @property
    def request(self) -> Request:
        """The request itself."""
        return self.seen.request

    @property
    def operation(self) -> str:
        """Name of the operation, empty when the request names none."""
        return self.seen.request.operation_name

    @property
    def contract(self) -> Contract:
        """The provider's numbers and rules."""
        return self.provider.contract if self.provider is not None else NO_CONTRACT

    @property
    def violations(self) -> list[Violation]:
        """Where the request breaks the schema of its operation."""
        if self._violations is None:
            request = self.seen.request
            known = request.scratch.get("violations")
            if known is not None:
                self._violations = known
                return self._violations
            readable = self._schema is not None and not request.faulty
            instance = request.document if request.encoding == "json" else request.fields
            self._violations = self._schema.violations(instance) if readable and self._schema else []
        return self._violations

    @property
    def why_lost(self) -> str:
        """Why the client cannot have read the reply; empty when it could."""
        seen = self.seen
        if seen.fault in LOSING:
            return str(seen.fault)
        if seen.cancelled or seen.sent is None or seen.sent.status is None:
            return "the client went away"
        verbatim = (
            seen.reply_rule is not None and seen.reply is not None and seen.reply.code.startswith("verbatim")
        )
        return "not the provider's reply" if verbatim else ""

    def refused_for(self, codes: frozenset[str]) -> bool:
        """Whether the reply refused the request with one of ``codes``, names or wire codes.

        Of several problems only the one in the reply counts: the client learned of no other.
        """
        seen, provider, operation = self.seen, self.provider, self.seen.request.operation
        reply = seen.reply
        if reply is None or not reply.refused or provider is None or operation is None:
            return False
        if seen.problems:
            told = first_problem(seen.problems, operation.order or provider.error_order)
            return told.code in codes or told.name in codes
        # A scenario rule refused it. Only the wire code is known, which several errors may share.
        meant = [error for error in provider.errors_of(operation.name) if error.code == reply.code]
        return bool(meant) and all(error.name in codes or error.code in codes for error in meant)

    def tokens(self) -> list[Key]:
        """The tokens and issued ids in the request, as directory keys."""
        operation = self.seen.request.operation
        return [key for key in operation.identify(self.seen.request) if key[0] == "id"] if operation else []
