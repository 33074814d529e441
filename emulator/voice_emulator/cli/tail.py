"""tail: the requests and pushes of a running emulator, as they happen."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import click

from voice_emulator.cli.control import ControlPort, control_options, explained
from voice_emulator.cli.terminal import echo

#: The events that are followed.
KINDS = ("request", "callback")


@click.command("tail")
@control_options
@click.option("--tenant", metavar="ID", default="default", show_default=True, help="Whom to follow.")
@click.option("--json", "as_json", is_flag=True, help="Print each request and push as a line of JSON.")
def tail(port: ControlPort, tenant: str, as_json: bool) -> None:
    """Follow a running emulator: a line for each request and each push.

    A line shows method, path, operation, the provider's code, the time it took, and why a request was refused. More
    than 100 lines in a second are summed up in one; --json prints all of them. Ctrl-C ends it.
    """
    from voice_emulator.cli.event_loop import run

    run(_follow(port, tenant, as_json=as_json))


async def _follow(port: ControlPort, tenant: str, *, as_json: bool) -> None:
    """Print until the emulator ends the stream, or a signal comes."""
    from voice_emulator.cli.event_loop import on_signals
    from voice_emulator.client import AsyncClient
    from voice_emulator.report.traffic_line import LineLimit, traffic_line

    reading = asyncio.current_task()
    stopped = asyncio.Event()

    def stop() -> None:
        stopped.set()
        if reading is not None:
            reading.cancel()

    on_signals(stop)
    limit = LineLimit(asyncio.get_running_loop(), echo)
    try:
        with explained(port):
            async with (
                AsyncClient(port.url, token=port.token, ssl_context=port.tls) as client,
                client.events(tenant, kinds=KINDS, brief=True) as events,
            ):
                echo(f"following tenant {tenant} at {port.url} (Ctrl-C ends)", err=True)
                async for event in events:
                    if as_json:
                        echo(json.dumps({"event": event.kind, **event.data}, ensure_ascii=False))
                    elif event.kind == "gap":
                        echo(
                            f"... {event.data['missed']:,} events missed: they came faster than they were read"
                        )
                    elif limit.admit(event.kind, _wrong(event.data)):
                        echo(traffic_line(event.data, tenant))
    except asyncio.CancelledError:
        if not stopped.is_set():
            raise
    else:
        echo("the stream has ended: the emulator stops, or the tenant was deleted", err=True)
    finally:
        limit.sum_up()


def _wrong(row: Mapping[str, Any]) -> bool:
    return bool(row["refused"]) if "request" in row else row["outcome"] != "delivered"
