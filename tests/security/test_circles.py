"""What a refusal leaves behind is gone at once: nothing of it waits for the collector, which hardly looks."""

from __future__ import annotations

import asyncio
import gc
import types
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.rig import Running, started
from voice_emulator.wire.control import request as asking
from voice_emulator.wire.traffic import request_body as intake

LARGE = 200_000
FORMS, JSON, YAML = "application/x-www-form-urlencoded", "application/json", "application/yaml"


def request(target: str, body: bytes = b"", kind: str = JSON, *headers: str, method: str = "POST") -> bytes:
    lines = (f"{method} {target} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", *headers)
    return "\r\n".join((*lines, f"Content-Length: {len(body)}", "", "")).encode() + body


GP, CREATE = "/api/voiceSms/gpsend", "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
YUNHU, TENANTS, SCENARIO = "/api/yunhu", "/v1/tenants", "/v1/tenants/default/scenario"
HEAD = b"POST /api/yunhu HTTP/1.1\r\nHost: localhost\r\n"
DEEP = b"[" * 3_000 + b"]" * 3_000

#: What each port refuses, as it is sent; between them, every way in which either port says no.
REFUSED: dict[str, tuple[str, bytes]] = {
    **{
        f"{what}, {port}": (port, sent)
        for port in ("traffic", "control")
        for what, sent in {
            "garbage": b"\x16\x03\x01\0garbage" * (LARGE // 10),
            "garbage after a request": request("/nowhere", b"", method="GET") + b"\0" * LARGE,
            "a head without end": b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"y" * LARGE,
            "many headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000,
            "two lengths": HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n" + b"x" * LARGE,
            "a broken chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + b"x" * LARGE,
            "a broken chunk after a good one": HEAD
            + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\nzz\r\n" + b"x" * LARGE,
            "another version": b"GET / HTTP/9.9\r\n\r\n" + b"x" * LARGE,
            "nowhere": request("/nowhere", b"x" * LARGE),
            "a method": request("/v1/tenants" if port == "control" else GP, b"x" * LARGE, method="DELETE"),
            "an odd target": request("/%ff%00" + "x" * 2_000, b"x" * LARGE),
            "a query": request((TENANTS if port == "control" else GP) + "?a=%ff&b=1&b=2", b"x" * LARGE, method="GET"),
        }.items()
    },
    "not JSON": ("traffic", request(CREATE, b'{"a": "' + b"x" * LARGE)),
    "not UTF-8": ("traffic", request(CREATE, b'{"a": "\xff' + b"x" * LARGE + b'"}')),
    "deep": ("traffic", request(CREATE, DEEP)),
    "many values": ("traffic", request(CREATE, b"[" + b"1," * 150_000 + b"1]")),
    "a long number": ("traffic", request(CREATE, b'{"a": ' + b"9" * LARGE + b"}")),
    "no number": ("traffic", request(CREATE, b'{"b": "' + b"x" * LARGE + b'", "a": NaN}')),
    "half a pair": ("traffic", request(CREATE, b'{"b": "' + b"x" * LARGE + b'", "a": "\\ud800"}')),
    "a schema": ("traffic", request(CREATE, b'{"called": {"a": "' + b"x" * LARGE + b'"}, "x": [1]}')),
    "a form, not UTF-8": ("traffic", request(GP, b"ext=%ff" + b"x" * LARGE, FORMS)),
    "many fields": ("traffic", request(GP, b"a=b&" * 50_000, FORMS)),
    "no operation": ("traffic", request(YUNHU, b"service=App.Nowhere&x=" + b"x" * LARGE, FORMS)),
    "no boundary": ("traffic", request(GP, b"x" * LARGE, "multipart/form-data")),
    "a broken part": ("traffic", request(GP, b"--b\r\nX\r\n\r\n" + b"x" * LARGE, "multipart/form-data; boundary=b")),
    "a part, not UTF-8": (
        "traffic",
        request(GP, b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff' + b"x" * LARGE + b"\r\n--b--",
                "multipart/form-data; boundary=b"),
    ),
    "too large": ("traffic", HEAD + b"Content-Length: 20000000\r\n\r\n" + b"x" * LARGE),
    "too large, in chunks": (
        "traffic", HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"80000\r\n" + b"x" * 0x80000 + b"\r\n0\r\n\r\n",
    ),
    "cut off": ("traffic", HEAD + b"Content-Length: 400000\r\n\r\n" + b"x" * LARGE),
    "control: too large": ("control", request(TENANTS, b"x" * 2_000_000)),
    "control: too large, in chunks": (
        "control",
        HEAD.replace(b"/api/yunhu", b"/v1/tenants") + b"Transfer-Encoding: chunked\r\n\r\n200000\r\n" + b"x" * 0x200000,
    ),
    "control: cut off": ("control", HEAD.replace(b"/api/yunhu", b"/v1/tenants") + b"Content-Length: 9000\r\n\r\n{"),
    "control: not JSON": ("control", request(TENANTS, b'{"a": "' + b"x" * LARGE)),
    "control: not UTF-8": ("control", request(TENANTS, b'{"a": "\xff' + b"x" * LARGE + b'"}')),
    "control: twice": ("control", request(TENANTS, b'{"a": "' + b"x" * LARGE + b'", "a": 1}')),
    "control: deep": ("control", request(TENANTS, DEEP)),
    "control: a number": ("control", request(TENANTS, b'{"seed": ' + b"9" * LARGE + b"}")),
    "control: a schema": ("control", request(TENANTS, b'{"id": ["' + b"x" * LARGE + b'"], "y": 1}')),
    "control: an id": ("control", request(TENANTS, b'{"id": "' + b"x" * LARGE + b'"}')),
    "control: a key that is taken": ("control", request(TENANTS, b'{"credentials": {"nxcloud": {"appkey": "nx-appkey"}}}')),
    "control: no tenant": ("control", request("/v1/tenants/nobody/reset", b"x" * LARGE)),
    "control: a scenario in JSON": ("control", request(SCENARIO, b'{"name": ["' + b"x" * LARGE + b'"]}', method="PUT")),
    "control: a scenario": ("control", request(SCENARIO, b"name: [" + b"x" * LARGE, YAML, method="PUT")),
    "control: rules": ("control", request(SCENARIO, b"name: a\nrules:\n" + b"- {call: x}\n" * 5_000, YAML, method="PUT")),
    "control: aliases": ("control", request(SCENARIO, b"a: &a [x]\nb: [*a, *b]\n# " + b"x" * LARGE, YAML, method="PUT")),
    "control: a setting": ("control", request("/v1/tenants/default", b'{"settings": {"nxcloud": {"x": "' + b"x" * LARGE + b'"}}}', method="PATCH")),
    "control: an advance": ("control", request("/v1/tenants/default/clock/advance", b'{"to": "' + b"x" * 1_000 + b'"}')),
    "control: another host": ("control", request(TENANTS, b"{}", JSON).replace(b"Host: localhost", b"Host: evil.example")),
    "control: another origin": ("control", request(TENANTS, b"x" * LARGE, JSON, "Origin: http://evil.example")),
    "control: an entry": ("control", request("/v1/tenants/default/journal/99999/explain", method="GET")),
}  # fmt: skip


@pytest.fixture
async def emu(monkeypatch) -> AsyncIterator[Running]:
    monkeypatch.setattr(intake, "BODY_SECONDS", 0.3)
    monkeypatch.setattr(asking, "BODY_TIMEOUT", 0.3)
    monkeypatch.setattr(intake, "BODY_LIMIT", 500_000)
    async with started(strict=False) as emu:
        yield emu


async def refused(emu: Running, port: str, sent: bytes) -> bytes:
    parts = urlsplit({"traffic": emu.url, "control": emu.control}[port])
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    answer = b""
    try:
        for begin in range(0, len(sent), 1 << 16):
            writer.write(sent[begin : begin + (1 << 16)])
            await writer.drain()
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n"), 20)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # cut off before it was all sent, or read: also a refusal
    writer.transport.abort()
    while emu.emulator._doors.open:  # noqa: ASYNC110 - a closed connection sets no event
        await asyncio.sleep(0)
    return answer


def left_behind() -> list[str]:
    """Frames, tracebacks and large texts that only the collector would let go of."""
    gc.collect()
    found = [
        f"{type(one).__name__} {getattr(getattr(one, 'f_code', None), 'co_qualname', '')} {repr(one)[:200]}"
        for one in gc.garbage
        if isinstance(one, types.FrameType | types.TracebackType | BaseException)
        or any(
            isinstance(held, bytes | bytearray | str) and len(held) > 20_000 for held in gc.get_referents(one)
        )
    ]
    gc.garbage.clear()
    return found


@pytest.mark.parametrize("what", REFUSED)
async def test_no_refusal_leaves_a_circle_behind(emu: Running, what: str):
    port, sent = REFUSED[what]
    # Once for what is imported and remembered on first use.
    await refused(emu, port, sent)
    await asyncio.sleep(0)
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        answer = await refused(emu, port, sent)
        await asyncio.sleep(0)
        assert left_behind() == []
    finally:
        gc.set_debug(0)
        gc.enable()
        gc.garbage.clear()
    assert answer == b"" or not answer.startswith(b"HTTP/1.1 5"), answer
