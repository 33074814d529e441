"""One recorded exchange: a request of the client and its reply, or a push of the provider and what answered it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from voice_emulator.providers.provider import Provider, ReceiptKind
from voice_emulator.providers.request import Request
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.traffic.attribution import open_names, secret_names
from voice_emulator.wire.traffic.decoding import decode
from voice_emulator.wire.traffic.push_fields import Guesser, in_array
from voice_emulator.wire.traffic.push_fields import decode as decode_push
from voice_emulator.wire.traffic.request_parsing import Headers, parse_request
from voice_emulator.wire.traffic.routes import RouteTable, claimed

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exchange:
    """What went over the wire, both ways.

    ``at`` is when it began, in microseconds since 1970, ``took`` how many microseconds it took. ``status`` is 0 where
    no reply came.
    """

    kind: Literal["request", "push"]
    provider: str
    at: int
    method: str
    url: str
    headers: Pairs = ()
    body: bytes = b""
    status: int = 0
    reply_headers: Pairs = ()
    reply: bytes = b""
    took: int = 0

    @property
    def is_push(self) -> bool:
        """Whether the provider sent it."""
        return self.kind == "push"

    @property
    def target(self) -> str:
        """Path and query of the URL."""
        rest = self.url.partition("://")[2] or self.url
        slash = min((at for at in map(rest.find, "/?") if at >= 0), default=len(rest))
        return rest[slash:] if rest[slash : slash + 1] == "/" else f"/{rest[slash:]}"


@dataclass(frozen=True, slots=True)
class Read:
    """An exchange as the emulator reads it.

    ``name`` is the operation or the kind of receipt, empty when it is none that the provider has. ``schema`` names
    that of ``fields``, ``numbers`` are the called numbers that a request names; ``receipts`` are the fields of each
    receipt in a push. ``unclear`` says why fields cannot be relied on, empty when they can. ``answer`` is the reply as
    JSON, None for another type.
    """

    exchange: Exchange
    name: str = ""
    schema: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    numbers: tuple[str, ...] = ()
    receipts: tuple[Mapping[str, Any], ...] = ()
    unclear: str = ""
    answer: Any = None
    places_calls: bool = False


class Reader:
    """Reads exchanges with the emulator's own eyes: routes, decoders and schemas of the installed providers."""

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self.providers = providers
        self.schemas = SchemaSet.load(providers)
        self._routes = RouteTable(providers)

    @cached_property
    def secret_names(self) -> set[str]:
        """The names of fields and headers with secrets."""
        return secret_names(self.providers.values(), self.schemas) | {"set-cookie"}

    @cached_property
    def open_names(self) -> set[str]:
        """Names that differ from one of these in case alone, and are none."""
        return open_names(self.providers.values())

    @cached_property
    def number_names(self) -> frozenset[str]:
        """The names of fields with called numbers."""
        return frozenset(name for schema in self.schemas for name in schema.numbers)

    @cached_property
    def _guessers(self) -> Mapping[str, Guesser]:
        return {name: Guesser({name: each}, self.schemas) for name, each in self.providers.items()}

    def request(self, method: str, target: str, headers: Pairs, body: bytes) -> Request | None:
        """A request to a provider, decoded, with operation and numbers; None when no provider takes it."""
        found = Headers(dict(headers))
        request = parse_request(method, target, found, body, "", "http")
        owners = self._routes.find(request.path)
        if not owners:
            return None
        decode(request, found.get("content-type", ""))
        chosen = owners[0] if len(owners) == 1 else claimed(request, owners)
        if chosen is None:
            return None
        request.provider, route = chosen
        select = route.select(request) if route.select is not None else None
        if isinstance(select, str):
            request.operation = self.providers[request.provider].operations[select]
            request.numbers = tuple(request.operation.numbers(request))
        return request

    def receipt_kind(self, provider: str, fields: Mapping[str, Any]) -> ReceiptKind | None:
        """The kind of receipt that a provider's push is most like."""
        guesser = self._guessers.get(provider)
        guessed = guesser.guess(fields) if guesser is not None else None
        return guessed[1] if guessed is not None else None

    def read(self, exchange: Exchange) -> Read:
        """An exchange with what the emulator makes of it."""
        if exchange.is_push:
            return self._push(exchange)
        request = self.request(exchange.method, exchange.target, exchange.headers, exchange.body)
        answer = json_of(exchange.reply)
        if request is None:
            return Read(exchange, unclear="no provider has this path", answer=answer)
        operation = request.operation
        return Read(
            exchange,
            request.operation_name,
            operation.request if operation is not None else "",
            request.document if isinstance(request.document, dict) else request.fields,
            request.numbers,
            (),
            unclear_of(request),
            answer,
            operation is not None and operation.places_calls,
        )

    def _push(self, exchange: Exchange) -> Read:
        receipts = in_array(exchange.body) or (push_fields(exchange),)
        kind = self.receipt_kind(exchange.provider, receipts[0])
        return Read(
            exchange,
            kind.name if kind is not None else "",
            kind.schema if kind is not None else "",
            receipts[0],
            (),
            receipts,
            "" if kind is not None else "it is like no receipt of this provider",
            json_of(exchange.reply),
        )


def unclear_of(request: Request) -> str:
    """Why another reader might find other numbers in a request than ours; empty when none can."""
    if request.faulty:
        return request.faulty[0].message
    if request.repeated:
        return f"the field {request.repeated[0]!r} comes twice"
    twice = request.query.keys() & (
        request.document.keys() if isinstance(request.document, dict) else _form_names(request)
    )
    if twice:
        return f"the field {min(twice)!r} is in the query and in the body"
    return "" if request.operation is not None else "it names no operation that the emulator knows"


def _form_names(request: Request) -> set[str]:
    body = (
        dict(decode_push("", request.headers.get("content-type", ""), request.body)) if request.body else {}
    )
    return set(body)


def push_fields(exchange: Exchange) -> dict[str, Any]:
    """The fields of a push."""
    return decode_push(
        exchange.target.partition("?")[2], header(exchange.headers, "content-type"), exchange.body
    )


def header(headers: Pairs, name: str) -> str:
    """The first value of a header; empty without one."""
    return next((value for key, value in headers if key.lower() == name), "")


def json_of(body: bytes) -> Any:
    """A JSON object or array; None for any other body."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a JSON value that has no members, with its path; ``*`` is any element of a list."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from leaves(item, f"{path}/{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item, f"{path}/*")
    else:
        yield path, value
