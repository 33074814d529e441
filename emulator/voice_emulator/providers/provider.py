"""A provider is one frozen value. Its slots are data or small pure functions.

Only a provider's own folder knows its fields, codes and headers. The traffic port calls the slots in
this order: identify, authenticate, schema, check, submit, answer. Whatever is wrong with a request
becomes a :class:`Problem`, and :attr:`Provider.refuse` renders the first one in ``error_order``.
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
from voice_emulator.core.scenario import ReceiptEffect, Retry
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.providers.contract import NO_CONTRACT, Contract
from voice_emulator.providers.request import Operation, Problem, Reply, Request
from voice_emulator.providers.settings import Provenance, SettingTable


@plain_value
class ErrorCode:
    """One error code of a provider.

    ``name`` is the symbolic name for a rule's ``reply.error``, ``code`` the wire code, ``text`` the wire
    text (of the default dialect). ``how`` says how to provoke it, or why it cannot be provoked.
    ``operations`` are those that reply with it; empty for all.
    """

    name: str
    code: str
    text: str
    how: str = ""
    provenance: Provenance = "documented"
    meaning: str = ""
    operations: frozenset[str] = frozenset()


@plain_value
class Route:
    """A path: exact, or a prefix that ends in ``/``.

    ``select`` returns the name of the operation, or a Problem when the request names none. A download
    has ``serve`` instead, which replies by itself. ``claims`` is asked where two providers have the same
    path, and only there: whether a request, decoded but not attributed, is for this one. The first that
    claims it gets it; else the one without ``claims``, of which there can be one on a path. ``identify`` gives the
    directory keys of a download; with several replicas, they say which one has it.
    """

    path: str
    select: Callable[[Request], str | Problem] | None = None
    serve: Callable[[Request], Reply] | None = None
    methods: frozenset[str] = frozenset({"POST"})
    operations: tuple[str, ...] = ()
    claims: Callable[[Request], bool] | None = None
    identify: Callable[[Request], Iterable[Key]] = lambda request: ()


@plain_value
class PushRequest:
    """A push as it goes over the wire."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


@plain_record
class Envelope:
    """What a receipt kind's ``encode`` gets.

    ``fields`` are already changed as the scenario says; ``sent_at`` is the instant of this attempt on the
    tenant's clock. ``encode`` applies the rest of ``effect``: ``encoding``, ``bad_signature``,
    ``stale_timestamp``, ``duplicate_nonce`` and ``wrong_content_type``. ``others`` are the fields of the
    receipts that travel in the same push; only a kind whose ``array`` is set has any.
    """

    tenant: Tenant
    push: Push
    fields: dict[str, Any]
    url: str
    sent_at: int
    effect: ReceiptEffect
    array: bool = False
    others: tuple[dict[str, Any], ...] = ()

    @property
    def content(self) -> dict[str, Any] | list[dict[str, Any]]:
        """What is sent: the fields, or a list of the fields of all its receipts."""
        return [self.fields, *self.others] if self.array else self.fields


@plain_value
class ReceiptKind:
    """One kind of push.

    ``schema`` names the schema of the fields, ``url_key`` is the key of ``callback_urls``;
    :func:`voice_emulator.providers.kit.tables.receipts` fills both in.

    * ``fields``: renders the fields from the tenant and the push (its call, or its subject).
    * ``encode``: makes the request.
    * ``judge``: None when a reply acknowledges the push, else the reason why it does not.
    * ``tolerate``: what is wrong with a reply that ``judge`` rejects but the account's settings accept.
    * ``corrupt``: the field that each kind of corruption changes.
    * ``target``: a URL that overrides the configured one.
    * ``encodings``: what a rule's ``encoding`` may name.
    * ``acknowledgement``: the expected reply, for documents and the test receiver.
    * ``array``: the body is a JSON array of receipts, each as ``schema`` says. How many travel together is
      for :attr:`voice_emulator.core.placing.ReceiptPlan.batch`.
    * ``answer_within``: real seconds that the provider waits for the reply, from its settings; None for
      what ``--callback-timeout`` says, which is also the most.
    """

    name: str
    title: str
    source: str
    fields: Callable[[Tenant, Push], dict[str, Any]]
    encode: Callable[[Envelope], PushRequest]
    judge: Callable[[PushReply], str | None]
    schema: str = ""
    url_key: str = ""
    tolerate: Callable[[Mapping[str, Any], PushReply], str | None] = lambda settings, reply: None
    corrupt: Mapping[str, str] = field(default_factory=dict)
    target: Callable[[Tenant, Push], str | None] = lambda tenant, push: (
        push.call.submission.callback_url if push.call is not None else None
    )
    encodings: tuple[str, ...] = ("query", "form", "json")
    acknowledgement: str = ""
    array: bool = False
    answer_within: Callable[[Mapping[str, Any]], float | None] = lambda settings: None

    @property
    def accepted_body(self) -> str:
        """A body with which HTTP 200 acknowledges the push; empty when none is known."""
        known = ("success", self.acknowledgement)
        return next((text for text in known if self.judge(PushReply(200, (), text.encode())) is None), "")


#: From tenant, operation, example fields and real time (microseconds) to the fields and headers to send.
Authorise = Callable[[Tenant, Operation, Mapping[str, Any], int], tuple[dict[str, Any], dict[str, str]]]


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """A provider. To add one, add a folder with such a value and its schemas, or install a plug-in (docs/add-a-provider.md).

    * ``keys``: kind and value of every credential that identifies a tenant.
    * ``call_id``: the id of one call that the client is given.
    * ``references``: other ids of one call that the client may know.
    * ``causes``: names and codes for a rule's ``cause``; ``cause_of`` is the cause of an ended call.
    * ``secrets``: fields and headers that are masked wherever they are shown.
    * ``token_expired``: the wire code for a rule's ``token_expired`` fault.
    * ``numbering``: the form of phone numbers, in words.
    * ``authorise``: fields and headers of an example request, with the tenant's credentials put in.
    * ``contract``: numbers for the finding rules, and rules of its own.
    * ``revive``: called when a tenant is restored from a state file, with the pending pushes that report
      no call. It rebuilds :meth:`Tenant.account_state` from the calls in the ledger.
    * ``schemas``: the folder of the schemas, with the golden files in its folder ``golden``; None for a
      built-in provider's.
    * ``retries``: its own words for a rule's ``receipt.retry``; ``<id>`` or ``<id>-<word>``.
    * ``example_settings``: settings with which every operation accepts an example, where the defaults do not.
    * ``api``: the version of these slots that it was made for (:data:`voice_emulator.providers.registry.API`).
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
    references: Callable[[Call], Iterable[str]] = lambda call: ()
    error_order: tuple[str, ...] = ()
    secrets: frozenset[str] = frozenset()
    token_expired: str | None = None
    numbering: str = ""
    contract: Contract = NO_CONTRACT
    authorise: Authorise = lambda tenant, operation, fields, wall: (dict(fields), {})
    schemas: Path | None = None
    revive: Callable[[Tenant, Sequence[Push]], None] = lambda tenant, pushes: None
    retries: Mapping[str, Retry] = field(default_factory=dict)
    example_settings: Mapping[str, Any] = field(default_factory=dict)
    api: int = 1

    @property
    def url_keys(self) -> tuple[str, ...]:
        """The keys of ``callback_urls`` that its receipts go by, each once."""
        return tuple(dict.fromkeys(kind.url_key for kind in self.receipts.values()))

    def paths_of(self, operation: str) -> list[str]:
        """The paths at which ``operation`` is served, the usual one first."""
        return [route.path for route in self.routes if operation in route.operations]

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
        """The directory keys of these credentials."""
        return [(self.id, kind, value) for kind, value in self.keys(credentials) if value]

    def errors_of(self, operation: str) -> list[ErrorCode]:
        """The errors that ``operation`` can reply with."""
        return [error for error in self.errors if not error.operations or operation in error.operations]

    def find_error(self, wanted: str, operation: str) -> ErrorCode | None:
        """The error a rule names, by symbolic name or wire code, as ``operation`` has it."""
        fitting = [error for error in self.errors_of(operation) if wanted in (error.name, error.code)]
        exact = [error for error in fitting if error.operations]
        return next(iter(exact or fitting), None)


def first_problem(problems: Sequence[Problem], order: Sequence[str]) -> Problem:
    """The problem whose code is first in ``order``; codes that are not listed come last, in the order found."""
    rank = {code: position for position, code in enumerate(order)}
    return min(problems, key=lambda problem: rank.get(problem.code, len(rank)))
