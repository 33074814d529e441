"""Exceptions, by who is at fault. Each says in one sentence what is wrong and where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator.loading.findings import FileFinding


class EmulatorError(Exception):
    """Base of everything the emulator raises on purpose."""


class UsageError(EmulatorError):
    """The user asked for something impossible: a bad option, an unknown name, a taken port."""


class FileError(EmulatorError):
    """A file of the user is wrong; ``findings`` says where."""

    def __init__(self, message: str, findings: Sequence[FileFinding] = ()) -> None:
        """``findings`` are what ``voice-emulator check`` would print."""
        super().__init__(message)
        self.findings = tuple(findings)


class SchemaError(EmulatorError):
    """A schema of the emulator itself is broken: the process must not start."""


class ContractBug(EmulatorError):
    """The emulator was about to send something that its own schema forbids."""


class StateError(EmulatorError):
    """The state file cannot be used, or cannot be written any more."""
