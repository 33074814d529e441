"""Receipts per second: a whole batch, an hour on a manual clock, and receivers that take their time."""

from __future__ import annotations

import asyncio
import re
import time
import urllib.request
from statistics import median

from benchmarks.batches import LEARNT, PLAIN, learn, submit_batch
from benchmarks.processes import Ours, Receiver, bare_push, running
from benchmarks.rows import Pair, Row, Say, Size, expect, most, ratio_row

#: Calls that end at any instant within an hour, none rings.
HOUR = """
name: hour
description: Calls of up to an hour.
rules:
  - {name: long, match: {number: "*"}, call: {outcome: answered, ring: 1s, talk: {uniform: [1s, 3500s]}}}
"""
#: Calls that end spread over some seconds of real time.
SPREAD = """
name: spread
description: Calls that end evenly over six seconds.
rules:
  - {name: spread, match: {number: "*"}, call: {outcome: no_answer, ring: {uniform: [1s, 7s]}}}
"""
#: Every call rings 3 s and talks 10 s, in 0.8 s of real time: all receipts are due at once, well after the reply.
TALK, SPEED = 13, 16


async def batches(size: Size, say: Say) -> list[Row]:
    """PlayVoice to 5,000 numbers: how soon the reply comes, and how fast the receipts are pushed."""
    receiver = Receiver()
    ours = Ours(PLAIN, "--clock", f"{SPEED}x", "--callback-url", receiver.url)
    with running(ours, receiver):
        await learn(ours, receiver, size)
        pairs, waits = [], []
        for number in range(size.rounds + 1):
            receiver.clear()
            spent = ours.cpu
            waits.append(submit_batch(ours, size.batch, 6_200_000_000 + number * size.batch))
            due = time.perf_counter() + TALK / SPEED
            arrived = receiver.wait_for(size.batch)
            expect(arrived["count"] == arrived["distinct"] == size.batch, f"lost or doubled: {arrived}")
            cpu = ours.cpu - spent
            receiver.clear()
            pair = Pair(
                size.batch, arrived["last"] - due, *_crossed(bare_push("push", receiver.url, size.batch), cpu)
            )
            if number:
                pairs.append(pair)
                say(f"  {pair}; the reply after {waits[-1] * 1e3:.0f} ms")
        books = ours.conservation()
        expect(
            books["acknowledged"] == books["accepted"] == (size.rounds + 1) * size.batch + LEARNT, f"{books}"
        )
    waited = [1e3 * seconds for seconds in waits[1:]]
    return [
        ratio_row(
            f"receipts of a batch of {size.batch:,} numbers; ratio to the bare push client", 0.90, pairs
        ),
        most("reply to that batch", median(waited), 100, " ms", rounds=waited),
    ]


def _crossed(bare: tuple[float, float], cpu: float) -> tuple[float, float, float]:
    """The rest of a :class:`Pair`: the ceiling's seconds, our CPU seconds (submitting included), the ceiling's."""
    return bare[0], cpu, bare[1]


async def advance(size: Size, say: Say) -> list[Row]:
    """An hour of 10,000 calls on a manual clock, every push awaited, against pushes one after the other."""
    receiver = Receiver()
    ours = Ours(HOUR, "--clock", "manual", "--callback-url", receiver.url)
    with running(ours, receiver):
        await learn(ours, receiver, size, manual=True)
        pairs = []
        for number in range(size.rounds):
            for part in range(2):
                submit_batch(ours, size.advance // 2, 6_200_000_000 + (2 * number + part) * size.advance // 2)
            receiver.clear()
            started, spent = time.perf_counter(), ours.cpu
            done = ours.api(
                "POST", "/tenants/default/clock/advance", {"seconds": 3_600, "wall_limit": "300s"}
            )
            seconds, cpu = time.perf_counter() - started, ours.cpu - spent
            expect(done["complete"], "the advance was not complete")
            arrived = receiver.arrived()
            expect(arrived["count"] == arrived["distinct"] == size.advance, f"lost or doubled: {arrived}")
            bare = bare_push("sequential", receiver.url, size.advance)
            pairs.append(Pair(size.advance, seconds, *_crossed(bare, cpu)))
            say(f"  {pairs[-1]}")
        order = ours.api("GET", "/tenants/default/callbacks?limit=1000")["callbacks"]
        instants = [attempt["at"] for attempt in order]
        expect(instants == sorted(instants), "the pushes were not in order")
    name = f"advance by an hour, {size.advance:,} calls; ratio to a bare sequential loop"
    return [ratio_row(name, 0.95, pairs)]


async def lateness(size: Size, say: Say) -> list[Row]:
    """Pushes that are due while 500 others are on the wire, each receiver taking a second to answer."""
    receiver = Receiver(delay_ms=1_000)
    ours = Ours(SPREAD, "--callback-url", receiver.url)
    with running(ours, receiver):
        submit_batch(ours, size.slow, 6_200_000_000)
        arrived = receiver.wait_for(size.slow)
        expect(arrived["distinct"] == size.slow, f"lost or doubled: {arrived}")
        rate = size.slow / arrived["seconds"]
        say(f"  {rate:,.0f} pushes/s, so about {rate:,.0f} on the wire at once")
        late = _quantile(await asyncio.to_thread(_metrics, ours.control), 0.99)
    name = f"push lateness, p99, {rate:,.0f} receivers that take 1 s each (upper bound)"
    return [most(name, 1e3 * late, 50, " ms")]


def _quantile(metrics: str, share: float) -> float:
    """Upper bound of the histogram class of push lateness that holds the quantile, in seconds."""
    found = re.findall(r'push_lateness_seconds_bucket\{le="([^"]+)"\} ([0-9.]+)', metrics)
    expect(bool(found), "no lateness was measured")
    total = float(found[-1][1])
    return next(float(bound) for bound, count in found if float(count) >= share * total)


def _metrics(control: str) -> str:
    with urllib.request.urlopen(f"{control}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
        return text
