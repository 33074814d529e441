"""Standard output and error of commands that serve, written by threads: a slow reader cannot block the process.

A pipe that is not read is full after 64 KB, and the next write to it waits for ever: that would block the event loop,
all connections and the signal handlers.
"""

from __future__ import annotations

import atexit
import io
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TextIO

from voice_emulator.cli.process import forget
from voice_emulator.core.words import counted

#: Bytes that may wait for a reader; further lines are dropped.
WAITING_LIMIT = 1024 * 1024
#: Real seconds at exit for what still waits, of both streams together.
DRAINING = 1.0


def dropped(count: int) -> str:
    """What is written in the place of ``count`` lines."""
    return f"{counted(count, 'line')} dropped here: what came before was not read"


class Outlet(io.TextIOBase):
    """A text stream whose writes never wait and never fail.

    Lines go out whole and in their order. When :data:`WAITING_LIMIT` is reached they are dropped until there is room,
    and ``notice`` makes the line that says how many. ``on_failure`` is called, by the thread, with the first error.
    """

    def __init__(self, stream: TextIO, limit: int = WAITING_LIMIT) -> None:
        """Write to what ``stream`` writes to, past its buffers: a thread that is stuck in those blocks the exit."""
        self.notice = dropped
        self.on_failure: Callable[[OSError], object] | None = None
        self._stream = stream
        buffer: Any = stream.buffer
        self._raw = getattr(buffer, "raw", buffer)
        self._limit = limit
        self._changed = threading.Condition()
        self._line = ""
        self._waiting: deque[bytes] = deque()
        #: Bytes that wait or are being written.
        self._size = 0
        self._dropped = 0
        stream.flush()
        threading.Thread(target=self._write_waiting, name=f"writes {stream.name}", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # the typeshed has an attribute
        """That of the stream behind it; what it lacks is escaped."""
        return self._stream.encoding

    def fileno(self) -> int:
        """Of the stream behind it."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Of the stream behind it."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take ``text``; it goes out with the end of its line."""
        with self._changed:
            self._line += text
            if "\n" in text:
                lines, _, self._line = self._line.rpartition("\n")
                self._add(lines + "\n")
        return len(text)

    def flush(self) -> None:
        """Let a line go out that has no end yet. Waits for nothing."""
        with self._changed:
            if self._line:
                self._add(self._line)
                self._line = ""

    def drain(self, seconds: float) -> bool:
        """Wait until all has been written, but no longer than ``seconds``; whether it has."""
        self.flush()
        with self._changed:
            return self._changed.wait_for(lambda: not self._size, seconds)

    def _add(self, text: str) -> None:
        data = text.encode(self.encoding, "backslashreplace")
        # Once one is dropped, so are all until there is room: a short one must not overtake the notice.
        if self._dropped or self._size + len(data) > self._limit:
            self._dropped += max(1, text.count("\n"))
            return
        self._size += len(data)
        self._waiting.append(data)
        self._changed.notify_all()

    def _write_waiting(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = b"".join(self._waiting)
                self._waiting.clear()
            try:
                self._put(data)
            except OSError as error:
                failed, self.on_failure = self.on_failure, None
                if failed is not None:
                    failed(error)
            with self._changed:
                self._size -= len(data)
                if self._dropped:
                    count, self._dropped = self._dropped, 0
                    self._add(self.notice(count) + "\n")
                self._changed.notify_all()

    def _put(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            written = self._raw.write(left)
            if written is None:  # somebody has made the descriptor non-blocking
                select.select([], [self._raw], [])
            else:
                left = left[written:]


def never_wait() -> None:
    """Have nothing that this process prints or logs from now on wait for a reader."""
    outlets = []
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None:  # started with it closed
            outlets.append((name, stream, Outlet(stream)))
            setattr(sys, name, outlets[-1][2])
    atexit.register(_leave, outlets)


def _leave(outlets: list[tuple[str, TextIO, Outlet]]) -> None:
    """Write what still waits. A stream that is not read is given up: the interpreter would wait for it at exit."""
    until = time.monotonic() + DRAINING
    for name, stream, outlet in outlets:
        if not outlet.drain(max(0.0, until - time.monotonic())):
            forget(stream)
        setattr(sys, name, stream)
