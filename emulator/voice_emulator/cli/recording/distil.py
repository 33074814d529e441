"""distil: a recording becomes a scenario."""

from __future__ import annotations

from pathlib import Path

import click

from voice_emulator.cli.terminal import echo
from voice_emulator.core.words import counted
from voice_emulator.errors import UsageError


@click.command("distil")
@click.argument("recording", metavar="FILE.vrec", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o", "--out", metavar="SCENARIO.yaml", required=True, type=click.Path(path_type=Path, dir_okay=False),
    help="The scenario to write.",
)  # fmt: skip
@click.option(
    "--fit", is_flag=True, help="A mix of outcomes for each provider, instead of a rule for each call."
)
def distil(recording: Path, out: Path, *, fit: bool) -> None:
    """Make a scenario that shows a client the outcomes of a recording.

    What a scenario cannot say is listed on standard error, and in the comments of the file.
    """
    from voice_emulator.providers.registry import discover
    from voice_emulator.recording.bundle import read
    from voice_emulator.recording.distil import distil as make
    from voice_emulator.recording.exchanges import Reader

    found = read(recording)
    made = make(Reader(discover()), found.exchanges, recording.name, fit=fit)
    try:
        out.write_text(made.text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from error
    for what, count in sorted(made.lost.items()):
        echo(f"not expressed: {what} ({count:,} times)", err=True)
    echo(f"{out}: {counted(len(made.rules), 'rule')} from {counted(made.calls, 'call')}")
