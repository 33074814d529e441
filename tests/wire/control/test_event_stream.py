"""Server-sent events over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.patience import PATIENCE
from tests.wire.api import ANSWERED, BUSY, Api
from voice_emulator.core.events import REMEMBERED
from voice_emulator.wire.control import event_stream as events

T = "/v1/tenants/default"


@dataclass
class Heard:
    id: int
    kind: str
    data: Any


class Stream:
    """An open stream, read event by event."""

    def __init__(self, response: Any) -> None:
        self.response = response

    async def next(self) -> Heard:
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = (await self.response.content.readuntil(b"\n\n")).decode()
                fields = dict(
                    line.split(": ", 1) for line in frame.strip().splitlines() if not line.startswith(":")
                )
                if "data" in fields:
                    return Heard(int(fields["id"]), fields["event"], json.loads(fields["data"]))

    async def until(self, kind: str) -> list[Heard]:
        heard = [await self.next()]
        while heard[-1].kind != kind:
            heard.append(await self.next())
        return heard


@asynccontextmanager
async def stream(api: Api, query: str = "", path: str = T, **headers: str) -> AsyncIterator[Stream]:
    async with api.emu.client.get(f"{api.emu.control}{path}/events{query}", headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert await response.content.readuntil(b"retry: 1000\n") == b": events\nretry: 1000\n"
        yield Stream(response)


async def test_a_reader_that_splits_at_empty_lines_gets_events_only(api: Api, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.001)
    async with api.emu.client.get(f"{api.emu.control}{T}/events") as response:
        for _ in range(3):
            await response.content.readuntil(b": still here\n")  # a few of them, between events too
        await api.dial(BUSY)
        first = await response.content.readuntil(b"\n\n")
        second = await response.content.readuntil(b"\n\n")
    assert all(b"\ndata: {" in block for block in (first, second))


async def test_every_kind_is_heard_as_it_happens(api: Api):
    async with stream(api) as open_stream:
        await api.dial(BUSY)
        asked = await open_stream.until("request")
        assert asked[-1].data["operation"] == "gpsend"
        await api.post(f"{T}/clock/advance", {"to": "idle"})
        heard = asked + await open_stream.until("clock")
        await api("PUT", f"{T}/scenario", {"name": "all-busy"})
        heard += await open_stream.until("scenario")
    notes = [one.data["note"] for one in heard if one.kind == "call"]
    assert notes == ["dial", "end"]
    ended = next(one for one in heard if one.kind == "call" and one.data["note"] == "end")
    assert (ended.data["call"]["number"], ended.data["call"]["outcome"]) == (BUSY, "busy")
    pushed = next(one for one in heard if one.kind == "callback")
    assert pushed.data["outcome"] == "delivered"
    assert heard[-1].data["scenario"] == "all-busy"
    assert next(one for one in heard if one.kind == "clock").data["note"] == "advanced"
    assert [one.id for one in heard] == list(range(heard[0].id, heard[0].id + len(heard)))


async def test_a_violation_is_heard(api: Api):
    from voice_emulator.core.findings import Finding

    found = Finding("rule", "error", "nxcloud", "gpsend", "message", "page", 1, api.emu.tenant.now)
    async with stream(api, "?kind=violation") as open_stream:
        api.emu.tenant.events.publish("violation", api.emu.tenant.now, found)
        heard = await open_stream.next()
    assert (heard.kind, heard.data["rule"], heard.data["source"]) == ("violation", "rule", "page")


async def test_last_event_id_resumes_without_gap_or_repeat(api: Api):
    async with stream(api) as open_stream:
        await api.dial(BUSY)
        first = await open_stream.next()
    await api.post(f"{T}/clock/advance", {"to": "idle"})
    async with stream(api, **{"Last-Event-ID": str(first.id)}) as open_stream:
        rest = await open_stream.until("clock")
    assert [one.id for one in rest] == list(range(first.id + 1, first.id + 1 + len(rest)))
    async with stream(api, f"?after={rest[0].id}") as open_stream:
        assert (await open_stream.next()).id == rest[1].id
    async with stream(api, "?after=0") as open_stream:
        assert (await open_stream.next()).id == 1


async def test_an_id_from_before_a_restart_gets_everything(api: Api):
    await api.dial(BUSY)
    async with stream(api, **{"Last-Event-ID": "999999"}) as open_stream:
        assert (await open_stream.next()).id == 1


async def test_only_the_kinds_asked_for(api: Api):
    async with stream(api, "?kind=callback,scenario") as open_stream:
        await api.dial(BUSY, ANSWERED)
        await api.post(f"{T}/clock/advance", {"to": "idle"})
        await api("PUT", f"{T}/scenario", {"name": "all-busy"})
        assert [one.kind for one in await open_stream.until("scenario")] == [
            "callback",
            "callback",
            "scenario",
        ]
    assert (await api.get(f"{T}/events", kind="calls")).status == 422
    assert (await api("GET", f"{T}/events", headers={"Last-Event-ID": "x"})).status == 422


async def test_slow_reader_is_told_how_much_was_missed(api: Api):
    tenant = api.emu.tenant
    for _ in range(REMEMBERED + 10):
        tenant.events.publish("clock", tenant.now, tenant.clock, "tick")
    async with stream(api, "?after=0") as open_stream:
        gap = await open_stream.next()
        following = await open_stream.next()
    missed = tenant.events.last_id - REMEMBERED
    assert (gap.kind, gap.data, gap.id) == ("gap", {"missed": missed}, missed)
    assert following.id == missed + 1


async def test_at_most_so_many_streams(api: Api, monkeypatch):
    monkeypatch.setattr(events, "SUBSCRIBER_LIMIT", 2)
    streams = api.emu.emulator._control.services.streams
    async with stream(api), stream(api):
        refused = await api.get(f"{T}/events")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    async with asyncio.timeout(PATIENCE):
        while streams.subscribers:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    async with stream(api):
        pass


async def test_a_reader_that_goes_away_leaves_nothing_behind(api: Api):
    waiting = api.emu.emulator._control.services.waiters._waiting
    async with stream(api):
        assert len(waiting[api.emu.tenant.id]) == 1
    async with asyncio.timeout(PATIENCE):
        while waiting:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)


async def test_a_reader_that_does_not_read_is_given_up(api: Api, monkeypatch):
    monkeypatch.setattr(events, "WRITE_LIMIT", 0.1)
    tenant = api.emu.tenant
    streams = api.emu.emulator._control.services.streams
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", int(api.emu.control.rsplit(":", 1)[1]), limit=1
    )
    writer.write(b"GET /v1/tenants/default/events?after=0 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        while not streams.subscribers:
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        while streams.subscribers:
            for _ in range(200):
                tenant.events.publish("clock", tenant.now, tenant.clock, "x" * 5_000)
            await asyncio.get_running_loop().run_in_executor(None, lambda: None)
    writer.close()
    del reader
    assert (await api.get("/health")).status == 200


async def test_silence_is_broken_by_a_heartbeat(api: Api, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    async with stream(api) as open_stream, asyncio.timeout(PATIENCE):
        assert await open_stream.response.content.readuntil(b"\n") == b": still here\n"


async def test_deleting_the_tenant_ends_its_streams(api: Api):
    await api.post("/v1/tenants", {"id": "short"})
    async with stream(api, path="/v1/tenants/short") as open_stream, asyncio.timeout(PATIENCE):
        await api("DELETE", "/v1/tenants/short")
        assert await open_stream.response.content.read() == b""
