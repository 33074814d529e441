"""Submitting batches, and the first receipts to a new receiver."""

from __future__ import annotations

import asyncio
import time
import urllib.request

from benchmarks.processes import Ours, Receiver
from benchmarks.requests import batch
from benchmarks.rows import Size, expect

#: Every call goes the same way; without the rule the magic numbers among those dialled would go theirs.
PLAIN = """
name: plain
description: Every call rings for 3 s and talks for 10 s.
rules:
  - {name: all, match: {number: "*"}, call: {outcome: answered, ring: 3s, talk: 10s}}
"""
#: Receipts before each trial of a connection: it is tried after one answer, then after two, then after three
#: (emulator/voice_emulator/wire/delivery/connections.py). Sent one by one, so that they share a connection.
TRIALS = (1, 2, 3)
LEARNT = sum(TRIALS)


async def learn(ours: Ours, receiver: Receiver, size: Size, *, manual: bool = False) -> None:
    """Have :data:`LEARNT` receipts pushed in such a way that the emulator sees that ``receiver`` keeps connections."""
    for trial, pushes in enumerate(TRIALS):
        for number in range(pushes):
            submit_batch(ours, 1, 6_190_000_000 + 10 * trial + number)
            if manual:
                ours.api("POST", "/tenants/default/clock/advance", {"seconds": 3_600})
            await asyncio.sleep(size.learning / 12)
        await asyncio.sleep(size.learning)
    receiver.wait_for(LEARNT)


def submit_batch(ours: Ours, numbers: int, first: int) -> float:
    """Submit a batch; seconds until its reply."""
    body = batch(numbers, first).decode().format(**ours.credentials("infin8linx")).encode()
    request = urllib.request.Request(f"{ours.traffic}/api/yunhu", body)
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=60) as answer:
        said = answer.read()
    seconds = time.perf_counter() - started
    expect(b'"code":200' in said, f"the batch was refused: {said!r}")
    return seconds
