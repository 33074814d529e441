"""No reply names the versions of what answers, whichever way it takes to the wire."""

from __future__ import annotations

import platform
import re

import aiohttp
import pytest

from tests.rig import Running, started
from tests.wire.raw import GPSEND, talk

FAULTS = ["{latency: 1ms}", "{truncate: true}", "{slow_body: {every: 1ms, bytes: 64}}", "{http_status: 503}", "{html_error: true}",
          "{garbage: true}", "{invalid_json: true}", "{wrong_content_type: true}"]  # fmt: skip
RAW = {
    "no HTTP at all": b"nonsense\r\n\r\n",
    "a bad header": b"GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
    "a long header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    "an unknown path": b"GET /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "a foreign Host": b"GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "HTTP/1.0": b"GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n",
    "HEAD": b"HEAD /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "CONNECT": b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n",
    "a bad body": b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "an expectation": b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "the page": b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    "HAR": b"GET /v1/tenants/default/journal.har HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
}


def check(head: bytes) -> None:
    servers = [line for line in head.split(b"\r\n") if line.lower().startswith(b"server:")]
    assert servers == [b"Server: voice-emulator"], head
    for told in (b"aiohttp", b"Python", aiohttp.__version__.encode(), platform.python_version().encode()):
        assert told not in head


@pytest.mark.parametrize("port", ["url", "control"])
@pytest.mark.parametrize("what", RAW)
async def test_every_reply_on_either_port(port: str, what: str):
    async with started() as emu:
        answer = await talk(getattr(emu, port), RAW[what])
        if answer.raw:
            check(answer.head)
        else:
            assert what == "a bad body", "a connection that was closed says nothing at all"


@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault(fault: str):
    async with started(f"name: s\nrules:\n  - {{name: f, fault: {fault}}}\n") as emu:
        await place(emu, "close")


async def test_a_reply_that_needs_no_waiting_and_one_that_does():
    async with started() as emu:
        await place(emu, "close")
        await place(emu, "close", extra="Emulator-Explain: 1\r\n")


async def place(emu: Running, connection: str, extra: str = "") -> None:
    body = "&".join(f"{name}={value}" for name, value in {**GPSEND, "phone": "62812345678"}.items())
    head = (
        "POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\nConnection: {connection}\r\n{extra}\r\n"
    )
    answer = await talk(emu.url, (head + body).encode())
    check(answer.head)
    assert len(re.findall(rb"(?i)\nserver:", answer.head)) == 1


async def test_the_stream_of_events():
    async with started() as emu, emu.client.get(f"{emu.control}/v1/tenants/default/events") as reply:
        assert reply.headers.getall("Server") == ["voice-emulator"]
