"""Several replicas over one store: who owns a tenant, taking over, handing over, fencing."""

from __future__ import annotations

from tests.replicas.cluster import cluster, expire, member, sweep
from voice_emulator.core.vocabulary import Fate


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


async def test_pending_pushes_are_taken_over_and_tokens_and_ids_stay(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        before = first.runtime.tenancy.get("mine")
        await expire(two, first)
        await sweep(second)
        taken = second.runtime.tenancy.get("mine")
        assert [call.id for call in taken.ledger] == [call.id for call in before.ledger]
        assert await two.send(second, "6281234567891", **mine) == (200, "0")
        await two.advance(second, "mine")
        assert len(two.receiver.received) == 2
        assert taken.conservation.count(Fate.ACKNOWLEDGED) == 2


async def test_an_owner_that_was_refused_sends_nothing_more(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        await expire(two, first)
        await sweep(second)
        # The first does not know yet.
        assert member(first).owns("mine")
        status, error = await two.send(first, "6281234567891", **mine)
        assert status == 503, error
        assert first.runtime.tenancy.get("mine") is None
        await two.advance(second, "mine")
        assert len(two.receiver.received) == 1
