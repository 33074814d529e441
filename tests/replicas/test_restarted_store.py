"""A store that is killed in the middle, and what it has lost."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.replicas.cluster import cluster, member, sweep
from tests.valkey_server import StoreServer, binary
from voice_emulator.core.vocabulary import Fate


@pytest.mark.parametrize("lost", [False, True])
async def test_what_a_killed_store_has_lost_is_sent_again(tmp_path: Path, lost: bool, caplog):
    """As with ``appendfsync everysec`` and a machine that loses its power; the owner lives."""
    server = StoreServer(binary("valkey"), tmp_path, ("--appendonly", "yes", "--appendfsync", "always"))
    server.start()
    try:
        async with cluster(server.address("ve")) as one:
            only = await one.start()
            mine = await one.tenant(only, "mine", clock="manual")
            assert await one.send(only, **mine) == (200, "0")
            earlier = tmp_path / "earlier"
            shutil.copytree(tmp_path / "appendonlydir", earlier)
            assert await one.send(only, "6281234567891", **mine) == (200, "0")
            server.kill()
            if lost:
                shutil.rmtree(tmp_path / "appendonlydir")
                shutil.copytree(earlier, tmp_path / "appendonlydir")
            status, error = await one.send(only, "6281234567892", **mine)
            assert status == 503, error
            server.start()
            while not member(only).reachable:  # noqa: ASYNC110 - it tries by itself
                await asyncio.sleep(0.05)
            done = await one.advance(only, "mine")
            assert len(done["callbacks"]) == 2
            # Another one sees all of it.
            second = await one.start()
            await one.replicas.pop(0).close()
            await sweep(second)
            taken = second.runtime.tenancy.get("mine")
            assert taken.conservation.count(Fate.ACKNOWLEDGED) == 2
            assert taken.conservation.balanced
            assert len(one.receiver.received) == 2
            assert ("has lost the last" in caplog.text) is lost
            assert "Traceback" not in caplog.text
    finally:
        server.kill()
