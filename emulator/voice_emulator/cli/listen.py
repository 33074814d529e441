"""listen: a receiver that prints each push it gets."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace

import click

from voice_emulator.cli.control import ControlPort, control_options
from voice_emulator.cli.event_loop import on_signals, run
from voice_emulator.cli.options import PORT, address, whole
from voice_emulator.cli.output import Outlet, never_wait
from voice_emulator.cli.receiver import Arrival, Receiver, make_guesser, receiving
from voice_emulator.cli.terminal import Bold, echo
from voice_emulator.core.tenants import DEFAULT_TENANT
from voice_emulator.errors import UsageError
from voice_emulator.providers.registry import discover, receiver_keys


@click.command("listen")
@click.option(
    "--port",
    "own_port",
    metavar="PORT",
    type=PORT,
    default=0,
    help="Port to listen on.  [default: a free one]",
)
@click.option(
    "--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Address to listen on."
)
@click.option("--reply", metavar="TEXT", help="Body of every answer.  [default: what the provider expects]")
@click.option(
    "--status",
    metavar="N",
    type=whole(200, 599),
    help="HTTP status of every answer.  [default: 200]",
)
@click.option(
    "--register",
    metavar="[CONTROL]",
    is_flag=False,
    flag_value="",
    callback=lambda context, parameter, value: address(value) if value else value,
    help="Become the receiver of the emulator with this control port.  [default: that of --control]",
)
@control_options
def listen(
    port: ControlPort,
    own_port: int,
    host: str,
    reply: str | None,
    status: int | None,
    register: str | None,
) -> None:
    """Run a receiver that prints each push it gets.

    Whose push it is shows in its fields; it is answered as that provider expects, so that it counts as
    acknowledged, unless --reply or --status say otherwise. --register makes it the receiver of the tenant `default` of a
    running emulator, for all providers; the other options about a control port are for this one.
    """
    emulator = None if register is None else replace(port, url=register or port.url)
    run(_listen(host, own_port, status, reply, emulator))


async def _listen(
    host: str, port: int, status: int | None, reply: str | None, emulator: ControlPort | None
) -> None:
    """Receive until a signal. Raises OSError once standard output can no longer be written."""
    never_wait()
    over = asyncio.Event()
    unread: list[OSError] = []
    loop = asyncio.get_running_loop()

    def failed(error: OSError) -> None:
        unread.append(error)
        with suppress(RuntimeError):  # it is over already
            loop.call_soon_threadsafe(over.set)

    if isinstance(sys.stdout, Outlet):
        sys.stdout.on_failure = failed
    on_signals(over.set)
    async with AsyncExitStack() as stack:
        try:
            receiver = receiving(Receiver(_show, make_guesser(), status, reply), host, port)
            url = await stack.enter_async_context(receiver)
        except UsageError as error:
            raise click.ClickException(str(error)) from error
        if emulator is None:
            echo(f"listening at {url} (serve --callback-url {url} pushes here; Ctrl-C ends)")
        else:
            await asyncio.to_thread(_register, emulator, url)
            echo(f"listening at {url}, the receiver of {emulator.url} (Ctrl-C ends)")
        await over.wait()
    if unread:
        raise unread[0]


def _register(emulator: ControlPort, url: str) -> None:
    """Make ``url`` the receiver of the tenant ``default``, for all receipts of the providers that the emulator has."""
    with emulator.client() as client:
        providers = client.tenant(DEFAULT_TENANT).credentials
        known = {name: provider for name, provider in discover().items() if name in providers}
        client.change_tenant(DEFAULT_TENANT, callback_urls=dict.fromkeys(receiver_keys(known), url))


def _show(push: Arrival) -> None:
    """Print one push: a line that says what it is and what it was answered, then its fields as JSON."""
    who = f"{push.provider} {push.kind}" if push.provider else "of no provider I know"
    answer = f"{push.status} {push.reply}".rstrip()
    path, query, _ = push.target.partition("?")
    target = f"{path}?..." if query else path  # its fields follow
    echo(f"\n{push.method} {target}  ", Bold(who), f"  answered {answer}")
    echo(json.dumps(push.receipts if len(push.receipts) > 1 else push.fields, indent=2, ensure_ascii=False))
