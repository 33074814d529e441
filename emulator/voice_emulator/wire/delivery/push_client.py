"""The HTTP client for pushes: one request to a receiver, one answer back.

aiohttp opens the connections and parses the answers; :mod:`voice_emulator.wire.delivery.connections` keeps them. A push
must not have what aiohttp's session adds (redirects, cookies, proxies, decoding, retries): it is sent once, as the
provider sends it, and its answer is read unchanged. This takes a third of the session's time, but uses private names of
aiohttp. With versions it was not tested with, pushes go through :mod:`voice_emulator.wire.delivery.session_client`.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from ssl import SSLContext

import aiohttp
from aiohttp import StreamReader
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.providers.provider import PushRequest
from voice_emulator.wire.delivery.connections import TRIAL, Connections, PushConnection, has_arrived
from voice_emulator.wire.delivery.target_policy import Resolver
from voice_emulator.wire.http.agent import AGENT

#: Awaited before the first byte of a push is sent.
Announce = Callable[[], Awaitable[None]]
#: A body sent slowly: real microseconds between two pieces, and bytes of a piece.
Pace = tuple[int, int]

#: Bytes of an answer that are read: an acknowledgement is a word or a small object.
REPLY_LIMIT = 64 * 1024
#: Bytes of a line of an answer's head; some servers send long session and policy headers.
LINE_LIMIT = 64 * 1024
#: Real seconds for reading what had arrived by the deadline.
LATE = 0.01

#: Heads of requests, without Content-Length, that are kept: most pushes differ in their bodies alone.
HEADS_CACHED = 256

_CONTROLS = ("\r", "\n", "\0")


class KeptConnectionClosed(ConnectionError):
    """A receiver closed a kept connection without answering the push sent over it.

    It is not known whether it has read the push, so it is not sent again; and the receiver may not be at fault.
    """

    def __init__(self) -> None:
        super().__init__(
            "the receiver closed a kept connection without an answer; it may or may not have read the push"
        )


class _ClosedBefore(Exception):
    """The close of a kept connection arrived before anything was written to it."""


class PushClient:
    """Sends pushes to all receivers, for all tenants."""

    def __init__(
        self, resolver: Resolver, seconds: float, trust: SSLContext | None = None, *, trial: float = TRIAL
    ) -> None:
        """``seconds`` limits an exchange, ``trial`` is for :class:`Connections`; needs the running loop."""
        self._connections = Connections(resolver, trust, trial)
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._active = 0
        self._outgoing: list[tuple[_Exchange, bytes]] = []

    async def close(self) -> None:
        """Close the connections, idle or not."""
        await self._connections.close()

    async def exchange(
        self,
        url: URL,
        request: PushRequest,
        *,
        announce: Announce | None = None,
        pace: Pace | None = None,
        seconds: float | None = None,
    ) -> PushReply:
        """Send a request and read its answer, up to :data:`REPLY_LIMIT` bytes of it.

        ``announce`` is awaited when the connection is open and before anything is sent. Earlier, a push that was
        never sent would count as uncertain: many wait for a connection, some for long. ``url`` is that of ``request``,
        parsed. The time that ``pace`` takes is not the receiver's. ``seconds`` limits this exchange further.

        Raises TimeoutError, OSError, aiohttp.ClientError, KeptConnectionClosed, and ValueError for a header that
        cannot be sent.
        """
        head = request_head(url, request)
        loop = self._loop
        if seconds is None or seconds > self._seconds:
            seconds = self._seconds
        deadline = loop.time() + seconds
        if pace is not None:
            deadline += time_of(request.body, pace)
        connection = await self._connections.take(url, seconds)
        if announce is not None:
            begun = loop.time()
            try:
                await announce()
            except BaseException:
                connection.close()
                raise
            deadline += loop.time() - begun  # not the receiver's time
        try:
            return await self._run_over(connection, deadline, url, head, request, pace)
        except _ClosedBefore:
            self._connections.drop(connection)
        connection = await self._connections.open(connection.origin, max(0.001, deadline - loop.time()))
        return await self._run_over(connection, deadline, url, head, request, pace)

    async def _run_over(
        self,
        connection: PushConnection,
        deadline: float,
        url: URL,
        head: bytes,
        request: PushRequest,
        pace: Pace | None,
    ) -> PushReply:
        exchange = _Exchange(connection, self._send, deadline, self._loop)
        self._active += 1
        origin = connection.origin
        if not origin.active:
            origin.progress_at = self._loop.time()
        origin.active += 1
        try:
            reply = await exchange.run(url, head, request, pace)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if connection.kept and exchange.unanswered:
                self._connections.distrust(connection)
                raise KeptConnectionClosed from error
            connection.close()
            raise
        except BaseException:
            connection.close()
            raise
        finally:
            exchange.timer.cancel()
            origin.active -= 1
            self._active -= 1
        self._connections.answered(connection, stays=exchange.stays)
        return reply

    def _send(self, exchange: _Exchange, data: bytes) -> None:
        """Send a request; when several are active, together with all others of this round of the event loop.

        Waking a receiver once costs a fraction of waking it for each push.
        """
        if self._active == 1:
            exchange.write(data)
            return
        if not self._outgoing:
            self._loop.call_soon(self._send_outgoing)
        self._outgoing.append((exchange, data))

    def _send_outgoing(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for exchange, data in outgoing:
            exchange.write(data)


class _Exchange:
    """One request and its answer over an open connection."""

    __slots__ = ("_connection", "_content", "_deadline", "_protocol", "_send", "stays", "timer", "unanswered")

    def __init__(
        self,
        connection: PushConnection,
        send: Callable[[_Exchange, bytes], None],
        deadline: float,
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """``deadline`` is in the time of ``loop``; the caller cancels :attr:`timer`."""
        self._connection = connection
        self._protocol = connection.protocol
        self._send = send
        self._deadline = deadline
        self._content: StreamReader | None = None
        #: Whether no part of an answer has arrived.
        self.unanswered = True
        #: Whether the answer is complete and lets the connection stay open.
        self.stays = False
        # A tenth of the cost of asyncio.timeout.
        self.timer = loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        transport = self._protocol.transport
        if transport is not None and not transport.is_closing() and has_arrived(transport):
            # An answer has arrived, and this process was too busy to read it. A slow receiver gets a moment more.
            self.timer = asyncio.get_running_loop().call_later(LATE, self._give_up)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """End the wait for the answer, or for more of it, with TimeoutError."""
        self._protocol.set_exception(TimeoutError())
        if self._content is not None:
            self._content.set_exception(TimeoutError())

    def write(self, data: bytes) -> None:
        """Write to the connection, unless it is a kept one whose close has arrived."""
        if self._connection.kept and self._connection.closing:
            self._protocol.set_exception(_ClosedBefore())
        elif self._protocol.transport is not None:
            self._protocol.transport.write(data)

    async def run(self, url: URL, head: bytes, request: PushRequest, pace: Pace | None) -> PushReply:
        """Send the request and read the answer."""
        protocol, transport = self._protocol, self._protocol.transport
        if transport is None:
            raise _ClosedBefore if self._connection.kept else aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            read_until_eof=True, skip_payload=request.method == "HEAD", auto_decompress=False,
            max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
        )  # fmt: skip
        if pace is None:
            self._send(self, head + request.body)
        else:
            self.write(head)
            async with asyncio.timeout_at(self._deadline):
                async for piece in slowly(request.body, *pace):
                    transport.write(piece)
        try:
            message, content = await protocol.read()
            self.unanswered = False
            while 100 <= message.code <= 199 and message.code != 101:
                message, content = await protocol.read()
        except HttpProcessingError as error:
            self.unanswered = False
            info = aiohttp.RequestInfo(url, request.method, CIMultiDictProxy(CIMultiDict()), url)
            raise aiohttp.ClientResponseError(info, (), status=error.code, message=error.message) from error
        self._content = content
        if not content.is_eof():
            acknowledge_now(transport)
        answer = await read_answer(content)
        self.stays = content.at_eof() and not message.should_close
        return PushReply(message.code, tuple(message.headers.items()), answer)


def request_head(url: URL, request: PushRequest) -> bytes:
    """The head of a request. Raises ValueError for a header with a line break or zero."""
    length = b"Content-Length: %d\r\n\r\n" % len(request.body) if _has_length(request) else b"\r\n"
    return _head_without_length(url, request.method, request.headers) + length


@lru_cache(maxsize=HEADS_CACHED)
def _head_without_length(url: URL, method: str, headers: tuple[tuple[str, str], ...]) -> bytes:
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in _common_headers(url, headers)]
    return "\r\n".join([*lines, ""]).encode("utf-8", "surrogateescape")


def request_headers(url: URL, request: PushRequest) -> list[tuple[str, str]]:
    """All headers of a request, in order. Raises ValueError for one with a line break or zero."""
    found = _common_headers(url, request.headers)
    if _has_length(request):
        found.append(("Content-Length", str(len(request.body))))
    return found


def _has_length(request: PushRequest) -> bool:
    return bool(request.body) or request.method not in ("GET", "HEAD")


def _common_headers(url: URL, headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    found = [("Host", url.host_port_subcomponent or ""), ("User-Agent", AGENT)]
    if url.raw_user is not None and not any(name.lower() == "authorization" for name, _ in headers):
        known = f"{url.user or ''}:{url.password or ''}"
        found.append(("Authorization", f"Basic {b64encode(known.encode()).decode()}"))
    for name, value in headers:
        if any(control in name or control in value for control in _CONTROLS):
            raise ValueError(f"the header {name!r} contains a line break or a zero byte")
        found.append((name, value))
    found.append(("Accept", "*/*"))
    return found


async def slowly(body: bytes, every: int, size: int) -> AsyncIterator[bytes]:
    """``body`` in pieces of ``size`` bytes, one every ``every`` real microseconds."""
    for begin in range(0, len(body), size):
        if begin:
            await asyncio.sleep(every / 1e6)
        yield body[begin : begin + size]


def time_of(body: bytes, pace: Pace | None) -> float:
    """The real seconds that :func:`slowly` takes at ``pace``; None is at once."""
    return pace[0] / 1e6 * (len(body) // pace[1]) if pace is not None else 0.0


async def read_answer(content: StreamReader) -> bytes:
    """The first :data:`REPLY_LIMIT` bytes of an answer's body; ``content`` is not at its end if there is more."""
    answer: bytes = await content.read(REPLY_LIMIT)
    while len(answer) < REPLY_LIMIT and not content.at_eof():
        # One read returns one piece.
        answer += await content.read(REPLY_LIMIT - len(answer))
    return answer


def acknowledge_now(transport: asyncio.Transport) -> None:
    """Let the kernel acknowledge at once what has arrived (Linux).

    A receiver that writes head and body separately sends the body only when the head is acknowledged (Nagle), and the
    kernel delays that by up to 40 ms for each push.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_QUICKACK") or sock.fileno() < 0:
        return
    # A duplicate of the descriptor: uvloop's socket objects cannot set options.
    with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
