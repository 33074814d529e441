"""report: the contract report of a running emulator, in any of its formats."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voice_emulator.cli.control import ControlPort, control_options
from voice_emulator.cli.terminal import echo, write
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.client import Client

_FILE = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
#: The value of --tenant that stands for every tenant.
ALL = "all"
#: Where GitHub Actions takes the Markdown of the job summary.
SUMMARY = "GITHUB_STEP_SUMMARY"


@click.command("report")
@control_options
@click.option(
    "--tenant",
    metavar="ID",
    default="default",
    show_default=True,
    help="Whose report; all for all tenants together.",
)
@click.option(
    "--json", "json_file", metavar="FILE", type=_FILE, help="Write it as JSON; - is standard output."
)
@click.option("--junit", "junit_file", metavar="FILE", type=_FILE, help="As JUnit XML, one case per rule.")
@click.option("--html", "html_file", metavar="FILE", type=_FILE, help="As one self-contained HTML page.")
@click.option(
    "--markdown", "markdown_file", metavar="FILE", type=_FILE, help="As Markdown, for a CI summary."
)
@click.option(
    "--annotations",
    is_flag=True,
    help="Print findings as GitHub workflow commands, and append the Markdown to the job summary.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "never"]),
    default="error",
    show_default=True,
    help="Exit 1 for findings of this severity or above.",
)
@click.option("--allow-empty", is_flag=True, help="Do not fail when no request was judged.")
def report(
    port: ControlPort,
    tenant: str,
    annotations: bool,
    fail_on: str,
    allow_empty: bool,
    **files: Path | None,
) -> None:
    """Report where the client under test broke the contract.

    Prints a summary, and writes the report to files. Exits 1 if it holds an error (see --fail-on), and also if no
    request was judged (see --allow-empty).
    """
    from voice_emulator.report.wording import fails

    with port.client() as client:
        document = client.report(tenant) if tenant != ALL else _of_all(client)
    quiet = any(str(path) == "-" for path in files.values())
    _write_files(document, files, fail_on, allow_empty)
    if not quiet:
        from voice_emulator.report.text import contract_text

        for line in contract_text(document):
            echo(line)
    if annotations:
        _annotate(document, allow_empty, quiet)
    if fails(document["summary"], fail_on, allow_empty=allow_empty):
        sys.exit(1)


def _of_all(client: Client) -> dict[str, Any]:
    """The reports of all tenants as one; a tenant that is deleted meanwhile is left out."""
    from voice_emulator.client.errors import NotFound
    from voice_emulator.report.merge import merged

    documents = []
    for tenant in client.every(client.tenants()):
        try:
            documents.append(client.report(tenant.id))
        except NotFound:
            continue
    return merged(documents)


def _write_files(
    document: Mapping[str, Any], files: Mapping[str, Path | None], fail_on: str, allow_empty: bool
) -> None:
    """Write each wanted format; ``files`` is keyed ``json_file`` and so on. Raises UsageError for a bad path."""
    from voice_emulator.report import render_document

    for name, path in files.items():
        if path is not None:
            kind = name.removesuffix("_file")
            save(path, render_document(document, kind, fail_on, allow_empty=allow_empty)[1])


def _annotate(document: Mapping[str, Any], allow_empty: bool, quiet: bool) -> None:
    """Print workflow commands, on standard error when standard output is a report; append to the job summary."""
    from voice_emulator.report import render_document
    from voice_emulator.report.text import workflow_commands

    for command in workflow_commands(document, allow_empty=allow_empty):
        echo(command, err=quiet)
    summary = os.environ.get(SUMMARY)
    if summary:
        _save(Path(summary), render_document(document, "markdown")[1], "ab")


def save(path: Path, body: bytes) -> None:
    """Write ``body`` to a file, or to standard output for ``-``. Raises UsageError for a path that cannot be written."""
    if str(path) == "-":
        write(body)
    else:
        _save(path, body, "wb")


def _save(path: Path, body: bytes, mode: str) -> None:
    try:
        with path.open(mode) as file:
            file.write(body)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error
