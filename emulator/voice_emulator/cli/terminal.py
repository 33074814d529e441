"""What commands print. All of it goes through here: much of it was written by a client, a receiver or a file."""

from __future__ import annotations

import sys
from typing import NamedTuple

import click

from voice_emulator.core.words import visible


class Bold(NamedTuple):
    """Text in bold, where the terminal can."""

    text: str


def echo(*parts: str | Bold, err: bool = False, nl: bool = True) -> None:
    """Print ``parts``, one after the other, to standard output, or with ``err`` to standard error."""
    shown = [
        click.style(visible(part.text), bold=True) if isinstance(part, Bold) else visible(part)
        for part in parts
    ]
    click.echo("".join(shown), err=err, nl=nl)


def write(body: bytes) -> None:
    """Put a whole document (UTF-8) on standard output."""
    sys.stdout.buffer.write(visible(body.decode("utf-8", "backslashreplace")).encode())
    sys.stdout.flush()


def read() -> bytes:
    """All of standard input."""
    return sys.stdin.buffer.read()
