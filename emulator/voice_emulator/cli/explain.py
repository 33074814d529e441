"""explain: why one request or push went as it did."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from voice_emulator.cli.control import ControlPort, control_options
from voice_emulator.cli.options import whole
from voice_emulator.cli.terminal import echo


@click.command("explain")
@click.argument("entry_id", metavar="ENTRY_ID", type=whole(1))
@control_options
@click.option("--tenant", metavar="ID", default="default", show_default=True, help="Whose journal.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def explain(port: ControlPort, entry_id: int, tenant: str, as_json: bool) -> None:
    """Say which rule acted on the request or push of journal entry ENTRY_ID, and why.

    Also what came nearest, what was drawn, and the course of the call. The journal, the page and the
    header Emulator-Entry (sent to clients that send Emulator-Explain) tell the ids of entries.
    """
    from voice_emulator.report.explanation_text import explanation_text

    with port.client() as client:
        told: Mapping[str, Any] = client.explain(entry_id, tenant)
    echo(json.dumps(told, indent=2, ensure_ascii=False) if as_json else explanation_text(told))
