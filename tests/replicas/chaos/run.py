"""One run: a store, replicas, balancers, a receiver and customers; faults; and what all of them say in the end."""

from __future__ import annotations

import asyncio
import random
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.patience import PATIENCE
from tests.replicas.chaos.balancer import balancing, haproxy_config
from tests.replicas.chaos.faults import Chaos, Pulse
from tests.replicas.chaos.history import History, Outcome
from tests.replicas.chaos.load import Control, Load, customers
from tests.replicas.chaos.receiver import Receiver, receiving
from tests.replicas.chaos.replicas import Cluster, cluster, free_ports, replica_names
from tests.valkey_server import StoreServer
from voice_emulator.replicas.connection import Connection

DEPLOYED = Path(__file__).parents[3] / "examples" / "replicas"


@dataclass(frozen=True)
class Plan:
    """What a run is made of; seconds are real. ``every`` is between two faults, ``pause`` between a customer's batches."""

    seed: int
    faults: int
    lease: float
    every: float
    replicas: int = 3
    tenants: int = 40
    pause: float = 2.0
    batch: int = 8
    haproxy: str | None = None
    #: The longest that the receiver takes for an answer.
    slowest: float = 0.3


@dataclass
class Parts:
    """A running cluster, and everything around it."""

    cluster: Cluster
    receiver: Receiver
    session: aiohttp.ClientSession
    control: Control
    traffic: str
    history: History
    store: Connection
    pulse: Pulse


@dataclass
class Result:
    """What happened, and what the replicas said at the end."""

    history: History
    outcome: Outcome
    cluster: Cluster
    lines: list[str] = field(default_factory=list)


@asynccontextmanager
async def assembled(plan: Plan, store: StoreServer, prefix: str) -> AsyncIterator[Parts]:
    """Start everything but the customers."""
    history, dice = History(), random.Random(f"answers {plan.seed}")
    names = replica_names(plan.replicas)
    async with AsyncExitStack() as stack:
        receiver = await stack.enter_async_context(
            receiving(history.arrivals, names, lambda: dice.uniform(0, plan.slowest))
        )
        options = ("--state", store.url(prefix), "--lease", f"{plan.lease:g}s", "--quiet")
        replicas = await stack.enter_async_context(cluster(names, receiver, history, *options))
        if plan.haproxy is None:
            traffic = (await stack.enter_async_context(balancing(replicas.traffic_ports, plan.seed))).port
            control = (await stack.enter_async_context(balancing(replicas.control_ports, plan.seed))).port
        else:
            ports = await stack.enter_async_context(_haproxy(plan.haproxy, replicas))
            traffic, control = ports["traffic"], ports["control"]
        # Each request has a connection of its own, so the balancer has something to choose.
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(force_close=True, limit=0),
                timeout=aiohttp.ClientTimeout(total=4 * plan.lease + 4),
            )
        )
        asking = Connection(store.address(prefix))
        stack.push_async_callback(asking.close)
        pulse = await stack.enter_async_context(Pulse())
        base = "http://127.0.0.1"
        yield Parts(
            replicas, receiver, session, Control(f"{base}:{control}", session), f"{base}:{traffic}", history,
            asking, pulse,
        )  # fmt: skip


@asynccontextmanager
async def _haproxy(program: str, replicas: Cluster) -> AsyncIterator[dict[str, int]]:
    traffic, control = free_ports(2)
    ports = {"traffic": traffic, "control": control}
    text = haproxy_config(
        (DEPLOYED / "haproxy.cfg").read_text(encoding="utf-8"), ports,
        [(each.traffic_port, each.control_port) for each in replicas.replicas],
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="ve-haproxy-") as folder:
        path = Path(folder) / "haproxy.cfg"
        path.write_text(text, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            program, "-db", "-f", str(path), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            for _ in range(PATIENCE * 20):
                assert process.returncode is None, f"HAProxy ended with status {process.returncode}"
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", control)
                    writer.close()
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            yield ports
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()


async def run(plan: Plan, store: StoreServer, prefix: str, say: Callable[[str], None]) -> Result:
    """The whole run."""
    async with assembled(plan, store, prefix) as parts:
        load = await customers(parts.control, parts.traffic, parts.history, plan.tenants, plan.seed)
        say(f"{plan.tenants} tenants place batches through {parts.traffic}")
        load.start(plan.pause, plan.batch)
        dice = random.Random(f"faults {plan.seed}")
        chaos = Chaos(
            parts.cluster, parts.history, parts.session, parts.store, parts.pulse, dice, plan.lease, say
        )
        try:
            await chaos.run(plan.faults, plan.every)
        finally:
            await load.stop()
        say("no more faults, no more batches: waiting until nothing is pending")
        outcome = await settled(parts, load)
        return Result(parts.history, outcome, parts.cluster)


async def settled(parts: Parts, load: Load) -> Outcome:
    """What the replicas say when nothing is pending any more, through the balancer and one by one."""
    outcome = await load.settle()
    for replica in parts.cluster.running():
        accepted, balanced = 0, True
        tenants = (await parts.control.ask("/v1/tenants?limit=1000", url=replica.control))["tenants"]
        for tenant in tenants:
            report = f"/v1/tenants/{tenant['id']}/report?format=json"
            found = (await parts.control.ask(report, url=replica.control))["conservation"]
            accepted, balanced = accepted + found["accepted"], balanced and found["balanced"]
        outcome.together[replica.name] = (len(tenants), accepted, balanced)
    return outcome
