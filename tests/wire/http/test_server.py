"""Input that is not HTTP is refused in one line on both ports, and the server keeps running."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.patience import PATIENCE
from tests.rig import started
from tests.wire.raw import form_request, talk


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
