"""A customer's receiver: takes pushes, tells which provider's they are, and answers as that one expects."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from voice_emulator.providers.provider import Provider, ReceiptKind
from voice_emulator.providers.registry import discover
from voice_emulator.scenarios.catalogue import property_names
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.http.server import Server
from voice_emulator.wire.http.sockets import bind, dialled
from voice_emulator.wire.traffic.form_data import UnreadableForm, parts_of

#: Real seconds that open exchanges are given to end when the receiver stops.
GRACE = 1.0
#: No receipt is as large; more is not read.
BODY_LIMIT = 16 * 1024 * 1024
#: How much of the fields there are, and of those it requires, a kind of receipt must know to be taken for it.
LIKENESS = 0.5


@dataclass(frozen=True, slots=True)
class Arrival:
    """One push as it arrived, and what it was answered.

    ``fields`` are decoded from the query, the form or the JSON body, and ``receipts`` has those of each where
    the body is an array of several; ``provider`` and ``kind`` are guessed by their names and are empty when they
    fit none.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    fields: Mapping[str, Any]
    provider: str
    kind: str
    status: int
    reply: str
    receipts: tuple[Mapping[str, Any], ...] = ()


class Guesser:
    """Tells by a push's fields which kind of receipt it is, whatever provider there is."""

    def __init__(self, providers: Mapping[str, Provider], schemas: SchemaSet) -> None:
        self._kinds = [
            (
                provider.id,
                kind,
                property_names(schema.document),
                frozenset(schema.document.get("required", ())),
                schema,
            )
            for provider in providers.values()
            for kind in provider.receipts.values()
            for schema in (schemas.get(kind.schema),)
        ]

    def guess(self, fields: Mapping[str, Any]) -> tuple[str, ReceiptKind] | None:
        """Provider id and kind of the receipt most like ``fields``, or None when none comes near."""
        given = set(fields)
        best: tuple[float, bool] = (LIKENESS, False)
        found = None
        for provider, kind, known, required, schema in self._kinds:
            every = given | required
            likeness = (len(given & known) / len(every) if every else 0.0, schema.accepts(dict(fields)))
            if likeness > best:
                best, found = likeness, (provider, kind)
        return found


@dataclass(slots=True)
class Receiver:
    """Answers every push and tells ``on_push`` of it. ``status`` and ``reply`` override what is expected."""

    on_push: Callable[[Arrival], None]
    guesser: Guesser
    status: int | None = None
    reply: str | None = None

    async def handle(self, raw: web.BaseRequest) -> web.StreamResponse:
        """Take one push."""
        body = await _read(raw)
        receipts = in_array(body)
        fields = receipts[0] if receipts else decode(
            raw.rel_url.raw_query_string, raw.headers.get("Content-Type", ""), body
        )  # fmt: skip
        guessed = self.guesser.guess(fields)
        text = self.reply
        if text is None:
            text = guessed[1].accepted_body if guessed is not None else "success"
        status = self.status or 200
        kind = "application/json" if text.startswith("{") else "text/plain"
        arrival = Arrival(
            raw.method, raw.path_qs, dict(raw.headers), body, fields,
            guessed[0] if guessed else "", guessed[1].name if guessed else "", status, text, receipts,
        )  # fmt: skip
        response = web.Response(
            status=status, text=text, content_type=kind, headers={"Server": "voice-emulator"}
        )
        # The answer first: even if showing the push fails, it was received.
        await response.prepare(raw)
        await response.write_eof()
        self.on_push(arrival)
        return response


async def _read(raw: web.BaseRequest) -> bytes:
    """The body, or its first :data:`BODY_LIMIT` bytes."""
    body = bytearray()
    while len(body) < BODY_LIMIT and (chunk := await raw.content.readany()):
        body += chunk
    return bytes(body[:BODY_LIMIT])


def decode(query: str, content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a push: those of the query, and over them those of a form or of a JSON object.

    A single field that holds a JSON object is opened, since that is how some records travel.
    """
    fields: dict[str, Any] = dict(parse_qsl(query, keep_blank_values=True))
    text = body.decode("utf-8", "replace")
    opened = _opened(text)
    if opened is not None:
        return fields | opened
    if content_type.lower().startswith("multipart/form-data"):
        fields |= _multipart(content_type, body)
    elif "=" in text:
        fields |= dict(parse_qsl(text, keep_blank_values=True))
    if len(fields) == 1:
        return _opened(str(next(iter(fields.values())))) or fields
    return fields


def in_array(body: bytes) -> tuple[dict[str, Any], ...]:
    """The receipts of a body that is a JSON array of objects; none in any other body."""
    try:
        found = json.loads(body) if body.lstrip()[:1] == b"[" else None
    except (ValueError, RecursionError):
        return ()
    whole = isinstance(found, list) and all(isinstance(each, dict) for each in found)
    return tuple(found) if whole and found else ()


def _opened(text: str) -> dict[str, Any] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _multipart(content_type: str, body: bytes) -> dict[str, str]:
    fields: dict[str, str] = {}
    with suppress(UnreadableForm):  # what could be read is shown
        for part in parts_of(content_type, body):
            fields[part.name or ""] = part.content.decode("utf-8", "replace")
    return fields


def make_guesser() -> Guesser:
    """A guesser that knows every provider."""
    providers = discover()
    return Guesser(providers, SchemaSet.load(providers))


@asynccontextmanager
async def receiving(receiver: Receiver, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Run ``receiver`` and give its base URL. Raises UsageError when the port is not available."""
    runner = web.ServerRunner(
        Server(receiver.handle, access_log=None), handle_signals=False, shutdown_timeout=GRACE
    )
    await runner.setup()
    try:
        sockets = bind([host], port)
        for each in sockets:
            await web.SockSite(runner, each).start()
        yield f"http://{dialled(sockets)}"
    finally:
        await runner.cleanup()
