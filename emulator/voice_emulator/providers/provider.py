"""What a provider is: one frozen value, whose slots are data or small pure functions.

Nothing outside a provider's folder knows its fields, codes or headers. The gateway walks through
the slots in the order of DESIGN: identify, authenticate, schema, check, submit, answer; whatever is
wrong on the way becomes a :class:`Problem`, and :attr:`Provider.refuse` renders the one that wins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.attempts import PushReply
from voice_emulator.core.calls import Call
from voice_emulator.core.pushes import Push
from voice_emulator.core.scenario import ReceiptEffect
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.contract import NO_CONTRACT, Contract
from voice_emulator.providers.request import Operation, Problem, Reply, Request
from voice_emulator.providers.settings import Provenance, SettingTable


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """One code a provider may answer with.

    ``name`` is the symbolic name of a rule's ``reply.error``; ``code`` the wire code; ``text`` the
    wire text (of the default dialect); ``operations`` where it occurs, empty for everywhere.
    ``how`` says how to provoke it, or why it cannot be.
    """

    name: str
    code: str
    text: str
    meaning: str = ""
    operations: frozenset[str] = frozenset()
    provenance: Provenance = "documented"
    how: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """A path (exact, or a prefix that ends in ``/``) and the way to the operation behind it.

    ``select`` returns the operation's name, or a Problem when the request names none; ``serve``
    stands instead of it for downloads, which are no operations.
    """

    path: str
    select: Callable[[Request], str | Problem] | None = None
    serve: Callable[[Request], Reply] | None = None
    methods: frozenset[str] = frozenset({"POST"})
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push as it goes over the wire."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True)
class Envelope:
    """What a receipt kind's ``encode`` works with.

    ``fields`` are already spoiled as the scenario says; ``sent_at`` is the instant of this attempt
    on the tenant's clock. ``effect`` carries ``encoding``, ``bad_signature``, ``stale_timestamp``,
    ``duplicate_nonce`` and ``wrong_content_type``.
    """

    tenant: Tenant
    push: Push
    fields: dict[str, Any]
    url: str
    sent_at: int
    effect: ReceiptEffect


@dataclass(frozen=True, slots=True)
class Field:
    """What one receipt field means, for the page; ``source`` is the page that says so."""

    name: str
    meaning: str


@dataclass(frozen=True, slots=True)
class ReceiptKind:
    """One kind of push.

    ``url_key`` is the key of ``callback_urls``; ``schema`` names the schema of the fields.
    ``fields`` renders them from the tenant and the push (its call, or its subject). ``encode`` makes
    the request. ``judge`` returns None when a reply acknowledges the push as that provider expects,
    else the reason why not; ``tolerate`` is asked about such a reply, with the account's settings, and returns what
    is odd about one that is let pass all the same. ``corrupt`` maps a kind of corruption to the field that suffers;
    ``target`` gives a URL that beats the configured one; ``wanted`` whether this push is made at all.
    """

    name: str
    title: str
    source: str
    schema: str
    url_key: str
    fields: Callable[[Tenant, Push], dict[str, Any]]
    encode: Callable[[Envelope], PushRequest]
    judge: Callable[[PushReply], str | None]
    tolerate: Callable[[Mapping[str, Any], PushReply], str | None] = lambda settings, reply: None
    corrupt: Mapping[str, str] = field(default_factory=dict)
    target: Callable[[Tenant, Push], str | None] = lambda tenant, push: (
        push.call.submission.callback_url if push.call is not None else None
    )
    encodings: tuple[str, ...] = ("query", "form", "json")
    acknowledgement: str = ""
    text_values: bool = True


def as_they_are(
    tenant: Tenant, operation: Operation, fields: Mapping[str, Any], wall: int
) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of an example unchanged, and no headers: for a provider that asks for no credentials."""
    return dict(fields), {}


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider. A folder with such a value, and its schemas, is all it takes to add one.

    ``token_expired`` is the wire code a rule's ``token_expired`` fault answers with; ``causes`` the
    names and codes a rule's ``cause`` may use; ``call_id`` makes the id the customer is told for one
    call; ``contract`` is what the finding rules are told about the provider, and rules of its own.
    ``revive`` is called when a tenant comes back from a state file, with the pending pushes that are about no
    call: it works out anew what :meth:`Tenant.account_state` remembered of the calls, which are in the ledger.
    """

    id: str
    title: str
    description: str
    operations: Mapping[str, Operation]
    routes: tuple[Route, ...]
    receipts: Mapping[str, ReceiptKind]
    errors: tuple[ErrorCode, ...]
    default_credentials: Mapping[str, Any]
    keys: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]]
    settings: SettingTable
    refuse: Callable[[Request, Problem], Reply]
    causes: frozenset[str] = frozenset()
    cause_of: Callable[[Call], str] = lambda call: call.plan.cause or ""
    call_id: Callable[[Tenant, Request, Call, int], str] = lambda tenant, request, call, index: call.batch_id
    error_order: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
    token_expired: str | None = None
    url_keys: tuple[str, ...] = ()
    numbering: str = ""
    contract: Contract = NO_CONTRACT
    authorise: Callable[
        [Tenant, Operation, Mapping[str, Any], int], tuple[dict[str, Any], dict[str, str]]
    ] = as_they_are
    schemas: Path | None = None
    revive: Callable[[Tenant, Sequence[Push]], None] = lambda tenant, pushes: None

    def default_settings(self) -> Mapping[str, Any]:
        """Every setting with its default, as JSON values."""
        return self.settings.defaults()

    def read_settings(self, raw: Mapping[str, Any]) -> Mapping[str, Any]:
        """Settings as values for use. Raises ValueError naming provider and setting."""
        try:
            return self.settings.read(raw)
        except ValueError as error:
            raise ValueError(f"{self.id}.{error}") from error

    def credential_keys(self, credentials: Mapping[str, Any]) -> Iterable[Key]:
        """Directory keys of these credentials."""
        return [(self.id, kind, value) for kind, value in self.keys(credentials) if value]

    def find_error(self, wanted: str, operation: str) -> ErrorCode | None:
        """The error a rule names, by symbolic name or wire code, as ``operation`` has it."""
        named = [error for error in self.errors if wanted in (error.name, error.code)]
        fitting = [error for error in named if not error.operations or operation in error.operations]
        exact = [error for error in fitting if error.operations]
        return next(iter(exact or fitting), None)


def first_problem(problems: Sequence[Problem], order: Sequence[str]) -> Problem:
    """The problem whose code comes first in ``order``; codes not listed come last, as they came."""
    rank = {code: position for position, code in enumerate(order)}
    return min(problems, key=lambda problem: rank.get(problem.code, len(rank)))
