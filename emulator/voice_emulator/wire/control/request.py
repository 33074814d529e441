"""A route of the control API, and a request to it: path, query and body as declared, or a problem."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from voice_emulator.core.encodings import begins_with_mark, foreign
from voice_emulator.core.tenants import Tenant
from voice_emulator.core.values import plain_record, plain_value
from voice_emulator.core.words import nearest
from voice_emulator.schemas.validate import Schema
from voice_emulator.wire.control.parameters import Parameter
from voice_emulator.wire.control.problems import ControlError, invalid, missing
from voice_emulator.wire.control.services import ControlServices
from voice_emulator.wire.http.strict_json import JsonRefused, read_json
from voice_emulator.wire.relay.incoming import RelayedConnection
from voice_emulator.wire.runtime import Runtime
from voice_emulator.wire.turns import HEAVY, apart, takes_a_while

_QUERY_LIMIT = 50
JSON = "application/json"


@plain_value
class Body:
    """A JSON body: the schema it must satisfy, and other media types the route takes as text.

    A body that is not ``required`` may be left out and counts as ``{}``. ``check`` finds (pointer, message)
    pairs in an object that the schema leaves to code; the object need not satisfy the schema. One of more than
    ``heavy`` bytes is checked in another thread.
    """

    schema: Schema
    required: bool = True
    texts: tuple[str, ...] = ()
    check: Callable[[Mapping[str, Any]], Iterable[tuple[str, str]]] = lambda document: ()
    heavy: int = HEAVY


@plain_value
class ResponseSpec:
    """One reply of a route: status, sentence, and the name of the component schema of its body."""

    status: int
    description: str
    schema: str | None = None
    media: str = JSON


@plain_value
class Route:
    """One route. ``public`` ones need no token; ``page`` ones are opened by browsers.

    With several replicas the owner of the tenant ``{id}`` answers, or that of ``default`` where ``of_default``.
    """

    name: str
    method: str
    path: str
    summary: str
    answer: Handler
    replies: tuple[ResponseSpec, ...]
    query: tuple[Parameter, ...] = ()
    body: Body | None = None
    public: bool = False
    page: bool = False
    tag: str = "tenants"
    details: str = ""
    of_default: bool = False

    @property
    def in_path(self) -> tuple[str, ...]:
        """Names of the path's parameters."""
        return tuple(part[1:-1] for part in self.path.split("/") if part.startswith("{"))


@plain_record
class ControlRequest:
    """A request that fits its route: ``query`` and ``document`` hold values for use.

    ``document`` is the JSON body, ``text`` the body where it came as another media type.
    """

    services: ControlServices
    raw: web.BaseRequest
    route: Route
    path: Mapping[str, str]
    query: Mapping[str, Any] = field(default_factory=dict)
    document: Any = None
    text: str | None = None

    @property
    def runtime(self) -> Runtime:
        """The running emulator."""
        return self.services.runtime

    @property
    def relayed(self) -> bool:
        """Whether another replica passed it on: then this one answers for itself alone."""
        return isinstance(self.raw.protocol, RelayedConnection)

    @property
    def tenant(self) -> Tenant:
        """The tenant of the path. Raises ControlError 404."""
        wanted = self.path["id"]
        tenant = self.runtime.tenancy.get(wanted)
        if tenant is None:
            names = [known.id for known in self.runtime.tenancy][:1000]
            raise missing(f"there is no tenant {wanted[:100]!r}{nearest(wanted[:100], names)}")
        return tenant


Handler = Callable[[ControlRequest], Awaitable[web.StreamResponse]]


def reply_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``value`` as a JSON reply."""
    # A lone surrogate (a header byte that was no UTF-8) must not keep the journal from being read.
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    return web.Response(
        status=status, body=body, headers={"Content-Type": "application/json", **(headers or {})}
    )


async def reply_apart(weights: Iterable[int], value: Callable[[], Any]) -> web.Response:
    """What ``value()`` is, as a JSON reply; made in another thread when things of these weights take a while.

    ``value`` may look at what does not change any more, and at nothing that is walked through meanwhile.
    """
    return await apart(takes_a_while(weights), lambda: reply_json(value()))


def read_query(raw: web.BaseRequest, declared: tuple[Parameter, ...]) -> dict[str, Any]:
    """The query's values by declared name, defaults filled in. Raises ControlError 422 with every problem."""
    found: dict[str, Any] = {parameter.name: parameter.default for parameter in declared}
    known = {parameter.name: parameter for parameter in declared}
    text = raw.path_qs.partition("?")[2].partition("#")[0]
    errors: list[tuple[str, str]] = []
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_QUERY_LIMIT)
    except (ValueError, UnicodeDecodeError) as error:
        raise ControlError(400, f"the query cannot be read: {error}") from error
    seen: set[str] = set()
    for name, value in pairs:
        parameter = known.get(name)
        if parameter is None:
            errors.append((f"?{name[:100]}", f"unknown parameter{nearest(name[:100], known)}"))
        elif name in seen:
            errors.append((f"?{name}", "is given twice"))
        else:
            seen.add(name)
            try:
                found[name] = parameter.read(value)
            except ValueError as error:
                errors.append((f"?{name}", str(error)))
    if errors:
        raise invalid(errors, "the query is invalid")
    return found


def check_encoding(body: bytes) -> None:
    """Raises ControlError 400 for what is not UTF-8, naming it where that is known."""
    what = foreign(body)  # as far as it goes, UTF-16 of ASCII is UTF-8 with zeros
    if what:
        raise ControlError(400, f"the body is {what}, not UTF-8")
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise ControlError(400, f"the body is not UTF-8: {error.reason} at byte {error.start}") from error


def parse_json(body: bytes) -> Any:
    """A strict JSON body without repeated keys. Raises ControlError 400."""
    if begins_with_mark(body):
        raise ControlError(
            400, "the body begins with a byte order mark (BOM), which JSON has not", kind="malformed-json"
        )
    check_encoding(body)
    try:
        return read_json(body, unique=True)
    except JsonRefused as refused:
        errors = []
        if refused.place is not None:
            reason, line, column = refused.place
            errors = [{"pointer": "", "message": reason, "line": line, "column": column}]
        raise ControlError(400, f"the body {refused}", kind="malformed-json", errors=errors) from None


def check_document(route: Route, document: Any) -> None:
    """Hold a JSON body against the route's schema. Raises ControlError 422 with every problem."""
    if route.body is None:
        return
    errors = [(violation.pointer, violation.message) for violation in route.body.schema.violations(document)]
    if isinstance(document, dict):
        errors += route.body.check(document)
    if errors:
        raise invalid(errors, "the body is invalid")
