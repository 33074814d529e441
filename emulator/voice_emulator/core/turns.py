"""Long work as a generator that yields wherever others may have their turn.

It yields None, or a job: a slow function that works on nothing that changes, whose result is sent back.
:func:`at_once` does all of it in one go. :mod:`voice_emulator.wire.turns` lets the event loop go on in between and runs
jobs in another thread.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Turns: TypeAlias = Generator[Callable[[], Any] | None, Any, T]


def at_once(work: Turns[T]) -> T:
    """Do all of ``work``; returns its result."""
    try:
        job = next(work)
        while True:
            job = work.send(job() if job is not None else None)
    except StopIteration as stop:
        result: T = stop.value
        return result
