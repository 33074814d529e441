"""The doors of both ports: how many connections may be open, and how long one may take to say something.

aiohttp bounds the head of a request in bytes, and closes connections that fall silent after a request. The rest
is here: a connection whose first request does not come, and more connections than the process can bear.
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

#: Bounds of a request's head on both ports, in bytes.
LINE_LIMIT = 16_384
FIELD_LIMIT = 16_384
#: Real seconds that a connection may stay silent after a reply, and take for its next request's head.
KEPT_ALIVE = 75.0
#: Real seconds within which the first request's head must have come.
HEAD_SECONDS = 30.0
#: Real seconds that a client may leave a reply, or part of it, unread.
UNREAD_SECONDS = 120.0
#: Connections open at once on both ports together.
CONNECTION_LIMIT = 16_384
#: Of the files a process may have open, so much is for connections; pushes need some too.
SHARE = 0.75
#: And so much for pushes.
PUSHED = 0.2
#: Of the connections so many, at least one, are for the control port alone.
RESERVED = 0.1
#: Connections that are looked at to find one that can go: where the first so many are all needed, so is the rest.
LOOKED_AT = 200


def connection_limit() -> int:
    """How many connections may be open at once: what the system allows, up to :data:`CONNECTION_LIMIT`."""
    try:
        import resource
    except ImportError:  # Windows
        return CONNECTION_LIMIT
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTION_LIMIT if files == resource.RLIM_INFINITY else min(CONNECTION_LIMIT, int(files * SHARE))


def push_limit(most: int) -> int:
    """How many pushes may be on the wire at once: ``most``, or what the system has files for."""
    try:
        import resource
    except ImportError:  # Windows
        return most
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return most if files == resource.RLIM_INFINITY else max(1, min(most, int(files * PUSHED)))


def allow_more_files() -> None:
    """Raise the limit on open files as far as this process may, and as it can use."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = int(CONNECTION_LIMIT / SHARE) + 1
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class ConnectionLimits:
    """Counts connections, and shows out those that say nothing."""

    def __init__(
        self, limit: int | None = None, patience: float = HEAD_SECONDS, unread: float = UNREAD_SECONDS
    ) -> None:
        """At most ``limit`` connections (default: :func:`connection_limit`), :data:`RESERVED` of it for control.

        ``patience`` with those that say nothing, and ``unread``, with those that do not listen, are real seconds.
        """
        self.limit = connection_limit() if limit is None else limit
        self._traffic_limit = self.limit - max(1, int(self.limit * RESERVED))
        self._traffic = 0
        self._patience = patience
        self._unread = int(unread * 1000)
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, bool]] = {}
        # Those that have not said anything yet, and until when they may; the longest silent first.
        self._silent: dict[web.RequestHandler, float] = {}
        # Those that have, in the order in which they spoke last.
        self._spoken: dict[web.RequestHandler, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def came(self, connection: web.RequestHandler, transport: asyncio.Transport, *, traffic: bool) -> None:
        """A connection was opened, to the traffic port or to the control port.

        Above the limit one that says nothing goes: of those that never did the one that is silent longest, else of
        those with no request under way the one that spoke longest ago, else the new one. What the traffic port may
        not have is kept for the control port, so connections to the one never shut out the other.
        """
        self._open[connection] = (transport, traffic)
        self._traffic += traffic
        _give_up_after(self._unread, transport)
        if traffic and self._traffic > self._traffic_limit:
            goes = self._least_needed(of_traffic=True)
        elif len(self._open) > self.limit:
            goes = self._least_needed(of_traffic=False)
        else:
            goes = connection
        if goes is None:
            transport.abort()
            return
        if goes is not connection:
            self._show_out(goes)
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.time() + self._patience
        if self._timer is None:
            self._timer = loop.call_later(self._patience, self._look_around)

    def _least_needed(self, *, of_traffic: bool) -> web.RequestHandler | None:
        """Who goes: of the connections to the traffic port alone, or of all."""
        for connection in islice(self._silent, LOOKED_AT):
            if not of_traffic or self._open[connection][1]:
                return connection
        for connection in islice(self._spoken, LOOKED_AT):
            busy = isinstance(connection, Connection) and connection.busy
            if not busy and (not of_traffic or self._open[connection][1]):
                return connection
        return None

    def spoke(self, connection: web.RequestHandler) -> None:
        """A whole head has come over a connection."""
        self._silent.pop(connection, None)
        if connection in self._open:
            self._spoken.pop(connection, None)
            self._spoken[connection] = None

    def left(self, connection: web.RequestHandler) -> None:
        """A connection was closed."""
        known = self._open.pop(connection, None)
        if known is not None:
            self._traffic -= known[1]
        self._silent.pop(connection, None)
        self._spoken.pop(connection, None)

    def close(self) -> None:
        """Look no more, and cut what is still open: its client does not read what it was sent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for transport, _ in tuple(self._open.values()):
            transport.abort()

    def _look_around(self) -> None:
        self._timer = None
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection, until in list(self._silent.items()):
            if until > now:
                self._timer = loop.call_at(until, self._look_around)
                return
            self._show_out(connection)

    def _show_out(self, connection: web.RequestHandler) -> None:
        self._silent.pop(connection, None)
        self._spoken.pop(connection, None)
        connection.force_close()


def _give_up_after(milliseconds: int, transport: asyncio.Transport) -> None:
    """Have the system cut the connection when its peer takes nothing for so long, where the system can."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    known = transport.get_extra_info("socket")
    if option is not None and known is not None:
        known.setsockopt(socket.IPPROTO_TCP, option, milliseconds)


class Listener(Server):
    """The server of one port, behind :class:`ConnectionLimits`.

    Bodies are taken as they come: no provider documents compressed requests, and unpacking one would be an
    invitation.
    """

    def __init__(
        self, handle: Handle, doors: ConnectionLimits, at_once: AtOnce | None = None, *, traffic: bool = False
    ) -> None:
        """Serve the traffic or the control port; see :mod:`voice_emulator.wire.http.server`.

        ``handle`` is cancelled when the client goes away.
        """
        self._doors = doors
        self._traffic = traffic
        self._known_loop = asyncio.get_running_loop()
        super().__init__(
            handle, at_once=None if at_once is None else self._heard(at_once),
            request_factory=self._request, handler_cancellation=True, access_log=None,
            max_line_size=LINE_LIMIT, max_field_size=FIELD_LIMIT, keepalive_timeout=KEPT_ALIVE,
            auto_decompress=False,
        )  # fmt: skip

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Let it in, if there is room."""
        super().connection_made(handler, transport)
        self._doors.came(handler, transport, traffic=self._traffic)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """It has gone."""
        self._doors.left(handler)
        super().connection_lost(handler, exc)

    def _heard(self, at_once: AtOnce) -> AtOnce:
        spoke = self._doors.spoke

        def hear_and_answer(connection: Connection, message: Any, payload: Any) -> bool:
            spoke(connection)
            return at_once(connection, message, payload)

        return hear_and_answer

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        self._doors.spoke(protocol)
        if message.version < HttpVersion10 or message.method == "CONNECT":
            # Behind either there may be what one reader takes for a body and another for the next request. A
            # line without a version is answered as HTTP/1.0's would be.
            message = message._replace(version=max(message.version, HttpVersion10), should_close=True)
        return _Request(message, payload, protocol, writer, task, self._known_loop)


class _Request(web.BaseRequest):
    """A request whose every response, aiohttp's own refusals included, names no versions in ``Server``."""

    async def _prepare_hook(self, response: web.StreamResponse) -> None:
        response.headers["Server"] = SERVER
