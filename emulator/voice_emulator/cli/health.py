"""wait-ready and health: is an emulator ready? Only the standard library, so that they answer at once."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from urllib.parse import urlsplit

import click

from voice_emulator.cli.control import (
    ControlPort,
    any_certificate,
    control_options,
    default_control,
    trust_hint,
)
from voice_emulator.cli.options import span
from voice_emulator.cli.terminal import echo
from voice_emulator.client.address import request_headers
from voice_emulator.wire.http.agent import tells_traffic_port
from voice_emulator.wire.http.connection_errors import EMULATOR, connection_error

#: Real seconds between two looks, and the longest that one look may take.
PAUSE = 0.1
PATIENCE = 2.0


@click.command("wait-ready")
@control_options
@click.option(
    "--timeout", metavar="SECONDS", type=span, default=30.0, help="The longest wait.  [default: 30]"
)
def wait_ready(port: ControlPort, timeout: float) -> None:
    """Wait until an emulator is ready.

    Exits 0 as soon as both of its ports serve, 1 when the time is over.
    """
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        ready, answer = look_at(port, min(PATIENCE, max(left, PAUSE)))
        if ready:
            echo(answer)
            return
        if left <= PAUSE:
            raise click.ClickException(f"no emulator was ready within {timeout:g} s: {answer}")
        time.sleep(PAUSE)  # noqa: TID251 - there is no loop to block: this command does nothing but wait


@click.command("health")
@control_options
def health(port: ControlPort) -> None:
    """Tell whether an emulator is ready, without waiting.

    Exits 0 when it is and 1 when not: a container's HEALTHCHECK that needs no curl.
    """
    ready, answer = look_at(port, PATIENCE)
    if not ready:
        raise click.ClickException(answer)
    echo(answer)


def look_at(port: ControlPort, patience: float) -> tuple[bool, str]:
    """As :func:`look`; at the default URL, which is this machine's own port, by http and then by https.

    A health check in a container does not know how ``serve`` was told to speak TLS. Nothing secret is sent
    there, so any certificate is accepted.
    """
    ready, answer = look(port.url, patience, port.tls)
    if not ready and port.url == default_control():
        encrypted, other = look(port.url.replace("http:", "https:"), patience, port.tls or any_certificate())
        if encrypted:
            return encrypted, other
    return ready, answer


def look(control: str, patience: float, tls: ssl.SSLContext | None = None) -> tuple[bool, str]:
    """Ask for ``/health`` once, within ``patience`` seconds: whether it is ready, and a sentence about it."""
    parts = urlsplit(control)
    connection = (
        http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=patience, context=tls)
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=patience)
    )
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/health", headers=request_headers(None))
        reply = connection.getresponse()
        body = reply.read(65_536)
    except (OSError, http.client.HTTPException) as error:
        reason = connection_error(error, control, seconds=patience, hint=EMULATOR)
        return False, f"{control} does not answer: {reason}{trust_hint(error)}"
    finally:
        connection.close()
    if tells_traffic_port(body):
        return False, f"{control} is the traffic port of an emulator: --control needs its control port"
    if reply.status != 200:
        return False, f"{control}/health answered {reply.status}"
    try:
        state = json.loads(body)
        about = f"scenario {state['scenario']}, version {state['version']}"
        return state["status"] == "ok", f"ready at {control}: {about}"
    except (ValueError, KeyError, TypeError):
        return False, f"{control} is not a voice-emulator: its /health answered something else"
