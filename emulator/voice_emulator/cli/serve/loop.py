"""The run of ``serve``: the ready line, serving, stopping, the report on exit."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from pathlib import Path

import click

from voice_emulator.app import Emulator
from voice_emulator.cli.event_loop import on_signals
from voice_emulator.cli.output import Outlet
from voice_emulator.cli.process import calm_the_collector
from voice_emulator.cli.serve.ca_file import publish_authority
from voice_emulator.cli.serve.freed_memory import return_freed_memory
from voice_emulator.wire.http.sockets import CannotListen

log = logging.getLogger(__name__)

#: Real seconds within which a second signal is the first once more: under load, uvloop may report one signal twice.
SAME_SIGNAL = 0.1


async def serve_until_stopped(emulator: Emulator) -> str | None:
    """Serve until a signal; what broke our own contract under ``--strict``, or None.

    A second signal ends the wait for what is still in flight. Raises ClickException when a port is not available.
    """
    closing: asyncio.Task[None] | None = None
    first = 0.0

    def on_signal() -> None:
        nonlocal first
        if closing is None:
            first = time.monotonic()
            emulator.stop()
        elif time.monotonic() - first > SAME_SIGNAL:
            closing.cancel()

    on_signals(on_signal)
    options = emulator.options
    if not options.quiet and (options.access_log or (sys.stderr is not None and sys.stderr.isatty())):
        from voice_emulator.cli.serve.access_log import AccessLog

        emulator.listen(AccessLog(emulator.runtime.providers))
    try:
        await emulator.start()
    except CannotListen as error:
        # Nothing is wrong with how we were called: exit status 1.
        hint = "; --port 0 and --control-port 0 pick free ports" if error.taken else ""
        raise click.ClickException(f"{error}{hint}") from error
    helpers = [asyncio.create_task(return_freed_memory()), asyncio.create_task(warn_of_receivers(emulator))]
    if emulator.options.watch:
        helpers.append(_watch(emulator))
    calm_the_collector()
    publish_authority(emulator.runtime)
    _announce(emulator)
    await emulator.until_stopped()
    log.info("stopping")
    for helper in helpers:
        helper.cancel()
    closing = asyncio.create_task(emulator.close())
    await asyncio.wait([closing])
    if emulator.options.report_on_exit is not None:
        _write_report(emulator, emulator.options.report_on_exit)
    return emulator.failure


async def warn_of_receivers(emulator: Emulator) -> None:
    """Log which receivers no push may go to: each push would be blocked."""
    tenant = emulator.runtime.tenancy.default
    for url in dict.fromkeys(tenant.callback_urls.values()):
        refusal = await emulator.runtime.delivery.refusal(url)
        if refusal is not None:
            log.warning("pushes to %s will be blocked: %s", tenant.secrets.url(url), refusal)


def _write_report(emulator: Emulator, path: Path) -> None:
    """Write the contract report. If it cannot be written, that is logged and stops nothing."""
    from voice_emulator.report import write

    try:
        write(emulator.runtime, path)
    except OSError as error:
        log.error("cannot write the report to %s: %s", path, error.strerror or error)
    else:
        log.info("wrote the report to %s", path)


def _watch(emulator: Emulator) -> asyncio.Task[None]:
    from voice_emulator.cli.serve.reload import watch

    return asyncio.create_task(watch(emulator))


def _announce(emulator: Emulator) -> None:
    """Print the ready line: the only thing that ever goes to standard output here."""
    runtime = emulator.runtime
    scenario = runtime.start_scenario.name
    log.info("traffic at %s, control at %s, scenario %s", runtime.traffic, runtime.control, scenario)
    line = {
        "ready": True,
        "traffic": runtime.traffic,
        "control": runtime.control,
        "scenario": scenario,
        "version": runtime.version,
    }
    if isinstance(sys.stdout, Outlet):
        sys.stdout.on_failure = lambda error: log.warning(
            "standard output cannot be written (%s); still serving", error.strerror or error
        )
    if sys.stdout is not None:  # None: started with it closed
        print(json.dumps(line), flush=True)
