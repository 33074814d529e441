"""A receiver that notes each push in the order of arrival, and by which replica it came: each has a port of its own."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.patience import PATIENCE
from tests.replicas.chaos.history import Arrival

#: The numbers of :func:`tests.replicas.chaos.history.number`.
_NUMBER = re.compile(rb"(?<!\d)6281\d{10}(?!\d)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
#: What each provider takes as an acknowledgement.
_ANSWERS = {
    "nxcloud": b"success",
    "huawei_cec": b'{"retCode":"0","retMsg":"success"}',
    "infin8linx": b"success",
}


@dataclass
class Receiver:
    """Acknowledges every push, after the seconds that ``delay`` draws; paths are ``/TENANT/PROVIDER``."""

    arrivals: list[Arrival]
    delay: Callable[[], float] = lambda: 0.0
    #: While it is cleared, no answer leaves.
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    ports: dict[str, int] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    #: What tenants have for their receiver; each replica rewrites it to its own port.
    BASE = "http://receiver.test:9"

    def rewriting(self, replica: str) -> tuple[str, str]:
        """The option with which a replica pushes to its own port."""
        return "--rewrite-callback", f"{self.BASE}=http://127.0.0.1:{self.ports[replica]}"

    async def serve(self, by: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of the replica ``by``."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1])) if length else b""
                target = head.split(b" ", 2)[1]
                _, tenant, provider = target.partition(b"?")[0].decode().split("/")
                arrived = []
                for found in sorted(set(_NUMBER.findall(target + b" " + body))):
                    arrived.append(
                        Arrival(len(self.arrivals), time.time(), by, tenant, provider, found.decode())
                    )
                    self.arrivals.append(arrived[-1])
                async with self._changed:
                    self._changed.notify_all()
                if delay := self.delay():
                    await asyncio.sleep(delay)
                await self.answering.wait()
                answer = _ANSWERS[provider]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))
                await writer.drain()
                for arrival in arrived:
                    arrival.answered = time.time()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the replica was killed, or closes an idle connection
        finally:
            writer.close()

    async def until(self, enough: Callable[[], bool]) -> None:
        """Wait until what has arrived is enough."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(enough), PATIENCE)


@asynccontextmanager
async def receiving(
    arrivals: list[Arrival], replicas: Iterable[str], delay: Callable[[], float] = lambda: 0.0
) -> AsyncIterator[Receiver]:
    """A receiver with a port for each replica."""
    receiver = Receiver(arrivals, delay)
    receiver.answering.set()
    servers = []
    for name in replicas:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str = name) -> None:
            await receiver.serve(name, reader, writer)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        receiver.ports[name] = server.sockets[0].getsockname()[1]
        servers.append(server)
    try:
        yield receiver
    finally:
        receiver.answering.set()
        for server in servers:
            server.close()
