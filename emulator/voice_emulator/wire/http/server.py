"""The HTTP server of both ports. It refuses invalid HTTP in one line and answers complete requests at once.

aiohttp itself answers a head that it cannot parse, and logs a traceback for each. Here the reply is a failure like
any other (``Emulator-Error``), and the log has one warning.

aiohttp also starts a task for each request, and takes two rounds of the event loop to send the reply. A request that
arrives in one piece, as nearly all do, is first offered to :attr:`Server.at_once`; all others go through aiohttp.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from aiohttp import StreamReader, web
from aiohttp.http_parser import RawRequestMessage

from voice_emulator.wire.http.aiohttp_versions import AT_ONCE
from voice_emulator.wire.http.response_writer import whole_reply

log = logging.getLogger(__name__)

#: Bytes that are parsed at a time.
PIECE = 64 * 1024
#: Bytes of the head of a request: aiohttp limits each line and their number, which together allow a megabyte. It is
#: looked at after each piece, so up to another :data:`PIECE` may pass.
HEAD_LIMIT = 64 * 1024
#: Bytes of a chunked body. In a longer one at most three quarters may be framing.
FRAMING = 64 * 1024

#: Answers a complete request without waiting and returns True, or leaves it to aiohttp.
AtOnce = Callable[["Connection", RawRequestMessage, StreamReader], bool]


class Relayed(Protocol):
    """A request whose reply another replica makes, and passes on to its connection."""

    def pause(self) -> None:
        """The client does not read."""

    def resume(self) -> None:
        """It reads again."""

    def gone(self) -> None:
        """The client has closed the connection."""

    async def over(self, seconds: float | None) -> None:
        """Wait for the end of the reply, at most so many real seconds."""


class Connection(web.RequestHandler):
    """One connection. ``prepared`` is what :attr:`Server.at_once` did for a request that it then left to aiohttp.

    ``pending`` is what a reply that it took over still waits for.
    """

    __slots__ = (
        "_at_once", "_begun", "_body", "_done", "_framed", "_idle", "_refused", "_stays", "broken", "peer", "pending",
        "prepared", "relayed", "scheme",
    )  # fmt: skip

    def __init__(self, server: Server, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        super().__init__(server, loop=loop, **kwargs)
        # None: all requests go through aiohttp.
        self._at_once = server.at_once
        # How many of the parsed requests are answered, and whether the last reply left the connection open.
        self._done = 0
        self._stays = True
        self._refused = False
        # Whether aiohttp's task waits for a request, so that one may stay in its queue.
        self._idle = False
        # Bytes of a head that is not complete.
        self._begun = 0
        # The body that is arriving, if any, and its bytes so far, including the framing of its chunks.
        self._body: Any = None
        self._framed = 0
        self.prepared: Any = None
        self.pending: asyncio.Future[Any] | None = None
        # A body in the middle of which the client sent invalid HTTP. It ends there.
        self.broken: Any = None
        # Who passes on the reply to the request that another replica answers, if one does.
        self.relayed: Relayed | None = None
        self.peer = ""
        self.scheme = "http"

    @property
    def may_relay(self) -> bool:
        """Whether :attr:`Server.at_once` may leave a request to another replica (:attr:`relayed`)."""
        return self._idle

    @property
    def busy(self) -> bool:
        """Whether a request is being handled or is queued."""
        return self._current_request is not None or bool(self._messages)

    @property
    def waits(self) -> bool:
        """Whether a reply that was taken over is still to come: replies keep their order."""
        if self.pending is None:
            return False
        if self.pending.done():
            self.pending = None
            return False
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Record the client's address."""
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self.scheme = "https" if transport.get_extra_info("sslcontext") else "http"

    async def start(self) -> None:
        """Handle one request after the other.

        When the client goes away, aiohttp's task ends cancelled, and its traceback would keep the task alive.
        """
        with suppress(asyncio.CancelledError):
            await super().start()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Drop the body that was arriving, which refers to this connection."""
        self._body = self.broken = None
        if self.relayed is not None:
            self.relayed.gone()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived. A request that they complete is answered at once, if it can be."""
        if self._refused:
            # Ignore what follows invalid HTTP: aiohttp would refuse each piece of it again.
            return
        if len(data) <= PIECE:
            self._take(data)
            return
        for begin in range(0, len(data), PIECE):
            self._take(data[begin : begin + PIECE])

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resume if reading was paused. aiohttp would parse an empty piece for each body that is read."""
        if self._reading_paused:
            super().resume_reading(resume_parser)

    def _take(self, data: bytes) -> None:
        count = self._request_count
        self._parse(data)
        if self._body is not None or self._messages or self._request_count != count:
            self._begun = 0
            return
        self._begun += len(data)
        if self._begun > HEAD_LIMIT and not self._refused:
            self._refuse_head()

    def _refuse_head(self) -> None:
        """Close the connection, after a reply if all earlier requests have theirs."""
        why = f"the head of the request has more than {HEAD_LIMIT} bytes"
        log.warning("%s sent invalid HTTP: %s", self.peer, why)
        self._refused = True
        if self.transport is not None and not self.busy:
            headers = (("Emulator-Error", why),)
            reply = whole_reply(431, "text/plain; charset=utf-8", f"{why}\n".encode(), headers, stay=False)
            self.transport.write(reply)
        self.force_close()

    def _parse(self, data: bytes) -> None:
        if self._body is not None and self._is_framing(len(data)):
            log.warning("%s sent a chunked body that is nearly all framing", self.peer)
            self._refused = True
            self.force_close()
            return
        if self._at_once is None:
            super().data_received(data)
            self._note_refusal()
            return
        # aiohttp's task is not woken meanwhile. Reading a body may add more, by calling this method.
        waiter, self._waiter = self._waiter, None
        # An earlier piece of this round has woken it: the request is its.
        woken = waiter is not None and waiter.done()
        self._idle = waiter is not None and not woken
        try:
            super().data_received(data)
            self._note_refusal()
            # aiohttp may still have an earlier request to answer: replies keep their order.
            first = not woken and len(self._messages) == 1 == self._request_count - self._done
            if first and self.relayed is None and self._answered(self._at_once):
                self._messages.popleft()
        except Exception:
            # As aiohttp does: this connection cannot be used further.
            log.exception("a request could not be handled")
            if not woken:
                self._messages.clear()
            self.force_close()
        finally:
            self._waiter = waiter
        if waiter is None or waiter.done():
            return
        if self._force_close or self._close:
            waiter.cancel()
        elif self._messages and self.relayed is None:
            waiter.set_result(None)

    def relayed_ended(self, *, answered: bool) -> None:
        """The request that was left to another replica is answered, or aiohttp's task has to find another one."""
        self.relayed = None
        if answered:
            self.prepared = None
            self._messages.popleft()
            self._done += 1
            self._note_answered()
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            if self._messages:
                waiter.set_result(None)
        elif not answered and self.transport is not None:
            self.transport.abort()  # this replica is stopping: nobody tries again

    def pause_writing(self) -> None:
        """The client does not read."""
        super().pause_writing()
        if self.relayed is not None:
            self.relayed.pause()

    def resume_writing(self) -> None:
        """It reads again."""
        super().resume_writing()
        if self.relayed is not None:
            self.relayed.resume()

    def _process_keepalive(self) -> None:
        """Close the connection if it was silent for too long; not while another replica works for it."""
        if self.relayed is not None:
            self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout
        super()._process_keepalive()

    async def shutdown(self, timeout: float | None = 15.0) -> None:  # noqa: ASYNC109 - aiohttp calls it
        """Let what another replica does for this connection end, and then the rest."""
        if self.relayed is not None and self._current_request is None:
            await self.relayed.over(timeout)
        await super().shutdown(timeout)

    def _is_framing(self, more: int) -> bool:
        """Whether a body consists of tiny chunks, each of which costs as much as a large one."""
        body = self._body
        if body.is_eof():
            self._body = None
            return False
        self._framed += more
        return self._framed > FRAMING and body.total_bytes * 4 < self._framed

    def _note_refusal(self) -> None:
        """Note when aiohttp refuses what arrived, and drop the traceback of the refusal.

        The traceback forms a reference cycle with the frame that has the bytes, which only the garbage collector
        would free.
        """
        if not self._messages:
            return
        message, payload = self._messages[-1]
        if isinstance(message, RawRequestMessage):
            if payload is not self._body and self.transport is not None and not payload.is_eof():
                self._body, self._framed = payload, 0
            return
        self._refused = True
        if self._body is not None and not self._body.is_eof():
            self.broken = self._body
            self.broken.feed_eof()
        refusal: BaseException | None = message.exc
        while refusal is not None:
            refusal.__traceback__ = None
            refusal = refusal.__context__

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Count the answered request."""
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
        if self.relayed is not None:
            self._done -= 1
            return False
        self._note_answered()
        return True

    def _note_answered(self) -> None:
        if self._parser is not None and self._manager is not None:
            self._parser.message_consumed()
            self._manager.requests_count += 1
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that cannot be parsed; a bug in the emulator (status 500) is logged in full.

        A handler that fails because the client closed the connection is not a bug, and needs no answer.
        """
        if isinstance(exc, OSError) and (self.transport is None or self.transport.is_closing()):
            return web.Response(status=status)
        if status >= 500:
            return super().handle_error(request, status, exc, message)
        lines = [line.strip(" ^:") for line in (message or str(exc)).splitlines()]
        why = " ".join(line for line in lines if line).encode("ascii", "backslashreplace").decode()[:300]
        # Not the bytes that were sent: they may contain secrets.
        log.warning("%s sent invalid HTTP: %s", request.remote, type(exc).__name__)
        response = web.Response(status=status, text=f"{why}\n", headers={"Emulator-Error": why})
        response.force_close()
        return response


class Server(web.Server):
    """aiohttp's low-level server, with :class:`Connection`."""

    def __init__(self, handle: Any, *, at_once: AtOnce | None = None, **kwargs: Any) -> None:
        """Serve with ``handle``, after ``at_once`` if that returns False."""
        super().__init__(handle, **kwargs)
        self.at_once = at_once if AT_ONCE.usable() else None

    @property
    def settings(self) -> dict[str, Any]:
        """What each of its connections is made with."""
        return dict(self._kwargs)

    def __call__(self) -> web.RequestHandler:
        """Make the handler of one connection."""
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)
