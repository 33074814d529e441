"""The doors of both ports: how many connections may be open, and how long one may take to say something.

aiohttp bounds the head of a request in bytes, and closes connections that fall silent after a request. The rest
is here: a connection whose first request does not come, and more connections than the process can bear.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from emulator.wire.listening import Server

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

#: Bounds of a request's head on both ports, in bytes.
LINE_LIMIT = 16_384
FIELD_LIMIT = 16_384
#: Real seconds that a connection may stay silent after a reply, and take for its next request's head.
KEPT_ALIVE = 75.0
#: Real seconds within which the first request's head must have come.
HEAD_SECONDS = 30.0
#: Connections open at once on both ports together.
CONNECTION_LIMIT = 16_384
#: Of the files a process may have open, so much is for connections; pushes need some too.
SHARE = 0.75


def connection_limit() -> int:
    """How many connections may be open at once: what the system allows, up to :data:`CONNECTION_LIMIT`."""
    if resource is None:
        return CONNECTION_LIMIT
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return CONNECTION_LIMIT if files == resource.RLIM_INFINITY else min(CONNECTION_LIMIT, int(files * SHARE))


class Doors:
    """Counts connections, and shows out those that say nothing."""

    def __init__(self, limit: int | None = None, patience: float = HEAD_SECONDS) -> None:
        """At most ``limit`` connections (default: :func:`connection_limit`); ``patience`` is in real seconds."""
        self.limit = connection_limit() if limit is None else limit
        self.open = 0
        self._patience = patience
        # Those that have not said anything yet, and until when they may; the longest silent first.
        self._silent: dict[web.RequestHandler, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def came(self, connection: web.RequestHandler, transport: asyncio.Transport) -> None:
        """A connection was opened. Above the limit the one that has been silent longest goes, or else this one."""
        self.open += 1
        if self.open > self.limit:
            oldest = next(iter(self._silent), None)
            if oldest is None:
                transport.abort()
                return
            self._show_out(oldest)
        loop = asyncio.get_running_loop()
        self._silent[connection] = loop.time() + self._patience
        if self._timer is None:
            self._timer = loop.call_later(self._patience, self._look_around)

    def spoke(self, connection: web.RequestHandler) -> None:
        """A whole head has come over a connection."""
        self._silent.pop(connection, None)

    def left(self, connection: web.RequestHandler) -> None:
        """A connection was closed."""
        self.open -= 1
        self._silent.pop(connection, None)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
        del self._silent[connection]
        connection.force_close()


class Listener(Server):
    """The server of one port, behind :class:`Doors`.

    Bodies are taken as they come: no provider documents compressed requests, and unpacking one would be an
    invitation.
    """

    def __init__(self, handle: Handle, doors: Doors) -> None:
        """Serve with ``handle``, which is cancelled when the client goes away."""
        self._doors = doors
        self._known_loop = asyncio.get_running_loop()
        super().__init__(
            handle, request_factory=self._request, handler_cancellation=True, access_log=None, logger=log,
            max_line_size=LINE_LIMIT, max_field_size=FIELD_LIMIT, keepalive_timeout=KEPT_ALIVE,
            auto_decompress=False,
        )  # fmt: skip

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Let it in, if there is room."""
        super().connection_made(handler, transport)
        self._doors.came(handler, transport)

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """It has gone."""
        self._doors.left(handler)
        super().connection_lost(handler, exc)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        self._doors.spoke(protocol)
        return web.BaseRequest(message, payload, protocol, writer, task, self._known_loop)


class _Discreet(logging.Filter):
    """What is no HTTP gets a line without its contents, which may hold somebody's secrets, and no traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; it is always let through."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, HttpProcessingError):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg, record.args = (
                "what %s sent is no HTTP request: %s",
                (*record.args[:1], type(error).__name__),
            )  # type: ignore[index]
            record.exc_info = None
        return True


log = logging.getLogger(__name__)
log.addFilter(_Discreet())
