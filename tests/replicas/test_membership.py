"""Several replicas over one store: who owns a tenant, taking over, handing over, fencing."""

from __future__ import annotations

import asyncio
from typing import Any

from valkey.asyncio import Valkey

from tests.patience import PATIENCE
from tests.replicas.cluster import LEASE, cluster, expire, freeze, lined, member, sweep, take_over
from voice_emulator.app import Emulator
from voice_emulator.cli.serve.reload import reload
from voice_emulator.contract.coverage import judged
from voice_emulator.core.clock import rfc3339
from voice_emulator.core.vocabulary import Fate
from voice_emulator.replicas.store import SharedStore


async def test_pending_pushes_are_taken_over_and_tokens_and_ids_stay(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        before = first.runtime.tenancy.get("mine")
        await take_over(two, first, second)
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
        await take_over(two, first, second)
        # The first does not know yet.
        assert member(first).owns("mine")
        status, error = await two.send(first, "6281234567891", **mine)
        assert status == 503, error
        assert first.runtime.tenancy.get("mine") is None
        await two.advance(second, "mine")
        assert len(two.receiver.received) == 1


async def test_a_replica_that_is_told_to_stop_hands_its_tenants_over(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        await two.replicas.pop(0).close()
        # Its lease would last for a minute.
        assert await two.send(second, "6281234567891", **mine) == (200, "0")
        assert member(second).owns("mine")
        await two.advance(second, "mine")
        assert len(two.receiver.received) == 2
        assert [each.url for each in await member(second).replicas()] == [second.runtime.control]


async def test_a_replica_stops_also_when_all_that_happened_last_is_a_request_that_was_refused(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        assert await two.send(first, "not a number") != (200, "0")
        assert await two.send(first, "not a number", appkey="nobody's") != (200, "0")
        async with asyncio.timeout(PATIENCE):
            await two.replicas.pop(0).close()
        await sweep(second)
        taken = second.runtime.tenancy.get("default")
        assert taken is not None
        assert judged(taken) == 2


async def test_a_frozen_owner_that_wakes_after_its_lease_pushes_nothing(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        freeze(second)  # it sweeps when told to
        await expire(two, first)
        two.clocks[0].at += LEASE  # it was stopped for so long
        stale = first.runtime.tenancy.get("mine")
        assert stale is not None
        await sweep(second)
        waking = asyncio.create_task(
            first.runtime.driver.advance(stale, to=stale.now + 3_600_000_000, until_idle=True)
        )
        await two.advance(second, "mine")
        await asyncio.wait([waking])
        assert waking.cancelled() or waking.result().callbacks == []
        assert len(two.receiver.received) == 1
        assert stale.closed


async def test_what_was_on_the_wire_is_uncertain_and_never_repeated(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, **mine) == (200, "0")
        held = asyncio.Event()
        two.receiver.before_answer = lambda _: held.wait()
        advancing = asyncio.create_task(
            two.control(first, "POST", "/v1/tenants/mine/clock/advance", json={"to": "idle"})
        )
        await two.receiver.wait_for(1)
        before = first.runtime.tenancy.get("mine").now
        await take_over(two, first, second)
        taken = second.runtime.tenancy.get("mine")
        assert taken.now >= before, "a clock never runs back"
        assert taken.conservation.count(Fate.UNCERTAIN) == 1
        held.set()
        await two.advance(second, "mine")
        assert len(two.receiver.received) == 1
        assert (await advancing)[0] == 503


async def test_an_advance_whose_tenant_goes_in_the_middle_says_how_to_go_on(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        assert await two.send(first, "6281234567890,6281234567891", **mine) == (200, "0")
        held = asyncio.Event()
        two.receiver.before_answer = lambda _: held.wait()
        advancing = asyncio.create_task(
            two.control(first, "POST", "/v1/tenants/mine/clock/advance", json={"to": "idle"})
        )
        await two.receiver.wait_for(1)
        await take_over(two, first, second)
        held.set()
        status, problem = await advancing
        assert status == 503
        assert 'repeat the advance with {"to": INSTANT}' in problem["detail"]
        later = rfc3339(second.runtime.tenancy.get("mine").now + 3_600_000_000)
        await two.advance(second, "mine", to=later)
        assert len(two.receiver.received) == 2


async def test_a_credential_of_another_replica_is_a_conflict(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", credentials={"nxcloud": {"appkey": "only-one"}})
        body = {"id": "other", "credentials": {"nxcloud": {"appkey": "only-one"}}}
        status, problem = await two.control(second, "POST", "/v1/tenants", json=body)
        assert (status, problem["errors"][0]["pointer"]) == (409, "/credentials")
        assert second.runtime.tenancy.get("other") is None
        other = await two.tenant(second, "other")
        change = {"credentials": {"nxcloud": {"appkey": "only-one"}}}
        status, problem = await two.control(second, "PATCH", "/v1/tenants/other", json=change)
        assert status == 409
        assert "belongs to tenant 'mine' already" in problem["detail"]
        assert await two.send(second, **other) == (200, "0"), "nothing of it has changed"
        assert (await two.control(second, "POST", "/v1/tenants", json={"id": "mine"}))[0] == 409
        # Given up, it is free.
        change = {"credentials": {"nxcloud": {"appkey": "another"}}}
        assert (await two.control(second, "PATCH", "/v1/tenants/mine", json=change))[0] == 200
        change = {"credentials": {"nxcloud": {"appkey": "only-one"}}}
        assert (await two.control(first, "PATCH", "/v1/tenants/other", json=change))[0] == 200
        assert mine["appkey"] == "only-one"
        assert await member(first).find([("nxcloud", "appkey", "only-one")]) == "other"
        assert (await two.control(first, "DELETE", "/v1/tenants/other"))[0] == 204
        assert await member(second).tenants() == ["default", "mine"]
        member(second).moved("other")
        assert await member(second).find([("nxcloud", "appkey", "only-one")]) == "default"


async def test_a_reply_that_was_lost_is_asked_for_again(store_address):
    async with lined(store_address) as (line, address), cluster(address) as one:
        only = await one.start()
        mine = await one.tenant(only, "mine", clock="manual")
        line.swallow = {b"commit": 1}
        assert await one.send(only, **mine) == (200, "0")
        assert line.swallow == {b"commit": 0}
        await one.advance(only, "mine")
        assert len(one.receiver.received) == 1


async def test_while_the_store_is_away_nothing_is_accepted_or_pushed_but_reads_are_answered(store_address):
    async with lined(store_address) as (line, address), cluster(address) as one:
        only = await one.start()
        mine = await one.tenant(only, "mine", clock="manual")
        assert await one.send(only, **mine) == (200, "0")
        line.cut()
        status, error = await one.send(only, "6281234567891", **mine)
        assert (status, "does not answer" in error) == (503, True)
        assert (await one.send(only, "6281234567892", **mine))[0] == 503
        status, page = await one.control(only, "GET", "/v1/tenants/mine/calls")
        assert (status, [call["number"] for call in page["calls"]]) == (200, ["6281234567890"])
        status, problem = await one.control(only, "POST", "/v1/tenants", json={"id": "more"})
        assert (status, "does not answer" in problem["detail"]) == (503, True)
        # Its lease ends meanwhile.
        one.clocks[0].at += LEASE
        assert (await one.send(only, "6281234567893", **mine))[0] == 503
        assert (await one.control(only, "GET", "/v1/tenants/mine"))[0] == 200
        advancing = asyncio.create_task(
            one.control(only, "POST", "/v1/tenants/mine/clock/advance", json={"to": "idle"})
        )
        assert (await one.control(only, "GET", "/readyz"))[0] == 503
        assert (await one.control(only, "GET", "/livez"))[0] == 200
        line.restore()
        await member(only).look()
        await asyncio.wait([advancing])
        await one.advance(only, "mine")
        assert await one.send(only, "6281234567894", **mine) == (200, "0")
        await one.advance(only, "mine")
        assert len(one.receiver.received) == 2, "what was answered with 503 never became a call"
        tenant = only.runtime.tenancy.get("mine")
        assert tenant.conservation.balanced
        assert (tenant.conservation.accepted, tenant.conservation.count(Fate.ACKNOWLEDGED)) == (2, 2)
        # And another replica finds what there is.
        second = await one.start()
        await one.replicas.pop(0).close()
        await sweep(second)
        assert len(second.runtime.tenancy.get("mine").ledger) == 2


async def test_a_replica_that_stops_while_the_store_is_away_tells_it_nothing(store_address, monkeypatch):
    """A store that hangs would have it wait for each time-out, longer than a container may take to stop."""
    told = []

    async def release(*given: object, **options: object) -> None:
        told.append(given)

    async with lined(store_address) as (line, address), cluster(address) as one:
        only = await one.start()
        line.cut()
        assert (await one.send(only))[0] == 503
        monkeypatch.setattr(SharedStore, "release", release)
        await one.replicas.pop().close()
    assert told == []


async def test_a_store_that_was_emptied_is_filled_again_by_who_is_there(store_address):
    async with cluster(store_address) as one:
        only = await one.start()
        await one.tenant(only, "mine", clock="manual")
        async with Valkey.from_url(store_address.url) as client:
            for key in await client.keys(f"{store_address.prefix}:*"):
                await client.delete(key)
        await member(only).rejoin(member(only).session)
        assert list(only.runtime.tenancy) == []
        await sweep(only)
        assert [tenant.id for tenant in only.runtime.tenancy] == ["default"]


async def test_metrics_tell_of_leases_take_overs_and_commits(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        await two.tenant(first, "mine")
        await take_over(two, first, second)
        await member(first).rejoin(member(first).session)
        found = {}
        for name, emulator in (("first", first), ("second", second)):
            async with two.client.get(f"{emulator.runtime.control}/metrics") as reply:
                lines = [line.rpartition(" ") for line in (await reply.text()).splitlines()]
            found[name] = {
                metric.removeprefix("voice_emulator_"): float(value)
                for metric, _, value in lines
                if "{" not in metric and not metric.startswith("#")
            }
        assert (found["first"]["leases"], found["first"]["fenced_total"]) == (0, 2)
        assert (found["second"]["leases"], found["second"]["take_overs_total"]) == (2, 2)
        assert found["first"]["commit_seconds_count"] > 0
        assert found["second"]["store_reachable"] == 1


async def test_a_replica_without_the_tenant_default_reloads_nothing_and_says_so(
    store_address, tmp_path, caplog
):
    base, path = tmp_path / "base.yaml", tmp_path / "mine.yaml"
    base.write_text("name: base\nseed: 5\n")
    path.write_text("name: mine\nextends: base.yaml\n")
    async with cluster(store_address, scenario=str(path)) as two:
        first, second = await two.start(), await two.start()
        base.write_text("name: base\nseed: 6\n")
        reload(second, path)
        assert "mine.yaml is not reloaded: another replica owns the tenant default" in caplog.text
        reload(first, path)
        base.unlink()
        path.unlink()
        await two.replicas.pop(0).close()
        await sweep(second)
        status, taken = await two.control(second, "GET", "/v1/tenants/default")
        assert (status, taken["seed"], taken["scenario"]) == (200, 6, "mine")


async def test_take_overs_of_the_same_tenants_at_once_are_one(store_address):
    """Each begins with what the others have not begun with, also after it has waited for one of them."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        for name in ("one", "other"):
            await two.tenant(first, name, clock="manual")
        freeze(second)
        await expire(two, first)
        await member(second).look()
        take = member(second)._take
        await asyncio.gather(take(["one"]), take(["one", "other"]), take(["other", "one"]))
        assert {tenant.id for tenant in second.runtime.tenancy} == {"one", "other"}
        assert member(second).take_overs == 2


async def begun(emulator: Emulator, name: str) -> tuple[asyncio.Task[Any], asyncio.Task[None]]:
    """Somebody who asks for a tenant, and the take-over that has begun for that."""
    await member(emulator).look()  # or it takes the earlier owner for the present one
    asking = asyncio.create_task(member(emulator).locate(name))
    while name not in member(emulator)._taking and not asking.done():
        await asyncio.wait([asking], timeout=0)
    return asking, member(emulator)._taking[name]


async def test_a_take_over_goes_on_when_the_client_that_asked_for_it_goes_away(store_address):
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        await two.tenant(first, "mine", clock="manual")
        freeze(second)
        await expire(two, first)
        asking, taking = await begun(second, "mine")
        asking.cancel()
        await asyncio.wait([asking, taking])
        assert member(second).owns("mine")


async def test_a_replica_that_stops_while_it_takes_over_hands_that_over_too(store_address):
    async with cluster(store_address) as two:
        first, second, third = await two.start(), await two.start(), await two.start()
        await two.tenant(first, "mine", clock="manual")
        freeze(second)
        await expire(two, first)
        asking, _ = await begun(second, "mine")
        await second.close()
        await asyncio.wait([asking])
        await sweep(third)
        assert member(third).owns("mine")


async def test_a_request_that_waited_for_its_tenant_is_answered_by_the_object_that_is_here_now(
    store_address, monkeypatch
):
    """Its tenant was here, was taken over by another replica, and is back when the request goes on."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        mine = await two.tenant(first, "mine", clock="manual")
        before = first.runtime.tenancy.get("mine")
        await take_over(two, first, second)
        two.clocks[0].at += LEASE
        locate = member(first).locate

        async def late(tenant_id: str):
            monkeypatch.undo()
            await member(first).rejoin(member(first).session)
            await second.close()
            return await locate(tenant_id)

        monkeypatch.setattr(member(first), "locate", late)
        assert await two.send(first, **mine) == (200, "0")
        back = first.runtime.tenancy.get("mine")
        assert back is not before
        assert back.conservation.accepted == len(back.ledger) == 1
        assert len(before.ledger) == 0
        await two.advance(first, "mine")
        assert len(two.receiver.received) == 1


async def test_a_sweep_ends_when_its_replica_is_told_to_stop(store_address, monkeypatch):
    """It would look for free tenants for ever, and let nothing else happen in the process."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        for name in ("one", "other"):
            await two.tenant(first, name, clock="manual")
        await expire(two, first)
        taking = member(second)._take

        async def stopped(names):
            monkeypatch.setattr(member(second), "_stopping", True)
            await taking(names)

        monkeypatch.setattr(member(second), "_take", stopped)
        looks: list[str] = []
        is_free = member(second)._is_free

        def looked_at(name: str) -> bool:
            looks.append(name)
            return len(looks) < 100 and is_free(name)

        monkeypatch.setattr(member(second), "_is_free", looked_at)
        await sweep(second)
        assert len(looks) < 100, "it goes on and on"


async def test_a_look_tells_when_the_first_lease_of_another_replica_ends(store_address):
    """So tenants of a replica that is silent wait for no sweep."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        await member(second).look()
        assert LEASE / 2 < member(second)._ends <= LEASE
        async with Valkey.from_url(store_address.url) as client:
            await client.pexpire(f"{store_address.prefix}:session:{member(first).session}", 20_000)
        await member(second).look()
        assert member(second)._ends <= 20


async def test_a_replica_that_comes_or_goes_is_told_once_to_whoever_watches(store_address):
    async with cluster(store_address) as two:
        first = await two.start()
        told: list[set[str]] = []
        member(first).watch(lambda replicas: told.append({each.url for each in replicas}))
        second = await two.start()
        await member(first).look()
        await member(first).look()
        assert told == [{first.runtime.control, second.runtime.control}], "once each"
        await expire(two, second)
        await member(first).look()
        assert told[1:] == [{first.runtime.control}]


async def test_a_tenant_that_is_forgotten_during_a_look_is_found_by_the_next(store_address):
    """A reply that says that nothing has changed says so of what was known when it was asked for."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        await two.tenant(first, "mine")
        await member(second).look()
        looking = asyncio.create_task(member(second).look())
        await asyncio.sleep(0)
        member(second).moved("mine")
        await looking
        assert (await member(second).locate("mine")).url == first.runtime.control


async def test_a_credential_that_went_from_one_tenant_to_another_is_not_looked_for_at_the_first(
    store_address,
):
    """The replica that remembers it of the first one owns that one by now."""
    async with cluster(store_address) as two:
        first, second = await two.start(), await two.start()
        keys = {"appkey": "moving", "secretkey": "moving-too"}
        await two.tenant(first, "old", credentials={"nxcloud": keys})
        assert await two.send(second, **keys) == (200, "0")
        await take_over(two, first, second)
        other = {"nxcloud": {"appkey": "staying", "secretkey": "staying-too"}}
        await two.control(second, "PATCH", "/v1/tenants/old", json={"credentials": other})
        third = await two.start()
        await two.tenant(third, "new", credentials={"nxcloud": keys})
        assert await two.send(second, "6281234567891", **keys) == (200, "0")
        assert [call.number for call in third.runtime.tenancy.get("new").ledger] == ["6281234567891"]


async def test_replicas_with_the_same_url_are_told_of_but_not_one_that_has_just_started_again(
    store_address, caplog
):
    async with cluster(store_address) as two:
        first = await two.start(node_url="http://voice-emulator:4881")
        # What it is after a restart within its lease.
        await two.start(node_url="http://voice-emulator:4881")
        for passed in (0, LEASE):
            two.clocks[0].at += passed
            await member(first).look()
            assert "--node-url" not in caplog.text
        two.clocks[0].at += 0.1
        for _ in range(2):
            await member(first).look()
        assert caplog.text.count("another replica has the same URL, http://voice-emulator:4881") == 1
