"""An owner that is frozen for longer than its lease, and wakes: it pushes nothing that it had not announced before."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass

import pytest

from tests.patience import PATIENCE
from tests.replicas.chaos.history import Arrival, Fault
from tests.replicas.chaos.invariants import broken
from tests.replicas.chaos.load import Customer, Load, customers
from tests.replicas.chaos.replicas import Replica
from tests.replicas.chaos.run import Parts, Plan, assembled, settled
from tests.valkey_server import StoreServer, fresh_prefix

LEASE = 1.0
#: Receipts of a trial; they fall due within three seconds after calls of at most two.
BATCH = 40


@dataclass(frozen=True)
class Point:
    """When the owner is frozen: after so many pushes have arrived, whether their answers are held back, and this later."""

    arrived: int
    held: bool
    later: float


async def owner_of(parts: Parts, tenant: str) -> Replica:
    """Which replica owns a tenant, once one does."""
    for _ in range(PATIENCE * 20):
        nodes = await parts.control.ask("/v1/nodes", url=parts.cluster.running()[0].control)
        for node in nodes["nodes"]:
            if tenant in node["tenants"]:
                found = parts.cluster.by_url(node["url"])
                assert found is not None, node
                return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"no replica owns tenant {tenant}")


async def answers(parts: Parts, replica: Replica, tenant: str) -> None:
    """Wait until a replica answers for a tenant."""
    await parts.control.ask(f"/v1/tenants/{tenant}", url=replica.control)


async def trial(parts: Parts, customer: Customer, point: Point) -> tuple[Replica, list[Arrival]]:
    """Freeze the owner at a point and wake it when another one has taken over; who it was, and what it pushed since."""
    owner = await owner_of(parts, customer.id)
    arrivals, start = parts.history.arrivals, len(parts.history.arrivals)
    if point.held:
        parts.receiver.answering.clear()
    for provider in ("nxcloud", "infin8linx"):
        sent = await customer.place(provider, BATCH // 2)
        assert sent.result == "accepted", sent
    await parts.receiver.until(lambda: len(arrivals) >= start + point.arrived)
    await asyncio.sleep(point.later)
    parts.history.faults.append(Fault(time.time(), "SIGSTOP", owner.name, (customer.id,)))
    owner.freeze()
    (other,) = parts.cluster.running()
    await answers(parts, other, customer.id)
    parts.receiver.answering.set()
    before = len(arrivals)
    owner.wake()
    # It answers for the tenant again, through the other one: it has noticed.
    await answers(parts, owner, customer.id)
    assert await owner_of(parts, customer.id) is other
    return owner, arrivals[before:]


def points(dice: random.Random, count: int) -> list[Point]:
    """Chosen so that nothing, something or much is on the wire, and much falls due while the owner is frozen."""
    return [
        Point(dice.choice((0, 1, 5, 15)), held=index % 2 == 0, later=dice.choice((0.0, 0.0, dice.uniform(0, 0.3))))
        for index in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize("trials", [4, pytest.param(50, marks=pytest.mark.long)])
async def test_a_frozen_owner_that_wakes_pushes_only_what_was_on_the_wire_before(
    store_server: StoreServer, trials: int
):
    plan = Plan(seed=4, faults=trials, lease=LEASE, every=0, replicas=2, tenants=1, slowest=0.02)
    async with assembled(plan, store_server, fresh_prefix()) as parts:
        load: Load = await customers(parts.control, parts.traffic, parts.history, 1, plan.seed)
        (customer,) = load.customers
        woken: list[Arrival] = []
        uncertain: set[str] = set()
        for point in points(random.Random(plan.seed), trials):
            owner, since = await trial(parts, customer, point)
            outcome = await settled(parts, load)
            # The other replica lists what was on the wire; it lists it until it loses the tenant itself.
            listed = {call for _, call, _ in outcome.uncertain}
            names = await _numbers(parts, customer, listed)
            uncertain |= names
            late = [each for each in since if each.by == owner.name]
            assert {each.number for each in late} <= names, "a frozen owner pushed what was not on the wire"
            woken += late
        assert broken(parts.history, outcome) == []
        # What it wrote late, nobody else has pushed: that is in `broken` too, and stated here once more.
        late_numbers = {each.number for each in woken}
        assert len([each for each in parts.history.arrivals if each.number in late_numbers]) == len(woken)
        assert uncertain, "nothing was ever on the wire"


async def _numbers(parts: Parts, customer: Customer, calls: set[str]) -> set[str]:
    found = await parts.control.every(f"/v1/tenants/{customer.id}/calls", "calls")
    return {call["number"] for call in found if call["id"] in calls}
