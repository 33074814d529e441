"""What is tested: the client, as commands of the user's own."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from voice_emulator.errors import UsageError
from voice_emulator.swarm.oracles import Failure
from voice_emulator.swarm.processes import LOOK, Process, split

#: Bytes of a reply of the user's own endpoints that are read.
REPLY_LIMIT = 16 * 1024 * 1024


class Stopped(Exception):
    """The run was ended from outside: Ctrl-C, or the budget."""


class SetupError(UsageError):
    """The set-up does not work, whatever the client does; the message says why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What one run offers the client: its tenant, its port, its folder.

    ``environment`` is what its commands are started with.
    """

    url: str
    control: str
    tenant: str
    numbers: tuple[str, ...]
    port: int
    directory: Path
    environment: Mapping[str, str]

    def fill(self, text: str) -> str:
        """``text`` with its placeholders filled in."""
        return text.replace("{port}", str(self.port)).replace("{dir}", str(self.directory))


class Subject(Protocol):
    """A client under test, as the runner drives it. Each step returns what failed in it."""

    @property
    def steps(self) -> bool:
        """Whether :meth:`stepped` does anything, so that time must pass in single steps."""
        ...

    def begin(self, stage: Stage) -> Iterable[Failure]:
        """Make the client ready for a run."""
        ...

    def drive(self, stage: Stage) -> Iterable[Failure]:
        """Let it do its work."""
        ...

    def stepped(self, stage: Stage, now: str) -> Iterable[Failure]:
        """Time has passed on the tenant's clock, up to ``now`` (RFC 3339)."""
        ...

    def check(self, stage: Stage) -> Iterable[Failure]:
        """Let it look for itself whether all is well, once nothing is wrong any more."""
        ...

    def end(self, stage: Stage) -> Iterable[Failure]:
        """End what belongs to this run."""
        ...


@dataclass(frozen=True, slots=True)
class Commands:
    """The user's commands and URLs, before placeholders are filled in; ``timeout`` is in real seconds, for each."""

    cmd: Sequence[str]
    app: str | None = None
    app_ready: str | None = None
    keep_app: bool = False
    reset: str | None = None
    anytime: str | None = None
    check: str | None = None
    timeout: float = 60.0
    client_clock: str | None = None


@dataclass
class CommandSubject:
    """Runs the user's commands. :meth:`close` ends what is kept between runs."""

    commands: Commands
    stopped: threading.Event = field(default_factory=threading.Event)
    _app: Process | None = None
    _used: bool = False

    @property
    def steps(self) -> bool:
        """Whether something runs after each step of time."""
        return self.commands.anytime is not None or self.commands.client_clock is not None

    def begin(self, stage: Stage) -> Iterable[Failure]:
        """Start the app, or reset the one that is kept."""
        commands = self.commands
        if self._used and commands.reset is not None:
            yield from self._reset(stage, commands.reset)
        self._used = True
        if commands.app is None or (self._app is not None and self._app.status is None):
            return
        self._end_app()
        self._app = self._start("--app", [stage.fill(word) for word in split(commands.app, "--app")], stage)
        if commands.app_ready is not None:
            yield from self._await_ready(stage.fill(commands.app_ready), self._app)

    def drive(self, stage: Stage) -> Iterable[Failure]:
        """Run CMD to its end."""
        return self._run("CMD", [stage.fill(word) for word in self.commands.cmd], stage)

    def stepped(self, stage: Stage, now: str) -> Iterable[Failure]:
        """Tell the client's clock, and run --anytime."""
        clock = self.commands.client_clock
        if clock is not None and clock.startswith("tick="):
            url = stage.fill(clock.removeprefix("tick="))
            status, why = fetch(url, json.dumps({"now": now}).encode(), self.commands.timeout)[:2]
            if not 200 <= status < 300:
                yield Failure("command", "tick", message=f"{url} {why or f'answered HTTP {status}'}")
        if self.commands.anytime is not None:
            yield from self._run_text("--anytime", self.commands.anytime, stage)

    def check(self, stage: Stage) -> Iterable[Failure]:
        """Run --check."""
        return () if self.commands.check is None else self._run_text("--check", self.commands.check, stage)

    def end(self, stage: Stage) -> Iterable[Failure]:
        """See that the app still runs, and end it unless it is kept."""
        app = self._app
        if app is None:
            return ()
        status = app.status
        if status is not None or not self.commands.keep_app:
            self._end_app()
        if status is None:
            return ()
        return [
            Failure("command", "--app", message=_ended(app, f"--app ended early with exit status {status}"))
        ]

    def close(self) -> None:
        """End the app that is kept."""
        self._end_app()

    def _end_app(self) -> None:
        if self._app is not None:
            self._app.end()
            self._app = None

    def _reset(self, stage: Stage, reset: str) -> Iterable[Failure]:
        if not reset.startswith(("http://", "https://")):
            failures = list(self._run_text("--reset", reset, stage))
            if failures:
                raise SetupError(failures[0].message)
            return ()
        url = stage.fill(reset)
        status, why = fetch(url, b"", self.commands.timeout)[:2]
        if not 200 <= status < 300:
            raise SetupError(f"--reset {url} {why or f'answered HTTP {status}'}")
        return ()

    def _run_text(self, name: str, command: str, stage: Stage) -> Iterable[Failure]:
        return self._run(name, [stage.fill(word) for word in split(command, name)], stage)

    def _run(self, name: str, words: Sequence[str], stage: Stage) -> Iterable[Failure]:
        process = self._start(name, words, stage)
        try:
            status = process.wait(self.commands.timeout, self.stopped)
        finally:
            process.end()
        if self.stopped.is_set():
            raise Stopped
        if status is None:
            why = f"{name} has not ended within {self.commands.timeout:g} s"
            return [Failure("command", f"{name} time-out", message=_ended(process, why))]
        if status:
            return [
                Failure("command", name, message=_ended(process, f"{name} ended with exit status {status}"))
            ]
        return ()

    @staticmethod
    def _start(name: str, words: Sequence[str], stage: Stage) -> Process:
        return Process(name, words, {**os.environ, **stage.environment})

    def _await_ready(self, url: str, app: Process) -> Iterable[Failure]:
        deadline = time.monotonic() + self.commands.timeout
        pause, why = LOOK, ""
        while app.status is None and time.monotonic() < deadline:
            status, why = fetch(url, None, self.commands.timeout)[:2]
            if 200 <= status < 300:
                return ()
            why = why or f"answered HTTP {status}"
            if self.stopped.wait(pause):
                raise Stopped
            pause = min(pause * 2, 0.2)
        if app.status is None:
            raise SetupError(f"--app is not ready: --app-ready {url} {why}")
        return ()  # end() reports that it ended early


def _ended(process: Process, what: str) -> str:
    output = process.output
    return f"{what}; its output ends with:\n{output}" if output else what


def fetch(url: str, body: bytes | None, seconds: float) -> tuple[int, str, bytes]:
    """Status, why there is none, and body of a GET, or of a POST where there is a body. Never follows a proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        request = urllib.request.Request(url, body, headers)  # noqa: S310 - the command line admits http and https
        with opener.open(request, timeout=seconds) as reply:
            return int(reply.status), "", reply.read(REPLY_LIMIT)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, "", error.read(REPLY_LIMIT)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return 0, f"does not answer: {error}", b""


def stage_environment(
    url: str,
    control: str,
    tenant: str,
    numbers: Sequence[str],
    port: int,
    directory: Path,
    credentials: Mapping[str, Any],
) -> dict[str, str]:
    """The variables of INTERFACE section 8, credentials included: ``VOICE_EMULATOR_<PROVIDER>_<KEY>``."""
    found = {
        "URL": url, "CONTROL": control, "TENANT": tenant, "NUMBERS": ",".join(numbers), "RECEIVER_PORT": str(port),
        "RUN_DIR": str(directory),
    }  # fmt: skip
    for provider, keys in credentials.items():
        found |= _flat(provider, keys)
    return {f"VOICE_EMULATOR_{name}": value for name, value in found.items()}


def _flat(prefix: str, value: Any) -> dict[str, str]:
    if isinstance(value, Mapping):
        return {
            name: text for key, each in value.items() for name, text in _flat(f"{prefix}_{key}", each).items()
        }
    return {prefix.upper(): str(value)} if isinstance(value, str | int) else {}


def read_calls(url: str, seconds: float) -> Mapping[str, Any]:
    """The calls of a probe. Raises UsageError when it does not answer as :option:`verify --probe` expects."""
    status, why, body = fetch(url, None, seconds)
    try:
        calls = json.loads(body)["calls"] if status == 200 else None
    except (ValueError, LookupError, TypeError):
        calls = None
    if not isinstance(calls, Mapping):
        expected = 'expected HTTP 200 and JSON like {"calls": {"<id>": {...}}}'
        raise UsageError(f"--probe {url} {why or f'answered HTTP {status}'}: {expected}")
    return calls
