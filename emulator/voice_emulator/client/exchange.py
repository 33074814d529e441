"""Talking to the control API without any I/O: what to ask, and how to read what came back.

A :data:`Flow` is a generator that yields :class:`Exchange` (send this request) and :class:`Pause`
(let this much real time pass), is sent the :class:`Reply`, and returns the result. The two
transports (:mod:`voice_emulator.client.blocking`, :mod:`voice_emulator.client.asynchronous`) run the same flows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from voice_emulator.client.errors import BY_STATUS, ControlError, InputError, UnexpectedReply
from voice_emulator.wire.http.agent import tells_traffic_port

__tracebackhide__ = True

T = TypeVar("T")

#: Real seconds within which a reply to a plain request must be there.
REPLY_TIMEOUT = 30.0

JSON = "application/json"
YAML = "application/yaml"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request of the control API. ``timeout`` is in real seconds, for the whole reply."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    content_type: str = JSON
    timeout: float = REPLY_TIMEOUT

    @property
    def target(self) -> str:
        """Path and query as they go on the wire."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Pause:
    """Let this many real seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What the control API answered."""

    status: int
    content_type: str
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def document(self) -> dict[str, Any]:
        """The body as a JSON object. Raises UnexpectedReply when it is none."""
        try:
            found = json.loads(self.body)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise UnexpectedReply(f"expected a JSON object from the control API, got {self.text[:200]!r}")
        return found


#: A conversation with the control API that results in a T.
Flow = Generator[Exchange | Pause, Reply, T]


def path(*parts: str) -> str:
    """A path of the control API; every part is escaped."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def events_target(tenant: str, kinds: Collection[str], *, brief: bool) -> str:
    """Path and query of a stream of events of these ``kinds`` (empty: of all); ``brief``: requests as rows."""
    wanted = query(kind=",".join(kinds) or None, brief="true" if brief else None)
    return Exchange("GET", path("v1", "tenants", tenant, "events"), wanted).target


def given(**values: Any) -> dict[str, Any]:
    """Those of ``values`` that are not None."""
    return {name: value for name, value in values.items() if value is not None}


def query(**values: Any) -> dict[str, str]:
    """Those of ``values`` that are not None, as texts."""
    return {name: str(value) for name, value in values.items() if value is not None}


def document(values: Mapping[str, Any]) -> bytes:
    """``values`` as a JSON body."""
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def ask(exchange: Exchange) -> Flow[Reply]:
    """Send a request. Raises the ControlError of a refusal."""
    reply = yield exchange
    if reply.status >= 300:
        raise refusal(reply)
    return reply


def refusal(reply: Reply) -> ControlError | UnexpectedReply:
    """The exception that a reply other than 2xx stands for."""
    if tells_traffic_port(reply.body):
        return UnexpectedReply(
            "this is the traffic port of an emulator: use its control port, 4881 by default"
        )
    if "json" not in reply.content_type:
        return UnexpectedReply(
            f"status {reply.status} without problem details: is this the control URL? {reply.text[:200]!r}"
        )
    problem = reply.document()
    errors = tuple(
        InputError(str(error.get("pointer", "")), str(error.get("message", "")))
        for error in problem.get("errors") or ()
        if isinstance(error, dict)
    )
    return BY_STATUS.get(reply.status, ControlError)(
        reply.status,
        str(problem.get("title", "refused")),
        str(problem.get("detail") or ""),
        errors,
        str(problem.get("type", "about:blank")),
    )
