"""Carrying long work without keeping the event loop from anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

from voice_emulator.core.turns import Turns

T = TypeVar("T")

#: From how many bytes on a thing is decoded, explained or shown elsewhere than on the loop.
HEAVY = 64 * 1024
#: Jobs that are done at once: each may need several times what it works on.
AT_ONCE = 2
#: What showing one thing costs, however little it weighs, in bytes of a thing that weighs much.
SHOWING = 1_500


async def in_turns(work: Turns[T]) -> T:
    """Do all of ``work``, going round the loop wherever it may be left; its jobs are done in another thread."""
    try:
        job = next(work)
        while True:
            if job is None:
                await asyncio.sleep(0)
                job = work.send(None)
                continue
            try:
                result = await _elsewhere(job)
            except Exception as error:  # noqa: BLE001 - whose job it is knows what it means
                job = work.throw(error)
            else:
                job = work.send(result)
    except StopIteration as stop:
        done: T = stop.value
        return done


async def apart(heavy: bool, job: Callable[..., T], *arguments: Any) -> T:
    """The result of ``job``, which is done in another thread when it is ``heavy``."""
    return await _elsewhere(job, *arguments) if heavy else job(*arguments)


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="voice-emulator")


async def _elsewhere(job: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_workers(), job, *arguments)


def takes_a_while(weights: Iterable[int]) -> bool:
    """Whether things of these weights, in bytes, are too many or too large to be shown on the loop."""
    return sum(weight + SHOWING for weight in weights) > HEAVY
