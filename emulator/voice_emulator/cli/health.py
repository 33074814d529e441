"""wait-ready and health: is an emulator ready? Only the standard library, so that they answer at once."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from voice_emulator.cli.environment import given
from voice_emulator.cli.options import address, span
from voice_emulator.cli.terminal import echo
from voice_emulator.errors import UsageError
from voice_emulator.wire.http.connection_errors import EMULATOR, connection_error

F = TypeVar("F", bound=Callable[..., Any])

#: Real seconds between two looks, and the longest that one look may take.
PAUSE = 0.1
PATIENCE = 2.0


def _default_control() -> str:
    """The control port of an emulator that was started in the same environment, as in a container."""
    return f"http://127.0.0.1:{given('VOICE_EMULATOR_CONTROL_PORT', os.environ) or 4881}"


control_option = click.option(
    "--control",
    metavar="URL",
    type=address,
    default=_default_control,
    envvar="VOICE_EMULATOR_CONTROL",
    help="Base URL of the control port.  [default: http://127.0.0.1:4881]",
)


def trust_options(command: F) -> F:
    """The options ``ca`` and ``insecure`` of a command that talks to a control port; see :func:`trust`."""
    insecure = click.option("--insecure", is_flag=True, help="Believe any certificate of the control port.")
    ca = click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar="VOICE_EMULATOR_CA",
        help="Authority (PEM) to trust at an https:// control port, besides the system's.",
    )
    return ca(insecure(command))


@click.command("wait-ready")
@control_option
@trust_options
@click.option(
    "--timeout", metavar="SECONDS", type=span, default=30.0, help="The longest wait.  [default: 30]"
)
def wait_ready(control: str, ca: Path | None, insecure: bool, timeout: float) -> None:
    """Wait until an emulator is ready.

    Exits 0 as soon as both of its ports serve, 1 when the time is over.
    """
    tls = trust(ca, insecure)
    deadline = time.monotonic() + timeout
    while True:
        left = deadline - time.monotonic()
        ready, answer = look_at(control, min(PATIENCE, max(left, PAUSE)), tls)
        if ready:
            echo(answer)
            return
        if left <= PAUSE:
            raise click.ClickException(f"no emulator was ready within {timeout:g} s: {answer}")
        time.sleep(PAUSE)  # noqa: TID251 - there is no loop to block: this command does nothing but wait


@click.command("health")
@control_option
@trust_options
def health(control: str, ca: Path | None, insecure: bool) -> None:
    """Tell whether an emulator is ready, without waiting.

    Exits 0 when it is and 1 when not: a container's HEALTHCHECK that needs no curl.
    """
    ready, answer = look_at(control, PATIENCE, trust(ca, insecure))
    if not ready:
        raise click.ClickException(answer)
    echo(answer)


def trust(ca: Path | None, insecure: bool) -> ssl.SSLContext | None:
    """Whom to trust at an https URL; None for the system's authorities alone. Raises UsageError."""
    if insecure:
        return _any_certificate()
    if ca is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        raise UsageError(f"--ca {ca} holds no certificates in PEM: {error.strerror or error}") from error
    return context


def look_at(control: str, patience: float, tls: ssl.SSLContext | None = None) -> tuple[bool, str]:
    """As :func:`look`; at the default URL, which is this machine's own port, by http and then by https.

    A health check in a container does not know how ``serve`` was told to speak TLS. Nothing secret is sent
    there, so any certificate is accepted.
    """
    ready, answer = look(control, patience, tls)
    if not ready and control == _default_control():
        encrypted, other = look(control.replace("http:", "https:"), patience, tls or _any_certificate())
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
        connection.request("GET", f"{parts.path.rstrip('/')}/health", headers={"Accept": "application/json"})
        reply = connection.getresponse()
        body = reply.read(65_536)
    except (OSError, http.client.HTTPException) as error:
        reason = connection_error(error, control, seconds=patience, hint=EMULATOR)
        if isinstance(error, ssl.SSLCertVerificationError):
            return False, f"{reason}: give its authority with --ca FILE, or --insecure"
        return False, f"{control} does not answer: {reason}"
    finally:
        connection.close()
    if reply.status != 200:
        return False, f"{control}/health answered {reply.status}"
    try:
        state = json.loads(body)
        about = f"scenario {state['scenario']}, version {state['version']}"
        return state["status"] == "ok", f"ready at {control}: {about}"
    except (ValueError, KeyError, TypeError):
        return False, f"{control} is not a voice-emulator: its /health answered something else"


def _any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
