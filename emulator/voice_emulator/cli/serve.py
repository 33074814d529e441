"""serve: run the emulator until a signal says stop."""

from __future__ import annotations

import gc
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from voice_emulator.cli.options import PORT, address, clock, report_file, rewrite, setting, span, variable
from voice_emulator.core.clock import ClockSpec, parse_rfc3339
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options

_DEFAULT = Options()


@click.command("serve")
@setting(
    "--scenario",
    metavar="NAME|PATH",
    default=_DEFAULT.scenario,
    show_default=True,
    help="Shipped scenario, or a file.",
)
@setting(
    "--scenario-env",
    metavar="NAME",
    type=variable,
    multiple=True,
    help="Environment variable that scenarios sent over HTTP may use as ${NAME}.",
)
@setting(
    "--host", metavar="ADDRESS", default=_DEFAULT.host, show_default=True, help="Address both ports bind."
)
@setting(
    "--port",
    metavar="PORT",
    type=PORT,
    default=_DEFAULT.port,
    show_default=True,
    help="Traffic port; 0 picks a free one.",
)
@setting(
    "--control-port",
    metavar="PORT",
    type=PORT,
    default=_DEFAULT.control_port,
    show_default=True,
    help="Control port, likewise.",
)
@setting("--callback-url", metavar="URL", type=address, help="Receiver of every provider's pushes.")
@setting("--seed", metavar="N", type=int, help="Seed of the tenant default.")
@setting("--clock", metavar="real|manual|60x", type=clock, help="Clock of the tenant default.")
@setting("--clock-start", metavar="RFC3339", help="First instant of a clock that is not real.")
@setting("--watch", is_flag=True, help="Reload the scenario file when it changes.")
@setting("--control-token", metavar="TOKEN", help="Bearer token that every control route but /health wants.")
@setting("--allow-host", metavar="NAME", multiple=True, help="A further Host name for the control port.")
@setting("--strict", is_flag=True, help="Stop when a reply or receipt of ours breaks its own schema.")
@setting(
    "--callback-timeout",
    metavar="SECONDS",
    type=span,
    default=_DEFAULT.callback_timeout,
    show_default=True,
    help="How long a push waits for its answer.",
)
@setting(
    "--calls-limit",
    metavar="N",
    type=click.IntRange(1),
    default=_DEFAULT.calls_limit,
    show_default=True,
    help="Ended calls kept per tenant.",
)
@setting(
    "--journal-limit",
    metavar="N",
    type=click.IntRange(1),
    default=_DEFAULT.journal_limit,
    show_default=True,
    help="Journal entries kept per tenant.",
)
@setting(
    "--tls-cert",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Certificate (PEM) of both ports, with what chains it up.",
)
@setting("--tls-key", metavar="FILE", type=click.Path(path_type=Path), help="Its private key (PEM).")
@setting(
    "--tls-self-signed", is_flag=True, help="Make a certificate at every start; the log says whom to trust."
)
@setting(
    "--tls-fault",
    type=click.Choice(["expired", "wrong-host"]),
    help="What is wrong with the self-signed certificate of the traffic port.",
)
@setting(
    "--callback-ca",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Authorities (PEM) that pushes trust besides the system's.",
)
@setting(
    "--report-on-exit",
    metavar="FILE",
    type=report_file,
    help="Write the contract report of the tenant default when stopping: .json, .xml, .html or .md.",
)
@setting(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default=_DEFAULT.log_format,
    show_default=True,
    help="Of the logs.",
)
@setting(
    "--allow-callback-host",
    metavar="PATTERN",
    multiple=True,
    help="A host beyond loopback and private networks that pushes may go to; * stands for anything.",
)
@setting(
    "--rewrite-callback",
    metavar="FROM=TO",
    type=rewrite,
    multiple=True,
    help="Beginning of a receiver's URL and what to put in its place.",
)
@setting(
    "--auth",
    type=click.Choice(["strict", "lenient"]),
    default="strict",
    show_default=True,
    help="Whether unknown credentials are refused as the provider refuses them.",
)
@setting(
    "--state",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Keep tenants, calls, receipts still to push and tokens in this file.",
)
def serve(**given: Any) -> None:
    """Run the emulator until SIGINT or SIGTERM.

    One line of JSON goes to standard output when both ports listen; logs go to standard error.
    Every option can also be set by environment: --control-port is VOICE_EMULATOR_CONTROL_PORT.
    """  # fmt: skip
    options = options_of(given)
    # What is loaded and built now stays: looking through it again and again is a tenth of the start.
    gc.disable()
    from voice_emulator.app import Emulator
    from voice_emulator.cli import logs
    from voice_emulator.cli.event_loop import run
    from voice_emulator.cli.output import never_wait
    from voice_emulator.cli.process import fill_closed_descriptors, give_memory_back, leave_memory_alone
    from voice_emulator.cli.serve_loop import serve_until_stopped
    from voice_emulator.wire.http.connection_limits import allow_more_files

    fill_closed_descriptors()
    never_wait()
    give_memory_back()
    logs.set_up(options.log_format)
    allow_more_files()
    emulator = Emulator(options)
    if given["clock_start"] and options.clock is None:
        # The scenario has the say about the clock, and only now is it known what it says.
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
    wanted: ClockSpec | None = given["clock"]
    if wanted is not None and given["clock_start"]:
        wanted = _started(wanted, given["clock_start"])
    return Options(
        scenario=given["scenario"],
        scenario_env=tuple(given["scenario_env"]),
        host=given["host"],
        port=given["port"],
        control_port=given["control_port"],
        callback_url=given["callback_url"],
        seed=given["seed"],
        clock=wanted,
        watch=given["watch"],
        control_token=_control_token(given["control_token"]),
        allow_hosts=tuple(given["allow_host"]),
        strict=given["strict"],
        callback_timeout=given["callback_timeout"],
        calls_limit=given["calls_limit"],
        journal_limit=given["journal_limit"],
        tls_cert=given["tls_cert"],
        tls_key=given["tls_key"],
        tls_self_signed=given["tls_self_signed"],
        tls_fault=given["tls_fault"],
        callback_ca=given["callback_ca"],
        log_format=given["log_format"],
        report_on_exit=given["report_on_exit"],
        allow_callback_hosts=tuple(given["allow_callback_host"]),
        rewrites=tuple(given["rewrite_callback"]),
        lenient=given["auth"] == "lenient",
        state=given["state"],
    )


def _control_token(given: str | None) -> str | None:
    """The token as it was given. click takes an empty variable for none at all, which would open the port."""
    return given if given is not None else os.environ.get("VOICE_EMULATOR_CONTROL_TOKEN")


def _started(spec: ClockSpec, text: str) -> ClockSpec:
    """The clock beginning at the RFC 3339 time ``text``. Raises UsageError when it cannot."""
    try:
        start = parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"--clock-start must be like 2026-01-05T09:00:00+08:00, offset included, not {text!r}"
        ) from error
    if spec.mode == "real":
        raise UsageError(
            "a real clock shows the wall's time: --clock-start needs --clock manual or a speed like 60x"
        )
    return replace(spec, start=start)
