"""What is wrong with a file of the user's, and where."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class FileFinding:
    """One mistake in a scenario.

    ``line`` and ``column`` count from 1 and are 0 where there is no text to point at (a scenario that
    came as JSON); ``pointer`` is the JSON Pointer of the value, empty for the whole.
    """

    file: str
    line: int
    column: int
    message: str
    pointer: str = ""

    def __str__(self) -> str:
        """``file:line:column: message``, the form editors and CI logs make a link of."""
        if not self.line:
            return f"{self.file}:{self.pointer or '/'}: {self.message}"
        return f"{self.file}:{self.line}:{self.column}: {self.message}"
