"""A customer's receiver: takes pushes, tells which provider's they are, and answers as that one expects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from voice_emulator.providers.registry import discover
from voice_emulator.schemas.validate import SchemaSet
from voice_emulator.wire.http.server import Server
from voice_emulator.wire.http.sockets import bind, dialled
from voice_emulator.wire.traffic.push_fields import Guesser, decode, in_array

#: Real seconds that open exchanges are given to end when the receiver stops.
GRACE = 1.0
#: No receipt is as large; more is not read.
BODY_LIMIT = 16 * 1024 * 1024


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
