"""The owner's side: a relayed request is answered as if its client were connected to a port here.

Each relayed request arrives over a :class:`RelayedConnection`, which is a connection of the traffic or of the control
port but for its transport. So replies, faults and resets are the same by construction.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from voice_emulator.wire.http.response_writer import SentResponse
from voice_emulator.wire.http.server import Connection, Server
from voice_emulator.wire.relay.frames import (
    CLOSE,
    DATA,
    LAST,
    LEAVING,
    MOVED,
    PIECE,
    REQUEST,
    RESET,
    FrameReader,
    RelayedRequest,
    frame,
)


class RelayedConnection(Connection):
    """A client that is connected to another replica. ``for_default`` as in :class:`RelayedRequest`."""

    __slots__ = ("for_default", "link")

    def __init__(self, server: Server, link: IncomingLink, **kwargs: Any) -> None:
        super().__init__(server, **kwargs)
        self.link = link
        self.for_default = False

    @property
    def peername(self) -> tuple[str, int]:
        """The client's address."""
        return self.peer, 0

    @property
    def ssl_context(self) -> Any:
        """Not None where the client uses TLS."""
        return True if self.scheme == "https" else None

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """The reply is written."""
        finished = await super().finish_response(request, resp, start_time)
        if isinstance(self.transport, RelayedTransport):
            self.transport.finish(stay=bool(resp.keep_alive))
        return finished

    def refuse(self) -> web.StreamResponse:
        """The request belongs to another replica, and nothing was done about it."""
        if isinstance(self.transport, RelayedTransport):
            self.transport.end(MOVED)
        return SentResponse(keep_alive=True)


class RelayedTransport(asyncio.Transport):
    """Turns what a connection writes into frames. ``final``: the next write is the whole reply."""

    def __init__(self, link: IncomingLink) -> None:
        super().__init__()
        self._link = link
        self._closing = False
        #: Whether a request is being answered.
        self.active = False
        self.final = False

    def is_closing(self) -> bool:
        """Whether the client's connection is to end."""
        return self._closing

    def get_write_buffer_size(self) -> int:
        """Bytes that the other replica has not taken yet."""
        return self._link.transport.get_write_buffer_size()

    def write(self, data: Any) -> None:
        """Send a piece of the reply."""
        if not self.active:
            return
        if self.final:
            self.end(LAST, bytes(data))
            return
        for begin in range(0, len(data), PIECE):
            self._link.transport.write(frame(DATA, bytes(data[begin : begin + PIECE])))

    def writelines(self, list_of_data: Any) -> None:
        """Send several pieces."""
        self.write(b"".join(list_of_data))

    def finish(self, *, stay: bool) -> None:
        """The reply is complete; the client's connection stays open or not."""
        self.end(LAST if stay else CLOSE)

    def close(self) -> None:
        """Close the client's connection after what was written."""
        self.end(CLOSE)

    def abort(self) -> None:
        """Reset the client's connection."""
        self.end(RESET)

    def end(self, kind: int, payload: bytes = b"") -> None:
        """The request is over."""
        if kind in (CLOSE, RESET, MOVED):
            # Also of one that belongs elsewhere: it may have said that it is the last of its connection.
            self._closing = True
        if self.active:
            self.active = self.final = False
            self._link.ended(kind, payload)

    def pause_reading(self) -> None:
        """A request arrives whole: there is nothing to hold back."""

    def resume_reading(self) -> None:
        """See :meth:`pause_reading`."""

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The link's."""
        return self._link


class IncomingLink(asyncio.Protocol):
    """A connection over which another replica relays requests, one at a time."""

    def __init__(
        self, transport: asyncio.Transport, underneath: Connection, traffic: Server, control: Server
    ) -> None:
        """Take over ``transport`` from ``underneath``; requests go to the servers of the two ports."""
        self.transport = transport
        self._underneath = underneath
        self._servers = (control, traffic)
        self._connections: list[RelayedConnection | None] = [None, None]
        self._frames = FrameReader()
        self._current: RelayedConnection | None = None
        self._leaving = False
        self._paused = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Bytes of a request have arrived."""
        try:
            for kind, payload in self._frames.feed(data):
                if kind != REQUEST or self._current is not None:
                    raise ValueError("a request before the end of another")
                self._begin(RelayedRequest.read(payload))
        except ValueError:
            self.transport.abort()

    def _begin(self, request: RelayedRequest) -> None:
        if self._leaving:
            self.transport.write(frame(MOVED))
            return
        connection = self._connections[request.traffic]
        transport = connection.transport if connection is not None else None
        if connection is None or transport is None or transport.is_closing():
            connection, transport = self._connect(request)
        if not isinstance(transport, RelayedTransport):
            raise AssertionError("a relayed connection has a transport of its own")
        connection.peer, connection.scheme = request.peer, request.scheme
        connection.for_default = request.for_default
        self._current = connection
        transport.active = True
        if self._paused:
            connection.pause_writing()
        connection.data_received(request.raw)
        # If no task is to answer it, it was answered at once: the reply is written in the next round of the loop.
        if transport.active and not connection.busy:
            transport.final = True

    def _connect(self, request: RelayedRequest) -> tuple[RelayedConnection, RelayedTransport]:
        server = self._servers[request.traffic]
        connection = RelayedConnection(server, self, loop=asyncio.get_running_loop(), **server.settings)
        transport = RelayedTransport(self)
        connection.connection_made(transport)
        self._replace(request.traffic, connection)
        return connection, transport

    def _replace(self, port: bool, connection: RelayedConnection | None) -> None:
        before, self._connections[port] = self._connections[port], connection
        if before is not None:
            before.connection_lost(None)

    def ended(self, kind: int, payload: bytes) -> None:
        """A request is over."""
        connection, self._current = self._current, None
        if connection is not None and connection.writing_paused:
            connection.resume_writing()
        self.transport.write(frame(kind, payload))

    def leave(self) -> None:
        """Take no more requests; the other replica closes the connection when it has its reply."""
        if not self._leaving:
            self._leaving = True
            self.transport.write(frame(LEAVING))

    def pause_writing(self) -> None:
        """The other replica does not read."""
        self._paused = True
        if self._current is not None:
            self._current.pause_writing()

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False
        if self._current is not None and self._current.writing_paused:
            self._current.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The other replica has gone, or its client: end what is being done for it."""
        self._current = None
        for port in (False, True):
            connection = self._connections[port]
            if connection is not None and isinstance(connection.transport, RelayedTransport):
                connection.transport.active = False
            self._replace(port, None)
        if not self.closed.done():
            self.closed.set_result(None)
        self._underneath.connection_lost(exc)
