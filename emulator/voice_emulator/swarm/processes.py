"""Commands under test: started in a group of their own, and always ended with their children."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from voice_emulator.errors import UsageError

#: Real seconds that a process has to end by itself after SIGTERM.
GRACE = 2.0
#: Real seconds between two looks at a process or a URL.
LOOK = 0.01
#: Bytes of a command's output that are kept.
TAIL = 2_000
_POSIX = os.name == "posix"


class Process:
    """A running command with its output. ``name`` is what messages call it."""

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], directory: Path | None = None
    ):
        """Start it, without a shell. Raises UsageError where it cannot be started."""
        self.name = name
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        self._tail: str | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - running the user's command is what this is for
                list(command), stdin=subprocess.DEVNULL, stdout=self._output, stderr=subprocess.STDOUT,
                env=dict(environment), cwd=directory, start_new_session=_POSIX,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            self._output.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise UsageError(f"cannot run {name} {shlex.join(command)}: {why}") from error

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._process.poll()

    def wait(self, seconds: float, stopped: threading.Event) -> int | None:
        """Its exit status; None when it has not ended within ``seconds``, or when ``stopped`` is set."""
        deadline = time.monotonic() + seconds
        pause = 0.001
        while (status := self._process.poll()) is None:
            left = deadline - time.monotonic()
            if left <= 0 or stopped.wait(min(pause, left)):
                return None
            pause = min(pause * 1.5, LOOK)
        return status

    def end(self) -> None:
        """End it and its children, whether it has ended itself or not."""
        if self._output.closed:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE)
        except subprocess.TimeoutExpired:
            pass
        if _POSIX:
            self._signal(signal.SIGKILL)
        elif self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._tail = self._read()
        self._output.close()

    def _signal(self, number: int) -> None:
        try:
            if _POSIX:
                os.killpg(self._process.pid, number)
            elif self._process.poll() is None:
                self._process.terminate()
        except (ProcessLookupError, PermissionError):
            pass  # nothing of the group is left

    @property
    def output(self) -> str:
        """The end of what it has printed."""
        return self._read() if self._tail is None else self._tail

    def _read(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - TAIL))
        text = self._output.read().decode("utf-8", "replace")
        self._output.seek(0, os.SEEK_END)
        return text.strip()


_given: set[int] = set()
_lock = threading.Lock()


def free_port() -> int:
    """A port of the loopback interface that nothing listens on, a different one each time."""
    with _lock:
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if len(_given) > 10_000:
                _given.clear()
            if port not in _given:
                _given.add(port)
                return port


def split(command: str, what: str) -> list[str]:
    """The words of a command given as one string. Raises UsageError when a quote is not closed or nothing is there."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"{what} {command!r}: {error}") from error
    if not words:
        raise UsageError(f"{what} is empty")
    return words
