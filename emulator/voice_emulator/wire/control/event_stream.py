"""Server-sent events: what happens to a tenant, as it happens, resumable with ``Last-Event-ID``.

A subscriber has no queue of its own: it is a position in the tenant's bounded memory of events. One that
reads too slowly loses the oldest and is told how many by an event ``gap``; nobody else notices.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from aiohttp import web

from voice_emulator.core.attempts import Attempt
from voice_emulator.core.calls import Call
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.events import Event
from voice_emulator.core.findings import Finding
from voice_emulator.core.journal import Entry
from voice_emulator.core.scenario import Scenario
from voice_emulator.core.tenants import Tenant
from voice_emulator.providers.provider import Provider
from voice_emulator.wire.control.long_poll import Waiters
from voice_emulator.wire.control.problems import ControlError
from voice_emulator.wire.control.search import request_row
from voice_emulator.wire.control.views import show_call, show_entry
from voice_emulator.wire.traffic.exchange import RequestRecord
from voice_emulator.wire.turns import apart, takes_a_while

KINDS = ("request", "call", "callback", "violation", "clock", "scenario", "system")
SUBSCRIBER_LIMIT = 64
#: Real seconds of silence after which a comment shows that the stream is alive.
HEARTBEAT = 15.0
#: Real seconds that a write may wait for a reader before the stream is given up.
WRITE_LIMIT = 30.0
#: Events rendered and written in one go.
CHUNK = 100


class Streams:
    """The open streams of all tenants."""

    def __init__(self, providers: Mapping[str, Provider], waiters: Waiters) -> None:
        """Render with ``providers``, end when ``waiters`` say so."""
        self._providers = providers
        self._waiters = waiters
        self.subscribers = 0

    async def serve(
        self,
        raw: web.BaseRequest,
        tenant: Tenant,
        after: int | None,
        kinds: Collection[str],
        *,
        brief: bool = False,
    ) -> web.StreamResponse:
        """Stream events with an id above ``after`` (None: only new ones), requests as rows with ``brief``.

        Ends when the client goes away, the tenant is deleted, or the emulator stops. Raises ControlError
        503 when there are too many streams.
        """
        if self.subscribers >= SUBSCRIBER_LIMIT:
            raise ControlError(
                503, f"there are {SUBSCRIBER_LIMIT} event streams open already", headers={"Retry-After": "5"}
            )
        position = tenant.events.last_id if after is None else after
        if position > tenant.events.last_id:
            # The id is from before a restart of the process: everything here is news.
            position = 0
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
                "X-Content-Type-Options": "nosniff",
            }
        )
        self.subscribers += 1
        woken = self._waiters.enter(tenant)
        try:
            await response.prepare(raw)
            # No empty line follows what is not an event: simple readers would take it for one without data.
            await self._write(response, b": events\nretry: 1000\n")
            await self._follow(response, tenant, position, kinds, woken, brief)
            await response.write_eof()
        except (ConnectionError, TimeoutError):
            # The reader is gone or does not read: the connection goes with the reply.
            response.force_close()
        finally:
            self._waiters.leave(tenant, woken)
            self.subscribers -= 1
        return response

    async def _follow(
        self,
        response: web.StreamResponse,
        tenant: Tenant,
        position: int,
        kinds: Collection[str],
        woken: asyncio.Event,
        brief: bool,
    ) -> None:
        while True:
            pending = tenant.events.since(position)
            if pending and pending[0].id > position + 1:
                missed = pending[0].id - position - 1
                await self._write(response, _frame(pending[0].id - 1, "gap", {"missed": missed}))
            for start in range(0, len(pending), CHUNK):
                chunk = pending[start : start + CHUNK]
                weights = [getattr(event.subject, "weight", 0) for event in chunk]
                frames = await apart(takes_a_while(weights), self._frames, tenant, chunk, kinds, brief)
                await self._write(response, frames)
            if pending:
                position = pending[-1].id
                continue
            if tenant.closed or self._waiters.closing:
                return
            woken.clear()
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await woken.wait()
            except TimeoutError:
                await self._write(response, b": still here\n")

    def _frames(self, tenant: Tenant, events: Sequence[Event], kinds: Collection[str], brief: bool) -> bytes:
        return b"".join(
            _frame(event.id, event.kind, self.show(tenant, event, brief=brief))
            for event in events
            if event.kind in kinds
        )

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        if data:
            async with asyncio.timeout(WRITE_LIMIT):
                await response.write(data)

    def show(self, tenant: Tenant, event: Event, *, brief: bool = False) -> dict[str, Any]:
        """The data of one event, as things stand now; ``note`` says what happened."""
        at = rfc3339(event.at)
        subject = event.subject
        if isinstance(subject, RequestRecord):
            if brief:
                return request_row(subject, tenant, self._providers)
            return show_entry(Entry(subject.entry_id, "request", subject.at, subject))
        if isinstance(subject, Call):
            return {"at": at, "note": event.note, "call": show_call(tenant, self._providers, subject)}
        if isinstance(subject, Attempt | Finding):
            return subject.shown()
        if isinstance(subject, Scenario):
            return {"at": at, "scenario": subject.name}
        if event.kind == "clock":
            return {"at": at, "note": event.note, "clock": str(tenant.clock.spec), "now": at}
        return {"at": at, "note": event.note}


def _frame(event_id: int, kind: str, data: Mapping[str, Any]) -> bytes:
    # JSON escapes line breaks, so one data line is enough.
    text = json.dumps(data, ensure_ascii=False)
    return f"id: {event_id}\nevent: {kind}\ndata: {text}\n\n".encode("utf-8", "replace")
