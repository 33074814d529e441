"""serve: run the emulator until a signal says stop."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from voice_emulator.cli.environment import misspelt
from voice_emulator.cli.options import (
    PORT,
    address,
    clock,
    report_file,
    rewrite,
    setting,
    span,
    store,
    variable,
    whole,
)
from voice_emulator.cli.serve.help import Grouped
from voice_emulator.core.clock import ClockSpec, started
from voice_emulator.errors import UsageError
from voice_emulator.settings import LOOPBACK, Options

log = logging.getLogger(__name__)

_FILE = click.Path(path_type=Path)


@click.command("serve", cls=Grouped)
@setting("--scenario", metavar="NAME|PATH", help="Shipped scenario, or a file.")
@setting(
    "--scenario-env",
    metavar="NAME",
    type=variable,
    help="Environment variable that scenarios sent over HTTP may use as ${NAME}.",
)
@setting(
    "--host",
    metavar="ADDRESS",
    default=(LOOPBACK,),
    help="Address that both ports bind; localhost and :: are IPv4 and IPv6.",
)
@setting("--port", metavar="PORT", type=PORT, help="Traffic port; 0 picks a free one.")
@setting("--control-port", metavar="PORT", type=PORT, help="Control port; 0 picks a free one.")
@setting("--callback-url", metavar="URL", type=address, help="Receiver of every provider's pushes.")
@setting("--seed", metavar="N", type=whole(), help="Seed of the tenant default.")
@setting("--clock", metavar="real|manual|60x", type=clock, help="Clock of the tenant default.")
@setting("--clock-start", metavar="RFC3339", help="First instant of a manual or scaled clock.")
@setting("--watch", is_flag=True, help="Reload the scenario file when it changes.")
@setting("--control-token", metavar="TOKEN", help="Bearer token for every control route but /health.")
@setting(
    "--allow-host", "allow_hosts", metavar="NAME", help="Another Host name that the control port accepts."
)
@setting("--strict", is_flag=True, help="Stop when a reply or receipt of the emulator breaks its own schema.")
@setting("--callback-timeout", metavar="SECONDS", type=span, help="How long a push waits for its reply.")
@setting("--calls-limit", metavar="N", type=whole(1), help="Ended calls kept per tenant.")
@setting("--journal-limit", metavar="N", type=whole(1), help="Journal entries kept per tenant.")
@setting("--tls-cert", metavar="FILE", type=_FILE, help="Certificate chain (PEM) of both ports.")
@setting("--tls-key", metavar="FILE", type=_FILE, help="Private key (PEM) of the certificate.")
@setting(
    "--tls-self-signed", is_flag=True, help="Make a certificate at each start; the log says where it is."
)
@setting(
    "--tls-fault",
    type=click.Choice(["expired", "wrong-host"]),
    help="What is wrong with the self-signed certificate of the traffic port.",
)
@setting(
    "--callback-ca",
    metavar="FILE",
    type=_FILE,
    help="Authorities (PEM) that pushes trust besides the system's.",
)
@setting(
    "--report-on-exit",
    metavar="FILE",
    type=report_file,
    help="Write the contract report of the tenant default when stopping: .json, .xml, .html or .md.",
)
@setting("--log-format", type=click.Choice(["text", "json"]), help="Format of the logs.")
@setting(
    "--access-log",
    is_flag=True,
    help="Log a line for each request and each push; done anyway when standard error is a terminal.",
)
@setting("--quiet", is_flag=True, help="Log no such lines.")
@setting(
    "--allow-callback-host",
    "allow_callback_hosts",
    metavar="PATTERN",
    help="A host beyond loopback and private networks that pushes may go to; * matches anything.",
)
@setting(
    "--rewrite-callback",
    "rewrites",
    metavar="FROM=TO",
    type=rewrite,
    help="Prefix of receiver URLs, and its replacement.",
)
@setting(
    "--auth",
    type=click.Choice(["strict", "lenient"]),
    default="strict",
    help="Whether unknown credentials are refused as the provider refuses them.",
)
@setting(
    "--state",
    metavar="FILE|URL",
    type=store,
    help="Keep tenants, calls, receipts still to push and tokens in this file, or share them with other replicas in "
    "Valkey: valkey://HOST:6379/0?prefix=ve.",
)
@setting(
    "--node-url",
    metavar="URL",
    type=address,
    help="Control port of this replica, as the others reach it; by default where it listens.",
)
@setting("--node-secret", metavar="SECRET", help="What replicas show each other; the same for all.")
@setting(
    "--lease",
    metavar="SECONDS",
    type=span,
    help="How long a replica owns its tenants after it last reached the store.",
)
def serve(**given: Any) -> None:
    """Run the emulator until SIGINT or SIGTERM.

    One line of JSON goes to standard output when both ports listen; logs go to standard error.
    Every option can also be set by environment: --control-port is VOICE_EMULATOR_CONTROL_PORT.
    """  # fmt: skip
    options = options_of(given)
    # What is loaded now is kept: collecting garbage in it takes a tenth of the start.
    gc.disable()
    from voice_emulator.app import Emulator
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run
    from voice_emulator.cli.output import never_wait
    from voice_emulator.cli.process import fill_closed_descriptors, give_memory_back, leave_memory_alone
    from voice_emulator.cli.serve.loop import serve_until_stopped
    from voice_emulator.wire.http.connection_limits import allow_more_files

    fill_closed_descriptors()
    never_wait()
    give_memory_back()
    logs.set_up(options.log_format)
    warn_of_misspelt_variables()
    allow_more_files()
    emulator = Emulator(options)
    if given["clock_start"] and options.clock is None:
        # The scenario decides about the clock, and is only loaded now.
        wanted = _started(emulator.runtime.start_scenario.clock or ClockSpec(), given["clock_start"])
        emulator = Emulator(replace(options, clock=wanted))
    failure = run(serve_until_stopped(emulator))
    leave_memory_alone()
    if emulator.lost_state is not None:
        raise click.ClickException(emulator.lost_state)
    if failure is not None:
        raise click.ClickException(f"stopped by --strict: {failure}")


def options_of(given: Mapping[str, Any]) -> Options:
    """What the command line and the environment say. Raises UsageError for what does not go together."""
    chosen = dict(given)
    start, lenient = chosen.pop("clock_start"), chosen.pop("auth") == "lenient"
    if start and chosen["clock"] is not None:
        chosen["clock"] = _started(chosen["clock"], start)
    if chosen["control_token"] is None:
        # click takes an empty variable for none at all, which would open the port.
        chosen["control_token"] = os.environ.get("VOICE_EMULATOR_CONTROL_TOKEN")
    if len(chosen["host"]) == 1:
        chosen["host"] = chosen["host"][0]
    return Options(**chosen, lenient=lenient)


def warn_of_misspelt_variables() -> None:
    """Log a warning for each environment variable that is misspelt, and so sets nothing."""
    from voice_emulator.providers.registry import discover

    variables = [str(option.envvar) for option in serve.params if option.envvar]
    for sentence in misspelt(os.environ, variables, discover()):
        log.warning("%s", sentence)


def _started(spec: ClockSpec, text: str) -> ClockSpec:
    """The clock beginning at the RFC 3339 time ``text``. Raises UsageError when it cannot."""
    if spec.mode == "real":
        raise UsageError(
            "a real clock has no start: --clock-start needs --clock manual or a speed such as 60x"
        )
    try:
        return started(spec, text)
    except ValueError as error:
        raise UsageError(f"--clock-start: {error}") from error
