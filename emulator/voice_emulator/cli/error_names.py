"""errors: the symbolic names a rule's ``reply.error`` may use, with what goes on the wire for them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import click

from voice_emulator.cli.terminal import echo

if TYPE_CHECKING:
    from voice_emulator.providers.provider import Provider

COLUMNS = ("provider", "name", "code", "text", "operations", "provenance")


@click.command("errors")
@click.argument("provider", required=False)
def errors(provider: str | None) -> None:
    """List the errors a rule may name in reply.error, of one PROVIDER or of all.

    Each with its wire code and text, the operations that answer with it, and whether the provider's pages
    document it (documented), imply it (inferred), or leave it to us (choice).
    """
    from voice_emulator.providers.registry import discover, provider_named

    providers = discover()
    chosen = [provider_named(providers, provider)] if provider else list(providers.values())
    rows = [row for each in chosen for row in rows_of(each)]
    if sys.stdout.isatty():
        _draw(rows)
    else:
        for line in aligned([COLUMNS, *rows]):
            echo(line)


def rows_of(provider: Provider) -> Iterable[tuple[str, ...]]:
    """One row an error, in the provider's own order; no operations means all of them."""
    for error in provider.errors:
        operations = " ".join(name for name in provider.operations if name in error.operations)
        yield (provider.id, error.name, error.code, error.text, operations or "all", error.provenance)


def aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    """The rows as lines whose columns begin below each other, two blanks apart."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _draw(rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    styles = ("dim", "bold", "cyan", "", "dim", "")
    for name, style in zip(COLUMNS, styles, strict=True):
        table.add_column(name, style=style, no_wrap=name in ("name", "code"))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)
