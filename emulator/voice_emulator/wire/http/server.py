"""The HTTP server of both ports: what is no HTTP at all is refused in one line, and what needs no waiting is answered
at once.

aiohttp answers a head it cannot parse by itself, with a traceback in the log for each. Here it is a
failure of the emulator's own like any other (``Emulator-Error``), and a client's nonsense is a warning.

For each request aiohttp also starts a task, and goes round the event loop twice before the reply is on the wire.
A request that is whole when its first bytes have come, as nearly all are, is offered to :attr:`Server.at_once`
before that; whatever is out of the ordinary takes aiohttp's own way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.wire.http.aiohttp_versions import AT_ONCE

log = logging.getLogger(__name__)

#: Bytes that are parsed in one go.
PIECE = 64 * 1024
#: Bytes of a body in chunks from which on three quarters of them may not be framing.
FRAMING = 64 * 1024

#: Answers a whole request without waiting, and says so; False: aiohttp has to carry it.
AtOnce = Callable[["Connection", RawRequestMessage, StreamReader], bool]


class Connection(web.RequestHandler):
    """One connection. ``kept`` is what :attr:`Server.at_once` has made of a request that aiohttp carries now."""

    __slots__ = ("_at_once", "_body", "_done", "_framed", "_refused", "_stays", "kept", "peer", "scheme")

    def __init__(self, server: Server, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        """Serve with what ``server`` has."""
        super().__init__(server, loop=loop, **kwargs)
        # None: aiohttp carries all requests.
        self._at_once = server.at_once
        # Of the requests that were parsed, how many are answered; and whether the last reply left the connection open.
        self._done = 0
        self._stays = True
        self._refused = False
        # The body that is coming, and how many bytes have come for it, the framing of its chunks included.
        self._body: Any = None
        self._framed = 0
        self.kept: Any = None
        self.peer = ""
        self.scheme = "http"

    @property
    def busy(self) -> bool:
        """Whether a request is under way, or has come and waits for its turn."""
        return self._current_request is not None or bool(self._messages)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note who is there."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"

    async def start(self) -> None:
        """Carry one request after the other.

        When the client goes away aiohttp's own task ends cancelled, and holds on to itself by way of the traceback.
        """
        with suppress(asyncio.CancelledError):
            await super().start()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let go of the body that was coming: it knows this connection."""
        self._body = None
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have come. A request that they make whole is answered before anything else, if it can be."""
        if self._refused:
            # What follows something that was no HTTP is not looked at: aiohttp would refuse each piece of it anew.
            return
        for begin in range(0, len(data) or 1, PIECE):
            self._take(data[begin : begin + PIECE])

    def _take(self, data: bytes) -> None:
        if self._is_framing(len(data)):
            log.warning("%s sent a body of next to nothing but the framing of its chunks", self.peer)
            self._refused = True
            self.force_close()
            return
        if self._at_once is None:
            super().data_received(data)
            self._note_refusal()
            return
        # Nobody is told of what is queued meanwhile; reading a body may bring in more, by way of this very method.
        waiter, self._waiter = self._waiter, None
        try:
            super().data_received(data)
            self._note_refusal()
            # aiohttp may still be about to take up, or to answer, an earlier one: replies keep their order.
            if len(self._messages) == 1 == self._request_count - self._done and self._answered(self._at_once):
                self._messages.popleft()
        except Exception:
            # As aiohttp does: whatever was half done is not gone on with over this connection.
            log.exception("a request could not be carried out")
            self._messages.clear()
            self.force_close()
        finally:
            self._waiter = waiter
        if waiter is None or waiter.done():
            return
        if self._force_close or self._close:
            waiter.cancel()
        elif self._messages:
            waiter.set_result(None)

    def _is_framing(self, more: int) -> bool:
        """Whether what comes for a body is chunks of a byte or two: each costs as much as one of kilobytes."""
        body = self._body
        if body is None or body.is_eof():
            return False
        self._framed += more
        return self._framed > FRAMING and body.total_bytes * 4 < self._framed

    def _note_refusal(self) -> None:
        """Note that the last of what was queued is a refusal of aiohttp's, and have it hold on to its words alone.

        Its traceback leads back to it, by way of the frame that had the bytes: a circle, which only the collector
        would let go of, with all those bytes.
        """
        if not self._messages:
            return
        message, payload = self._messages[-1]
        if payload is not self._body and self.transport is not None:
            self._body, self._framed = payload, 0
        refusal = getattr(message, "exc", None)
        if isinstance(refusal, Exception):
            self._refused = True
            while refusal is not None:
                refusal.__traceback__ = None
                refusal = refusal.__context__

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Note that one more is answered."""
        finished = await super().finish_response(request, resp, start_time)
        self._done += 1
        self._stays = bool(resp.keep_alive)
        return finished

    def _answered(self, at_once: AtOnce) -> bool:
        message, payload = self._messages[0]
        if not isinstance(message, RawRequestMessage) or not payload.is_eof() or not self._stays:
            return False
        self._done += 1
        if not at_once(self, message, payload):
            self._done -= 1
            return False
        if self._parser is not None and self._manager is not None:
            self._parser.message_consumed()
            self._manager.requests_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        return True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what could not be parsed; a bug of ours (status 500) is told in full.

        A handler that meets a closed connection is no bug: the client has gone, and nobody is left to answer.
        """
        if isinstance(exc, OSError) and (self.transport is None or self.transport.is_closing()):
            return web.Response(status=status)
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        lines = [line.strip(" ^:") for line in (message or str(exc)).splitlines()]
        why = " ".join(line for line in lines if line).encode("ascii", "backslashreplace").decode()[:300]
        # Not what was sent: it may hold somebody's secrets.
        log.warning("%s sent no HTTP that can be read: %s", request.remote, type(exc).__name__)
        response = web.Response(status=status, text=f"{why}\n", headers={"Emulator-Error": why})
        response.force_close()
        return response


class Server(web.Server):
    """aiohttp's low-level server, whose connections are ours."""

    def __init__(self, handle: Any, *, at_once: AtOnce | None = None, **kwargs: Any) -> None:
        """Serve with ``handle``; what ``at_once`` answers does not get that far."""
        super().__init__(handle, **kwargs)
        self.at_once = at_once if AT_ONCE.usable() else None

    def __call__(self) -> web.RequestHandler:
        """Make the handler of one connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)
