"""A request, the operation it names, and the reply."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.calls import Call
from voice_emulator.core.placing import Submission
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.providers.settings import Provenance
from voice_emulator.schemas.validate import Violation


@plain_value
class Problem:
    """One reason to refuse a request.

    ``code`` is the provider's wire code, or a name that only the provider knows. ``place`` is a JSON
    Pointer into the fields or ``header:Name``. ``message`` is a sentence for the journal. ``text`` is the
    text for the reply, if it is not the standard text of the code. ``name`` is the symbolic name of the
    error that a scenario rule asked for, since several errors can share one code.
    """

    code: str
    message: str
    place: str = ""
    text: str | None = None
    name: str = ""


@plain_value
class UploadedFile:
    """A file part of a multipart form."""

    filename: str
    content_type: str
    content: bytes


NOTHING: Mapping[str, Any] = MappingProxyType({})


@plain_record
class Request:
    """One request. Header names are lower-case; ``fields`` is the decoded body merged with the query.

    ``encoding`` is how the body was read: ``json``, ``urlencoded``, ``multipart``, ``text`` (form
    fields under another content type) or ``none``. ``faulty`` are the problems of the encoding itself.
    ``head_weight`` is roughly how many bytes of memory request line and headers take.
    ``scratch`` passes values from an operation's ``check`` to its ``submit`` and ``answer``.
    """

    provider: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    peer: str
    encoding: str = "none"
    fields: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    files: Mapping[str, UploadedFile] = field(default_factory=lambda: NOTHING)
    document: Any = None
    faulty: Sequence[Problem] = ()
    repeated: tuple[str, ...] = ()
    raw_query: str = ""
    host: str = ""
    scheme: str = "http"
    head_weight: int = 0
    operation: Operation | None = None
    tenant: Tenant = None  # type: ignore[assignment]  # set by attribution before any slot is called
    attributed: bool = False
    lenient: bool = False
    now: int = 0
    wall: int = 0
    ordinal: int = 0
    numbers: tuple[str, ...] = ()
    scratch: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> Mapping[str, Any]:
        """The tenant's settings for this provider, as values for use."""
        return self.tenant.settings[self.provider]

    @property
    def credentials(self) -> Mapping[str, Any]:
        """The tenant's credentials at this provider."""
        found: Mapping[str, Any] = self.tenant.credentials[self.provider]
        return found

    def text(self, name: str) -> str:
        """A field as text; empty when it is absent or not text. An empty value counts as absent."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    @property
    def operation_name(self) -> str:
        """Name of the operation; empty when the request names none."""
        return self.operation.name if self.operation is not None else ""

    @property
    def key(self) -> tuple[object, ...]:
        """The key for drawing ids of this request: provider, operation, first number, its count."""
        return (self.provider, self.operation_name, self.numbers[0] if self.numbers else "", self.ordinal)


#: Called numbers of one request: ten times what any operation takes. Further ones are neither counted nor kept.
NUMBERS_LIMIT = 50_000


def comma_separated(text: str) -> list[str]:
    """The items of a list of numbers, at most :data:`NUMBERS_LIMIT`: 15 MB of commas would be a list of 120 MB."""
    return text.split(",", NUMBERS_LIMIT)[:NUMBERS_LIMIT]


@plain_record
class Reply:
    """A reply. ``payload`` is the JSON value of ``body``, None for another type.

    ``code`` is the wire code for journal, metrics and coverage; ``refused`` whether the request is refused.
    ``shown_calls`` are the calls whose records a query returns, in the order of its rows. Without them the
    emulator does not know that the client has learned how these calls ended.
    """

    status: int
    body: bytes
    content_type: str
    code: str = ""
    refused: bool = False
    payload: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    shown_calls: Sequence[Call] = ()


@plain_value
class Header:
    """A request header an operation reads; for OpenAPI and the page."""

    name: str
    description: str
    required: bool = False
    example: str = ""
    secret: bool = False


@plain_value
class Operation:
    """One operation of a provider.

    ``accepts`` lists encodings of the body (``json``, ``urlencoded``, ``multipart``, ``text``,
    ``query``). ``request`` and ``reply`` name schemas; :func:`voice_emulator.providers.kit.tables.operations`
    fills them in. ``order`` replaces the provider's ``error_order``. ``queries_calls`` marks a record
    query: its reply sets :attr:`Reply.shown_calls`. ``changes`` marks what changes something at the provider without placing
    a call: uploads, say. Slots, all called with the request:

    * ``identify``: directory keys in the request; the first known one decides the tenant.
    * ``authenticate``: problems with the credentials.
    * ``explain``: the problem for a schema violation.
    * ``check``: the operation's own checks. They run for every request, so they must accept missing and
      malformed fields, and must not repeat what the schema reports.
    * ``numbers``: the called numbers, for rules and the journal, also of bad requests.
    * ``submit``: the calls it asks for; None for none.
    * ``answer``: performs the operation (issues tokens, stores files) and renders the reply. It gets the
      calls that were placed.
    """

    name: str
    title: str
    source: str
    accepts: frozenset[str]
    identify: Callable[[Request], Iterable[Key]]
    authenticate: Callable[[Request], Iterable[Problem]]
    explain: Callable[[Request, Violation], Problem]
    answer: Callable[[Request, Sequence[Call]], Reply]
    request: str = ""
    reply: str = ""
    check: Callable[[Request], Iterable[Problem]] = lambda request: ()
    numbers: Callable[[Request], Sequence[str]] = lambda request: ()
    submit: Callable[[Request], Submission | None] | None = None
    order: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset({"POST"})
    headers: tuple[Header, ...] = ()
    receipts: tuple[str, ...] = ()
    queries_calls: bool = False
    issues_token: bool = False
    changes: bool = False
    provenance: Provenance = "documented"

    @property
    def places_calls(self) -> bool:
        """Whether an accepted request dials numbers."""
        return self.submit is not None


JSON_TYPE = "application/json;charset=UTF-8"
#: JSON without spaces; ``json.dumps`` would make an encoder for every text.
compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
#: The same with every character beyond ASCII escaped.
ascii_json = json.JSONEncoder(separators=(",", ":")).encode


def json_reply(
    payload: Any,
    *,
    code: str,
    refused: bool = False,
    status: int = 200,
    content_type: str = JSON_TYPE,
    ascii_only: bool = False,
    shown_calls: Sequence[Call] = (),
) -> Reply:
    """A reply with a compact JSON body, keys in the order given."""
    text = ascii_json(payload) if ascii_only else compact_json(payload)
    body = text.encode("utf-8", "surrogatepass")
    return Reply(status, body, content_type, code, refused, payload, shown_calls=shown_calls)
