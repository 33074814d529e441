"""Reading a receiver's answer within limits: one answer, a few 1xx responses before it, a head of limited size.

aiohttp parses everything that has arrived and queues every message it finds: 250 kB of ``100 Continue`` are ten
thousand messages.
"""

from __future__ import annotations

from typing import Any

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError

#: 1xx responses before the answer.
INTERIM_LIMIT = 16
#: Bytes of an answer's head.
HEAD_LIMIT = 64 * 1024
#: Bytes of an answer's body that are buffered before the receiver has to wait.
BUFFERED = 16 * 1024
#: Bytes that are parsed at a time.
PIECE = 4 * 1024


class AnswerReader(ResponseHandler):
    """aiohttp's response handler; it aborts when a receiver sends too much."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answers = 0
        self._head = 0

    def set_response_params(self, **kwargs: Any) -> None:
        """Start the next exchange."""
        self._answers = self._head = 0
        super().set_response_params(read_bufsize=BUFFERED, **kwargs)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A complete head was read."""
        self._answers += 1
        self._head = 0
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived."""
        for begin in range(0, len(data) or 1, PIECE):
            if self._exception is not None or self.transport is None:
                return
            piece = data[begin : begin + PIECE]
            before = self._answers
            super().data_received(piece)
            if self._answers > INTERIM_LIMIT:
                self._give_up(f"more than {INTERIM_LIMIT} answers to one push")
            elif self._answers == before and (self._payload is None or self._payload.is_eof()):
                self._head += len(piece)
                if self._head > HEAD_LIMIT:
                    self._give_up(f"an answer whose head has more than {HEAD_LIMIT} bytes")

    def _give_up(self, why: str) -> None:
        self._buffer.clear()
        self.set_exception(HttpProcessingError(code=502, message=why))
        if self.transport is not None:
            self.transport.abort()
