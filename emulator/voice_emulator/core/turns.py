"""Work that lets others have their turn: a generator that yields where it may be left for a moment.

What it yields is None, or a job: a function that takes long and touches nothing that changes, whose result is sent
back. Without an event loop all of it is done in one go (:func:`at_once`); the rim goes round its loop in between, and
carries jobs elsewhere (:mod:`voice_emulator.wire.turns`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Turns: TypeAlias = Generator[Callable[[], Any] | None, Any, T]


def at_once(work: Turns[T]) -> T:
    """Do all of ``work``, and say what came of it."""
    try:
        job = next(work)
        while True:
            job = work.send(job() if job is not None else None)
    except StopIteration as stop:
        result: T = stop.value
        return result
