"""drift: where the real provider and the emulator differ."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from voice_emulator.cli.event_loop import run
from voice_emulator.cli.terminal import echo
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.recording.drift import Drift

F = TypeVar("F", bound=Callable[..., Any])
_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


def _files(command: F) -> F:
    for kind, what in (("markdown", "As Markdown, for a CI summary."), ("junit", "As JUnit XML."),
                       ("json", "Write the result as JSON; - is standard output.")):  # fmt: skip
        command = click.option(f"--{kind}", f"{kind}_file", metavar="FILE", type=_FILE, help=what)(command)
    return command


@click.command("drift")
@click.argument("recording", metavar="FILE.vrec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--accept", metavar="FILE.lock", type=click.Path(path_type=Path, dir_okay=False),
    help="Differences that are known: a YAML list of {provider, operation, field, kind, reason, until}.",
)  # fmt: skip
@click.option(
    "--confirm", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False),
    help="Write which assumptions of the schemas the recording confirms or contradicts.",
)  # fmt: skip
@_files
def drift(recording: Path, accept: Path | None, confirm: Path | None, **files: Path | None) -> None:
    """Compare a recording of the real provider with the emulator, field by field.

    The recorded requests are sent to an emulator in this process; nothing leaves the machine. Exits 1 on a difference that
    the lock does not accept, and for a recording without exchanges.
    """
    from voice_emulator.cli import logs
    from voice_emulator.providers.registry import discover
    from voice_emulator.recording import drift as compared
    from voice_emulator.recording.bundle import read
    from voice_emulator.recording.exchanges import Reader
    from voice_emulator.recording.lock import read_lock, split
    from voice_emulator.recording.results import confirmations, document_of, render, sentence
    from voice_emulator.wire.machine_time import wall_now

    found, lock = read(recording), read_lock(accept) if accept is not None else []
    logs.set_up("text", 40)  # not what the recorded requests do wrong
    result: Drift = run(compared.drift(Reader(discover()), found.exchanges))
    today: date = datetime.fromtimestamp(wall_now() / 1e6, UTC).date()
    document = document_of(result, *split(result.findings, lock, today))
    printed = any(str(path) == "-" for path in files.values())
    for name, path in files.items():
        if path is not None:
            _write(path, render(document, name.removesuffix("_file")))
    if confirm is not None:
        _write(confirm, confirmations(document).encode())
    echo(sentence(document) if printed else render(document, "text").decode().rstrip("\n"), err=printed)
    if document["findings"] or not document["exchanges"]:
        sys.exit(1)


def _write(path: Path, body: bytes) -> None:
    if str(path) == "-":
        echo(body.decode())
        return
    try:
        path.write_bytes(body)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
