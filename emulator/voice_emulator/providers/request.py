"""A request on its way through an operation, the operation itself, and the reply that comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from voice_emulator.core.accounts import Key
from voice_emulator.core.calls import Call
from voice_emulator.core.placing import Submission
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.settings import Provenance
from voice_emulator.schemas.validate import Violation


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse a request.

    ``code`` is the provider's wire code (or one of its own internal names), ``place`` a JSON
    Pointer into the fields or ``header:Name``, ``message`` a sentence for the journal, ``text`` the
    provider's wire text where it differs from the code's standard text. ``name`` is the symbolic
    name of the error a rule asked for, where several errors share one code.
    """

    code: str
    message: str
    place: str = ""
    text: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file part of a multipart form."""

    filename: str
    content_type: str
    content: bytes


NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(slots=True)
class Request:
    """One request. Header names are lower-case; ``fields`` is the decoded body merged with the query.

    ``encoding`` is how the body was read: ``json``, ``urlencoded``, ``multipart``, ``text`` (form
    fields under another content type) or ``none``. ``faulty`` holds what was wrong with the
    encoding itself. ``scratch`` is where an operation's checks leave what its answer needs.
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
    def key(self) -> tuple[object, ...]:
        """The key that ids of this request are drawn from: operation, first number, its count."""
        operation = self.operation.name if self.operation is not None else ""
        return (self.provider, operation, self.numbers[0] if self.numbers else "", self.ordinal)


#: Called numbers of one request: ten times what any operation takes. Further ones are neither counted nor kept.
NUMBERS_LIMIT = 50_000


def comma_separated(text: str) -> list[str]:
    """The items of a list of numbers, at most :data:`NUMBERS_LIMIT`: 15 MB of commas would be a list of 120 MB."""
    return text.split(",", NUMBERS_LIMIT)[:NUMBERS_LIMIT]


@dataclass(slots=True)
class Reply:
    """What goes back: ``payload`` is the JSON value behind ``body`` (None when it is not JSON).

    ``code`` is the wire code for journal, metrics and coverage; ``refused`` whether the reply turns
    the request down.
    """

    status: int
    body: bytes
    content_type: str
    code: str = ""
    refused: bool = False
    payload: Any = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Header:
    """A request header an operation reads; for OpenAPI and the page."""

    name: str
    description: str
    required: bool = False
    example: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a provider.

    ``accepts`` lists encodings of the body (``json``, ``urlencoded``, ``multipart``, ``text``,
    ``query``); ``request``, ``reply`` name schemas. Slots, all called with the request:

    * ``identify``: directory keys of what it carries, the first known one decides the tenant;
    * ``authenticate``: problems with the credentials, empty when they are good;
    * ``explain``: the problem that a schema violation amounts to;
    * ``check``: the operation's own checks, run whatever the schema said, so they must bear
      missing and malformed fields (and stay silent about what the schema has reported);
    * ``numbers``: the called numbers it names, for rules and the journal, also of bad requests;
    * ``submit``: the calls it asks for, None when it asks for none after all;
    * ``answer``: performs the operation (issues tokens, stores files) and renders the reply; the
      calls it placed come along.
    """

    name: str
    title: str
    source: str
    accepts: frozenset[str]
    request: str
    reply: str
    identify: Callable[[Request], Iterable[Key]]
    authenticate: Callable[[Request], Iterable[Problem]]
    explain: Callable[[Request, Violation], Problem]
    answer: Callable[[Request, Sequence[Call]], Reply]
    check: Callable[[Request], Iterable[Problem]] = lambda request: ()
    numbers: Callable[[Request], Sequence[str]] = lambda request: ()
    submit: Callable[[Request], Submission | None] | None = None
    order: tuple[str, ...] = ()
    methods: frozenset[str] = frozenset({"POST"})
    headers: tuple[Header, ...] = ()
    receipts: tuple[str, ...] = ()
    queries_calls: bool = False
    issues_token: bool = False
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
) -> Reply:
    """A reply with a compact JSON body, keys in the order given."""
    text = ascii_json(payload) if ascii_only else compact_json(payload)
    return Reply(status, text.encode("utf-8", "surrogatepass"), content_type, code, refused, payload)
