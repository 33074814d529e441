"""What a finding rule about requests works with: the finished request, and what its provider says about itself."""

from __future__ import annotations

from typing import Any, Protocol

from voice_emulator.core.accounts import Key
from voice_emulator.core.masking import Masker
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.contract import NO_CONTRACT, Contract
from voice_emulator.providers.provider import Provider
from voice_emulator.providers.request import Problem, Reply, Request
from voice_emulator.schemas.validate import Schema, Violation


class SentReply(Protocol):
    """What went on the wire."""

    status: int | None


class SeenRequest(Protocol):
    """A finished request as rules see it; the rim's record of a request is one."""

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
        ...


class Look:
    """What a rule about requests works with: the request, the provider it went to, what is remembered."""

    __slots__ = ("_schema", "_violations", "memory", "provider", "seen", "tenant")

    def __init__(
        self, tenant: Tenant, seen: SeenRequest, provider: Provider | None, memory: Any, schema: Schema | None
    ) -> None:
        """``provider`` and ``schema`` are None when the request went to none, or names no operation."""
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
        found = self.seen.request.operation
        return found.name if found is not None else ""

    @property
    def contract(self) -> Contract:
        """What the provider says about itself."""
        return self.provider.contract if self.provider is not None else NO_CONTRACT

    @property
    def violations(self) -> list[Violation]:
        """What the operation's schema has against the request."""
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

    def refused_for(self, codes: frozenset[str]) -> bool:
        """Whether the reply turned the request down for a reason among ``codes``, names or wire codes.

        Of several problems only the one that was answered counts: it is all the client was told.
        """
        seen, provider, operation = self.seen, self.provider, self.seen.request.operation
        reply = seen.reply
        if reply is None or not reply.refused or provider is None or operation is None:
            return False
        if seen.problems:
            order = operation.order or provider.error_order
            rank = {code: position for position, code in enumerate(order)}
            told = min(seen.problems, key=lambda problem: rank.get(problem.code, len(rank)))
            return told.code in codes or told.name in codes
        # A rule's doing: all that is known is the wire code, which several errors may share.
        meant = [
            error
            for error in provider.errors
            if error.code == reply.code and (not error.operations or operation.name in error.operations)
        ]
        return bool(meant) and all(error.name in codes or error.code in codes for error in meant)

    def tokens(self) -> list[Key]:
        """The tokens and issued ids the request carries, as directory keys."""
        operation = self.seen.request.operation
        return [key for key in operation.identify(self.seen.request) if key[0] == "id"] if operation else []
