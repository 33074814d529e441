"""The real command, run as a user runs it: a process of its own, with nothing of this one's environment."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from click.testing import CliRunner

from tests.patience import PATIENCE
from voice_emulator.cli import commands

CHECKOUT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "voice_emulator")
#: The commands that call voice_emulator.cli.output.never_wait.
WRITES_BY_THREAD = frozenset({"serve", "listen"})
#: The same, telling what blocks its event loop.
WATCHED = (sys.executable, "-m", "tests.watchdog")


def environment(**extra: str) -> dict[str, str]:
    """This process's environment without the emulator's own variables, plus ``extra``."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("VOICE_EMULATOR_", "COV_"))
    }
    return {
        **kept,
        "PYTHONPATH": str(CHECKOUT / "emulator"),
        "PYTHONUNBUFFERED": "",
        "PYTHONWARNINGS": "default",
        **extra,
    }


def command(
    *args: object, env: Mapping[str, str] | None = None, program: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end: in this process, which saves the start of one, unless ``program`` is named.

    :data:`COMMAND` is named where it matters that it is a process: signals, encodings, what is imported. Those that
    :data:`WRITES_BY_THREAD` always are: their threads would write to streams of this process that are closed.
    """
    words = [str(arg) for arg in args]
    if program or WRITES_BY_THREAD & set(words[:1]):
        return subprocess.run(
            [*(program or COMMAND), *words], env=environment(**(env or {})), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
    root = logging.getLogger()
    before = root.level, root.handlers[:]
    without = dict.fromkeys(name for name in os.environ if name not in environment())
    done = CliRunner().invoke(commands, words, prog_name="voice-emulator", env={**without, **(env or {})})
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)


class Lines:
    """The lines of a stream, collected as they come."""

    def __init__(self, stream: Iterable[str]) -> None:
        self._stream = stream
        self._changed = threading.Condition()
        self.lines: list[str] = []
        self._ended = False
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        for line in self._stream:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[str], bool] | str) -> str:
        """The first line that has ``wanted`` in it (or satisfies it), once it is there."""
        accepts = wanted if callable(wanted) else lambda line: wanted in line

        def found() -> str | None:
            return next((line for line in self.lines if accepts(line)), None)

        with self._changed:
            self._changed.wait_for(lambda: found() is not None or self._ended, PATIENCE)
            line = found()
        assert line is not None, f"never printed: {wanted}\n" + "\n".join(self.lines)
        return line

    def end(self) -> list[str]:
        """All lines, once the stream has ended."""
        self._thread.join(PATIENCE)
        return self.lines


@dataclass
class Running:
    """A command that runs until it is told to stop."""

    process: subprocess.Popen[str]
    out: Lines
    log: Lines
    ready: dict[str, Any] = field(default_factory=dict)

    def stop(self, signal_number: int) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(signal_number)
        return self.process.wait(PATIENCE)


@contextmanager
def running(
    *args: object,
    env: Mapping[str, str] | None = None,
    program: tuple[str, ...] = COMMAND,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    cwd: Path | None = None,
) -> Iterator[Running]:
    """Start a command and kill it in the end if it still runs."""
    process = subprocess.Popen(
        [*program, *(str(arg) for arg in args)], env=environment(**(env or {})),
        stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, text=True, errors="replace", cwd=cwd,
    )  # fmt: skip
    try:
        yield Running(process, Lines(process.stdout or ()), Lines(process.stderr or ()))
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(PATIENCE)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


@contextmanager
def serving(
    *args: object,
    env: Mapping[str, str] | None = None,
    program: tuple[str, ...] = COMMAND,
    cwd: Path | None = None,
) -> Iterator[Running]:
    """Run ``serve`` on free ports, once it is ready."""
    with running(
        "serve", "--port", 0, "--control-port", 0, *args, env=env, program=program, cwd=cwd
    ) as server:
        server.ready = json.loads(server.out.wait_for('"ready"'))
        yield server


def get(url: str) -> Any:
    """GET a JSON document."""
    with urlopen(url, timeout=PATIENCE) as reply:
        return json.load(reply)


def post(url: str, body: bytes, **headers: str) -> tuple[int, bytes]:
    """POST a form and return status and body."""
    with urlopen(Request(url, body, headers, method="POST"), timeout=PATIENCE) as reply:
        return reply.status, reply.read()


def group(pattern: str, text: str) -> str:
    """What the first group of ``pattern`` matches in ``text``."""
    found = re.search(pattern, text)
    assert found is not None, f"{pattern} is not in {text!r}"
    return found[1]


def url_of(receiver: Running) -> str:
    """Where a ``listen`` listens."""
    return group(r"listening at (http://[0-9.:]+)", receiver.out.wait_for("listening at "))
