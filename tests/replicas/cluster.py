"""Several replicas in one process, over one store, with clocks for their leases that tests set."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

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
    from valkey.asyncio import Valkey

    async with Valkey.from_url(cluster.address.url) as client:
        await client.delete(f"{cluster.address.prefix}:session:{member(emulator).session}")


async def sweep(emulator: Emulator) -> None:
    """What a replica does every second."""
    await member(emulator).look()
    await member(emulator)._take_free()


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
