"""listen: a receiver that prints each push it gets."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, suppress

import click

from voice_emulator.cli.event_loop import on_signals, run
from voice_emulator.cli.options import PORT, whole
from voice_emulator.cli.output import Outlet, never_wait
from voice_emulator.cli.receiver import Arrival, Receiver, make_guesser, receiving
from voice_emulator.cli.terminal import Bold, echo
from voice_emulator.errors import UsageError


@click.command("listen")
@click.option(
    "--port", metavar="PORT", type=PORT, default=0, help="Port to listen on.  [default: a free one]"
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
def listen(port: int, host: str, reply: str | None, status: int | None) -> None:
    """Run a receiver that prints each push it gets.

    Whose push it is shows in its fields; it is answered as that provider expects, so that it counts as
    acknowledged, unless --reply or --status say otherwise.
    """
    run(_listen(host, port, status, reply))


async def _listen(host: str, port: int, status: int | None, reply: str | None) -> None:
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
        echo(f"listening at {url} (serve --callback-url {url} pushes here; Ctrl-C ends)")
        await over.wait()
    if unread:
        raise unread[0]


def _show(push: Arrival) -> None:
    """Print one push: a line that says what it is and what it was answered, then its fields as JSON."""
    who = f"{push.provider} {push.kind}" if push.provider else "of no provider I know"
    answer = f"{push.status} {push.reply}".rstrip()
    path, query, _ = push.target.partition("?")
    target = f"{path}?..." if query else path  # its fields follow
    echo(f"\n{push.method} {target}  ", Bold(who), f"  answered {answer}")
    echo(json.dumps(push.fields, indent=2, ensure_ascii=False))
