"""The load: prepared requests over keep-alive connections, answers counted, as cheaply as Python can."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """What one round measured: requests answered, seconds it took, answers that were not as expected.

    ``started`` is the instant of the monotonic clock, which all processes of the machine share.
    """

    answered: int
    seconds: float
    wrong: int
    started: float = 0.0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.answered / self.seconds


_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"
#: Servers without keep-alive close after every answer; one that only closes is broken.
CLOSED_IN_A_ROW = 3


class _Connection(asyncio.Protocol):
    """One keep-alive connection: the next request as soon as the answer is there. Opened again when it is closed."""

    def __init__(self, port: int, requests: Iterator[bytes], expected: bytes) -> None:
        self._loop = asyncio.get_running_loop()
        self._port = port
        self._requests = requests
        self._expected = expected
        self._buffer = b""
        self._request = b""
        self._waiting = False
        self._closed_in_a_row = 0
        self.done: asyncio.Future[None] = self._loop.create_future()
        self.answered = 0
        self.wrong = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._next()

    def _next(self) -> None:
        if not self._waiting:  # else the connection was closed before the answer, and the request goes again
            request = next(self._requests, None)
            if request is None:
                self._transport.close()
                self.done.set_result(None)
                return
            self._request = request
            self._waiting = True
        self._transport.write(self._request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer = self._buffer + data if self._buffer else data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        found = _LENGTH.search(buffer, 0, end)
        if found is not None:
            complete = len(buffer) >= end + 4 + int(found[1])
        else:  # a body without either ends with the connection
            complete = _CHUNKED.search(buffer, 0, end) is not None and buffer.endswith(LAST_CHUNK)
        if complete:
            closing = _CLOSE.search(buffer, 0, end) is not None
            self._answer()
            if closing:
                self._transport.close()
            else:
                self._next()

    def _answer(self) -> None:
        self.answered += 1
        self._waiting = False
        self._closed_in_a_row = 0
        if self._expected not in self._buffer:
            self.wrong += 1
        self._buffer = b""

    def connection_lost(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if self._waiting and b"\r\n\r\n" in self._buffer:
            self._answer()
        self._closed_in_a_row += 1
        if self.answered and self._closed_in_a_row < CLOSED_IN_A_ROW:
            self._buffer = b""
            self._opening = self._loop.create_task(self.open())
        else:
            self.done.set_exception(error or ConnectionError("the server closed a connection"))

    async def open(self) -> None:
        """Connect, and begin with the next request."""
        try:
            await self._loop.create_connection(lambda: self, "127.0.0.1", self._port)
        except OSError as error:
            self.done.set_exception(error)


async def drive(
    port: int, request: Callable[[int], bytes], count: int, connections: int, expected: bytes
) -> Load:
    """Send ``count`` requests over ``connections`` connections, each waiting for its own answer."""
    requests = map(request, range(count))
    started = time.perf_counter()
    protocols = [_Connection(port, requests, expected) for _ in range(connections)]
    for protocol in protocols:
        await protocol.open()
    await asyncio.gather(*(protocol.done for protocol in protocols))
    seconds = time.perf_counter() - started
    return Load(sum(p.answered for p in protocols), seconds, sum(p.wrong for p in protocols), started)
