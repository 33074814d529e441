"""The chaos: at random, but from a seed, a replica is killed, stopped or frozen, never the last one that runs."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from tests.patience import PATIENCE
from tests.replicas.chaos.history import Fault, History, TakeOver
from tests.replicas.chaos.replicas import Cluster, Replica
from voice_emulator.replicas.connection import Connection

KINDS = ("SIGKILL", "SIGTERM", "SIGSTOP")
#: Seconds between two questions for a tenant that is being taken over, and after which one is given up.
ASKING, UNANSWERED = 0.1, 1.0


@dataclass
class Pulse:
    """Notes how late this process gets the processor, so that a busy machine is not taken for a slow take-over."""

    every: float = 0.05
    _late: list[tuple[float, float]] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Pulse:
        self._task = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *exception: object) -> None:
        assert self._task is not None
        self._task.cancel()

    async def _beat(self) -> None:
        while True:
            before = time.time()
            await asyncio.sleep(self.every)
            now = time.time()
            if (late := now - before - self.every) > 0.02:
                self._late.append((now, late))

    def lost(self, since: float, until: float) -> float:
        """Seconds for which this process did not get the processor in between."""
        return sum(late for at, late in self._late if since <= at <= until)


@dataclass
class Chaos:
    """Does ``count`` faults to a cluster, about ``every`` seconds apart, and measures how long its tenants are away."""

    cluster: Cluster
    history: History
    session: aiohttp.ClientSession
    store: Connection
    pulse: Pulse
    dice: random.Random
    lease: float
    say: Callable[[str], None]
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    #: The latest time of each tenant's clock that was shown.
    _clocks: dict[str, datetime] = field(default_factory=dict)

    async def run(self, count: int, every: float) -> None:
        """Return when every replica runs again."""
        kinds = [KINDS[index % len(KINDS)] for index in range(count)]
        self.dice.shuffle(kinds)
        for index, kind in enumerate(kinds):
            await asyncio.sleep(self.dice.uniform(0.5, 1.5) * every)
            while len(self.cluster.running()) < 2:  # noqa: ASYNC110 - processes are looked at
                await asyncio.sleep(0.05)
            await self._do(index, kind, self.dice.choice(self.cluster.running()))
        for task in list(self._tasks):
            await task

    async def _do(self, index: int, kind: str, victim: Replica) -> None:
        at = time.time()
        match kind:
            case "SIGSTOP":
                victim.freeze()
            case "SIGKILL":
                await victim.kill()
            case _:
                victim.state = "stopping"
        owned = await self._owned(victim)
        fault = Fault(at, kind, victim.name, owned)
        self.history.faults.append(fault)
        self.say(
            f"{index + 1:4} {kind} of {victim.name}, the owner of {len(owned)} tenants; "
            f"{', '.join(each.name for each in self.cluster.running() if each is not victim)} run"
        )
        back = self.dice.uniform(0.2, 0.7) * self.lease
        match kind:
            case "SIGSTOP":
                self._spawn(self._wake(victim, self.lease + back))
            case "SIGKILL":
                self._spawn(self._start(victim, back))
            case _:
                self._spawn(self._stop(victim, back))
        for tenant in owned:
            self._spawn(self._watch(tenant, fault, victim))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)

    async def _wake(self, victim: Replica, after: float) -> None:
        await asyncio.sleep(after)
        victim.wake()

    async def _start(self, victim: Replica, after: float) -> None:
        await asyncio.sleep(after)
        await victim.start()

    async def _stop(self, victim: Replica, after: float) -> None:
        await victim.stop()
        await self._start(victim, after)

    async def _owned(self, victim: Replica) -> tuple[str, ...]:
        """The tenants of a replica as the store has them, also those that it has claimed and not yet restored."""
        found = await self.store.run("renew", version="")
        sessions = {name for name, node in found["sessions"].items() if json.loads(node)[1] == victim.control}
        return tuple(
            tenant for tenant, holder in found["owners"].items() if holder.partition(" ")[0] in sessions
        )

    async def _watch(self, tenant: str, fault: Fault, victim: Replica) -> None:
        """Ask another replica that runs for a tenant until it answers."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            others = [
                each for each in self.cluster.running() if each is not victim or fault.kind != "SIGSTOP"
            ]
            if others:
                asked, shown = self.dice.choice(others), self._clocks.get(tenant)
                # From a frozen replica the tenant is gone when another one answers for it.
                found = await self._get(f"{asked.control}/v1/tenants/{tenant}")
                if found is not None:
                    now = time.time()
                    # If its next owner met a fault, too, another one has to take over from that one.
                    last = max(
                        (each for each in self.history.faults if each is fault or tenant in each.tenants),
                        key=lambda each: each.at,
                    )
                    late = self.pulse.lost(last.at, now)
                    self.history.take_overs.append(TakeOver(tenant, last, now - last.at, late))
                    self.note_clock(tenant, shown, found["now"])
                    return
            await asyncio.sleep(ASKING)
        self.history.complaints.append(
            f"nobody answered for tenant {tenant} after {fault.kind} of {fault.replica}"
        )

    def note_clock(self, tenant: str, shown: datetime | None, now: str) -> None:
        """A tenant's clock never runs back: what is asked for now is not before what was ``shown`` until then."""
        instant = datetime.fromisoformat(now)
        if shown is not None and instant < shown:
            self.history.complaints.append(f"the clock of tenant {tenant} ran back, from {shown} to {now}")
        self._clocks[tenant] = max(instant, self._clocks.get(tenant, instant))

    async def _get(self, url: str) -> Any:
        try:
            timeout = aiohttp.ClientTimeout(total=UNANSWERED)
            async with self.session.get(url, timeout=timeout) as reply:
                return await reply.json() if reply.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None


def table(history: History, replicas: Cluster) -> list[str]:
    """Take-overs by kind of fault, as lines."""
    lines = [f"{'fault':8} {'done':>5} {'tenants':>8} {'median':>8} {'p99':>8} {'longest':>8}   seconds"]
    done = Counter(fault.kind for fault in history.faults)
    for kind in (*KINDS, "all"):
        took = sorted(
            each.seconds - each.late for each in history.take_overs if kind in (each.fault.kind, "all")
        )
        if took:
            middle, p99 = took[len(took) // 2], took[min(len(took) - 1, int(0.99 * len(took)))]
            lines.append(
                f"{kind:8} {done[kind] if kind != 'all' else done.total():5} {len(took):8} {middle:8.2f} "
                f"{p99:8.2f} {took[-1]:8.2f}"
            )
    starts = ", ".join(f"{each.name} {each.starts}" for each in replicas.replicas)
    return [*lines, f"starts: {starts}"]
