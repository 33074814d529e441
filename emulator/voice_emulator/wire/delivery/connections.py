"""Connections to receivers: opened for each push, and used again only where that is known to be safe.

Many servers close a connection after each answer without saying so (uWSGI's ``--http``, home-made ones). A push sent
over a connection whose close is on its way is lost, and nobody can tell whether the receiver has read it. So a
connection is used for one push more only after another one of the same origin was seen to stay open for
:data:`TRIAL` seconds after as many answers, and only if it was idle for a fraction of that time.
"""

from __future__ import annotations

import asyncio
import errno
import select
import socket
from functools import partial
from ssl import SSLContext
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from voice_emulator.wire.delivery.answers import AnswerReader
from voice_emulator.wire.delivery.target_policy import Resolver

#: Real seconds that a connection is left idle to see whether its receiver keeps it open.
TRIAL = 2.0
#: The share of it for which a connection may be idle and still be used again.
REUSED_WITHIN = 0.4
#: Real seconds that a push waits for its answer before idle connections to its receiver are closed: some serve one
#: connection after the other.
PATIENCE = 0.25
#: Real seconds between two attempts to open a connection when this machine lacks descriptors, ports or memory.
PAUSE = 0.05
#: Origins whose ways are remembered; receivers are few.
ORIGINS_REMEMBERED = 1_000

#: What this machine lacks when it cannot open a connection. It says nothing about the receiver.
_OWN_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EAGAIN}
)
_OWN_LOOKUPS = frozenset({socket.EAI_MEMORY, getattr(socket, "EAI_SYSTEM", socket.EAI_MEMORY)})


class Held:
    """A connection that stands. ``answers`` is how many pushes were answered over it."""

    __slots__ = ("answers", "connection", "idle_since", "origin", "protocol")

    def __init__(self, origin: Origin, connection: aiohttp.connector.Connection) -> None:
        """Raises ServerDisconnectedError when the connection is closed already."""
        protocol = connection.protocol
        if protocol is None:
            raise aiohttp.ServerDisconnectedError
        self.origin = origin
        self.connection = connection
        self.protocol: ResponseHandler = protocol
        self.answers = 0
        self.idle_since = 0.0

    @property
    def kept(self) -> bool:
        """Whether an earlier push was answered over it."""
        return self.answers > 0

    @property
    def lost(self) -> bool:
        """Whether it is known to be closed."""
        transport = self.protocol.transport
        return transport is None or transport.is_closing()

    @property
    def closing(self) -> bool:
        """Whether it is closed, or its close, or anything else that nobody asked for, has come."""
        transport = self.protocol.transport
        return transport is None or transport.is_closing() or has_arrived(transport)

    def close(self) -> None:
        """Close it; closing again does nothing."""
        self.connection.close()


class Origin:
    """What is known of one receiver's scheme, host and port.

    ``shown`` is after how many answers over one connection it was seen to keep it open: none at first.
    """

    __slots__ = ("asker", "idle", "never", "shown", "timer", "trial")

    def __init__(self, asker: aiohttp.ClientRequest) -> None:
        """``asker`` is what the connector is asked with."""
        self.asker = asker
        self.shown = 0
        #: Whether connections of this origin are not kept any more, whatever is seen.
        self.never = False
        #: Connections that may be used again, the one used last at the end.
        self.idle: list[Held] = []
        self.trial: Held | None = None
        self.timer: asyncio.TimerHandle | None = None

    def close(self) -> None:
        """Close all idle connections; an unfinished trial shows nothing."""
        idle, self.idle = self.idle, []
        if self.trial is not None:
            idle.append(self.trial)
            self.trial = None
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        for held in idle:
            held.close()


class _Connector(aiohttp.TCPConnector):
    """aiohttp's, with connections that read answers within bounds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        make: Any = partial(AnswerReader, loop=asyncio.get_running_loop())
        self._factory = make


class Connections:
    """Opens connections to all receivers and keeps those that may be kept."""

    def __init__(self, resolver: Resolver, trust: SSLContext | None = None, trial: float = TRIAL) -> None:
        """``trial`` is in real seconds; needs the running loop."""
        self._connector = _Connector(
            limit=0, resolver=resolver, ttl_dns_cache=10, force_close=True, ssl=trust or True
        )
        self._trial = trial
        self._reused_within = trial * REUSED_WITHIN
        self._origins: dict[tuple[str, str | None, int | None], Origin] = {}
        self._sweep: asyncio.TimerHandle | None = None

    async def close(self) -> None:
        """Close all connections, idle or not."""
        if self._sweep is not None:
            self._sweep.cancel()
            self._sweep = None
        self._forget()
        await self._connector.close()

    def _forget(self) -> None:
        for origin in self._origins.values():
            origin.never = True
            origin.close()
        self._origins.clear()

    async def take(self, url: URL, seconds: float) -> Held:
        """A connection to the origin of ``url``, within ``seconds``.

        Raises TimeoutError, OSError and aiohttp.ClientError when there is none to be had.
        """
        origin = self._origin(url)
        oldest = asyncio.get_running_loop().time() - self._reused_within
        while origin.idle:
            held = origin.idle.pop()
            if held.idle_since >= oldest and not held.lost:
                return held
            self.drop(held)
        return await self.open(origin, seconds)

    async def open(self, origin: Origin, seconds: float) -> Held:
        """A fresh connection to ``origin``. Raises as :meth:`take` does."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while True:
            timeout = aiohttp.ClientTimeout(connect=max(0.001, deadline - loop.time()))
            try:
                return Held(origin, await self._connector.connect(origin.asker, [], timeout))
            except OSError as error:
                # Nothing was sent, so that this is no second push.
                if not is_own(error) or loop.time() + PAUSE > deadline:
                    raise
            await asyncio.sleep(PAUSE)

    def answered(self, held: Held, *, stays: bool) -> None:
        """A whole answer came over ``held``, which ``stays`` open by what it said: keep it, try it, or close it."""
        origin, loop = held.origin, asyncio.get_running_loop()
        held.answers += 1
        if not stays or origin.never:
            held.close()
        elif held.protocol.should_close:  # its close has come, or more than the answer
            self.drop(held)
        elif held.answers <= origin.shown:
            held.idle_since = loop.time()
            origin.idle.append(held)
            if self._sweep is None:
                self._sweep = loop.call_later(self._reused_within, self._close_old)
        elif origin.trial is None:
            origin.trial = held
            origin.timer = loop.call_later(self._trial, self._tried, origin)
        else:
            held.close()

    def drop(self, held: Held) -> None:
        """Close a connection that is not used again. Closed by its receiver too early, it shows that it does so."""
        if held.closing and held.answers <= held.origin.shown:
            held.origin.shown = 0
        held.close()

    def distrust(self, held: Held) -> None:
        """A push over ``held``, which was kept, got no answer: its origin does not keep what it seemed to keep."""
        held.close()
        held.origin.never = True
        held.origin.close()

    def make_way(self, held: Held) -> None:
        """A push over ``held`` waits: perhaps its receiver serves the idle connections first."""
        origin = held.origin
        if origin.idle or origin.trial is not None:
            origin.never = True
            origin.close()

    def _tried(self, origin: Origin) -> None:
        held, origin.trial, origin.timer = origin.trial, None, None
        if held is None:
            return
        if not held.closing:
            origin.shown = max(origin.shown, held.answers)
        held.close()  # idle for too long by now

    def _close_old(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep = None
        oldest = loop.time() - self._reused_within
        left = False
        for origin in self._origins.values():
            while origin.idle and origin.idle[0].idle_since <= oldest:
                self.drop(origin.idle.pop(0))
            left = left or bool(origin.idle)
        if left:
            self._sweep = loop.call_later(self._reused_within, self._close_old)

    def _origin(self, url: URL) -> Origin:
        key = (url.scheme, url.raw_host, url.port)
        known = self._origins.get(key)
        if known is None:
            if len(self._origins) >= ORIGINS_REMEMBERED:
                self._forget()
            asker = aiohttp.ClientRequest("GET", url.origin(), loop=asyncio.get_running_loop())
            known = self._origins[key] = Origin(asker)
        return known


def has_arrived(transport: asyncio.Transport) -> bool:
    """Whether there is something to read on a transport's socket, be it the end."""
    sock = transport.get_extra_info("socket")
    descriptor = sock.fileno() if sock is not None else -1
    if descriptor < 0:
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([descriptor], [], [], 0)[0])
    watcher = select.poll()
    watcher.register(descriptor, select.POLLIN)
    return bool(watcher.poll(0))


def is_own(error: BaseException) -> bool:
    """Whether an error in connecting is this machine's: no descriptors, ports or memory left."""
    if isinstance(error, TimeoutError):
        return False
    inner = getattr(error, "os_error", None)
    if isinstance(inner, OSError) and inner is not error:
        return is_own(inner)
    if isinstance(error, socket.gaierror):
        return error.errno in _OWN_LOOKUPS
    return isinstance(error, OSError) and error.errno in _OWN_ERRNOS
