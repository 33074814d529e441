"""reconcile: the client's bill against the emulator's ledger."""

from __future__ import annotations

import re
import sys
from collections import Counter
from decimal import Decimal
from typing import TYPE_CHECKING

import click

from voice_emulator.cli.control import ControlPort, control_options
from voice_emulator.cli.terminal import echo

if TYPE_CHECKING:
    from voice_emulator.swarm.reconciliation import Difference, Reconciliation

#: Differences that are printed one by one; the others are counted.
SHOWN = 100


def amount(value: str | Decimal) -> Decimal:
    """An amount of money that is not negative."""
    text = str(value).strip()
    if not re.fullmatch(r"[0-9]{1,15}([.][0-9]{1,15})?", text):
        raise click.BadParameter(f"must be an amount such as 0.001, not {text[:40]!r}")
    return Decimal(text)


@click.command("reconcile")
@control_options
@click.option(
    "--ledger",
    metavar="FILE|URL",
    required=True,
    help="The bill: CSV, JSON lines or JSON; - is standard input.",
)
@click.option("--tenant", metavar="ID", default="default", show_default=True, help="Whose calls.")
@click.option(
    "--map",
    "map_file",
    metavar="FILE",
    help="YAML that names the columns: {number, id, charge, seconds, at, currency}.",
)
@click.option(
    "--tolerance",
    metavar="AMOUNT",
    type=amount,
    default="0",
    show_default=True,
    help="What a charge may be off by.",
)
def reconcile(port: ControlPort, ledger: str, tenant: str, map_file: str | None, tolerance: Decimal) -> None:
    """Compare your bill with the calls that the emulator placed, one by one.

    Prints each difference and its cause: missing, extra and doubled rows, wrong amounts, days and currencies. Exits 1 if
    there is one, and 2 if the bill cannot be read.
    """
    from voice_emulator.client.pages import PAGE_LIMIT
    from voice_emulator.swarm.bill_map import read_map
    from voice_emulator.swarm.bill_source import read_source, shown_source
    from voice_emulator.swarm.reconciliation import reconcile_text

    chosen = read_map(read_source(map_file, "the map"), map_file) if map_file is not None else None
    body, label = read_source(ledger), shown_source(ledger)
    with port.client() as client:
        calls = client.every(client.calls(tenant, limit=PAGE_LIMIT))
    found = reconcile_text(body, label, calls, chosen=chosen, tolerance=tolerance)
    show(found, label, tenant)
    if found.differences:
        sys.exit(1)


def show(found: Reconciliation, label: str, tenant: str) -> None:
    """Print what was compared, each difference as a row of a table, and how many there are of each cause."""
    from voice_emulator.core.words import counted

    echo(f"{label}: {counted(found.rows, 'row')}; tenant {tenant}: {counted(found.calls, 'ended call')}")
    for note in found.notes:
        echo(f"  {note}")
    if not found.differences:
        echo("no differences")
        return
    echo("")
    _table([_cells(each) for each in found.differences[:SHOWN]])
    if len(found.differences) > SHOWN:
        echo(f"... and {len(found.differences) - SHOWN:,} more")
    echo("")
    groups = Counter((each.kind, each.cause) for each in found.differences)
    for (kind, cause), count in groups.most_common():
        echo(f"{count:>7,}  {kind}{': ' if cause and cause != kind else ''}{cause if cause != kind else ''}")
    echo(counted(len(found.differences), "difference"))


def _cells(each: Difference) -> tuple[str, ...]:
    from voice_emulator.core.billing import money

    row, call = each.row, each.call
    place = row.place.rpartition("/")[2] if row is not None else "(no row)"
    number = call.number if call is not None else row.number or row.id if row is not None else ""
    billed = money(each.billed) if each.billed is not None else "-"
    expected = money(each.expected) if each.expected is not None else "-"
    text = f"{each.cause}: {each.text}" if each.cause and each.cause != each.kind else each.text
    return place, number, each.kind, billed, expected, text


def _table(rows: list[tuple[str, ...]]) -> None:
    from voice_emulator.core.words import one_line

    table = [("ROW", "NUMBER", "DIFFERENCE", "BILL", "LEDGER", "CAUSE"), *rows]
    table = [tuple(one_line(cell) for cell in row) for row in table]
    widths = [min(60, max(len(row[index]) for row in table)) for index in range(5)]
    for row in table:
        echo(
            "  ".join(
                (*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5])
            ).rstrip()
        )
