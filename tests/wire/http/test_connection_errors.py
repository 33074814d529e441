"""Every way a connection fails, over real sockets, by each of the clients, is one sentence without library names."""

from __future__ import annotations

import asyncio
import errno
import http.client
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
import pytest
from yarl import URL

from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.push_client import PushClient
from voice_emulator.wire.delivery.session_client import SessionPushClient
from voice_emulator.wire.delivery.target_policy import Resolver, TargetPolicy
from voice_emulator.wire.http.connection_errors import EMULATOR, connection_error, origin

#: What a library says and a person should not have to read.
INTERNALS = re.compile(r"Error|Errno|ssl:|Connect call|\[|\]|Traceback|_[a-z]|<|>|0x|\('")

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def replying(data: bytes, *, reset: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)
        writer.write(data)
        if reset:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.close()

    return handle


async def _by_push_client(url: str) -> object:
    channel = PushClient(Resolver(TargetPolicy()), 0.5)
    try:
        return await channel.exchange(URL(url), PushRequest("POST", url, (), b"x"))
    finally:
        await channel.close()


async def _by_session(url: str) -> object:
    channel = SessionPushClient(Resolver(TargetPolicy()), 0.5)
    try:
        return await channel.exchange(URL(url), PushRequest("POST", url, (), b"x"))
    finally:
        await channel.close()


async def _by_aiohttp(url: str) -> object:
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, data=b"x") as reply:
        return await reply.read()


def _standard(url: str) -> object:
    parts = URL(url)
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    with closing(make(parts.host or "", parts.port, timeout=0.5)) as connection:
        connection.request("POST", "/", b"x")
        return connection.getresponse().read()


async def _by_standard_library(url: str) -> object:
    return await asyncio.to_thread(_standard, url)


CLIENTS = [_by_push_client, _by_session, _by_aiohttp, _by_standard_library]
clients = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)


async def failure(client: Callable[[str], Awaitable[object]], url: str, **options: Any) -> str:
    with pytest.raises(Exception) as caught:
        await client(url)
    told = connection_error(caught.value, url, **options)
    assert not INTERNALS.search(told), told
    return told


@clients
async def test_a_refused_connection_asks_whether_the_receiver_runs(client, free_port):
    told = await failure(client, f"http://127.0.0.1:{free_port}/x")
    assert told == f"connection refused by 127.0.0.1:{free_port}; is your receiver running?"
    told = await failure(client, f"http://localhost:{free_port}/x", hint=EMULATOR)
    assert told == f"connection refused by localhost:{free_port}; is an emulator running there?"


@pytest.fixture
def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@clients
async def test_a_name_that_does_not_resolve_is_named(client):
    assert (await failure(client, "http://nowhere.invalid/x")).startswith(
        "the name nowhere.invalid does not resolve"
    )


@clients
async def test_a_server_that_never_replies(client):
    never = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await never.wait()
        writer.close()

    async with serving(hang) as port:
        try:
            told = await failure(client, f"http://127.0.0.1:{port}/", seconds=0.5)
        finally:
            never.set()
    assert told == f"no reply from 127.0.0.1:{port} within 0.5 s"


@clients
@pytest.mark.parametrize(
    ("data", "reset", "what"),
    [
        (b"", False, "closed the connection"),
        (b"", True, "connection"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", False, "is not valid HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", False, "broke"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", False, "broke"),
    ],
    ids=["closes", "resets", "speaks ssh", "stops in the body", "stops in a chunk"],
)
async def test_a_server_that_does_not_end_its_reply(client, data, reset, what):
    async with serving(replying(data, reset=reset)) as port:
        told = await failure(client, f"http://127.0.0.1:{port}/")
    assert what in told
    assert f"127.0.0.1:{port}" in told


@clients
async def test_a_server_without_tls(client):
    async with serving(replying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        told = await failure(client, f"https://127.0.0.1:{port}/")
    assert told == f"127.0.0.1:{port} does not speak TLS; should the URL begin with http://?"


@clients
async def test_a_certificate_that_is_not_trusted(client, self_signed):
    async with serving(replying(b""), self_signed) as port:
        told = await failure(client, f"https://127.0.0.1:{port}/")
    assert told.startswith(f"the certificate of 127.0.0.1:{port} is not trusted: ")


@pytest.fixture
def self_signed() -> ssl.SSLContext:
    from voice_emulator.settings import Options
    from voice_emulator.wire.http.tls import certificates

    context = certificates(Options(tls_self_signed=True)).traffic
    assert context is not None
    return context


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EHOSTUNREACH, "x"), "no route to h:80"),
        (OSError(errno.EMFILE, "x"), "too many open files to connect to h:80; raise the limit (ulimit -n)"),
        (OSError(errno.EACCES, "Permission denied"), "cannot connect to h:80: permission denied"),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 80), [Errno 111] Connect call"),
            "connection refused by h:80; is your receiver running?",
        ),
        (
            ExceptionGroup("create_connection failed", [ConnectionRefusedError(errno.ECONNREFUSED, "x")]),
            "connection refused by h:80; is your receiver running?",
        ),
        (ConnectionResetError(), "h:80 broke the connection off before its reply was complete"),
        (TimeoutError(), "no reply from h:80 in time"),
        (ValueError("the header 'X' has line breaks"), "the URL or a header cannot be used: the header 'X' has line breaks"),
        (aiohttp.ClientConnectionError(), "the exchange with h:80 failed: client connection"),
    ],
    ids=repr,
)  # fmt: skip
def test_what_no_socket_here_can_show(error, told):
    assert connection_error(error, "http://h/x") == told


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://h/x", "h:80"), ("https://h", "h:443"), ("http://u:p@h:9/x?token=1", "h:9"),
        ("http://[::1]:9/", "[::1]:9"), ("http://h:port/", "http://h:port/"), ("nothing", "nothing"),
    ],
)  # fmt: skip
def test_the_origin_of_a_url_holds_no_secret(url, found):
    assert origin(url) == found
