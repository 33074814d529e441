"""Reading request bodies within limits of size, time and memory; both ports use it."""

from __future__ import annotations

import asyncio

from aiohttp import StreamReader, hdrs, web
from aiohttp.http_exceptions import HttpProcessingError

_INVALID = "the framing of the body is not valid HTTP"


class BodyRefused(Exception):
    """A body that is not read to its end; ``status`` is the HTTP status of the reply."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def is_complete(raw: web.BaseRequest) -> bool:
    """Whether the whole body arrived together with the head, as nearly all do."""
    return raw.content.is_eof() and hdrs.EXPECT not in raw.headers and not _is_broken(raw)


def _is_broken(raw: web.BaseRequest) -> bool:
    """Whether the body ended in invalid HTTP; see :attr:`voice_emulator.wire.http.server.Connection.broken`."""
    return getattr(raw.protocol, "broken", None) is raw.content


def complete_body(content: StreamReader) -> bytes:
    """A body that has arrived."""
    return b"" if content.at_eof() else content.read_nowait()


class BodyReader:
    """Reads bodies that arrive in pieces. ``held`` counts the bytes of bodies that are being read or handled."""

    def __init__(self, limit: int, seconds: float, total: int) -> None:
        """A body has at most ``limit`` bytes and ``seconds`` (real) to arrive; all together hold ``total`` bytes."""
        self._limit = limit
        self._seconds = seconds
        self._total = total
        self.held = 0

    async def read(self, raw: web.BaseRequest) -> bytes:
        """The whole body. It counts as held until :meth:`release`.

        Raises BodyRefused as soon as a limit is exceeded: 413 (size), 408 (time), 503 (all bodies together); 400 for
        a body whose framing is not valid HTTP. Raises ConnectionError when the connection was closed meanwhile.
        """
        length = raw.content_length
        if length is not None and length > self._limit:
            raise BodyRefused(413, f"the body has {length} bytes; the limit is {self._limit}")
        if raw.headers.get("Expect", "").lower() == "100-continue":
            await raw.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            # What the writer has sent so far does not count as part of the reply.
            raw.writer.output_size = 0
        # Not a list of pieces: a client may send one byte at a time.
        body = bytearray()
        try:
            async with asyncio.timeout(self._seconds):
                async for chunk in raw.content.iter_any():
                    body += chunk
                    self.held += len(chunk)
                    if len(body) > self._limit:
                        raise BodyRefused(413, f"the body has more than {self._limit} bytes")
                    if self.held > self._total:
                        raise BodyRefused(503, "too many large bodies at once")
            if _is_broken(raw):
                raise BodyRefused(400, _INVALID)
        except BaseException as error:
            self.held -= len(body)
            if isinstance(error, TimeoutError):
                raise BodyRefused(408, f"the body did not arrive within {self._seconds:g} s") from None
            # Without its C extension, aiohttp says so itself.
            if isinstance(error, HttpProcessingError | web.RequestPayloadError):
                raise BodyRefused(400, _INVALID) from None
            # aiohttp says "Connection closed." with a RuntimeError: nobody waits for an answer.
            if isinstance(error, RuntimeError) and (raw.transport is None or raw.transport.is_closing()):
                raise ConnectionResetError(str(error)) from None
            raise
        return bytes(body)

    def release(self, length: int) -> None:
        """A body of ``length`` bytes has been handled."""
        self.held -= length
