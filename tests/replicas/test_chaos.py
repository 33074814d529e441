"""Three replicas behind a balancer, killed, stopped and frozen at random while forty customers place batches."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.replicas.chaos.invariants import broken
from tests.replicas.chaos.run import Plan, run
from tests.valkey_server import BINARIES, StoreServer, binary, fresh_prefix

#: Twelve faults; the full form is `make cluster-demo`, which also measures how fast tenants are taken over.
SHORT = Plan(seed=25, faults=12, lease=2.0, every=1.2, pause=4.0, batch=6)


@pytest.mark.parametrize("seed", [25, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(5))])
async def test_faults_at_random_lose_no_number_and_double_no_push(store_server: StoreServer, seed: int):
    plan = Plan(**{**{name: getattr(SHORT, name) for name in SHORT.__dataclass_fields__}, "seed": seed})
    result = await run(plan, store_server, fresh_prefix(), print)
    assert broken(result.history, result.outcome) == [], "\n".join(
        replica.traceback() for replica in result.cluster.replicas
    )
    # Faults were done, to replicas that owned tenants, and others answered for these.
    assert len(result.history.faults) == SHORT.faults
    assert {fault.kind for fault in result.history.faults} == {"SIGKILL", "SIGTERM", "SIGSTOP"}
    assert len(result.history.take_overs) > SHORT.tenants
    assert result.history.summary()["accepted"] > SHORT.tenants
    # Not of all: who comes back owns nothing until another one goes.
    assert len({arrival.by for arrival in result.history.arrivals}) > 1


@pytest.mark.long
async def test_faults_at_random_lose_nothing_on_redis_either(tmp_path: Path):
    assert "redis" in BINARIES
    server = StoreServer(binary("redis"), tmp_path)
    server.start()
    try:
        result = await run(SHORT, server, fresh_prefix(), print)
        assert broken(result.history, result.outcome) == []
    finally:
        server.kill()
