"""Several replicas in one process, over one store, with clocks for their leases that tests set."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.rig import START, Receiver, receivers, receiving
from tests.wire.raw import GPSEND
from voice_emulator.app import Emulator
from voice_emulator.core.clock import ClockSpec
from voice_emulator.replicas.membership import Membership
from voice_emulator.settings import Options, StoreAddress

SEND = "/api/voiceSms/gpsend"
#: Longer than a test: only a clock that the test sets ends it.
LEASE = 60.0


@dataclass
class Monotonic:
    """The clock of one replica's lease."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Cluster:
    """Replicas, the first first."""

    address: StoreAddress
    receiver: Receiver
    client: aiohttp.ClientSession
    options: dict[str, Any] = field(default_factory=dict)
    replicas: list[Emulator] = field(default_factory=list)
    clocks: list[Monotonic] = field(default_factory=list)

    async def start(self, address: StoreAddress | None = None, **options: Any) -> Emulator:
        given = {
            "clock": ClockSpec("manual", start=START), "strict": True, "lease": LEASE, **self.options, **options,
        }  # fmt: skip
        emulator = Emulator(
            Options(port=0, control_port=0, state=address or self.address, **given), grace=0.2
        )
        clock = Monotonic()
        emulator.monotonic = clock
        self.clocks.append(clock)
        self.replicas.append(emulator)
        await emulator.start()
        return emulator

    async def send(self, emulator: Emulator, phone: str = "6281234567890", **fields: str) -> Any:
        """One gpsend: the status, and the answer or the emulator's error."""
        url = emulator.runtime.traffic + SEND
        async with self.client.post(url, data={**GPSEND, "phone": phone, **fields}) as reply:
            error = reply.headers.get("Emulator-Error")
            return reply.status, error or (await reply.json(content_type=None))["code"]

    async def control(self, emulator: Emulator, method: str, path: str, **options: Any) -> tuple[int, Any]:
        async with self.client.request(method, emulator.runtime.control + path, **options) as reply:
            return reply.status, await reply.json() if reply.status != 204 else None

    async def tenant(self, emulator: Emulator, name: str, **document: Any) -> dict[str, Any]:
        """A new tenant of this replica, with a receiver; returns its nxcloud credentials."""
        body = {"id": name, "callback_urls": receivers(emulator, self.receiver), **document}
        status, made = await self.control(emulator, "POST", "/v1/tenants", json=body)
        assert status == 201, made
        found: dict[str, Any] = made["credentials"]["nxcloud"]
        return {key: found[key] for key in ("appkey", "secretkey")}

    async def advance(self, emulator: Emulator, tenant: str, **document: Any) -> dict[str, Any]:
        status, done = await self.control(
            emulator, "POST", f"/v1/tenants/{tenant}/clock/advance", json=document or {"to": "idle"}
        )
        assert status == 200, done
        return dict(done)


def member(emulator: Emulator) -> Membership:
    found = emulator._membership
    assert found is not None
    return found


def freeze(emulator: Emulator) -> None:
    """The replica does nothing more by itself: as if stopped by a signal."""
    task = member(emulator)._task
    assert task is not None
    task.cancel()


async def expire(cluster: Cluster, emulator: Emulator) -> None:
    """The store forgets the lease of this replica, whose clock does not know yet."""
    freeze(emulator)
    # What it has still to commit would have it join again.
    await member(emulator).settled()
    from valkey.asyncio import Valkey

    async with Valkey.from_url(cluster.address.url) as client:
        await client.delete(f"{cluster.address.prefix}:session:{member(emulator).session}")


async def sweep(emulator: Emulator) -> None:
    """What a replica does every second."""
    await member(emulator).look()
    await member(emulator)._take_free()


async def take_over(cluster: Cluster, loser: Emulator, winner: Emulator) -> None:
    """One replica takes over all tenants of another, which does not know of it yet."""
    names = set(member(loser).committer.logs)
    while not names <= set(member(winner).committer.logs):
        # Again where a commit that was under way had the loser join once more before the winner looked.
        await expire(cluster, loser)
        await sweep(winner)


@asynccontextmanager
async def cluster(address: StoreAddress, **options: Any) -> AsyncIterator[Cluster]:
    async with receiving() as receiver, aiohttp.ClientSession() as client:
        made = Cluster(address, receiver, client, options)
        try:
            yield made
        finally:
            for emulator in made.replicas:
                await emulator.close()
                assert emulator.failure is None


class Line:
    """A line to the store that a test can cut, or let hang before or after the store has heard what is said."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = asyncio.Event()
        self._open.set()
        #: How many replies to EVALSHA of this word are swallowed, and the connection cut instead.
        self.swallow: dict[bytes, int] = {}
        self.refuses = False

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def cut(self) -> None:
        """All connections end, and no new one is made."""
        self.refuses = True
        for writer in self._writers:
            writer.transport.abort()

    def restore(self) -> None:
        self.refuses = False

    async def close(self) -> None:
        self.cut()
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, back}
        lost = asyncio.Event()

        async def up() -> None:
            while data := await reader.read(65536):
                for word, left in self.swallow.items():
                    if left and b"\r\n" + word + b"\r\n" in data:
                        self.swallow[word] -= 1
                        lost.set()
                back.write(data)

        async def down() -> None:
            while data := await there.read(65536):
                if lost.is_set():
                    break
                writer.write(data)

        tasks = [asyncio.create_task(up()), asyncio.create_task(down())]
        with suppress(ConnectionError):
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writers -= {writer, back}
        writer.transport.abort()
        back.transport.abort()


@asynccontextmanager
async def lined(address: StoreAddress) -> AsyncIterator[tuple[Line, StoreAddress]]:
    """A line to the store, and the address of its other end."""
    port = urlsplit(address.url).port
    assert port is not None
    line = Line(port)
    there = await line.start()
    try:
        yield line, StoreAddress.read(f"valkey://127.0.0.1:{there}/0?prefix={address.prefix}")
    finally:
        await line.close()
