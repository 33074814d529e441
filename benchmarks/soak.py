"""The soak: a steady load with receipts, faults and a thousand tenants, and nothing may grow or get lost."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from benchmarks.ceilings import PATH
from benchmarks.processes import Ours, Receiver, running
from benchmarks.requests import notification, post
from benchmarks.rows import expect

TENANTS = 1_000
#: Entries and ended calls that each tenant keeps: few, so that all are full early on, and memory must stand still.
KEPT = "20"
#: Numbers that are called, over all tenants: what is remembered of each is bounded too, but far beyond what ten minutes
#: bring. With so few, each has met everything that can happen to it when half of the time is over.
NUMBERS = 20_000
#: Tasks and open files by which before and after may differ: a connection that was just opened, or not yet closed.
LEFT = 4
#: One request in ten meets a fault or a refusal of ours, one receipt in ten is refused or comes twice.
SCENARIO = """
name: soak
description: Mostly fine, with faults of every kind.
rules:
  - {name: unavailable, match: {operation: createVoiceNotification}, chance: 4%, fault: {http_status: 503}}
  - {name: refused, match: {operation: createVoiceNotification}, chance: 3%, reply: {error: system_error}}
  - {name: reset, match: {operation: createVoiceNotification}, chance: 1%, fault: {reset: true, placed: false}}
  - {name: twice, chance: 5%, receipt: {copies: 2, gap: 1s}}
  - {name: late, chance: 5%, receipt: {delay: 2s}}
  - {name: all, match: {number: "*"}, call: {outcome: answered, ring: 1s, talk: 2s}}
"""


class Pace:
    """Takes from ``requests`` at a steady rate, over connections that are opened again when a fault closes them."""

    def __init__(self, port: int, requests: Iterator[bytes], rate: int) -> None:
        self._port = port
        self._requests = requests
        self._rate = rate
        self.sent = self.answered = self.broken = 0

    async def run(self, seconds: float, connections: int = 128) -> None:
        """Send for so long."""
        started = time.perf_counter()
        await asyncio.gather(*(self._connection(started, seconds) for _ in range(connections)))

    async def _connection(self, started: float, seconds: float) -> None:
        reader: asyncio.StreamReader | None = None
        writer: asyncio.StreamWriter | None = None
        while (now := time.perf_counter() - started) < seconds:
            ahead = self.sent / self._rate - now
            if ahead > 0:
                await asyncio.sleep(ahead)
                continue
            self.sent += 1
            try:
                if reader is None or writer is None:
                    reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(next(self._requests))
                head = await reader.readuntil(b"\r\n\r\n")
                begin = head.find(b"ontent-Length: ") + 15
                await reader.readexactly(int(head[begin : head.find(b"\r", begin)]))
                self.answered += 1
            except (OSError, asyncio.IncompleteReadError):
                self.broken += 1
                reader = writer = None
        if writer is not None:
            writer.close()


def _tasks(ours: Ours) -> int:
    with urllib.request.urlopen(f"{ours.control}/metrics", timeout=10) as answer:
        found = re.search(r"^voice_emulator_tasks ([0-9.]+)$", answer.read().decode(), re.MULTILINE)
    expect(found is not None, "there is no metric of tasks")
    return int(float(found[1])) if found else 0


def _sockets(ours: Ours) -> int:
    return len(list(Path(f"/proc/{ours.pid}/fd").iterdir()))


async def run(seconds: float, rate: int, tenants: int = TENANTS) -> str:
    """Load for ``seconds`` at ``rate``, sample memory, check the books of every tenant; a report in Markdown."""
    receiver = Receiver()
    ours = Ours(None, "--callback-url", receiver.url, "--journal-limit", KEPT, "--calls-limit", KEPT)
    with running(ours, receiver):
        ids, heads = [], []
        for _ in range(tenants):
            tenant = ours.api("POST", "/tenants", {"scenario_yaml": SCENARIO})
            keys = tenant["credentials"]["huawei_cec"]
            token = ours.token(keys["app_key"], keys["app_secret"])
            ids.append(tenant["id"])
            heads.append(f"Authorization: Bearer {token}\r\nX-APP-Key: {keys['app_key']}\r\n")
        print(f"{tenants} tenants, {ours.memory:.0f} MB", flush=True)
        pace = Pace(ours.port, _requests(heads), rate)
        before, tasks = _sockets(ours), _tasks(ours)
        memory = [(0.0, ours.memory)]
        load = asyncio.create_task(pace.run(seconds))
        started = time.perf_counter()
        while not load.done():
            await asyncio.wait([load], timeout=max(1.0, seconds / 20))
            memory.append((time.perf_counter() - started, ours.memory))
            print(
                f"{memory[-1][0]:5.0f} s  {pace.answered / memory[-1][0]:,.0f}/s  {memory[-1][1]:.0f} MB",
                flush=True,
            )
        await load
        lost = await _settled(ours, ids)
        after = await _sockets_in_the_end(ours, before)
        left = _tasks(ours)
        stopped = ours.stop()
    half = [value for at, value in memory if at >= seconds / 2]
    # What a tenant may keep fills up first; only then must memory stand still.
    lines = [
        f"{seconds:.0f} s at {rate:,} requests/s, {pace.answered / seconds:,.0f}/s answered, {tenants:,} tenants:",
        f"{pace.sent:,} sent, {pace.answered:,} answered, {pace.broken:,} cut by faults.", "",
        "| | |", "|---|---|",
        f"| memory at the start, in the middle, at the end | {memory[0][1]:.0f}, {half[0]:.0f}, {half[-1]:.0f} MB |",
        f"| open files before and after | {before}, {after} |",
        f"| tasks before and after | {tasks}, {left} |",
        f"| numbers accepted, unaccounted for | {lost['accepted']:,}, {lost['unbalanced']:,} |",
        f"| acknowledged, orphans, still pending | {lost['acknowledged']:,}, {lost['orphan']:,}, {lost['pending']:,} |",
        f"| SIGTERM to exit | {stopped:.2f} s |",
    ]  # fmt: skip
    expect(left <= tasks + LEFT and after <= before + LEFT, f"{left} tasks and {after} open files are left")
    expect(lost["unbalanced"] == 0 and lost["pending"] == 0 and lost["orphan"] == 0, f"conservation: {lost}")
    return "\n".join(lines) + "\n"


async def _sockets_in_the_end(ours: Ours, before: int) -> int:
    """Open files once idle connections to the receiver have been given up, which takes up to a minute."""
    for _ in range(40):
        if _sockets(ours) <= before + LEFT:
            break
        await asyncio.sleep(2)
    return _sockets(ours)


def _requests(heads: list[str]) -> Iterator[bytes]:
    number = 0
    while True:
        yield post(PATH, notification(8_800_000_000 + number % NUMBERS), headers=heads[number % len(heads)])
        number += 1


async def _settled(ours: Ours, tenants: list[str]) -> dict[str, int]:
    """The books of all tenants once nothing is pending any more, or after half a minute."""
    total: dict[str, int] = {}
    for _ in range(15):
        total = dict.fromkeys(("accepted", "acknowledged", "orphan", "pending", "unbalanced"), 0)
        for tenant in tenants:
            books = ours.conservation(tenant)
            for name in ("accepted", "acknowledged", "orphan", "pending"):
                total[name] += books[name]
            total["unbalanced"] += not books["balanced"]
        if not total["pending"]:
            break
        await asyncio.sleep(2)
    return total
