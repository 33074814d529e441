"""report: the contract report of a running emulator, in as many formats as are asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from voice_emulator.cli.health import control_option, trust, trust_options
from voice_emulator.cli.terminal import echo, write
from voice_emulator.errors import UsageError

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)


@click.command("report")
@control_option
@trust_options
@click.option(
    "--control-token",
    metavar="TOKEN",
    envvar="VOICE_EMULATOR_CONTROL_TOKEN",
    help="As for serve.",
    default=None,
)
@click.option("--tenant", metavar="ID", default="default", show_default=True, help="Whose report.")
@click.option(
    "--json", "json_file", metavar="FILE", type=_FILE, help="Write it as JSON; - is standard output."
)
@click.option("--junit", "junit_file", metavar="FILE", type=_FILE, help="As JUnit XML, one case per rule.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="As one self-contained HTML page.")
@click.option(
    "--markdown", "markdown_file", metavar="FILE", type=_FILE, help="As Markdown, for a CI summary."
)
@click.option("--errors-only", is_flag=True, help="Exit 1 for errors, not for mere warnings.")
def report(
    control: str,
    ca: Path | None,
    insecure: bool,
    control_token: str | None,
    tenant: str,
    errors_only: bool,
    **files: Path | None,
) -> None:
    """Tell where the client under test broke the contract.

    Prints a summary, and writes the report to files. Exits 1 if it holds violations (with --errors-only:
    errors among them), 0 if not.
    """
    from voice_emulator.client import Client

    with Client(control, token=control_token, ssl_context=trust(ca, insecure)) as client:
        document = client.report(tenant)
    write_files(document, files)
    if not any(str(path) == "-" for path in files.values()):
        print_summary(document)
    summary = document["summary"]
    if summary["errors"] or (summary["warnings"] and not errors_only):
        sys.exit(1)


def write_files(document: Mapping[str, Any], files: Mapping[str, Path | None]) -> None:
    """Write each wanted format; ``files`` is keyed ``json_file`` and so on. Raises UsageError for a bad path."""
    from voice_emulator.report import render_document

    for name, path in files.items():
        if path is None:
            continue
        body = render_document(document, name.removesuffix("_file"))[1]
        save(path, body)


def save(path: Path, body: bytes) -> None:
    """Write ``body`` to a file, or to standard output for ``-``. Raises UsageError when that cannot be."""
    if str(path) == "-":
        write(body)
        return
    try:
        path.write_bytes(body)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def print_summary(document: Mapping[str, Any]) -> None:
    """The verdict, what was found per rule, and where the numbers are."""
    from voice_emulator.report.wording import fate_words, verdict_line

    summary, accounts = document["summary"], document["conservation"]
    echo(verdict_line(summary))
    for each in sorted(document["counts"], key=lambda each: (each["severity"], -each["count"])):
        echo(
            f"  {each['severity']:<8} {each['count']:>6}  {each['rule']} ({each['provider'] or 'no provider'})"
        )
    fates = ", ".join(f"{accounts[fate]:,} {fate}" for fate in fate_words() if accounts[fate])
    echo(f"{accounts['accepted']:,} numbers accepted: {fates}" if fates else "No number was accepted.")
