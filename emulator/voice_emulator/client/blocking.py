"""The synchronous client, on the standard library alone: cheap to import, at home in any thread."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Self, TypeVar

from voice_emulator.client.address import CONTROL_URL, Address, address, request_headers
from voice_emulator.client.endpoints import Blocking, ControlMethods
from voice_emulator.client.entries import StreamEvent, StreamParser
from voice_emulator.client.errors import NotReady
from voice_emulator.client.exchange import Exchange, Flow, Pause, Reply, events_target, refusal
from voice_emulator.client.pages import Page, every
from voice_emulator.wire.http.connection_errors import EMULATOR, connection_error

__tracebackhide__ = True

T = TypeVar("T")


class Client(Blocking, ControlMethods):
    """A client of the control API. May be shared by threads; keeps connections open until :meth:`close`.

    >>> with Client("http://127.0.0.1:4881") as client:
    ...     client.create_tenant("mine", scenario="all-busy").credentials["nxcloud"]["appkey"]
    """

    def __init__(
        self, url: str = CONTROL_URL, *, token: str | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """``url`` is the control URL, ``token`` what the emulator was given as ``--control-token``."""
        self._address = address(url)
        self._token = token
        self._ssl = ssl_context
        self._idle: list[http.client.HTTPConnection] = []
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """The control URL."""
        return self._address.url

    @property
    def address(self) -> Address:
        """The control URL, taken apart."""
        return self._address

    def run(self, flow: Flow[T]) -> T:
        """Carry out ``flow`` and return its result."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = self._carry_out(step)
                except NotReady as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result

    def every(self, page: Page[T]) -> list[T]:
        """All items of a list, from ``page`` on to its end."""
        return self.run(every(page))

    @contextmanager
    def events(
        self,
        tenant: str = "default",
        *,
        after: str | None = None,
        silence: float | None = None,
        kinds: Collection[str] = (),
        brief: bool = False,
    ) -> Iterator[Iterator[StreamEvent]]:
        """The live stream of a tenant's events; ``after`` is the id of the last event already seen.

        ``silence`` is how many real seconds of it raise NotReady (None: the stream may be silent); ``kinds`` are those
        wanted (default: all); ``brief``: requests come as rows of the journal.
        """
        connection = self._connection(silence)
        headers = request_headers(self._token) | {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = after
        target = self._address.prefix + events_target(tenant, kinds, brief=brief)
        with closing(connection):
            try:
                connection.request("GET", target, headers=headers)
                response = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                raise self._not_ready(error) from None
            with closing(response):
                if response.status != 200:
                    raise refusal(_reply(response))
                yield self._stream(response)

    def _stream(self, response: http.client.HTTPResponse) -> Iterator[StreamEvent]:
        parser = StreamParser()
        try:
            while line := response.readline():
                event = parser.feed(line.decode("utf-8", "replace").rstrip("\r\n"))
                if event is not None:
                    yield event
        except (OSError, http.client.HTTPException) as error:
            raise self._not_ready(error) from None

    def close(self) -> None:
        """Close the idle connections. The client can be used again afterwards."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _carry_out(self, step: Exchange | Pause) -> Reply:
        if isinstance(step, Pause):
            threading.Event().wait(step.seconds)
            return Reply(0, "", b"")
        headers = request_headers(self._token, step.content_type if step.body is not None else None)
        connection = self._take(step.timeout)
        try:
            connection.request(step.method, self._address.prefix + step.target, step.body, headers)
            reply = _reply(connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._not_ready(error) from None
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)
        return reply

    def _not_ready(self, error: Exception) -> NotReady:
        return NotReady(
            f"no emulator answers at {self.url}: {connection_error(error, self.url, hint=EMULATOR)}"
        )

    def _connection(self, timeout: float | None) -> http.client.HTTPConnection:
        where = self._address
        if where.scheme == "https":
            context = self._ssl or ssl.create_default_context()
            return http.client.HTTPSConnection(where.host, where.port, timeout=timeout, context=context)
        return http.client.HTTPConnection(where.host, where.port, timeout=timeout)

    def _take(self, timeout: float) -> http.client.HTTPConnection:
        """An open connection of those kept, or a new one."""
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self._connection(timeout)
            if connection.sock is not None and _alive(connection.sock):
                connection.timeout = timeout
                connection.sock.settimeout(timeout)
                return connection
            connection.close()


def _alive(sock: Any) -> bool:
    """Whether the other side has kept an idle connection open (nothing to read, not even its end)."""
    plain = socket.socket(fileno=sock.fileno()) if isinstance(sock, ssl.SSLSocket) else sock
    try:
        plain.setblocking(False)
        plain.recv(1, socket.MSG_PEEK)
    except (BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False
    else:
        return False
    finally:
        if plain is not sock:
            plain.detach()


def _reply(response: http.client.HTTPResponse) -> Reply:
    return Reply(response.status, response.headers.get("Content-Type", ""), response.read())
