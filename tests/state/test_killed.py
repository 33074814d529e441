"""SIGKILL at random moments of a batch, again and again: nothing is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.cli.process import COMMAND, command, environment
from tests.patience import PATIENCE
from tests.providers.infin8linx.account import BATCH
from tests.wire.raw import GPSEND
from voice_emulator.app import KEPT_IN_FLIGHT

#: An hour of calls that end and receipts that follow; gone through slowly, since it goes on while nobody serves.
SCENARIO = """
name: batch
rules:
  - name: spread
    call: {outcome: answered, ring: {uniform: [1s, 50s]}, talk: {uniform: [1s, 50s]}}
    receipt: {delay: {uniform: [0s, 1h]}}
"""
SPEED = "30x"
#: For what is left in the end.
HASTE = "2000x"
BATCH_SIZE = 5000
NUMBERS = [f"62813{index:05d}9" for index in range(BATCH_SIZE)]


@dataclass
class Counting:
    """A receiver that counts receipts by what names them, and acknowledges everything."""

    url: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    #: Told of each request before it is answered; may hold the answer back.
    hold: asyncio.Event | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    int(line[15:])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                record = json.loads(await reader.readexactly(length))
                self.seen[f"{record['taskid']} {record['destnumber']} {record['uuid']}"] += 1
                async with self._changed:
                    self._changed.notify_all()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nsuccess")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # killed in the middle
        finally:
            writer.close()

    async def until(self, count: int) -> None:
        """Wait until so many receipts have come in all."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(lambda: self.seen.total() >= count), PATIENCE)


@asynccontextmanager
async def counting() -> AsyncIterator[Counting]:
    receiver = Counting()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, backlog=1024)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/records"
    async with server:
        yield receiver


@dataclass
class Serving:
    process: asyncio.subprocess.Process
    ready: dict[str, Any]

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serving(*args: object) -> AsyncIterator[Serving]:
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "serve", "--port", "0", "--control-port", "0", *map(str, args),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, env=environment(),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
        yield Serving(process, json.loads(line))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def books(client: aiohttp.ClientSession, server: Serving) -> dict[str, Any]:
    async with client.get(server.ready["control"] + "/v1/tenants/default/report?format=json") as reply:
        found: dict[str, Any] = (await reply.json())["conservation"]
        return found


async def until_nothing_is_pending(client: aiohttp.ClientSession, server: Serving) -> dict[str, Any]:
    control = server.ready["control"]
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while (found := await books(client, server))["pending"]:
        assert asyncio.get_running_loop().time() < deadline, found
        params = {"for": "callbacks", "count": "100000", "timeout": "0.2s"}
        async with client.get(control + "/v1/tenants/default/wait", params=params) as reply:
            await reply.read()
    return found


async def place_batch(client: aiohttp.ClientSession, server: Serving) -> None:
    form = {**BATCH, "destnumber": ",".join(NUMBERS), "todayonly": "2"}
    async with client.post(server.ready["traffic"] + "/api/yunhu", data=form) as reply:
        assert (await reply.json())["code"] == 200


@pytest.mark.parametrize("kills", [4, pytest.param(40, marks=pytest.mark.long)])
async def test_killed_again_and_again_in_a_batch_it_loses_nothing_and_doubles_nothing(tmp_path, kills: int):
    dice = random.Random(20)
    (tmp_path / "batch.yaml").write_text(SCENARIO)
    args = ["--state", tmp_path / "state.db", "--scenario", tmp_path / "batch.yaml", "--clock", SPEED]
    accepted = uncertain = 0
    async with counting() as receiver, aiohttp.ClientSession() as client:
        args += ["--callback-url", receiver.url]
        for kill in range(kills):
            async with serving(*args) as server:
                seen, found = receiver.seen.total(), await books(client, server)
                assert found["accepted"] == accepted
                assert found["uncertain"] - uncertain <= KEPT_IN_FLIGHT
                uncertain = found["uncertain"]
                # Of what is pending, so much can be on the wire and counted already.
                to_come = found["pending"] - KEPT_IN_FLIGHT
                if to_come < 100:
                    await place_batch(client, server)
                    accepted, to_come = accepted + BATCH_SIZE, to_come + BATCH_SIZE
                # Accepted is accepted: the first time it dies before the first call is dialled, or soon after.
                if kill:
                    await receiver.until(seen + dice.randrange(1, 60))
                await server.kill()
        async with serving(*args, "--clock", HASTE) as server:
            found = await until_nothing_is_pending(client, server)
        assert found["accepted"] == accepted
        assert found["balanced"]
        assert found["acknowledged"] + found["uncertain"] == accepted
        assert [name for name, count in receiver.seen.items() if count > 1] == []
        missing = accepted - len(receiver.seen)
        assert 0 <= missing <= found["uncertain"], f"{missing} missing"


async def test_killed_before_the_reply_is_read_the_number_is_called_all_the_same_or_not_at_all(tmp_path):
    """Whoever got no reply knows nothing; but what is dialled is dialled once."""
    args = ["--state", tmp_path / "state.db", "--clock", "600x"]
    async with counting() as receiver, aiohttp.ClientSession() as client:
        args += ["--callback-url", receiver.url]
        for attempt in range(3):
            async with serving(*args) as server:
                form = {**BATCH, "destnumber": f"6281300001{attempt}9", "todayonly": "2"}
                sending = asyncio.ensure_future(
                    client.post(server.ready["traffic"] + "/api/yunhu", data=form)
                )
                if attempt:
                    await asyncio.wait([sending], timeout=0.002 * attempt)
                await server.kill()
                await asyncio.wait([sending])
                sending.exception()
        async with serving(*args) as server:
            found = await until_nothing_is_pending(client, server)
            assert found["accepted"] == found["acknowledged"] + found["uncertain"] <= 3
            assert max(receiver.seen.values(), default=1) == 1


# --- stopped, and refused ------------------------------------------------------------------------


async def test_stopped_by_a_signal_it_goes_on_where_it_was(tmp_path):
    args = ["--state", tmp_path / "state.db", "--clock", "manual"]
    async with counting() as receiver, aiohttp.ClientSession() as client:
        args += ["--callback-url", receiver.url]
        async with serving(*args) as server:
            async with client.post(server.ready["traffic"] + "/api/yunhu", data=BATCH) as reply:
                assert (await reply.json())["code"] == 200
            server.process.send_signal(signal.SIGTERM)
            assert await server.process.wait() == 0
        assert [path.name for path in tmp_path.iterdir()] == ["state.db"], "no log is left behind"
        async with serving(*args) as server:
            url = server.ready["control"] + "/v1/tenants/default/clock/advance"
            async with client.post(url, json={"to": "idle"}) as reply:
                assert [each["outcome"] for each in (await reply.json())["callbacks"]] == ["delivered"]
        assert receiver.seen.total() == 1


async def test_a_second_emulator_on_the_same_file_says_so_and_exits_1(tmp_path):
    async with serving("--state", tmp_path / "state.db"):
        done = await asyncio.to_thread(
            command,
            "serve",
            "--port",
            0,
            "--control-port",
            0,
            "--state",
            tmp_path / "state.db",
            program=COMMAND,
        )
        assert done.returncode == 1
        assert "is in use by another process" in done.stderr
        assert "Traceback" not in done.stderr
        assert done.stdout == ""


async def test_a_full_disk_stops_it_with_status_1_and_what_was_kept_is_kept(tmp_path: Path):
    """No more than 400 kB may be written: the log of the database is full in the middle of some request."""
    shell = ("sh", "-c", 'ulimit -f 800; exec "$0" -m voice_emulator "$@"', sys.executable)
    state = tmp_path / "state.db"
    (tmp_path / "big.yaml").write_text("name: big\nproviders:\n  nxcloud: {batch_limit: 5000}\nrules: []\n")
    options = ["--scenario", str(tmp_path / "big.yaml"), "--clock", "manual", "--state", str(state)]
    process = await asyncio.create_subprocess_exec(
        *shell, "serve", "--port", "0", "--control-port", "0", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment(),
    )  # fmt: skip
    accepted = 0
    try:
        assert process.stdout is not None
        ready = json.loads(await asyncio.wait_for(process.stdout.readline(), PATIENCE))
        async with aiohttp.ClientSession() as client:
            for batch in range(50):
                phones = ",".join(f"62812{batch:02d}{index:03d}9" for index in range(200))
                url = ready["traffic"] + "/api/voiceSms/gpsend"
                try:
                    async with client.post(url, data={**GPSEND, "phone": phones}) as reply:
                        if reply.status != 200:
                            assert "cannot be written" in reply.headers["Emulator-Error"]
                            break
                        accepted += 200
                except aiohttp.ClientError:
                    break
        _, log = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 1
    assert log.decode().splitlines()[-1].startswith(f"Error: the state file {state} cannot be written: ")
    assert 0 < accepted < 10_000
    async with serving(*options) as server, aiohttp.ClientSession() as client:
        assert (await books(client, server))["accepted"] == accepted
