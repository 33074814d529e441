"""What the process costs besides requests: starting, memory, tenants, ending."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.ceilings import CONNECTIONS
from benchmarks.load import drive
from benchmarks.processes import Ceiling, Ours, get_json, running
from benchmarks.requests import notifications, token_requests
from benchmarks.requests_rows import RINGING
from benchmarks.rows import Row, Say, Size, expect, most, times


async def starting(size: Size, say: Say) -> list[Row]:
    """From spawning the process to its first 200, its memory then, and how long SIGTERM takes."""
    ratios, starts, idle, ends = [], [], [], []
    for number in range(size.starts + 1):
        bare = Ceiling("reply")
        get_json(f"http://127.0.0.1:{bare.port}/health")
        theirs = time.perf_counter() - bare.spawned
        bare.stop()
        ours = Ours()
        get_json(f"{ours.control}/health")
        mine = time.perf_counter() - ours.spawned
        memory, seconds = ours.memory, ours.stop()
        if number:  # the first start reads files that are not cached yet
            ratios.append(mine / theirs)
            starts.append((mine, theirs))
            idle.append(memory)
            ends.append(seconds)
            say(f"  {mine:.2f} s against {theirs:.2f} s, {memory:.0f} MB")
    ours_text, bare_text = (f"{median(each):.2f} s" for each in zip(*starts, strict=True))
    return [
        Row(
            "start to the first 200; ratio to bare aiohttp",
            median(ratios),
            1.4,
            " x",
            False,
            ours_text,
            bare_text,
            ratios,
        ),
        most("idle memory", median(idle), 45, " MB"),
        most("SIGTERM to exit when idle", median(ends), 0.5, " s"),
    ]


async def growth(size: Size, say: Say) -> list[Row]:
    """Memory after 200,000 requests that place no call, with the default journal."""
    ours = Ours()
    with running(ours):
        before = ours.memory
        load = await drive(ours.port, token_requests(), size.growth, CONNECTIONS, b'"AccessToken"')
        expect(load.wrong == 0 and load.answered == size.growth, f"{load}")
        grown = ours.memory - before
        say(f"  {grown:.0f} MB")
    return [most(f"memory growth over {size.growth:,} requests, default journal", grown, 64, " MB")]


async def pending(size: Size, say: Say) -> list[Row]:
    """100,000 calls that go on: their memory, and what one more costs compared with 1,000 of them."""
    few_calls, slice_size = max(1, size.pending // 100), max(1, size.pending // 50)
    crowded, quiet = Ours(RINGING), Ours(RINGING)
    with running(crowded, quiet):
        token = crowded.token()
        before = crowded.memory
        await drive(crowded.port, notifications(token), size.pending, CONNECTIONS, b'"retCode":"0"')
        grown = crowded.memory - before
        books = crowded.conservation()
        expect(books["pending"] == size.pending, f"not all calls are pending: {books}")
        say(f"  {grown:.0f} MB for {size.pending:,} pending calls")
        ratios = []
        for number in range(size.rounds):
            quiet.api("POST", "/tenants/default/reset")
            costs = []
            for server in (quiet, crowded):
                first = 8_900_000_000 + number * (few_calls + slice_size)
                request = notifications(server.token(), first)
                if server is quiet:
                    await drive(server.port, request, few_calls, CONNECTIONS, b'"retCode":"0"')
                    request = notifications(server.token(), first + few_calls)
                spent = server.cpu
                load = await drive(server.port, request, slice_size, CONNECTIONS, b'"retCode":"0"')
                expect(load.wrong == 0, f"{load}")
                costs.append(server.cpu - spent)
            ratios.append(times(costs[1], costs[0]))
            say(f"  {costs[1] / slice_size * 1e6:.0f} µs against {costs[0] / slice_size * 1e6:.0f} µs")
    return [
        most(f"memory growth with {size.pending:,} pending calls", grown, 80, " MB"),
        Row(f"cost per call with {size.pending:,} pending calls; ratio to {few_calls:,}", median(ratios), 1.2, " x", False,
            f"{median(ratios):.2f} x", "", ratios),
    ]  # fmt: skip


async def tenants(size: Size, say: Say) -> list[Row]:
    """Creating a tenant, and resetting one that has been used; over the control API."""
    ours = Ours(RINGING)
    with running(ours):
        made, undone = [], []
        for _ in range(10 * size.rounds):
            started = time.perf_counter()
            tenant = ours.api("POST", "/tenants", {})
            made.append(1e3 * (time.perf_counter() - started))
            keys = tenant["credentials"]["huawei_cec"]
            token = ours.token(keys["app_key"], keys["app_secret"])
            await drive(ours.port, notifications(token, app_key=keys["app_key"]), 50, 8, b'"retCode":"0"')
            started = time.perf_counter()
            ours.api("POST", f"/tenants/{tenant['id']}/reset")
            undone.append(1e3 * (time.perf_counter() - started))
        say(f"  create {median(made):.1f} ms, reset {median(undone):.1f} ms")
    return [
        most("creating a tenant", median(made), 10, " ms", rounds=made),
        most("resetting a tenant after 50 calls", median(undone), 10, " ms", rounds=undone),
    ]
