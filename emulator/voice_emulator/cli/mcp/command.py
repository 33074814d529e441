"""mcp: serve the tools on standard input and output, for an emulator that runs already or one of its own."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from voice_emulator.cli.control import ControlPort, trust, trusting
from voice_emulator.cli.options import address
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.cli.mcp.tools import Tools


@click.command("mcp")
@click.option(
    "--control",
    metavar="URL",
    type=address,
    envvar="VOICE_EMULATOR_CONTROL",
    help="Control port of a running emulator.  [default: an emulator of its own]",
)
@trusting
def mcp(control: str | None, control_token: str | None, ca: Path | None, insecure: bool) -> None:
    """Serve the emulator to a coding agent, by the Model Context Protocol on standard input and output.

    Without --control it starts an emulator of its own on free ports, which ends with it. It needs the extra mcp:
    pip install 'path/to/voice-emulator[mcp]'.
    """
    try:
        from voice_emulator.cli.mcp.tools import Tools
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "mcp":
            raise
        raise UsageError(
            "this command needs the package mcp: pip install 'path/to/voice-emulator[mcp]'"
        ) from error
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run
    from voice_emulator.embedded import embedded

    # Standard output belongs to the protocol.
    logs.set_up("text", logging.WARNING)
    with ExitStack() as stack:
        trusted = trust(ca, insecure) if control else None
        if control is None:
            own = embedded()
            own.start()
            stack.callback(own.stop)
            control = own.control_url
        with ControlPort(control, control_token, trusted).client() as client:
            run(_serve(Tools(client)))


async def _serve(tools: Tools) -> None:
    from voice_emulator.cli.receiver import Receiver, make_guesser, receiving

    async with receiving(Receiver(lambda push: None, make_guesser())) as url:
        tools.receiver = url
        await tools.server().run_stdio_async()
