"""Input that is not HTTP is refused in one line on both ports, and the server keeps running."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.raw import form_request, talk
from voice_emulator.wire.http.request_body import BodyReader
from voice_emulator.wire.http.server import HEAD_LIMIT, PIECE


@pytest.mark.parametrize(
    "raw",
    [
        b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n",
        b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_an_unreadable_head_is_our_own_failure_in_one_line(raw: bytes, caplog):
    async with started() as emu:
        for base in (emu.url, emu.control):
            answer = await talk(base, raw)
            assert answer.head.split(b" ")[1] == b"400"
            assert b"\r\nEmulator-Error: " in answer.head
            assert answer.body
        told = [record for record in caplog.records if "invalid HTTP" in record.getMessage()]
        assert len(told) == 2
        assert all(
            "gpsend" not in record.getMessage() and "xxx" not in record.getMessage() for record in told
        )
        assert all("\n" not in record.getMessage() and record.exc_info is None for record in told)
        # It still serves.
        assert (await talk(emu.url, form_request())).head.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("garbage", [b"zz\r\n", b"1\r\nxy\r\n", b"-1\r\n", b"5\r\nab", b"\x00\x01"], ids=repr)
@pytest.mark.parametrize(
    "path", ["/v1/tenants", "/api/voiceSms/gpsend", "/apigovernance/api/oauth/tokenByAkSk"]
)
async def test_a_body_that_turns_into_garbage_is_refused_at_once(path: str, garbage: bytes, caplog):
    """The head comes first and alone: somebody is waiting for the body already."""
    async with started() as emu:
        parts = urlsplit(emu.control if path.startswith("/v1") else emu.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode() + b"2\r\n{ \r\n")
        held = (emu.emulator.runtime.gateway._bodies, emu.emulator._control._bodies)
        for _ in range(10_000):
            if any(bodies.held for bodies in held):
                break
            await asyncio.sleep(0)
        assert any(bodies.held for bodies in held)
        writer.write(garbage + b"zz\r\n")
        answer = await asyncio.wait_for(reader.read(), PATIENCE / 8)
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert answer.count(b"HTTP/1.1 ") == 1
        writer.close()
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


def long_head(lines: int, size: int) -> bytes:
    """A complete request with headers of about ``size`` bytes each, all names and no values or the other way round."""
    head = b"".join(
        (b"X%d-%s: y\r\n" % (n, b"z" * size)) if n % 2 else (b"X%d: %s\r\n" % (n, b"z" * size))
        for n in range(lines)
    )
    return (
        b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\n"
        + head
        + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
    )


@pytest.mark.parametrize("lines", [10, 20, 60])
@pytest.mark.parametrize("size", [7_000, 15_000])
async def test_a_head_that_grows_without_end_is_refused(size: int, lines: int, caplog):
    sent = long_head(lines, size)
    async with started() as emu:
        for base in (emu.url, emu.control):
            answer = await talk(base, sent)
            # A head is complete before it is counted if its last piece ends it.
            too_long = lines * size > HEAD_LIMIT + PIECE
            if too_long and not (answer.reset and not answer.raw):  # what was not read resets the connection
                assert answer.head.startswith(b"HTTP/1.1 431 ")
                assert b"\r\nEmulator-Error: the head of the request has more than" in answer.head
            elif lines * size < HEAD_LIMIT:
                assert answer.head.startswith(b"HTTP/1.1 404 ")
        assert (await talk(emu.url, form_request())).head.startswith(b"HTTP/1.1 200")
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []


async def test_many_requests_and_long_bodies_over_one_connection_are_no_long_head():
    body = b"x" * (3 * HEAD_LIMIT)
    small = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n"
    large = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    chunked = b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [b"y" * 50_000] * 8
    )
    last = b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    sent = (small * 300 + large + small + chunked + b"0\r\n\r\n" + small) * 2 + last
    async with started() as emu:
        for base in (emu.url, emu.control):
            parts = urlsplit(base)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(sent)
            received = await asyncio.wait_for(reader.read(), PATIENCE)
            assert received.count(b"HTTP/1.1 404 ") == received.count(b"HTTP/1.1 ") == 304 * 2 + 1
            writer.close()


@pytest.mark.parametrize("closed", [True, False])
async def test_a_connection_that_closes_while_its_body_is_awaited_is_no_bug_of_ours(closed: bool):
    class Content:
        async def iter_any(self) -> AsyncIterator[bytes]:
            yield b"begun"
            raise RuntimeError("Connection closed.")

    raw: Any = SimpleNamespace(
        content_length=None, headers={}, content=Content(), protocol=None,
        transport=SimpleNamespace(is_closing=lambda: closed),
    )  # fmt: skip
    bodies = BodyReader(1_000, 1.0, 1_000)
    with pytest.raises(ConnectionResetError if closed else RuntimeError):
        await bodies.read(raw)
    assert bodies.held == 0
