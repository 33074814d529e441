"""The relaying side: connections to the other replicas, and one request over one of them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Collection
from contextlib import suppress
from typing import Protocol, cast
from urllib.parse import urlsplit

from voice_emulator.wire.relay.frames import (
    DATA,
    LEAVING,
    LOST,
    PATH,
    PROTOCOL,
    FrameReader,
)

#: Real seconds to open a connection: an owner that does not accept one in time has not got the request.
OPENING = 2.0
#: Real seconds that a connection is kept without a request, and how many to one replica.
IDLE, IDLE_LIMIT = 30.0, 256
#: Bytes of the head of the reply to an upgrade.
_HEAD_LIMIT = 16 * 1024


class CannotConnect(Exception):
    """A replica that cannot be reached, so it has not got the request."""


class Client(Protocol):
    """Who gets the reply to a relayed request."""

    def write(self, data: bytes) -> None:
        """Bytes of the reply."""

    def ended(self, kind: int) -> None:
        """How it ended: one of LAST, CLOSE, RESET, MOVED and LOST."""


class Link(asyncio.Protocol):
    """A connection to another replica. ``client`` gets the reply to the request that is under way."""

    __slots__ = (
        "_frames",
        "_head",
        "_links",
        "_transport",
        "client",
        "idle_since",
        "leaving",
        "opened",
        "url",
    )

    def __init__(self, links: Links, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self._links = links
        self.url = url
        self._transport: asyncio.Transport | None = None
        self._frames = FrameReader()
        self._head = b""
        self.client: Client | None = None
        self.leaving = False
        self.idle_since = 0.0
        #: Resolved when the other replica has agreed.
        self.opened: asyncio.Future[None] = loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for an upgrade."""
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._links.upgrade(self.url))

    def data_received(self, data: bytes) -> None:
        """Bytes of a reply have arrived."""
        if not self.opened.done():
            data = self._read_head(data)
        if not data:
            return
        try:
            for kind, payload in self._frames.feed(data):
                self._take(kind, payload)
        except ValueError:
            self.abandon()

    def _read_head(self, data: bytes) -> bytes:
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if not end and len(head) < _HEAD_LIMIT:
            return b""
        self._head = b""
        line = head.partition(b"\r\n")[0]
        if end and line.startswith(b"HTTP/1.1 101 "):
            self.opened.set_result(None)
            return rest
        refused = CannotConnect(
            f"{self.url} refused to take a request: {line.decode('ascii', 'replace')[:80]}"
        )
        self.opened.set_exception(refused)
        self.abort()
        return b""

    def _take(self, kind: int, payload: bytes) -> None:
        client = self.client
        if kind == LEAVING:
            self.leaving = True
            self._links.forget(self)
            if client is None:
                self.abort()
        elif client is None:
            self.abort()
        elif kind == DATA:
            client.write(payload)
        else:
            self.client = None
            if payload:
                client.write(payload)
            # A client that does not read its reply holds up nobody who uses this connection next.
            self.resume()
            if self.leaving:
                self.abort()
            else:
                self._links.keep(self)
            client.ended(kind)

    def send(self, data: bytes, client: Client) -> None:
        """Send a request for ``client``. Raises CannotConnect; ``client`` hears nothing then."""
        if self._transport is None or self._transport.is_closing():
            raise CannotConnect(f"{self.url} has closed the connection")
        self.client = client
        self._transport.write(data)

    def pause(self) -> None:
        """The client does not read."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        """It reads again."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def abort(self) -> None:
        """End the connection, and with it what the owner does for the client."""
        self.client = None
        self.abandon()

    def abandon(self) -> None:
        """End the connection as if the owner had died."""
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other replica has gone."""
        self._transport = None
        self._links.lost(self)
        if not self.opened.done():
            self.opened.set_exception(CannotConnect(f"{self.url} closed the connection"))
        client, self.client = self.client, None
        if client is not None:
            client.ended(LOST)


class Links:
    """The connections to all other replicas."""

    def __init__(self, secret: str | None, trust: ssl.SSLContext | None = None) -> None:
        """``secret`` is what all replicas share; ``trust`` is for node URLs with https."""
        self._secret = secret
        self._trust = trust
        #: By node URL, the one used last at the end.
        self._idle: dict[str, list[Link]] = {}
        self._all: set[Link] = set()
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._all)

    def upgrade(self, url: str) -> bytes:
        """The request that opens a connection."""
        proof = f"Authorization: Bearer {self._secret}\r\n" if self._secret else ""
        return (
            f"GET {PATH} HTTP/1.1\r\nHost: {urlsplit(url).netloc.rpartition('@')[2]}\r\nConnection: Upgrade\r\n"
            f"Upgrade: {PROTOCOL}\r\n{proof}\r\n"
        ).encode()

    def idle(self, url: str) -> Link | None:
        """A connection that is open and waits."""
        waiting = self._idle.get(url)
        return waiting.pop() if waiting else None

    async def open(self, url: str) -> Link:
        """A new connection. Raises CannotConnect."""
        loop = asyncio.get_running_loop()
        parts = urlsplit(url)
        link = Link(self, url, loop)
        tls = (self._trust or ssl.create_default_context()) if parts.scheme == "https" else None
        try:
            async with asyncio.timeout(OPENING):
                await loop.create_connection(
                    lambda: link, parts.hostname or "", parts.port or (443 if tls else 80), ssl=tls
                )
                self._all.add(link)
                await link.opened
        except BaseException as error:
            link.abort()
            with suppress(asyncio.InvalidStateError):
                link.opened.cancel()
            if isinstance(error, OSError | TimeoutError):
                raise CannotConnect(
                    f"{url} cannot be reached: {str(error) or 'no answer in time'}"
                ) from error
            raise
        return link

    def keep(self, link: Link) -> None:
        """A request over ``link`` is over."""
        waiting = self._idle.setdefault(link.url, [])
        if len(waiting) >= IDLE_LIMIT:
            link.abort()
            return
        loop = asyncio.get_running_loop()
        link.idle_since = loop.time()
        waiting.append(link)
        if self._sweeping is None:
            self._sweeping = loop.call_later(IDLE, self._sweep)

    def forget(self, link: Link) -> None:
        """Send no further request over ``link``."""
        waiting = self._idle.get(link.url)
        if waiting and link in waiting:
            waiting.remove(link)

    def lost(self, link: Link) -> None:
        """``link`` is closed."""
        self.forget(link)
        self._all.discard(link)

    def _sweep(self) -> None:
        """Close those that have waited for long."""
        loop = asyncio.get_running_loop()
        self._sweeping = None
        oldest = loop.time() - IDLE
        for url, waiting in tuple(self._idle.items()):
            while waiting and waiting[0].idle_since <= oldest:
                waiting.pop(0).abort()
            if not waiting:
                del self._idle[url]
        if self._idle:
            self._sweeping = loop.call_later(IDLE / 2, self._sweep)

    def keep_only(self, urls: Collection[str]) -> None:
        """End the connections to all but these: a frozen replica would keep its clients waiting until it wakes."""
        for link in tuple(self._all):
            if link.url not in urls:
                link.abandon()

    def close(self) -> None:
        """Close all of them."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        for link in tuple(self._all):
            link.abort()


class Collected:
    """A reply that is read whole, by this process itself."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def write(self, data: bytes) -> None:
        """Bytes of the reply."""
        self._data += data

    def ended(self, kind: int) -> None:
        """It is complete, or was broken off."""
        if not self.done.done():
            self.done.set_result(kind)

    def read(self) -> tuple[int, bytes]:
        """Status and body."""
        head, _, body = bytes(self._data).partition(b"\r\n\r\n")
        return int(head.split(b" ", 2)[1]), body
