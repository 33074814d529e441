"""The asynchronous client: the same methods as coroutines, on aiohttp."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from voice_emulator.client.address import CONTROL_URL, Address, address, request_headers
from voice_emulator.client.endpoints import Awaiting, ControlMethods
from voice_emulator.client.entries import StreamEvent, StreamParser
from voice_emulator.client.errors import NotReady
from voice_emulator.client.exchange import Exchange, Flow, Pause, Reply, events_target, refusal
from voice_emulator.client.pages import Page, every
from voice_emulator.wire.http.connection_errors import EMULATOR, connection_error

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

__tracebackhide__ = True

T = TypeVar("T")


@cache
def remember_session() -> Callable[..., Awaitable[ClientResponse]]:
    """How aiohttp's sessions make requests, as it was when this was first called.

    Tools that answer in place of servers (aioresponses) put something else there for the time of a test, and the
    emulator is a server that is meant to be asked.
    """
    from aiohttp import ClientSession

    return ClientSession._request  # noqa: SLF001 - what they replace


class AsyncClient(Awaiting, ControlMethods):
    """A client of the control API for one event loop. Keeps connections open until :meth:`close`.

    >>> async with AsyncClient("http://127.0.0.1:4881") as client:
    ...     await client.create_tenant("mine", scenario="all-busy")
    """

    def __init__(
        self, url: str = CONTROL_URL, *, token: str | None = None, ssl_context: ssl.SSLContext | None = None
    ) -> None:
        """``url`` is the control URL, ``token`` what the emulator was given as ``--control-token``."""
        self._address = address(url)
        self._token = token
        self._ssl = ssl_context
        self._session: ClientSession | None = None

    @property
    def url(self) -> str:
        """The control URL."""
        return self._address.url

    @property
    def address(self) -> Address:
        """The control URL, taken apart."""
        return self._address

    async def run(self, flow: Flow[T]) -> T:
        """Carry out ``flow`` and return its result."""
        try:
            step = next(flow)
            while True:
                try:
                    reply = await self._carry_out(step)
                except NotReady as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result

    async def every(self, page: Page[T]) -> list[T]:
        """All items of a list, from ``page`` on to its end."""
        return await self.run(every(page))

    @asynccontextmanager
    async def events(
        self,
        tenant: str = "default",
        *,
        after: str | None = None,
        silence: float | None = None,
        kinds: Collection[str] = (),
        brief: bool = False,
    ) -> AsyncIterator[AsyncIterator[StreamEvent]]:
        """The live stream of a tenant's events; ``after`` is the id of the last event already seen.

        ``silence`` is how many real seconds of it raise NotReady (None: the stream may be silent); ``kinds`` are those
        wanted (default: all); ``brief``: requests come as rows of the journal.
        """
        from aiohttp import ClientError, ClientTimeout

        headers = request_headers(self._token) | {"Accept": "text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = after
        target = self.url + events_target(tenant, kinds, brief=brief)
        limits = ClientTimeout(total=None, sock_read=silence)
        try:
            response = await remember_session()(self._open(), "GET", target, headers=headers, timeout=limits)
        except (ClientError, OSError) as error:
            raise self._not_ready(error) from None
        async with response:
            if response.status != 200:
                raise refusal(Reply(response.status, response.content_type, await response.read()))
            yield self._stream(response)

    async def _stream(self, response: ClientResponse) -> AsyncIterator[StreamEvent]:
        from aiohttp import ClientError

        parser = StreamParser()
        # Of a line that has not ended yet. aiohttp's own reading of lines refuses long ones.
        begun: list[bytes] = []
        chunks = response.content.iter_any()
        while True:
            try:
                chunk = await anext(chunks)
            except StopAsyncIteration:
                return
            except (ClientError, OSError) as error:
                raise self._not_ready(error) from None
            *ended, rest = chunk.split(b"\n")
            for line in ended:
                event = parser.feed(b"".join([*begun, line]).decode("utf-8", "replace").rstrip("\r"))
                begun.clear()
                if event is not None:
                    yield event
            begun.append(rest)

    async def close(self) -> None:
        """Close all connections. The client can be used again afterwards."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _open(self) -> ClientSession:
        if self._session is None:
            # Imported on first use: most who import this module want the synchronous client.
            from aiohttp import ClientSession, TCPConnector

            # Waits hold their connections open for long: a limit would let them block everything else.
            self._session = ClientSession(connector=TCPConnector(limit=0, ssl=self._ssl or True))
        return self._session

    async def _carry_out(self, step: Exchange | Pause) -> Reply:
        from aiohttp import ClientError, ClientTimeout
        from yarl import URL

        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return Reply(0, "", b"")
        headers = request_headers(self._token, step.content_type if step.body is not None else None)
        target = URL(self.url + step.target, encoded=True)
        try:
            response = await remember_session()(
                self._open(),
                step.method,
                target,
                data=step.body,
                headers=headers,
                timeout=ClientTimeout(total=step.timeout),
                allow_redirects=False,
            )
            async with response:
                return Reply(response.status, response.headers.get("Content-Type", ""), await response.read())
        except (ClientError, OSError) as error:
            raise self._not_ready(error) from None

    def _not_ready(self, error: Exception) -> NotReady:
        return NotReady(
            f"no emulator answers at {self.url}: {connection_error(error, self.url, hint=EMULATOR)}"
        )
