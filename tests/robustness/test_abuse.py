"""One process under abuse of every kind: it goes on serving, and never takes more memory than it may."""

from __future__ import annotations

import asyncio
import gzip
import json
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest

from tests.cli.process import Running, get, post, serving
from tests.cli.serve.test_command import FORM, GPSEND
from tests.cost import cpu_of
from tests.patience import PATIENCE
from tests.robustness.memory import memory_of

MB = 1024 * 1024
IDLE = 10_000
#: Seconds of the server's processor time that a call and a health check may take, what else it does included.
QUICK = 10


def address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0


def serves(server: Running) -> None:
    """A call and a health check are answered, and cost little."""
    begun = cpu_of(server.process.pid)
    status, _ = post(server.ready["traffic"] + "/api/voiceSms/gpsend", GPSEND, **FORM)
    assert status == 200
    assert get(server.ready["control"] + "/health")["status"] == "ok"
    assert cpu_of(server.process.pid) - begun < QUICK


@contextmanager
def many_files(wanted: int) -> Iterator[int]:
    """As many open files as may be had in this process, up to ``wanted``; how many connections they are good for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    had = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, had), hard))
    try:
        yield min(wanted, max(soft, had)) - 500
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_ten_thousand_idle_connections_and_it_still_answers():
    with many_files(IDLE + 500) as count, serving() as server:
        before = memory_of(server.process.pid).now
        idle: list[socket.socket] = []
        try:
            for number in range(count):
                port = server.ready["control" if number % 2 else "traffic"]
                idle.append(socket.create_connection(address(port), timeout=PATIENCE))
                if number % 3 == 0:
                    idle[-1].sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ")
            serves(server)
            grown = memory_of(server.process.pid).peak - before
            assert grown < 40_000 * count, f"{grown / count:,.0f} bytes for each"
        finally:
            for each in idle:
                each.close()
        serves(server)
        assert "Traceback" not in "\n".join(server.log.lines)


async def pour(url: str, sent: bytes, *, read: bool, seconds: float = PATIENCE) -> None:
    """Send everything, and read what comes or do not; hung up on is fine."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection(*address(url))
            try:
                for begin in range(0, len(sent), 1 << 18):
                    writer.write(sent[begin : begin + (1 << 18)])
                    await writer.drain()
                if read:
                    await reader.read(1 << 16)
            finally:
                writer.transport.abort()
    except (ConnectionError, TimeoutError, OSError):
        pass  # how it ends is the server's affair


def head(path: str, length: int, kind: str, extra: str = "") -> bytes:
    lines = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n{extra}"
    return f"{lines}Content-Length: {length}\r\n\r\n".encode()


def whole(path: str, body: bytes, kind: str, extra: str = "") -> bytes:
    return head(path, len(body), kind, extra) + body


def put(path: str, body: bytes, kind: str) -> bytes:
    return whole(path, body, kind).replace(b"POST", b"PUT", 1)


LARGE = 15 * MB
JSON, FORMS = "application/json", "application/x-www-form-urlencoded"
GP = "/api/voiceSms/gpsend"
TOKEN = "/apigovernance/api/oauth/tokenByAkSk"
CREATE = "/apiaccess/rest/voiceNotification/v2/createVoiceNotification"
CHUNKED = b"POST /v1/tenants HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
EMPTY = b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
SCENARIO = "/v1/tenants/default/scenario"
DOCUMENT = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"


def abuses() -> list[tuple[str, bytes, int, bool]]:
    """(port, what is sent over each connection, over how many, whether the answer is read)."""
    zipped = gzip.compress(b"\0" * 200 * MB, 6)
    gzipped = "Content-Encoding: gzip\r\n"
    return [
        ("traffic", whole(GP, b"x" * LARGE, FORMS), 30, True),
        ("traffic", head(GP, LARGE, FORMS) + b"x" * (LARGE - 1), 30, False),
        ("traffic", whole(GP, b"x" * 2 * MB, FORMS), 150, True),
        ("traffic", whole(TOKEN, b"[" + b"{}," * (LARGE // 3) + b"{}]", JSON), 4, True),
        ("traffic", whole(CREATE, b'{"called": "' + b"1," * (LARGE // 2) + b'"}', JSON), 4, True),
        ("traffic", whole(GP, b"phone=" + b"1," * (LARGE // 2), FORMS), 4, True),
        ("traffic", whole(GP, b"phone=" + b"%31" * (LARGE // 3), FORMS), 4, True),
        ("traffic", whole(GP, zipped, FORMS, gzipped), 10, True),
        ("traffic", EMPTY * 3_000, 5, False),
        ("control", DOCUMENT * 3_000, 5, False),
        ("control", whole("/v1/tenants", b"x" * LARGE, JSON), 20, True),
        ("control", whole("/v1/tenants", zipped, JSON, gzipped), 10, True),
        ("control", put(SCENARIO, b"- " * 500_000, "application/yaml"), 4, True),
        (
            "control",
            put(
                SCENARIO,
                b"name: a\nrules:\n" + b"- {match: {number: [1, 2, 3]}}\n" * 9_000,
                "application/yaml",
            ),
            4,
            True,
        ),
        ("control", put(SCENARIO, b"[" + b"[]," * 340_000 + b"[]]", JSON), 4, True),
        ("control", whole("/v1/tenants", b'{"id": [' + b"{}," * 340_000 + b"{}]}", JSON), 4, True),
        ("traffic", b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 100_000, 20, True),
        *[
            (port, begin + filler * (10 * MB // len(filler)), 60, False)
            for port in ("traffic", "control")
            for begin, filler in (
                (b"", b"\x16\x03\x01\0garbage\r\n"),
                (b"", b"\r\n"),
                (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\0"),
                (CHUNKED, b"zz\r\n"),
                (CHUNKED, b"1\r\nx\r\n"),
            )
        ],
        ("traffic", named_headers(), 40, True),
        ("control", named_headers(), 10, True),
    ]


def named_headers() -> bytes:
    """Requests whose headers are nearly nothing but names, 60 over one connection."""
    return b"".join(
        b"POST /api/voiceSms/gpsend HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n"
        + b"".join(b"X%d-%d-%s: y\r\n" % (n, k, b"z" * 8_000) for k in range(20))
        + b"\r\n"
        for n in range(60)
    )


async def left_unread(url: str, path: str, count: int, server: Running) -> None:
    """Ask for something large over ``count`` connections, read nothing of it, and see others served meanwhile."""
    peers = [socket.create_connection(address(url), timeout=PATIENCE) for _ in range(count)]
    try:
        for peer in peers:
            peer.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        await asyncio.to_thread(serves, server)
    finally:
        for peer in peers:
            peer.close()


def tenant_and_gone(server: Running, number: int) -> None:
    """Create a tenant, use it, delete it."""
    control = server.ready["control"] + "/v1/tenants"
    made = json.dumps({"id": f"t{number}", "credentials": {"nxcloud": {"appkey": f"k{number}"}}}).encode()
    kind = {"Content-Type": "application/json"}
    assert post(control, made, **kind)[0] == 201
    assert (
        post(server.ready["traffic"] + GP, f"appkey=k{number}&ext={'x' * 5_000}".encode(), **FORM)[0] == 200
    )
    with urlopen(Request(f"{control}/t{number}", method="DELETE"), timeout=60) as reply:
        assert reply.status == 204


#: What the process may have beyond what it had at its start: ever, and a moment after the last abuse.
PEAK, REST = 360 * MB, 72 * MB


async def until_rest(pid: int, before: int) -> None:
    """Wait until the process has given back what it does not need any more."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while (rest := memory_of(pid).now - before) > REST:
        assert asyncio.get_running_loop().time() < deadline, f"{rest / MB:,.0f} MB kept"
        await asyncio.sleep(0.2)


@pytest.mark.slow
@pytest.mark.parametrize("tenants", [500, pytest.param(3_000, marks=pytest.mark.long)])
async def test_peak_memory_is_bounded_under_abuse(tenants: int):
    with serving() as server:
        pid = server.process.pid
        before = memory_of(pid).now
        for port, sent, count, read in abuses():
            await asyncio.gather(*(pour(server.ready[port], sent, read=read) for _ in range(count)))
            await asyncio.to_thread(serves, server)
            peak = memory_of(pid).peak - before
            assert peak < PEAK, f"{peak / MB:,.0f} MB after {count} times {sent[:60]!r}"
        # Control characters: as JSON they take six times their size, and a request's are shown twice.
        await pour(server.ready["traffic"], whole(GP, b"ext=" + b"\x01" * 4 * MB, FORMS), read=True)
        for _ in range(12):
            await pour(server.ready["traffic"], whole(GP, b"ext=" + b"\x01" * MB, FORMS), read=True)
        for what in ("journal?limit=1000", "har", "report?format=html"):
            await left_unread(server.ready["control"], f"/v1/tenants/default/{what}", 4, server)
            peak = memory_of(pid).peak - before
            assert peak < PEAK, f"{peak / MB:,.0f} MB after {what}"
        for n in range(tenants):
            await asyncio.to_thread(tenant_and_gone, server, n)
        peak = memory_of(pid).peak - before
        assert peak < PEAK, f"{peak / MB:,.0f} MB after very many tenants"
        await until_rest(pid, before)
        log = "\n".join(server.log.lines)
        assert "Traceback" not in log, log[log.index("Traceback") :][:4_000]
