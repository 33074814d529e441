"""A process fit for serving long: its descriptors, its memory, its garbage collector."""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TextIO

#: glibc's name for it, and from how many bytes on a block of memory is mapped on its own.
_M_MMAP_THRESHOLD = -3
_M_ARENA_MAX = -8
_MAPPED_FROM = 128 * 1024


def fill_closed_descriptors() -> None:
    """Open the null device for each standard stream that was closed, or a socket would get its number."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one


class _Kept(io.BufferedWriter):
    """A buffer that leaves its stream open: it belongs to the stream that Python made."""

    def close(self) -> None:
        """Only write what is left."""
        if not self.raw.closed:
            self.flush()


def guard_output() -> None:
    """Have all of a text written to standard output and standard error, and what they cannot encode with escapes.

    With PYTHONUNBUFFERED, as in many containers, a write to a pipe may take a part of a long text, and Python drops the
    rest. A buffer in between writes until all is taken.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, io.TextIOWrapper):
            continue
        if isinstance(stream.buffer, io.RawIOBase):
            buffer = _Kept(stream.buffer)
            stream = io.TextIOWrapper(buffer, stream.encoding, newline="\n", line_buffering=True)
            setattr(sys, name, stream)
        stream.reconfigure(errors="backslashreplace")


def forget(stream: TextIO) -> None:
    """Nobody can take what goes to a standard stream: what is left in its buffer would fail, or wait, at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def give_memory_back() -> None:
    """Have large blocks returned to the system as soon as they are free, where the C library is glibc.

    glibc raises its threshold to the largest block ever freed, up to 32 MB. A burst of large bodies
    then leaves a heap full of holes, and a process that stays three times its size.
    """
    import ctypes

    try:
        adjust = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # another C library, or Windows
        return
    adjust(_M_MMAP_THRESHOLD, _MAPPED_FROM)
    # Each thread would get a heap of its own, and keep it.
    adjust(_M_ARENA_MAX, 1)


def calm_the_collector() -> None:
    """Have the cyclic garbage collector look less often: nearly all we drop goes by reference counts.

    What was made at start stays for good and need not be looked at again. The journal and the ledger keep
    tens of thousands of objects, and walking through them every few hundred requests is a third of the cost.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def leave_memory_alone() -> None:
    """All that is left goes with the process: looking through it for cycles once more would take seconds."""
    gc.disable()
    gc.freeze()
