"""Clients that disconnect, in every way and at every moment, cause no error and no error message."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.rig import Running, started
from tests.wire.raw import GPSEND
from voice_emulator.cli.event_loop import run
from voice_emulator.wire.http.sockets import reset_on_close

PATH = "/api/voiceSms/gpsend"
FORM = urlencode(GPSEND).encode()
PARTS = (
    "".join(
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in GPSEND.items()
    ).encode()
    + b"--b--\r\n"
)
LONG = FORM + b"&more=" + b"x" * 150_000
URLENCODED, MULTIPART, JSON = (
    "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "application/json",
)  # fmt: skip


def post(
    path: str, kind: str, body: bytes, more: str = "", version: str = "1.1", method: str = "POST"
) -> bytes:
    head = (
        f"{method} {path} HTTP/{version}\r\nHost: localhost\r\nContent-Type: {kind}\r\n{more}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def get(path: str, method: str = "GET") -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def chunked(path: str, kind: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = (body[begin : begin + 50] for begin in range(0, len(body), 50))
    return head.encode() + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


TRAFFIC = {
    "urlencoded": post(PATH, URLENCODED, FORM),
    "multipart": post(PATH, MULTIPART, PARTS),
    "broken multipart": post(PATH, MULTIPART, PARTS[:-9]),
    "json": post("/apigovernance/api/oauth/tokenByAkSk", JSON, b'{"app_key":"cec-app-key","app_secret":"cec-app-secret"}'),
    "no body": get("/api/yunhu"),
    "head": get(PATH, "HEAD"),
    "explained": post(PATH, MULTIPART, PARTS, "Emulator-Explain: 1\r\n"),
    "explained form": post(PATH, URLENCODED, FORM, "Emulator-Explain: 1\r\n"),
    "in chunks": chunked(PATH, URLENCODED, FORM),
    "multipart in chunks": chunked(PATH, MULTIPART, PARTS),
    "expected": post(PATH, MULTIPART, PARTS, "Expect: 100-continue\r\n"),
    "closing": post(PATH, MULTIPART, PARTS, "Connection: close\r\n"),
    "HTTP/1.0": post(PATH, MULTIPART, PARTS, version="1.0"),
    "long": post(PATH, URLENCODED, LONG),
    "upgrading": post(PATH, MULTIPART, PARTS, "Connection: upgrade\r\nUpgrade: h2c\r\n"),
    "nowhere": post("/nowhere", MULTIPART, PARTS),
    "a download": get("/infin8linx/recordings/x.wav"),
    "three at once": post(PATH, MULTIPART, PARTS) * 3,
    "many at once": post(PATH, URLENCODED, FORM) * 30,
}  # fmt: skip
T = "/v1/tenants/default"
CONTROL = {
    "health": get("/health"),
    "a long reply": get("/openapi.json"),
    "long replies": get("/openapi.json") * 8,
    "the page": get("/ui/app.js"),
    "head": get("/ui/app.js", "HEAD"),
    "a stream": get(f"{T}/events"),
    "a journal": get(f"{T}/journal"),
    "an archive": get(f"{T}/journal.har"),
    "metrics": get("/metrics"),
    "a wait": post(f"{T}/verify", JSON, b'{"number":"1","within":"10s"}'),
    "a test call": post(f"{T}/place", JSON, b'{"provider":"nxcloud","operation":"gpsend","number":"6212345678"}'),
    "an advance": post(f"{T}/clock/advance", JSON, b'{"seconds":60}'),
    "a scenario": post(f"{T}/scenario", "application/yaml", b"name: a\n", method="PUT"),
    "a tenant": post("/v1/tenants", JSON, b'{"id":'),
    "in chunks": chunked("/v1/tenants", JSON, b'{"id":"' + b"x" * 300 + b'"}'),
    "expected": post("/v1/tenants", JSON, b"{}", "Expect: 100-continue\r\n"),
    "nowhere": get("/nowhere"),
}  # fmt: skip
FAULTS = (
    "reset", "empty", "hang", "truncate", "garbage", "invalid_json", "html_error", "wrong_content_type",
    "{http_status: 503}", "{slow_body: {every: 1ms, bytes: 9}}", "{latency: 2ms}",
)  # fmt: skip


def leave_with_a_reset(sock: socket.socket) -> None:
    reset_on_close(sock)
    sock.close()


def leave_unread(sock: socket.socket) -> None:
    sock.close()


def leave_half(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


LEAVING: tuple[Callable[[socket.socket], None], ...] = (leave_with_a_reset, leave_unread, leave_half)


def moments(said: bytes) -> Iterator[tuple[bytes, int]]:
    """How much is sent before the client leaves, and how often the event loop turns in between."""
    head = said.index(b"\r\n\r\n") + 4
    for cut in sorted({0, 10, head - 2, head, (head + len(said)) // 2, len(said) - 1}):
        yield said[:cut], 2
    for turns in (0, 1, 2, 4, 9):
        yield said, turns


async def go_away(
    base: str, said: bytes, turns: int, leave: Callable[[socket.socket], None]
) -> socket.socket:
    parts = urlsplit(base)
    sock = socket.create_connection((parts.hostname, parts.port))
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(sock, said)
        for _ in range(turns):
            await asyncio.sleep(0)
        leave(sock)
    except OSError:  # the emulator was first
        sock.close()
    return sock


async def all_gone(emu: Running, before: set[asyncio.Task[Any]]) -> None:
    """Wait until no connection is open, and no task of one runs."""

    async def turn() -> None:
        while (  # noqa: ASYNC110 - what is waited for sets no event
            emu.emulator._connection_limits.open or asyncio.all_tasks() - before - {asyncio.current_task()}
        ):
            await asyncio.sleep(0.001)

    await asyncio.wait_for(turn(), 60)


async def come_and_go(
    emu: Running, base: str, requests: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    for what, said in requests.items():
        for leave in LEAVING:
            socks = [await go_away(base, part, turns, leave) for part, turns in moments(said)]
            for sock in socks:
                if leave is leave_half:
                    await asyncio.sleep(0)
                sock.close()
        await all_gone(emu, before)
        told = [
            record.getMessage()
            for record in caplog.records
            # What an advance pushes has no receiver here, which is told.
            if record.levelno >= logging.WARNING and record.name != "voice_emulator.wire.delivery.attempting"
        ]
        assert (told, complaints) == ([], []), what


def on_both_loops(uv: bool, main: Coroutine[Any, Any, None]) -> None:
    """The tests' own loop is asyncio's; ``serve`` runs on uvloop, whose transports are others."""
    if uv:
        pytest.importorskip("uvloop")
        run(main)
    else:
        asyncio.run(main)


@pytest.fixture(params=["uvloop", "asyncio"])
def uv(request: pytest.FixtureRequest) -> bool:
    return request.param == "uvloop"


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, *FAULTS])
def test_a_client_of_the_traffic_port_may_leave_at_any_time(fault: str | None, uv: bool, caplog):
    async def main() -> None:
        text = f"name: x\nrules:\n  - {{name: r, fault: {fault}}}\n" if fault else "happy-path"
        async with started(text, receive=False) as emu:
            await come_and_go(emu, emu.url, TRAFFIC, caplog)
            async with emu.client.get(emu.control + "/health") as reply:
                assert reply.status == 200

    on_both_loops(uv, main())


def test_a_client_of_the_control_port_may_leave_at_any_time(uv: bool, caplog):
    async def main() -> None:
        async with started(receive=False) as emu:
            await come_and_go(emu, emu.control, CONTROL, caplog)

    on_both_loops(uv, main())


def test_a_client_may_leave_within_a_handshake(uv: bool, caplog):
    async def main() -> None:
        async with started(receive=False, tls_self_signed=True) as emu:
            hello = ssl.MemoryBIO()
            with pytest.raises(ssl.SSLWantReadError):
                ssl.create_default_context().wrap_bio(
                    ssl.MemoryBIO(), hello, server_hostname="x"
                ).do_handshake()
            said = {"a hello": hello.read() + b"\r\n\r\n", "plain": TRAFFIC["multipart"]}
            await come_and_go(emu, emu.url, said, caplog)
            await come_and_go(emu, emu.control, said, caplog)

    on_both_loops(uv, main())


async def test_a_bug_is_told_as_long_as_somebody_is_there(caplog, monkeypatch):
    """What looks like a closed connection, and is none, is an error of ours."""

    def broken(*args: Any) -> None:
        raise ConnectionResetError("of something else")

    async with started() as emu:
        monkeypatch.setattr(emu.emulator.runtime.gateway, "_reply", broken)
        async with emu.client.post(emu.url + PATH, data=GPSEND, headers={"Emulator-Explain": "1"}) as reply:
            assert reply.status == 500
    assert any(record.levelno == logging.ERROR for record in caplog.records)
