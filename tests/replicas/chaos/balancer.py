"""Load balancers in front of the replicas' two ports: a small one for TCP, and HAProxy with the file of examples/replicas."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from voice_emulator.wire.http.sockets import reset_on_close


@dataclass
class Balancer:
    """Hands each connection to a replica drawn at random, and to the next one where that refuses it.

    It asks nobody how they are, so a frozen replica gets its share: it accepts connections and does not answer.
    """

    ports: Sequence[int]
    dice: random.Random
    port: int = 0
    #: Connections by port of the replica.
    handed: dict[int, int] = field(default_factory=dict)
    #: Every open connection's task.
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed at once where no replica takes it."""
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            for port in self.dice.sample(self.ports, len(self.ports)):
                try:
                    there = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                self.handed[port] = self.handed.get(port, 0) + 1
                try:
                    await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
                finally:
                    there[1].close()
                return
        except asyncio.CancelledError:
            pass  # the run is over
        finally:
            writer.close()
            self._open.discard(task)

    async def close(self) -> None:
        """End all connections."""
        tasks = list(self._open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except ConnectionError:
        reset_on_close(writer.get_extra_info("socket"))
        writer.transport.abort()
    except OSError:
        writer.close()


@asynccontextmanager
async def balancing(ports: Sequence[int], seed: int = 0) -> AsyncIterator[Balancer]:
    """A balancer in front of these ports of loopback."""
    balancer = Balancer(ports, random.Random(seed))
    server = await asyncio.start_server(balancer.serve, "127.0.0.1", 0, backlog=1024)
    balancer.port = server.sockets[0].getsockname()[1]
    try:
        yield balancer
    finally:
        server.close()
        with suppress(asyncio.CancelledError):
            await balancer.close()


def haproxy_config(template: str, ports: Mapping[str, int], replicas: Sequence[tuple[int, int]]) -> str:
    """The configuration of examples/replicas at other addresses of loopback.

    ``ports`` are HAProxy's own by name of the section, ``replicas`` their traffic and control ports.
    """
    lines, section = [], ""
    for line in template.splitlines():
        match line.split():
            case ["listen", section]:
                pass
            case ["bind", *_]:
                line = f"    bind 127.0.0.1:{ports[section]}"
            case ["server", name, _, *options]:
                traffic, control = replicas[int(name.split("-")[1]) - 1]
                port = traffic if section == "traffic" else control
                check = [] if "no-check" in options else ["check", "port", str(control)]
                line = " ".join(["    server", name, f"127.0.0.1:{port}", *options, *check])
        lines.append(line)
    return "\n".join(lines) + "\n"
