"""The wire to the receivers: one request out, one answer back, over connections that are kept.

aiohttp finds, opens and keeps the connections and parses the answers. What its session does beside, for each
request anew (redirects, cookies, proxies, decoding, a second try), a push must not have: it is made once, as the
provider makes it, and what comes back is looked at as it is. Doing without takes a third of the time, and takes a
version of aiohttp whose inside is known; with any other, pushes go through
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
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from voice_emulator.core.attempts import PushReply
from voice_emulator.wire.delivery.target_policy import Resolver
from voice_emulator.wire.http.agent import AGENT

Headers = tuple[tuple[str, str], ...]

#: How much of a receiver's answer is read: an acknowledgement is a word or a small object.
REPLY_LIMIT = 64 * 1024
#: Origins whose way is remembered; receivers are few.
ORIGINS_REMEMBERED = 1_000

_CONTROLS = ("\r", "\n", "\0")


class PushClient:
    """Connections to all receivers, shared by all tenants."""

    def __init__(self, resolver: Resolver, seconds: float, trust: SSLContext | None = None) -> None:
        """``seconds`` bound a whole exchange; needs the running loop."""
        self._connector = aiohttp.TCPConnector(
            limit=0, resolver=resolver, ttl_dns_cache=10, keepalive_timeout=30, ssl=trust or True
        )
        self._seconds = seconds
        self._timeout = aiohttp.ClientTimeout(connect=seconds)
        # What the connector is asked with: made once per origin.
        self._asked: dict[tuple[str, str | None, int | None], aiohttp.ClientRequest] = {}
        self._talking = 0
        self._outgoing: list[tuple[asyncio.Transport, bytes]] = []

    async def close(self) -> None:
        """Close the connections, idle or not."""
        await self._connector.close()

    async def exchange(
        self,
        method: str,
        url: URL,
        headers: Headers,
        body: bytes,
        *,
        announce: Callable[[], Awaitable[None]] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
    ) -> PushReply:
        """Send a request and read its answer, up to :data:`REPLY_LIMIT` bytes of it.

        ``announce`` is awaited when the connection stands and nothing has been sent over it. Earlier would call a
        push uncertain that never left: many wait for a connection at once, and a receiver may be out of reach for
        long. Later would be too late. ``pieces`` are ``body``, to be sent one after the other.

        Raises TimeoutError, OSError, aiohttp.ClientError, and ValueError for a header that cannot be sent.
        """
        head = request_head(method, url, headers, len(body))
        if announce is None and pieces is None:
            return await self._carry(method, url, head, body)
        async with asyncio.timeout(self._seconds):
            return await self._carry(method, url, head, body, announce, pieces)

    async def _carry(
        self,
        method: str,
        url: URL,
        head: bytes,
        body: bytes,
        announce: Callable[[], Awaitable[None]] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
    ) -> PushReply:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._seconds
        connection = await self._connector.connect(self._asker(url), [], self._timeout)
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        talk = _Exchange(protocol, self._send)
        self._talking += 1
        # A tenth of what asyncio.timeout costs, for each of very many.
        timer = loop.call_at(deadline, talk.expire)
        try:
            reply = await talk.held(method, url, head, body, announce, pieces)
        except BaseException:
            connection.close()
            raise
        finally:
            timer.cancel()
            self._talking -= 1
        if talk.cut_short:
            connection.close()
        else:
            connection.release()
        return reply

    def _send(self, transport: asyncio.Transport, data: bytes) -> None:
        """Put a request on the wire; where many are under way, with all others of this round of the event loop.

        A receiver that is woken once costs a fraction of one that is woken for each.
        """
        if self._talking == 1:
            transport.write(data)
            return
        if not self._outgoing:
            asyncio.get_running_loop().call_soon(self._send_outgoing)
        self._outgoing.append((transport, data))

    def _send_outgoing(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        for transport, data in outgoing:
            transport.write(data)

    def _asker(self, url: URL) -> aiohttp.ClientRequest:
        key = (url.scheme, url.raw_host, url.port)
        known = self._asked.get(key)
        if known is None:
            known = aiohttp.ClientRequest("GET", url.origin(), loop=asyncio.get_running_loop())
            if len(self._asked) >= ORIGINS_REMEMBERED:
                self._asked.clear()
            self._asked[key] = known
        return known


class _Exchange:
    """One request and its answer over a connection that stands."""

    __slots__ = ("_content", "_protocol", "_send", "cut_short")

    def __init__(self, protocol: ResponseHandler, send: Callable[[asyncio.Transport, bytes], None]) -> None:
        self._protocol = protocol
        self._send = send
        self._content: StreamReader | None = None
        #: Whether the answer goes on beyond what was read of it.
        self.cut_short = False

    def expire(self) -> None:
        """The time is over: whoever waits for the answer, or for more of it, gets a TimeoutError."""
        self._protocol.set_exception(TimeoutError())
        if self._content is not None:
            self._content.set_exception(TimeoutError())

    async def held(
        self,
        method: str,
        url: URL,
        head: bytes,
        body: bytes,
        announce: Callable[[], Awaitable[None]] | None,
        pieces: AsyncIterator[bytes] | None,
    ) -> PushReply:
        """Send, and read what comes back."""
        protocol, transport = self._protocol, self._protocol.transport
        if transport is None:
            raise aiohttp.ServerDisconnectedError
        protocol.set_response_params(
            read_until_eof=True, skip_payload=method == "HEAD", auto_decompress=False
        )
        if announce is not None:
            await announce()
        if pieces is None:
            self._send(transport, head + body)
        else:
            transport.write(head)
            async for piece in pieces:
                transport.write(piece)
        try:
            message, content = await protocol.read()
            while 100 <= message.code <= 199 and message.code != 101:
                message, content = await protocol.read()
        except HttpProcessingError as error:
            info = aiohttp.RequestInfo(url, method, CIMultiDictProxy(CIMultiDict()), url)
            raise aiohttp.ClientResponseError(info, (), status=error.code, message=error.message) from error
        self._content = content
        if not content.is_eof():
            acknowledge_now(transport)
        answer = await read_answer(content)
        self.cut_short = not content.at_eof()
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
