"""Fails whatever keeps the event loop to itself: more than :data:`LIMIT` of CPU between two looks at the sockets.

For one process, :func:`watching`; for a server that is a process of its own, ``python -m tests.watchdog serve ...``,
which does what the command does and prints a line for each step that takes too long.
"""

from __future__ import annotations

import asyncio
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

#: Seconds of CPU that one step may take. What is promised is a quarter of it, on a machine that is not busy.
LIMIT = 0.2
#: The same inside the process of the tests, whose heap is large: a full collection of it takes longer.
IN_TESTS = 0.5
#: How a line about a step begins.
BLOCKED = "the loop was blocked"
HERE = str(Path(__file__).parent)


def what_ran(handle: asyncio.Handle) -> tuple[str, bool]:
    """A name for a step, and whether it is a test's own."""
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        coroutine = task.get_coro()
        code = getattr(coroutine, "cr_code", None)
        own = code is not None and (code.co_filename.startswith(HERE) or "pytest" in code.co_filename)
        frame = getattr(coroutine, "cr_frame", None)
        at = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}" if frame is not None else "its end"
        return f"{getattr(coroutine, '__qualname__', coroutine)} at {at}", own
    return repr(callback)[:200], False


@contextmanager
def watching(limit: float = LIMIT, blocked: list[str] | None = None) -> Iterator[list[str]]:
    """What blocked the loops of this process: grows while the block runs, in ``blocked`` if that is given."""
    blocked = [] if blocked is None else blocked
    run = vars(asyncio.Handle)["_run"]

    def timed(handle: asyncio.Handle) -> None:
        begun = time.thread_time()
        run(handle)
        spent = time.thread_time() - begun
        # Tracing allocations makes everything several times as slow.
        if spent > limit * (5 if tracemalloc.is_tracing() else 1):
            name, own = what_ran(handle)
            if not own:
                blocked.append(f"{BLOCKED} for {spent * 1000:.0f} ms of CPU by {name}")

    setattr(asyncio.Handle, "_run", timed)  # noqa: B010 - hidden from the type checker, as it is from everybody
    try:
        yield blocked
    finally:
        setattr(asyncio.Handle, "_run", run)  # noqa: B010


class _Printed(list[str]):
    def append(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


def main() -> None:
    """The command, watched; on asyncio's own loop, whose steps can be."""
    sys.modules["uvloop"] = None  # type: ignore[assignment]
    from voice_emulator.cli import main as command

    with watching(blocked=_Printed()):
        command()


if __name__ == "__main__":
    main()
