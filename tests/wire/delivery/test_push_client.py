"""The wire to the receivers, against servers of bare sockets: what is sent, byte by byte, and what an answer may be."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from tests.patience import PATIENCE
from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.push_client import REPLY_LIMIT, PushClient, request_head
from voice_emulator.wire.delivery.session_client import SessionPushClient
from voice_emulator.wire.delivery.target_policy import Resolver, TargetPolicy
from voice_emulator.wire.http.aiohttp_versions import BARE_PUSHES


def push(body: bytes = b"", method: str = "POST", headers: tuple[tuple[str, str], ...] = ()) -> PushRequest:
    return PushRequest(method, "", headers, body)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess"


@dataclass
class Server:
    """Sends one of ``answers`` per request (the last one for ever), and notes what came over which connection."""

    answers: Sequence[bytes]
    close: bool = False
    url: URL = field(default_factory=URL)
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.arrived.set()
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                found = re.search(rb"Content-Length: (\d+)", head)
                body = await reader.readexactly(int(found[1])) if found else b""
                self.requests.append(head + body)
                writer.write(self.answers[min(len(self.requests), len(self.answers)) - 1])
                await writer.drain()
                if self.close:
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has enough
        finally:
            writer.close()


AnyChannel = PushClient | SessionPushClient
Wire = Callable[..., AbstractAsyncContextManager[tuple[Server, AnyChannel]]]


@asynccontextmanager
async def serving(
    made: type[AnyChannel], *answers: bytes, close: bool = False, seconds: float = PATIENCE
) -> AsyncIterator[tuple[Server, AnyChannel]]:
    server = Server(answers, close)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.url = URL(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/dr?a=1")
    channel = made(Resolver(TargetPolicy()), seconds)
    try:
        yield server, channel
    finally:
        await channel.close()
        listening.close()


@pytest.fixture(params=[PushClient, SessionPushClient])
def wire(request: pytest.FixtureRequest) -> Wire:
    """A server and a channel of either kind, but not of one that this aiohttp does not allow."""
    if request.param is PushClient and not BARE_PUSHES.usable():
        pytest.skip("this aiohttp is not one of those it was tested with")
    return partial(serving, request.param)


async def test_a_request_goes_out_as_it_is(wire: Wire):
    async with wire(OK) as (server, channel):
        for body in (b"a=1", b"", b"b=2"):
            reply = await channel.exchange(server.url, push(body, headers=(("Content-Type", "text/plain"),)))
            assert (reply.status, reply.headers, reply.body) == (200, (("Content-Length", "7"),), b"success")
        requests = [sent.replace(b"Connection: close\r\n", b"") for sent in server.requests]
        assert requests[0] == (
            b"POST /dr?a=1 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: voice-emulator\r\nContent-Type: text/plain\r\n"
            b"Accept: */*\r\nContent-Length: 3\r\n\r\na=1" % (server.url.port or 0)
        )
        assert requests[1].endswith(b"Content-Length: 0\r\n\r\n")
        reply = await channel.exchange(server.url, push(b"", "GET"))
        assert b"Content-" not in server.requests[-1]


async def test_many_at_once_each_get_their_own_answer(wire: Wire):
    async with wire(OK) as (server, channel):
        bodies = [b"n=%d" % number for number in range(100)]
        replies = await asyncio.gather(*(channel.exchange(server.url, push(body)) for body in bodies))
        assert [reply.body for reply in replies] == [b"success"] * 100
        assert sorted(sent.partition(b"\r\n\r\n")[2] for sent in server.requests) == sorted(bodies)
        # And one that is given up meanwhile takes nobody else's.
        given_up = asyncio.ensure_future(channel.exchange(server.url, push(b"given up")))
        others = [asyncio.ensure_future(channel.exchange(server.url, push(body))) for body in bodies]
        given_up.cancel()
        assert all(reply.body == b"success" for reply in await asyncio.gather(*others))
        assert len(server.requests) == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_push_is_never_made_twice_by_itself(wire: Wire, method: str):
    async with wire(b"", close=True) as (server, channel):
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await channel.exchange(server.url, push(b"", method))
        assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"success"),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", 200, b"until the end"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsuc\r\n4\r\ncess\r\n0\r\n\r\n", 200, b"success"),
        (b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", 302, b""),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x00\x00", 200,
         b"\x1f\x8b\x00\x00"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    ],
)  # fmt: skip
async def test_what_comes_back_is_looked_at_as_it_is(wire: Wire, answer: bytes, status: int, body: bytes):
    async with wire(answer, close=True) as (server, channel):
        reply = await channel.exchange(server.url, push(b"x"))
        assert (reply.status, reply.body) == (status, body)
        assert len(server.requests) == 1


async def test_a_connection_that_the_receiver_closes_or_overfills_is_not_used_again(wire: Wire):
    long = b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000
    closing = OK.replace(b"Content", b"Connection: close\r\nContent")
    async with wire(closing, long, OK) as (server, channel):
        assert (await channel.exchange(server.url, push(b""))).body == b"success"
        assert len((await channel.exchange(server.url, push(b""))).body) == REPLY_LIMIT
        assert (await channel.exchange(server.url, push(b""))).body == b"success"
        assert server.connections == 3


@pytest.mark.parametrize(
    "answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 twelve\r\n\r\n", b"HTTP/1.1 200 OK\r\nbad\r\n\r\n"]
)
async def test_an_answer_that_is_no_http_is_an_error_of_the_receivers(wire: Wire, answer: bytes):
    async with wire(answer) as (server, channel):
        with pytest.raises(aiohttp.ClientError):
            await channel.exchange(server.url, push(b""))


@pytest.mark.parametrize(
    "begun",
    [
        b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsuc\r\n", b"HTTP/1.0 200 OK\r\n\r\nsuccess",
    ],
)  # fmt: skip
async def test_silence_ends_with_the_time_out(wire: Wire, begun: bytes):
    async with wire(begun, OK) as (server, channel):
        with pytest.raises(TimeoutError):
            await channel.exchange(server.url, push(b""), seconds=0.1)
        # Over the connection that was given up nothing else goes.
        assert (await channel.exchange(server.url, push(b""))).body == b"success"
        assert server.connections == 2


async def test_the_timeout_holds_for_a_body_sent_in_pieces_too(wire: Wire, monkeypatch: pytest.MonkeyPatch):
    async def stalled(body: bytes, every: int, size: int) -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.Event().wait()

    for module in ("push_client", "session_client"):
        monkeypatch.setattr(f"voice_emulator.wire.delivery.{module}.slowly", stalled)
    async with wire(OK, seconds=0.1) as (server, channel):
        with pytest.raises(TimeoutError):
            await channel.exchange(server.url, push(b"ab"), pace=(1, 1))
        assert not server.requests


async def test_the_announcement_precedes_the_first_byte_and_follows_the_connection(wire: Wire):
    async with wire(OK) as (server, channel):
        seen = []

        async def announce() -> None:
            # The connection stands once the server has taken it up; it has not been sent anything.
            await server.arrived.wait()
            seen.append((server.connections, len(server.requests)))

        await channel.exchange(server.url, push(b""), announce=announce)
        await channel.exchange(server.url, push(b""), announce=announce)
        assert seen == [(1, 0), (2, 1)]

        async def refuse() -> None:
            raise OSError("cannot be kept")

        with pytest.raises(OSError, match="cannot be kept"):
            await channel.exchange(server.url, push(b""), announce=refuse)
        assert len(server.requests) == 2


def test_credentials_in_the_url_become_a_header():
    url = URL("http://us%40er:pa%3Ass@[::1]:8080/x", encoded=True)
    head = request_head(url, push()).decode()
    assert "Host: [::1]:8080\r\n" in head
    assert "Authorization: Basic dXNAZXI6cGE6c3M=\r\n" in head
    assert "us%40er" not in head
    own = request_head(url, push(headers=(("authorization", "mine"),))).decode()
    assert "Basic" not in own


@given(st.text(), st.text(), st.integers(0, 1_000))
def test_no_header_ends_its_line_early(name: str, value: str, length: int):
    url = URL("http://127.0.0.1/x")
    try:
        head = request_head(url, push(b"x" * length, headers=((name, value),)))
    except ValueError:  # line breaks and zeros, and halves of surrogate pairs
        assert set("\r\n\0") & set(name + value) or any("\ud800" <= c <= "\udfff" for c in name + value)
        return
    lines = head.split(b"\r\n")
    assert len(lines) == 8
    assert lines[3] == f"{name}: {value}".encode("utf-8", "surrogateescape")
    assert lines[-2:] == [b"", b""]
