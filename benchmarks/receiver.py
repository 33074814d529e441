"""A receiver that costs next to nothing: answers every push, and knows which ids came, and how often.

Run as a process of its own; prints its port. ``GET /count`` tells what has arrived as JSON, ``GET /clear``
forgets it. An argument makes every answer take that many milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter

import uvloop

#: What marks one receipt: the serial number of CEC, the id of infin8linx, or a bare push client's.
_ID = re.compile(rb'"(?:callSerialNo|id)":\s*"?([^",}]+)')
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Arrivals:
    """What came so far: ids in order, instants of the first and the newest."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.ids: list[bytes] = []
        self.first = self.last = 0.0

    def note(self, body: bytes) -> None:
        self.last = time.perf_counter()
        if not self.ids:
            self.first = self.last
        found = _ID.search(body)
        self.ids.append(found[1] if found else b"?")

    def shown(self) -> dict[str, object]:
        counts = Counter(self.ids)
        return {
            "count": len(self.ids),
            "distinct": len(counts),
            "doubled": sum(1 for n in counts.values() if n > 1),
            "seconds": self.last - self.first,
            "last": self.last,
        }


class Connection(asyncio.Protocol):
    """One keep-alive connection of a push client."""

    def __init__(self, arrivals: Arrivals, delay: float) -> None:
        self._arrivals = arrivals
        self._delay = delay
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end]
            found = _LENGTH.search(head)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"GET /count"):
            self._write(json.dumps(self._arrivals.shown()).encode())
        elif head.startswith(b"GET /clear"):
            self._arrivals.clear()
            self._write(b"{}")
        else:
            self._arrivals.note(body)
            reply = b'{"retCode":"0","retMsg":"success"}'
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._write, reply)
            else:
                self._write(reply)

    def _write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)  # type: ignore[attr-defined]


async def main(delay: float) -> None:
    """Listen until killed."""
    arrivals = Arrivals()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(arrivals, delay), "127.0.0.1", 0, backlog=2048)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0))
