"""Replicas that start: who makes the tenant ``default``."""

from __future__ import annotations

import asyncio

from tests.replicas.cluster import cluster, member


async def test_the_first_replica_makes_default_and_the_second_leaves_it(store_address, caplog):
    async with cluster(store_address) as two:
        first = await two.start()
        second = await two.start(scenario="all-busy")
        assert member(first).owns("default")
        assert not member(second).owns("default")
        assert list(second.runtime.tenancy) == []
        assert second.runtime.tenancy.default.id == "default", "to read requests with"
        assert (await member(second).locate("default")).url == first.runtime.control
        assert "made with another --scenario" in caplog.text
        assert await member(second).tenants() == ["default"]
        assert [each.url for each in await member(second).replicas()] == sorted(
            [first.runtime.control, second.runtime.control]
        )


async def test_two_replicas_that_start_at_once_make_one_default(store_address):
    async with cluster(store_address) as three:
        await asyncio.gather(*(three.start() for _ in range(3)))
        owners = [each for each in three.replicas if each.runtime.tenancy.get("default") is not None]
        assert len(owners) == 1
