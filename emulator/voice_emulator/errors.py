"""Exceptions, by cause. Each message says in one sentence what is wrong and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class FileFinding:
    """One mistake in a scenario, or a warning about it.

    ``line`` and ``column`` count from 1 and are 0 for a scenario that was sent as JSON; ``pointer`` is the JSON Pointer
    of the value, empty for the whole scenario.
    """

    file: str
    line: int
    column: int
    message: str
    pointer: str = ""
    warning: bool = False

    def __str__(self) -> str:
        """``file:line:column: message``, which editors and CI logs turn into a link."""
        message = f"warning: {self.message}" if self.warning else self.message
        if not self.line:
            return f"{self.file}:{self.pointer or '/'}: {message}"
        return f"{self.file}:{self.line}:{self.column}: {message}"


class EmulatorError(Exception):
    """Base of all exceptions that the emulator raises on purpose."""


class UsageError(EmulatorError):
    """The user made a mistake: a bad option, an unknown name, a port in use."""


class FileError(EmulatorError):
    """A file of the user is wrong; ``findings`` says where."""

    def __init__(self, message: str, findings: Sequence[FileFinding] = ()) -> None:
        """``findings`` are what ``voice-emulator check`` would print."""
        super().__init__(message)
        self.findings = tuple(findings)


class SchemaError(EmulatorError):
    """A schema of the emulator itself is invalid: the process must not start."""


class ContractBug(EmulatorError):
    """The emulator was about to send something that its own schema does not allow."""


class StateError(EmulatorError):
    """The state file or the store cannot be used, or cannot be written any more."""


class Unreachable(StateError):
    """The store that replicas share does not answer, or another replica owns the tenant now: try again later."""
