"""Clients that take their time, or too many of them: each is let go in the end, and the others are served."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.patience import PATIENCE
from tests.wire.raw import form_request
from voice_emulator.app import Emulator
from voice_emulator.settings import Options
from voice_emulator.wire.control import server as control_server
from voice_emulator.wire.http.connection_limits import (
    ConnectionLimits,
    allow_more_files,
    connection_limit,
    push_limit,
)
from voice_emulator.wire.traffic import gateway

PORTS = ("traffic", "control")
HEAD = b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def emulator(**limits: float) -> AsyncIterator[Emulator]:
    bounds = ConnectionLimits(**limits)  # type: ignore[arg-type]
    running = Emulator(Options(port=0, control_port=0), grace=0.2, connection_limits=bounds)
    await running.start()
    try:
        yield running
    finally:
        await running.close()


def base(running: Emulator, port: str) -> str:
    return {"traffic": running.runtime.traffic, "control": running.runtime.control}[port]


async def connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port)


async def healthy(running: Emulator) -> None:
    async with aiohttp.ClientSession() as client:
        async with client.get(running.runtime.control + "/health") as reply:
            assert reply.status == 200
        async with client.get(running.runtime.traffic + "/nowhere") as reply:
            assert reply.status == 404


async def to_the_end(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE)
    except ConnectionError:
        return b""


# --- time -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("said", [b"", b"GET", HEAD, HEAD + b"X: "])
async def test_a_head_that_never_ends_is_cut_off(port: str, said: bytes):
    async with emulator(head_seconds=0.1) as running:
        reader, writer = await connect(base(running, port))
        writer.write(said)
        assert await to_the_end(reader) == b""
        writer.close()
        await healthy(running)


@pytest.mark.parametrize("port", PORTS)
async def test_dribbling_a_head_gains_no_time(port: str):
    async with emulator(head_seconds=0.2) as running:
        reader, writer = await connect(base(running, port))
        writer.write(HEAD)

        async def dribble() -> None:
            while not reader.at_eof():
                writer.write(b"X: y\r\n")
                await writer.drain()

        dribbling = asyncio.ensure_future(dribble())
        # The bound on the size of a head may come first: also an end.
        answer = await to_the_end(reader)
        assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400"))
        dribbling.cancel()
        await asyncio.wait([dribbling])
        writer.close()


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    "framing", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"]
)
async def test_a_body_that_never_ends_is_answered_with_408(port: str, framing: bytes, monkeypatch):
    monkeypatch.setattr(gateway, "BODY_SECONDS", 0.2)
    monkeypatch.setattr(control_server, "BODY_SECONDS", 0.2)
    path = b"/v1/tenants" if port == "control" else b"/api/yunhu"
    async with emulator() as running:
        reader, writer = await connect(base(running, port))
        writer.write(HEAD.replace(b"/v1/tenants", path) + framing)
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert answer.startswith(b"HTTP/1.1 408")
        assert b"\r\nConnection: close\r\n" in answer
        if port == "traffic":
            assert b"\r\nEmulator-Error: " in answer
        writer.close()
        await healthy(running)


async def test_a_connection_that_has_spoken_may_be_silent_for_a_while():
    async with emulator(head_seconds=0.05) as running:
        reader, writer = await connect(running.runtime.traffic)
        request = form_request().replace(b"Connection: close\r\n", b"")
        for _ in range(2):
            writer.write(request)
            assert (await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE)).startswith(b"HTTP/1.1 200")
            # Somebody who came later and said nothing goes; the one who has spoken stays.
            silent, other = await connect(running.runtime.traffic)
            assert await to_the_end(silent) == b""
            other.close()
        writer.close()


@pytest.mark.parametrize("port", PORTS)
async def test_a_client_that_reads_nothing_is_let_go(port: str):
    path = "/openapi.json" if port == "control" else "/nowhere"
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    async with emulator(unread=0.3) as running:
        reader, writer = await connect(base(running, port))
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        limits = running._connection_limits

        async def flood() -> None:
            while True:
                writer.write(request * 500)
                await writer.drain()

        flooding = asyncio.ensure_future(flood())
        async with asyncio.timeout(PATIENCE):
            while limits.open:
                await healthy(running)
        flooding.cancel()
        await asyncio.wait([flooding])
        reader._transport.resume_reading()  # type: ignore[attr-defined]
        writer.transport.abort()
        await asyncio.wait([asyncio.ensure_future(writer.wait_closed())])


# --- numbers --------------------------------------------------------------------------------------


async def test_above_the_limit_the_longest_silent_connection_goes():
    async with emulator(limit=10) as running:
        first = [await connect(running.runtime.traffic) for _ in range(8)]
        spoken, speaking = await connect(running.runtime.control)
        speaking.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await asyncio.wait_for(spoken.readuntil(b"}\n"), PATIENCE)
        later = [await connect(running.runtime.control) for _ in range(6)]
        for reader, _ in first[:5]:
            assert await to_the_end(reader) == b""
        assert running._connection_limits.open == 10
        speaking.write(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await asyncio.wait_for(spoken.readuntil(b"}\n"), PATIENCE)).startswith(b"HTTP/1.1 200")
        for _, writer in (*first, *later, (spoken, speaking)):
            writer.close()


REQUEST = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
UNFINISHED = b"POST /api/yunhu HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"


async def heard(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)


async def test_when_all_have_spoken_the_one_that_spoke_longest_ago_goes():
    async with emulator(limit=4) as running:
        kept = []
        for _ in range(3):
            reader, writer = await connect(running.runtime.traffic)
            writer.write(REQUEST)
            await heard(reader)
            kept.append((reader, writer))
        # The first one speaks again: now the second one has been silent longest.
        kept[0][1].write(REQUEST)
        await asyncio.wait_for(kept[0][0].readuntil(b"\r\n\r\n"), PATIENCE)
        reader, writer = await connect(running.runtime.traffic)
        writer.write(REQUEST)
        assert (await heard(reader)).startswith(b"HTTP/1.1 404")
        await to_the_end(kept[1][0])
        kept[2][1].write(REQUEST)
        assert b"HTTP/1.1 404" in await heard(kept[2][0])
        for _, other in (*kept, (reader, writer)):
            other.close()


@pytest.mark.parametrize("said", [b"", REQUEST, UNFINISHED], ids=["silent", "kept alive", "unfinished"])
@pytest.mark.parametrize("limit", [3, 20])
async def test_connections_to_the_traffic_port_never_shut_out_the_control_port(said: bytes, limit: int):
    async with emulator(limit=limit) as running:
        crowd = []
        for _ in range(2 * limit):
            reader, writer = await connect(running.runtime.traffic)
            writer.write(said)
            if said == REQUEST:
                await heard(reader)
            crowd.append((reader, writer))
        for _ in range(3):
            reader, writer = await connect(running.runtime.control)
            writer.write(HEALTH)
            assert (await heard(reader)).startswith(b"HTTP/1.1 200")
            writer.close()
        assert running._connection_limits.open <= limit
        for _, writer in crowd:
            writer.transport.abort()


async def test_kept_connections_to_the_control_port_do_not_shut_it_out_either():
    async with emulator(limit=5) as running:
        crowd = []
        for _ in range(12):
            reader, writer = await connect(running.runtime.control)
            writer.write(HEALTH)
            assert (await heard(reader)).startswith(b"HTTP/1.1 200")
            crowd.append(writer)
        assert running._connection_limits.open <= 5
        for writer in crowd:
            writer.transport.abort()


async def test_when_all_are_busy_a_newcomer_is_turned_away_until_one_leaves():
    async with emulator(limit=4) as running:
        busy = []
        for _ in range(3):
            reader, writer = await connect(running.runtime.traffic)
            writer.write(UNFINISHED)
            busy.append((reader, writer))
        async with asyncio.timeout(PATIENCE):
            while len(running._connection_limits._active) < 3:  # noqa: ASYNC110 - reading a head sets no event
                await asyncio.sleep(0)
        reader, writer = await connect(running.runtime.traffic)
        assert await to_the_end(reader) == b""
        writer.close()
        _, leaving = busy.pop()
        leaving.transport.abort()
        async with asyncio.timeout(PATIENCE):
            while running._connection_limits.open == 3:  # noqa: ASYNC110 - a closed connection sets no event
                await asyncio.sleep(0)
        reader, writer = await connect(running.runtime.traffic)
        writer.write(REQUEST)
        assert await heard(reader)
        for _, other in (*busy, (reader, writer)):
            other.transport.abort()


def test_the_limit_leaves_files_for_pushes(monkeypatch):
    import resource

    limits = {"now": (1024, 4096)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["now"])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.update(now=wanted))
    assert connection_limit() == 768
    assert push_limit(1_024) == 204
    allow_more_files()
    assert limits["now"] == (4096, 4096)
    assert connection_limit() == 3072
    limits["now"] = (1024, resource.RLIM_INFINITY)
    allow_more_files()
    assert connection_limit() == 16_384
    limits["now"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    allow_more_files()
    assert connection_limit() == 16_384


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: y\r\n" % n for n in range(500)) + b"\r\n",
    ],
)  # fmt: skip
async def test_a_head_past_its_bounds_is_400(port: str, head: bytes):
    async with emulator() as running:
        reader, writer = await connect(base(running, port))
        writer.write(head)
        assert b" 400 " in (await to_the_end(reader)).partition(b"\r\n")[0]
        writer.close()
        await healthy(running)


@pytest.mark.parametrize("port", PORTS)
@pytest.mark.parametrize("size", [1, 2])
async def test_a_body_of_nothing_but_framing_is_cut_off(port: str, size: int):
    chunk = b"%x\r\n" % size + b"x" * size + b"\r\n"
    async with emulator() as running:
        reader, writer = await connect(base(running, port))
        path = b"/v1/tenants" if port == "control" else b"/api/yunhu"
        writer.write(HEAD.replace(b"/v1/tenants", path) + b"Transfer-Encoding: chunked\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            for _ in range(100):
                writer.write(chunk * 10_000)
                await writer.drain()
        assert await to_the_end(reader) == b""
        writer.close()
        await healthy(running)


@pytest.mark.parametrize("size", [4, 16, 1_000])
async def test_small_chunks_are_no_framing(size: int):
    chunk = b"%x\r\n" % size + b"x" * size + b"\r\n"
    async with emulator() as running:
        reader, writer = await connect(running.runtime.traffic)
        body = chunk * (400_000 // size)
        head = HEAD.replace(b"/v1/tenants", b"/api/yunhu")
        writer.write(head + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), PATIENCE)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_many_bodies_at_once_are_turned_away_on_the_control_port_too(monkeypatch):
    monkeypatch.setattr(control_server, "BODIES_LIMIT", 1_000_000)
    async with emulator() as running:
        pairs = [await connect(running.runtime.control) for _ in range(4)]
        for _, writer in pairs:
            writer.write(HEAD + b"Content-Length: 400000\r\n\r\n" + b" " * 399_999)
        answers = [asyncio.ensure_future(reader.readuntil(b"\r\n\r\n")) for reader, _ in pairs]
        done, _ = await asyncio.wait(answers, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert all(task.result().startswith(b"HTTP/1.1 503") for task in done)
        for _, writer in pairs:
            writer.write(b" ")
        heads = [await asyncio.wait_for(answer, PATIENCE) for answer in answers]
        assert sorted({head[9:12] for head in heads}) == [b"400", b"503"]
        for _, writer in pairs:
            writer.close()
        await healthy(running)
        assert running._control._bodies.held == 0


async def test_many_large_bodies_at_once_are_turned_away_beyond_a_bound(monkeypatch):
    monkeypatch.setattr(gateway, "BODIES_LIMIT", 1_000_000)
    async with emulator() as running:
        head = b"POST /api/yunhu HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n"
        pairs = [await connect(running.runtime.traffic) for _ in range(4)]
        for _, writer in pairs:
            writer.write(head + b"x" * 399_999)
        answers = [asyncio.ensure_future(reader.readuntil(b"\r\n\r\n")) for reader, _ in pairs]
        done, _ = await asyncio.wait(answers, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        assert all(task.result().startswith(b"HTTP/1.1 503") for task in done)
        for _, writer in pairs:
            writer.write(b"x")
        heads = [await asyncio.wait_for(answer, PATIENCE) for answer in answers]
        assert sorted({head[9:12] for head in heads}) == [b"200", b"503"]
        for _, writer in pairs:
            writer.close()
        await healthy(running)
        assert running.runtime.gateway._bodies.held == 0
