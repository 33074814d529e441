"""Does long work without blocking the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import Any, TypeVar

from voice_emulator.core.turns import Turns

T = TypeVar("T")

#: Things of at least so many bytes are decoded, explained or rendered in another thread.
HEAVY = 64 * 1024
#: Jobs done at the same time: each may need several times the memory of what it works on.
AT_ONCE = 2
#: The fixed cost of rendering one thing, expressed in bytes.
SHOWING = 1_500


async def in_turns(work: Turns[T]) -> T:
    """Do all of ``work``; between its steps the event loop goes on, and its jobs run in another thread."""
    step = partial(work.send, None)
    try:
        while True:
            job = step()
            try:
                result = await (_elsewhere(job) if job is not None else asyncio.sleep(0))
            except Exception as error:  # noqa: BLE001 - the work knows what it means
                step = partial(work.throw, error)
            else:
                step = partial(work.send, result)
    except StopIteration as stop:
        done: T = stop.value
        return done


async def apart(heavy: bool, job: Callable[..., T], *arguments: Any) -> T:
    """The result of ``job``; a ``heavy`` one runs in another thread."""
    return await _elsewhere(job, *arguments) if heavy else job(*arguments)


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="voice-emulator")


async def _elsewhere(job: Callable[..., T], *arguments: Any) -> T:
    return await asyncio.get_running_loop().run_in_executor(_workers(), job, *arguments)


def takes_a_while(weights: Iterable[int]) -> bool:
    """Whether things of these weights, in bytes, are too many or too large to render on the event loop."""
    return sum(weight + SHOWING for weight in weights) > HEAVY
