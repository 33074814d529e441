"""Connections to receivers: one for each push, and reused only where that is known to be safe.

Many servers close a connection after each answer without saying so (uWSGI's ``--http``, home-made ones). A push sent
while the close is on its way is lost, and it is not known whether the receiver has read it. So a connection is used for
one more push only if another one of the same origin stayed open for :data:`TRIAL` seconds after as many answers, and
only within a fraction of that time. After :data:`ENOUGH` answers the number no longer matters.
"""

from __future__ import annotations

import asyncio
import errno
import math
import select
import socket
from collections.abc import Callable
from functools import partial
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from voice_emulator.wire.delivery.answers import AnswerReader
from voice_emulator.wire.delivery.target_policy import Resolver

#: Real seconds that a connection stays idle to see whether its receiver keeps it open.
TRIAL = 2.0
#: A server that keeps a connection open after so many answers closes it after more of them only if it says so.
ENOUGH = 3
#: The share of TRIAL for which a connection may be idle and still be reused.
REUSED_WITHIN = 0.4
#: Real seconds without an answer from a receiver before its idle connections are closed: some receivers serve one
#: connection at a time.
PATIENCE = 0.25
#: Real seconds for reading answers that have already arrived.
LOOK_AGAIN = 0.02
#: Real seconds between two attempts to open a connection when this machine lacks descriptors, ports or memory.
PAUSE = 0.05
#: Origins that are remembered; receivers are few.
ORIGINS_REMEMBERED = 1_000

#: Errors of this machine in opening a connection, which say nothing about the receiver.
_OWN_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN}
)
_OWN_LOOKUPS = frozenset({socket.EAI_MEMORY, getattr(socket, "EAI_SYSTEM", socket.EAI_MEMORY)})


class PushConnection:
    """An open connection. ``answers`` counts the pushes that were answered over it."""

    __slots__ = ("_arrived", "_connection", "answers", "idle_since", "origin", "protocol")

    def __init__(self, origin: Origin, connection: aiohttp.connector.Connection) -> None:
        """Raises ServerDisconnectedError when the connection is already closed."""
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        self.origin = origin
        self._connection = connection
        self.protocol: ResponseHandler = protocol
        # Made once: looking up the socket takes longer than asking the system.
        self._arrived: Callable[[], bool] | None = None
        self.answers = 0
        self.idle_since = 0.0

    @property
    def kept(self) -> bool:
        """Whether an earlier push was answered over it, and it was kept."""
        return self.answers > 0

    @property
    def lost(self) -> bool:
        """Whether it is known to be closed."""
        transport = self.protocol.transport
        return transport is None or transport.is_closing()

    @property
    def closing(self) -> bool:
        """Whether it is closed, or its close or unexpected data has arrived."""
        transport = self.protocol.transport
        if transport is None or transport.is_closing():
            return True
        if self._arrived is None:
            self._arrived = arrival(transport)
        return self._arrived()

    def close(self) -> None:
        """Close it; closing it again does nothing."""
        self._connection.close()


class Origin:
    """What is known about one receiver's scheme, host and port.

    ``proven`` is the number of answers after which a connection was seen to stay open: 0 at first, ``math.inf`` once
    the number does not matter.
    """

    __slots__ = ("active", "connect_request", "idle", "never", "progress_at", "proven", "timer", "trial")

    def __init__(self, connect_request: aiohttp.ClientRequest) -> None:
        """``connect_request`` is what aiohttp's connector needs to open a connection."""
        self.connect_request = connect_request
        self.proven: float = 0
        #: Pushes that wait for their answers.
        self.active = 0
        #: The event loop's time of the last answer, or of the first push that waits if it is later.
        self.progress_at = 0.0
        #: Whether connections of this origin are never kept again.
        self.never = False
        #: Connections that may be reused, the one used last at the end.
        self.idle: list[PushConnection] = []
        self.trial: PushConnection | None = None
        self.timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close all idle connections, and end the trial without a result."""
        idle, self.idle = self.idle, []
        if self.trial is not None:
            idle.append(self.trial)
            self.trial = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        for connection in idle:
            connection.close()


class _Connector(aiohttp.TCPConnector):
    """aiohttp's connector, with connections that limit what a receiver may send."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        make: Any = partial(AnswerReader, loop=asyncio.get_running_loop())
        self._factory = make


class Connections:
    """Opens connections to all receivers, and keeps those that may be kept."""

    def __init__(self, resolver: Resolver, trust: SSLContext | None = None, trial: float = TRIAL) -> None:
        """``trial`` is in real seconds; needs the running loop."""
        self._connector = _Connector(
            limit=0, resolver=resolver, ttl_dns_cache=10, force_close=True, ssl=trust or True
        )
        self._loop = asyncio.get_running_loop()
        self._trial = trial
        self._reused_within = trial * REUSED_WITHIN
        self._origins: dict[tuple[str, str | None, int | None], Origin] = {}
        self._watching: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        """Close all connections, idle or not."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        self._forget()
        await self._connector.close()

    def _forget(self) -> None:
        for origin in self._origins.values():
            origin.never = True
            origin.close()
        self._origins.clear()

    async def take(self, url: URL, seconds: float) -> PushConnection:
        """A connection to the origin of ``url``, within ``seconds``.

        Raises TimeoutError, OSError and aiohttp.ClientError when it cannot be opened.
        """
        origin = self._origin(url)
        oldest = self._loop.time() - self._reused_within
        while origin.idle:
            connection = origin.idle.pop()
            if connection.idle_since >= oldest and not connection.lost:
                return connection
            self.drop(connection)
        return await self.open(origin, seconds)

    async def open(self, origin: Origin, seconds: float) -> PushConnection:
        """A new connection to ``origin``. Raises as :meth:`take` does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            timeout = aiohttp.ClientTimeout(connect=max(0.001, deadline - loop.time()))
            try:
                return PushConnection(
                    origin, await self._connector.connect(origin.connect_request, [], timeout)
                )
            except OSError as error:
                # Nothing was sent, so this is not a second push.
                if not is_own(error) or loop.time() + PAUSE > deadline:
                    raise
            await asyncio.sleep(PAUSE)

    def answered(self, connection: PushConnection, *, stays: bool) -> None:
        """A complete answer arrived, which lets the connection stay open or not: keep it, try it, or close it."""
        origin = connection.origin
        origin.progress_at = self._loop.time()
        connection.answers += 1
        if not stays or origin.never:
            connection.close()
        elif connection.protocol.should_close:  # its close arrived, or more than the answer
            self.drop(connection)
        elif connection.answers <= origin.proven:
            connection.idle_since = origin.progress_at
            origin.idle.append(connection)
            if self._watching is None:
                self._watch()
        elif origin.trial is None:
            origin.trial = connection
            origin.timer = self._loop.call_later(self._trial, self._tried, origin)
            self._watch()
        else:
            connection.close()

    def drop(self, connection: PushConnection) -> None:
        """Close a connection that is not reused. If its receiver closed it too early, forget what was proven."""
        if connection.closing and connection.answers <= connection.origin.proven:
            connection.origin.proven = 0
        connection.close()

    def distrust(self, connection: PushConnection) -> None:
        """A push over ``connection``, a kept one, got no answer: keep no connections of its origin any more."""
        connection.close()
        connection.origin.never = True
        connection.origin.close()

    def _tried(self, origin: Origin) -> None:
        connection, origin.trial, origin.timer = origin.trial, None, None
        if connection is None:
            return
        if not connection.closing:
            seen = math.inf if connection.answers >= ENOUGH else connection.answers
            origin.proven = max(origin.proven, seen)
        connection.close()  # idle for too long by now

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = asyncio.get_running_loop().call_later(PATIENCE, self._look)

    def _look(self) -> None:
        """Close connections that were idle for too long, and those that keep a receiver from serving others."""
        self._watching = None
        now = asyncio.get_running_loop().time()
        oldest = now - self._reused_within
        for origin in self._origins.values():
            while origin.idle and origin.idle[0].idle_since <= oldest:
                self.drop(origin.idle.pop(0))
            if not origin.idle and origin.trial is None:
                continue
            self._watch()
            if origin.active and origin.progress_at <= now - PATIENCE:
                # Answers may have arrived while this process was busy: read them first.
                asyncio.get_running_loop().call_later(LOOK_AGAIN, self._make_way, origin, origin.progress_at)

    @staticmethod
    def _make_way(origin: Origin, progress_at: float) -> None:
        """Close the idle connections if there is still no answer: the receiver may wait for a request over them."""
        if origin.active and origin.progress_at == progress_at:
            origin.never = True
            origin.close()

    def _origin(self, url: URL) -> Origin:
        key = (url.scheme, url.raw_host, url.port)
        known = self._origins.get(key)
        if known is None:
            if len(self._origins) >= ORIGINS_REMEMBERED:
                self._forget()
            request = aiohttp.ClientRequest("GET", url.origin(), loop=asyncio.get_running_loop())
            known = self._origins[key] = Origin(request)
        return known


def has_arrived(transport: asyncio.Transport) -> bool:
    """Whether a transport's socket has something to read, or its end."""
    return arrival(transport)()


def arrival(transport: asyncio.Transport) -> Callable[[], bool]:
    """Tells what :func:`has_arrived` does, for as long as ``transport`` is open."""
    sock = transport.get_extra_info("socket")
    descriptor = sock.fileno() if sock is not None else -1
    if descriptor < 0:
        return lambda: True
    if not hasattr(select, "poll"):  # Windows
        return lambda: bool(select.select([descriptor], [], [], 0)[0])
    watcher = select.poll()
    watcher.register(descriptor, select.POLLIN)
    return lambda: bool(watcher.poll(0))


def is_own(error: BaseException) -> bool:
    """Whether this machine caused an error in connecting: no descriptors, ports or memory left."""
    if isinstance(error, TimeoutError):
        return False
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError) and inner is not error:
        return is_own(inner)
    if isinstance(error, socket.gaierror):
        return error.errno in _OWN_LOOKUPS
    return isinstance(error, OSError) and error.errno in _OWN_ERRNOS
