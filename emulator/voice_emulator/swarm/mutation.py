"""Runs a test suite against providers that are each wrong in one way, and tells which of them it noticed."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from voice_emulator.client import Client
from voice_emulator.scenarios.mutants import Mutant
from voice_emulator.swarm.processes import Process
from voice_emulator.swarm.subject import SetupError, Stopped
from voice_emulator.wire.mutant import LOG, MUTANT, PROVIDER, read_notes

KILLED, SURVIVED, NOT_REACHED = "killed", "survived", "not_reached"
#: Limits of a run in real seconds: of the first; of the others so many times what the first took, but at least that.
FIRST, PATIENCE, LEAST = 3_600.0, 10, 60.0
#: The verdicts in the order in which they are listed.
VERDICTS = (SURVIVED, KILLED, NOT_REACHED)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One mutant and its verdict. ``seconds`` are real ones; ``output`` is the end of what the suite printed."""

    mutant: Mutant
    verdict: str
    seconds: float = 0.0
    output: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the suite: its exit status (None past its time), whether the mutant acted, requests by provider."""

    status: int | None
    acted: bool
    requests: frozenset[str]
    seconds: float
    output: str


class MutantSwitch(Protocol):
    """Puts a mutant in force in the emulators that a suite uses, and reads what they noted."""

    def begin(self, mutant: Mutant | None) -> Mapping[str, str]:
        """Put ``mutant`` in force; the variables that the suite is started with in addition."""
        ...

    def end(self) -> tuple[bool, frozenset[str]]:
        """Whether it acted, and which providers got requests."""
        ...


@dataclass
class EnvironmentSwitch:
    """Emulators that the suite itself starts: they read variables, and note in a file."""

    directory: Path

    @property
    def _log(self) -> Path:
        return self.directory / "notes"

    def begin(self, mutant: Mutant | None) -> Mapping[str, str]:
        """An empty file, and the variables."""
        self._log.write_bytes(b"")
        wanted = {MUTANT: mutant.name, PROVIDER: mutant.provider} if mutant is not None else {}
        return {LOG: str(self._log), **wanted}

    def end(self) -> tuple[bool, frozenset[str]]:
        """What is in the file."""
        notes = read_notes(self._log.read_text(encoding="utf-8"))
        acted = any("acted" in note for note in notes)
        return acted, frozenset(str(note["request"]) for note in notes if "request" in note)


@dataclass
class ControlSwitch:
    """An emulator that runs already."""

    client: Client

    def begin(self, mutant: Mutant | None) -> Mapping[str, str]:
        """Tell it; the suite needs to know nothing."""
        self.client.put_mutant(*((mutant.name, mutant.provider) if mutant is not None else (None, None)))
        return {}

    def end(self) -> tuple[bool, frozenset[str]]:
        """Ask it."""
        state = self.client.mutant()
        return state.acted > 0, frozenset(state.requests)


@dataclass
class Mutation:
    """Runs ``command`` once without a mutant, then once for each. ``timeout`` is in real seconds, for each run; None: for
    the first :data:`FIRST`, for the others :data:`PATIENCE` times what that took, at least :data:`LEAST`.

    ``switches``: of the emulators that the command starts, and of one that runs already.
    """

    command: Sequence[str]
    switches: Sequence[MutantSwitch]
    timeout: float | None = None
    stopped: threading.Event = field(default_factory=threading.Event)

    def run(
        self, mutants: Iterable[Mutant], done: Callable[[Verdict], None] = lambda verdict: None
    ) -> list[Verdict]:
        """The verdicts, in the order of ``mutants``; ``done`` gets each at once. Stopped from outside, those so far.

        Raises SetupError when the suite fails without a mutant, or sends no request.
        """
        before = self._run(None, self.timeout or FIRST)
        if before.status != 0:
            how = (
                f"has not ended within {self.timeout or FIRST:g} s"
                if before.status is None
                else f"ends with exit status {before.status}"
            )
            output = f"; its output ends with:\n{before.output}" if before.output else ""
            raise SetupError(f"without a mutant, the command already {how}{output}")
        if not before.requests:
            raise SetupError(
                "without a mutant, no request reached a provider of an emulator: mutate notices emulators that the command "
                "starts itself, and the one of --control"
            )
        verdicts: list[Verdict] = []
        try:
            for mutant in mutants:
                verdicts.append(self._judge(mutant, before))
                done(verdicts[-1])
        except Stopped:
            pass
        finally:
            for switch in self.switches:
                switch.begin(None)
        return verdicts

    def _judge(self, mutant: Mutant, before: Run) -> Verdict:
        if mutant.provider not in before.requests:
            return Verdict(mutant, NOT_REACHED)
        run = self._run(mutant, self.timeout or max(LEAST, PATIENCE * before.seconds))
        if not run.acted:
            return Verdict(mutant, NOT_REACHED, run.seconds)
        return Verdict(mutant, SURVIVED if run.status == 0 else KILLED, run.seconds, run.output)

    def _run(self, mutant: Mutant | None, timeout: float) -> Run:
        environment = dict(os.environ)
        for name in (MUTANT, PROVIDER, LOG):
            environment.pop(name, None)
        for switch in self.switches:
            environment |= switch.begin(mutant)
        began = time.monotonic()
        process = Process("the command", self.command, environment)
        try:
            status = process.wait(timeout, self.stopped)
        finally:
            process.end()
        if self.stopped.is_set():
            raise Stopped
        ends = [switch.end() for switch in self.switches]
        requests: frozenset[str] = frozenset().union(*(requests for _, requests in ends))
        acted = any(acted for acted, _ in ends)
        return Run(status, acted, requests, time.monotonic() - began, process.output)


def temporary_folder() -> tempfile.TemporaryDirectory[str]:
    """Where emulators below the command note what they did."""
    return tempfile.TemporaryDirectory(prefix="voice-emulator-mutate-")
