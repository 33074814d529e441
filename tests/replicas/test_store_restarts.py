"""Valkey itself dies or is restarted, under load: no traceback, nothing doubled, and everything goes on."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.replicas.chaos.history import Fault
from tests.replicas.chaos.invariants import broken
from tests.replicas.chaos.load import Load, customers
from tests.replicas.chaos.run import Parts, Plan, assembled, settled
from tests.valkey_server import StoreServer, binary, fresh_prefix

AOF = ("--appendonly", "yes", "--appendfsync")


@pytest.mark.parametrize(
    ("policy", "restarts"),
    [
        ("always", 2),
        pytest.param("everysec", 6, marks=pytest.mark.long),
        pytest.param("always", 10, marks=pytest.mark.long),
    ],
)
async def test_a_store_that_is_restarted_doubles_nothing_and_loses_nothing(
    tmp_path: Path, policy: str, restarts: int
):
    """Killed or stopped: what it has answered is in its log, so nothing is lost either way."""
    store = StoreServer(binary("valkey"), tmp_path, (*AOF, policy))
    store.start()
    dice = random.Random(f"{policy} {restarts}")
    plan = Plan(seed=7, faults=restarts, lease=2.0, every=1.0, replicas=2, tenants=8, pause=0.8, batch=5)
    try:
        async with assembled(plan, store, fresh_prefix()) as parts:
            load = await customers(parts.control, parts.traffic, parts.history, plan.tenants, plan.seed)
            load.start(plan.pause, plan.batch)
            for restart in range(restarts):
                await _some_arrive(parts, 10)
                down = 0.0 if restart % 3 else dice.uniform(0.2, 2 * plan.lease)
                parts.history.faults.append(
                    Fault(time.time(), "SIGKILL" if restart % 2 else "SIGTERM", "the store")
                )
                await asyncio.to_thread(store.kill if restart % 2 else store.stop)
                # How long it is away is what is tried: shorter and longer than the lease.
                await asyncio.sleep(down)
                await asyncio.to_thread(store.start)
                parts.history.faults.append(Fault(time.time(), "start", "the store"))
                await _accepted_again(parts, load)
            await load.stop()
            outcome = await settled(parts, load)
            found = broken(parts.history, outcome)
            assert found == [], "\n".join(replica.traceback() for replica in parts.cluster.replicas)
    finally:
        store.kill()


async def _some_arrive(parts: Parts, count: int) -> None:
    before = len(parts.history.arrivals)
    await parts.receiver.until(lambda: len(parts.history.arrivals) >= before + count)


async def _accepted_again(parts: Parts, load: Load) -> None:
    """All goes on when the store is back: each customer gets a batch accepted."""
    for customer in load.customers:
        for _ in range(PATIENCE * 4):
            sent = await customer.place("infin8linx", 1)
            if sent.result == "accepted":
                break
            await asyncio.sleep(0.25)
        else:
            raise AssertionError(f"tenant {customer.id} gets nothing accepted any more: {sent.said}")
