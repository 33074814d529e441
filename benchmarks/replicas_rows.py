"""What it costs to share a store: with Valkey against without, and two replicas against one.

The store's own processor time is not counted. Without a Valkey server there are no such rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.load import Load
from benchmarks.processes import Ours, running
from benchmarks.requests import Kind, notify
from benchmarks.requests_rows import RINGING, ROOM, send, with_and_without
from benchmarks.rows import Pair, Row, Say, Size, expect, times_row
from tests.valkey_server import BINARIES, StoreServer

#: As a shared instance would have it.
KEPT = ("--appendonly", "yes", "--appendfsync", "everysec")


@contextmanager
def store(say: Say) -> Iterator[StoreServer | None]:
    """A Valkey server; None where none is installed."""
    binary = BINARIES["valkey"]()
    if binary is None:
        say("  skipped: no Valkey server is installed")
        yield None
        return
    with TemporaryDirectory(prefix="voice-emulator-bench-") as folder:
        server = StoreServer(binary, Path(folder), KEPT)
        server.start()
        try:
            yield server
        finally:
            server.kill()


async def shared(size: Size, say: Say) -> list[Row]:
    """createVoiceNotification with Valkey, against the same without."""
    with store(say) as server:
        if server is None:
            return []
        rows = []
        for connections, target in ((64, 1.8), (1, None)):
            say(f"  {connections} connections")
            keeping = Ours(RINGING, "--state", server.url(f"shared-{connections}"))
            plain = Ours(RINGING)
            with running(keeping, plain):
                pairs = await with_and_without(keeping, plain, size, say, connections)
            plural = "connections" if connections > 1 else "connection"
            name = (
                f"createVoiceNotification with Valkey, {connections} {plural}; CPU against the same without"
            )
            rows.append(times_row(name, target, pairs))
    return rows


async def replicas(size: Size, say: Say) -> list[Row]:
    """Two clients of two tenants at two replicas, each at the owner or at the other one, against both at one replica."""
    with store(say) as server:
        if server is None:
            return []
        alone = Ours(RINGING, "--state", server.url("one"))
        first, second = (Ours(RINGING, "--state", server.url("two")) for _ in range(2))
        with running(alone, first, second):
            at_one = (_tenant(alone), _tenant(alone))
            at_two = (_tenant(first), _tenant(second))
            _prove_the_owners((first, second), at_two)
            owned, relayed = [], []
            for number in range(size.rounds + 1):
                ceiling, its_cpu = await _both((alone,), (alone, alone), at_one, size, number)
                for pairs, asked in ((owned, (first, second)), (relayed, (second, first))):
                    # Other numbers the second time, so that the tenants remember as many.
                    load, cpu = await _both(
                        (first, second), asked, at_two, size, number * 2 + (pairs is relayed)
                    )
                    scale = load.answered / ceiling.answered
                    pair = Pair(load.answered, load.seconds, ceiling.seconds * scale, cpu, its_cpu * scale)
                    if number:
                        pairs.append(pair)
                        say(f"  {'relayed' if pairs is relayed else 'at the owner'}: {pair}")
            for asked, tenant in ((first, at_two[0]), (second, at_two[1])):
                books = asked.conservation(tenant["id"])
                expect(books["accepted"] > 0, f"nothing was placed in {tenant['id']}: {books}")
            _prove_the_owners((first, second), at_two)
    name = "createVoiceNotification at two replicas, {}; CPU of both against one"
    return [
        times_row(name.format("each at its owner"), 1.15, owned),
        times_row(name.format("all relayed"), 2.3, relayed),
    ]


def _tenant(replica: Ours) -> dict[str, Any]:
    """A tenant that this replica owns."""
    tenant: dict[str, Any] = replica.api("POST", "/tenants", {"scenario_yaml": RINGING})
    return tenant


def _prove_the_owners(replicas: Sequence[Ours], tenants: Sequence[dict[str, Any]]) -> None:
    """Each tenant is owned by the replica at its place."""
    owners = {
        tenant: node["traffic"]
        for node in replicas[0].api("GET", "/nodes")["nodes"]
        for tenant in node["tenants"]
    }
    for replica, tenant in zip(replicas, tenants, strict=True):
        expect(owners.get(tenant["id"]) == replica.traffic, f"{tenant['id']} is not owned as meant: {owners}")


async def _both(
    processes: Sequence[Ours],
    asked: Sequence[Ours],
    tenants: Sequence[dict[str, Any]],
    size: Size,
    number: int,
) -> tuple[Load, float]:
    """Two clients at once, each at the replica at its place; together, and the CPU seconds of these processes."""

    def kind(replica: Ours, tenant: dict[str, Any]) -> Kind:
        keys = tenant["credentials"]["huawei_cec"]
        return notify(replica.token(keys["app_key"], keys["app_secret"]), keys["app_key"])

    kinds = [kind(*each) for each in zip(asked, tenants, strict=True)]
    spent = sum(process.cpu for process in processes)
    loads = await asyncio.gather(
        *(
            send(replica.port, size, kind, 6_200_000_000 + number * ROOM, kind.carried_out)
            for replica, kind in zip(asked, kinds, strict=True)
        )
    )
    spent = sum(process.cpu for process in processes) - spent
    answered = sum(load.answered for load in loads)
    return Load(answered, max(load.seconds for load in loads), 0), spent
