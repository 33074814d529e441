"""The wire to the receivers: one request out, one answer back.

aiohttp finds and opens the connections and parses the answers; :mod:`voice_emulator.wire.delivery.connections` keeps
them. What aiohttp's session adds to each request (redirects, cookies, proxies, decoding, a second try) a push must not
have: it is made once, as the provider makes it, and its answer is taken as it is. Doing without the session takes a
third of the time, and takes a version of aiohttp whose inside is known; with any other, pushes go through
:mod:`voice_emulator.wire.delivery.session_client`.
"""

from __future__ import annotations

import asyncio
import socket
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from ssl import SSLContext

import aiohttp
from aiohttp import StreamReader
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.wire.delivery.connections import PATIENCE, TRIAL, Connections, Held, has_arrived
from voice_emulator.wire.delivery.target_policy import Resolver
from voice_emulator.wire.http.agent import AGENT

Headers = tuple[tuple[str, str], ...]

#: How much of a receiver's answer is read: an acknowledgement is a word or a small object.
REPLY_LIMIT = 64 * 1024
#: The longest line of an answer's head: servers with much to say about sessions and policies come near.
LINE_LIMIT = 64 * 1024
#: Real seconds for reading what had come when the time was over.
LATE = 0.01

_CONTROLS = ("\r", "\n", "\0")


class KeptConnectionClosed(ConnectionError):
    """A receiver closed a connection that it had kept so far, and did not answer the push sent over it.

    Whether it has read the push nobody can tell, so it is not made again; and it may not be the receiver's fault.
    """

    def __init__(self) -> None:
        """Nothing more is known."""
        super().__init__(
            "the receiver closed a kept connection without an answer; it may or may not have read the push"
        )


class _ClosedBefore(Exception):
    """The close of a kept connection had come before anything was written to it."""


class PushClient:
    """Exchanges with all receivers, shared by all tenants."""

    def __init__(
        self, resolver: Resolver, seconds: float, trust: SSLContext | None = None, *, trial: float = TRIAL
    ) -> None:
        """``seconds`` bound a whole exchange, ``trial`` is for :class:`Connections`; needs the running loop."""
        self._connections = Connections(resolver, trust, trial)
        self._seconds = seconds
        self._talking = 0
        self._outgoing: list[tuple[_Exchange, bytes]] = []

    async def close(self) -> None:
        """Close the connections, idle or not."""
        await self._connections.close()

    async def exchange(
        self,
        method: str,
        url: URL,
        headers: Headers,
        body: bytes,
        *,
        announce: Callable[[], Awaitable[None]] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
        sending: float = 0.0,
    ) -> PushReply:
        """Send a request and read its answer, up to :data:`REPLY_LIMIT` bytes of it.

        ``announce`` is awaited when the connection stands and nothing has been sent over it. Earlier would call a
        push uncertain that never left: many wait for a connection at once, and a receiver may be out of reach for
        long. Later would be too late. ``pieces`` are ``body``, to be sent one after the other, for which
        ``sending`` real seconds are allowed on top: it is not the receiver that takes them.

        Raises TimeoutError, OSError, aiohttp.ClientError, KeptConnectionClosed, and ValueError for a header that
        cannot be sent.
        """
        head = request_head(method, url, headers, len(body))
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds + sending
        held = await self._connections.take(url, self._seconds)
        if announce is not None:
            begun = loop.time()
            try:
                await announce()
            except BaseException:
                held.close()
                raise
            deadline += loop.time() - begun  # that was not the receiver's time
        try:
            return await self._converse(held, deadline, method, url, head, body, pieces)
        except _ClosedBefore:
            self._connections.drop(held)
        held = await self._connections.open(held.origin, max(0.001, deadline - loop.time()))
        return await self._converse(held, deadline, method, url, head, body, pieces)

    async def _converse(
        self,
        held: Held,
        deadline: float,
        method: str,
        url: URL,
        head: bytes,
        body: bytes,
        pieces: AsyncIterator[bytes] | None,
    ) -> PushReply:
        loop = asyncio.get_running_loop()
        talk = _Exchange(held, self._send, deadline)
        self._talking += 1
        waiting = loop.call_later(PATIENCE, self._connections.make_way, held)
        try:
            reply = await talk.run(method, url, head, body, pieces)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
            if held.kept and talk.unanswered:
                self._connections.distrust(held)
                raise KeptConnectionClosed from error
            held.close()
            raise
        except BaseException:
            held.close()
            raise
        finally:
            talk.timer.cancel()
            waiting.cancel()
            self._talking -= 1
        self._connections.answered(held, stays=talk.stays)
        return reply

    def _send(self, talk: _Exchange, data: bytes) -> None:
        """Put a request on the wire; where many are under way, with all others of this round of the event loop.

        A receiver that is woken once costs a fraction of one that is woken for each.
        """
        if self._talking == 1:
            talk.write(data)
            return
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._send_outgoing)
        self._outgoing.append((talk, data))

    def _send_outgoing(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for talk, data in outgoing:
            talk.write(data)


class _Exchange:
    """One request and its answer over a connection that stands."""

    __slots__ = ("_content", "_deadline", "_held", "_protocol", "_send", "stays", "timer", "unanswered")

    def __init__(self, held: Held, send: Callable[[_Exchange, bytes], None], deadline: float) -> None:
        """``deadline`` is on the clock of the running loop; the owner cancels :attr:`timer`."""
        self._held = held
        self._protocol = held.protocol
        self._send = send
        self._deadline = deadline
        self._content: StreamReader | None = None
        #: Whether nothing of an answer has come.
        self.unanswered = True
        #: Whether the answer is whole and leaves the connection open, by what it says.
        self.stays = False
        # A tenth of what asyncio.timeout costs, for each of very many.
        self.timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        transport = self._protocol.transport
        if transport is not None and not transport.is_closing() and has_arrived(transport):
            # Something has come, and it was this process that had no time to look. A receiver that dribbles
            # gets a moment more by it.
            self.timer = asyncio.get_running_loop().call_later(LATE, self._give_up)
        else:
            self._give_up()

    def _give_up(self) -> None:
        """Whoever waits for the answer, or for more of it, gets a TimeoutError."""
        self._protocol.set_exception(TimeoutError())
        if self._content is not None:
            self._content.set_exception(TimeoutError())

    def write(self, data: bytes) -> None:
        """Write to the connection, unless it is a kept one whose close has come."""
        if self._held.kept and self._held.closing:
            self._protocol.set_exception(_ClosedBefore())
        elif self._protocol.transport is not None:
            self._protocol.transport.write(data)

    async def run(
        self, method: str, url: URL, head: bytes, body: bytes, pieces: AsyncIterator[bytes] | None
    ) -> PushReply:
        """Send, and read what comes back."""
        protocol, transport = self._protocol, self._protocol.transport
        if transport is None:
            raise _ClosedBefore if self._held.kept else aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            read_until_eof=True, skip_payload=method == "HEAD", auto_decompress=False,
            max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT,
        )  # fmt: skip
        if pieces is None:
            self._send(self, head + body)
        else:
            self.write(head)
            async with asyncio.timeout_at(self._deadline):
                async for piece in pieces:
                    transport.write(piece)
        try:
            message, content = await protocol.read()
            self.unanswered = False
            while 100 <= message.code <= 199 and message.code != 101:
                message, content = await protocol.read()
        except HttpProcessingError as error:
            self.unanswered = False
            info = aiohttp.RequestInfo(url, method, CIMultiDictProxy(CIMultiDict()), url)
            raise aiohttp.ClientResponseError(info, (), status=error.code, message=error.message) from error
        self._content = content
        if not content.is_eof():
            acknowledge_now(transport)
        answer = await read_answer(content)
        self.stays = content.at_eof() and not message.should_close
        return PushReply(message.code, tuple(message.headers.items()), answer)


def request_head(method: str, url: URL, headers: Headers, length: int) -> bytes:
    """The head of a request as it goes over the wire. Raises ValueError for a header that would end its line early."""
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request_headers(method, url, headers, length)]
    lines.append("\r\n")
    return "\r\n".join(lines).encode("utf-8", "surrogateescape")


def request_headers(method: str, url: URL, headers: Headers, length: int) -> list[tuple[str, str]]:
    """All headers of a request, in their order. Raises ValueError for one that would end its line early."""
    found = [("Host", url.host_port_subcomponent or ""), ("User-Agent", AGENT)]
    if url.raw_user is not None and not any(name.lower() == "authorization" for name, _ in headers):
        known = f"{url.user or ''}:{url.password or ''}"
        found.append(("Authorization", f"Basic {b64encode(known.encode()).decode()}"))
    for name, value in headers:
        if any(control in name or control in value for control in _CONTROLS):
            raise ValueError(f"the header {name!r} has line breaks or zeros in it")
        found.append((name, value))
    found.append(("Accept", "*/*"))
    if length or method not in ("GET", "HEAD"):
        found.append(("Content-Length", str(length)))
    return found


async def read_answer(content: StreamReader) -> bytes:
    """The body of an answer, up to :data:`REPLY_LIMIT` bytes of it; if there is more, it is not at its end."""
    answer: bytes = await content.read(REPLY_LIMIT)
    while len(answer) < REPLY_LIMIT and not content.at_eof():
        # What was read was the first piece.
        answer += await content.read(REPLY_LIMIT - len(answer))
    return answer


def acknowledge_now(transport: asyncio.Transport) -> None:
    """Have the kernel acknowledge at once what has come, where it can (Linux).

    A receiver that writes the head and the body of its answer apart waits with the body until the head is
    acknowledged (Nagle), and a kernel acknowledges up to 40 ms later: 40 ms for each push.
    """
    sock = transport.get_extra_info("socket")
    if sock is None or not hasattr(socket, "TCP_QUICKACK") or sock.fileno() < 0:
        return
    # A duplicate of the descriptor: uvloop's socket objects do not let options be set.
    with socket.fromfd(sock.fileno(), socket.AF_INET, socket.SOCK_STREAM) as duplicate:
        duplicate.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
