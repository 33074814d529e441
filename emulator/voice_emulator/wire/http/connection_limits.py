"""How many connections may be open on both ports, and how long one may take to send a request.

aiohttp limits the size of a request's head, and closes connections that stay silent after a request. This module
limits the time until the first request, and the number of connections.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from aiohttp import HttpVersion10, web

from voice_emulator.wire.http.response_writer import SERVER
from voice_emulator.wire.http.server import AtOnce, Connection, Server

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Bytes of the request line, and of one header, on both ports.
LINE_LIMIT = 16_384
FIELD_LIMIT = 16_384
#: Real seconds that a connection may stay silent after a reply, and take for its next request's head.
KEPT_ALIVE = 75.0
#: Real seconds in which the first request's head must arrive.
HEAD_SECONDS = 30.0
#: Real seconds that a client may leave a reply, or part of it, unread.
UNREAD_SECONDS = 120.0
#: Connections open at once on both ports together.
CONNECTION_LIMIT = 16_384
#: The share of the files that a process may open for connections, and for pushes.
CONNECTION_SHARE, PUSH_SHARE = 0.75, 0.2
#: The share of the connections that only the control port may use, at least one.
CONTROL_SHARE = 0.1
#: Connections that are checked to find one to close. If all of these are in use, the others are assumed to be.
SCANNED = 200


def _within_files(most: int, share: float) -> int:
    """``most``, or what ``share`` of the files that this process may open allows."""
    try:
        import resource
    except ImportError:  # Windows
        return most
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return most if files == resource.RLIM_INFINITY else min(most, int(files * share))


def connection_limit() -> int:
    """How many connections may be open at once: what the system allows, up to :data:`CONNECTION_LIMIT`."""
    return _within_files(CONNECTION_LIMIT, CONNECTION_SHARE)


def push_limit(most: int) -> int:
    """How many pushes may be sent at once: what the system allows, up to ``most``."""
    return max(1, _within_files(most, PUSH_SHARE))


def allow_more_files() -> None:
    """Raise the limit on open files as far as this process may, and as it can use."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(CONNECTION_LIMIT / CONNECTION_SHARE) + 1
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class ConnectionLimits:
    """Counts connections, and closes those that send nothing."""

    def __init__(
        self, limit: int | None = None, head_seconds: float = HEAD_SECONDS, unread: float = UNREAD_SECONDS
    ) -> None:
        """At most ``limit`` connections (default: :func:`connection_limit`).

        ``head_seconds`` (real) is the time for the first request's head, ``unread`` for a client to read its reply.
        """
        self.limit = connection_limit() if limit is None else limit
        self._traffic_limit = self.limit - max(1, int(self.limit * CONTROL_SHARE))
        self._traffic = 0
        self._head_seconds = head_seconds
        self._unread = int(unread * 1000)
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, bool]] = {}
        # Without a request so far, each with its deadline; the oldest first.
        self._waiting: dict[web.RequestHandler, float] = {}
        # With a request, the one whose last head is oldest first.
        self._active: dict[web.RequestHandler, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def opened(self, connection: web.RequestHandler, transport: asyncio.Transport, *, traffic: bool) -> None:
        """A connection was opened, to the traffic port or to the control port.

        Above the limit one connection is closed: the oldest without a request; if there is none, the idle one whose
        last request is oldest; if there is none, the new one. The share of the control port stays free for it, so
        connections to the traffic port never shut it out.
        """
        full = len(self._open) >= self.limit
        traffic_full = traffic and self._traffic >= self._traffic_limit
        self._open[connection] = (transport, traffic)
        self._traffic += traffic
        _limit_unread(self._unread, transport)
        if full or traffic_full:
            least_used = self._least_used(traffic_only=traffic_full)
            if least_used is None:
                transport.abort()
                return
            self._remove(least_used)
        loop = asyncio.get_running_loop()
        self._waiting[connection] = loop.time() + self._head_seconds
        if self._timer is None:
            self._timer = loop.call_later(self._head_seconds, self._check_waiting)

    def _least_used(self, *, traffic_only: bool) -> web.RequestHandler | None:
        """The connection to close, among those to the traffic port or among all; None when all are in use."""
        for connection in islice(self._waiting, SCANNED):
            if not traffic_only or self._open[connection][1]:
                return connection
        for connection in islice(self._active, SCANNED):
            busy = isinstance(connection, Connection) and connection.busy
            if not busy and (not traffic_only or self._open[connection][1]):
                return connection
        return None

    def head_received(self, connection: web.RequestHandler) -> None:
        """A complete head arrived over a connection."""
        self._waiting.pop(connection, None)
        if connection in self._open:
            self._active.pop(connection, None)
            self._active[connection] = None

    def closed(self, connection: web.RequestHandler) -> None:
        """A connection was closed."""
        known = self._open.pop(connection, None)
        if known is not None:
            self._traffic -= known[1]
        self._waiting.pop(connection, None)
        self._active.pop(connection, None)

    def close(self) -> None:
        """Stop, and abort what is still open: its client does not read its reply."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for transport, _ in tuple(self._open.values()):
            transport.abort()

    def _check_waiting(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection, until in list(self._waiting.items()):
            if until > now:
                self._timer = loop.call_at(until, self._check_waiting)
                return
            self._remove(connection)

    def _remove(self, connection: web.RequestHandler) -> None:
        self._waiting.pop(connection, None)
        self._active.pop(connection, None)
        connection.force_close()


def _limit_unread(milliseconds: int, transport: asyncio.Transport) -> None:
    """Have the system close a connection whose client reads nothing for so long (Linux)."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    known = transport.get_extra_info("socket")
    if option is not None and known is not None:
        known.setsockopt(socket.IPPROTO_TCP, option, milliseconds)


class PortServer(Server):
    """The server of one port, within :class:`ConnectionLimits`.

    Bodies are not decompressed: no provider documents compressed requests, and a small one can expand to gigabytes.
    """

    def __init__(
        self,
        handle: Handle,
        limits: ConnectionLimits,
        at_once: AtOnce | None = None,
        *,
        traffic: bool = False,
    ) -> None:
        """Serve the traffic or the control port; see :mod:`voice_emulator.wire.http.server`.

        ``handle`` is cancelled when the client goes away.
        """
        self._limits = limits
        self._traffic = traffic
        self._own_loop = asyncio.get_running_loop()
        super().__init__(
            handle, at_once=None if at_once is None else self._counted(at_once),
            request_factory=self._request, handler_cancellation=True, access_log=None,
            max_line_size=LINE_LIMIT, max_field_size=FIELD_LIMIT, keepalive_timeout=KEPT_ALIVE,
            auto_decompress=False,
        )  # fmt: skip

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Count the connection."""
        super().connection_made(handler, transport)
        self._limits.opened(handler, transport, traffic=self._traffic)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Count it no more."""
        self._limits.closed(handler)
        super().connection_lost(handler, exc)

    def _counted(self, at_once: AtOnce) -> AtOnce:
        head_received = self._limits.head_received

        def count_and_answer(connection: Connection, message: Any, payload: Any) -> bool:
            head_received(connection)
            return at_once(connection, message, payload)

        return count_and_answer

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        self._limits.head_received(protocol)
        if message.version < HttpVersion10 or message.method == "CONNECT":
            # What follows either may be read as a body or as the next request, so the connection closes. A line
            # without a version is answered as HTTP/1.0 is.
            message = message._replace(version=max(message.version, HttpVersion10), should_close=True)
        return _Request(message, payload, protocol, writer, task, self._own_loop)


class _Request(web.BaseRequest):
    """A request whose responses name no version in ``Server``, not even aiohttp's own refusals."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER
