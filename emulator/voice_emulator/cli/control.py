"""The options of every command that talks to a control port: where it is, whom to trust there, and the token."""

from __future__ import annotations

import functools
import os
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from voice_emulator.cli.environment import given
from voice_emulator.cli.options import address
from voice_emulator.errors import UsageError

if TYPE_CHECKING:
    from voice_emulator.client import Client

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class ControlPort:
    """What the options say. ``tls`` is None for the authorities of the system alone."""

    url: str
    token: str | None
    tls: ssl.SSLContext | None

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of it, whose errors name the options that help."""
        from voice_emulator.client import Client

        with explained(self), Client(self.url, token=self.token, ssl_context=self.tls) as client:
            yield client


@contextmanager
def explained(port: ControlPort) -> Iterator[None]:
    """Name the options where a control port refuses the token (UsageError) or its certificate is not trusted."""
    from voice_emulator.client.errors import NotReady, Unauthorized

    try:
        yield
    except Unauthorized as error:
        raise UsageError(
            f"{port.url} refuses this control token: --control-token (or VOICE_EMULATOR_CONTROL_TOKEN) must be the "
            "one that `serve` was started with"
            if port.token
            else f"{port.url} needs a control token: give --control-token, or set VOICE_EMULATOR_CONTROL_TOKEN"
        ) from error
    except NotReady as error:
        raise NotReady(f"{error}{trust_hint(error.__context__)}") from error


def trust_hint(error: BaseException | None) -> str:
    """What helps when the certificate of a control port is not trusted; empty for any other error."""
    untrusted = isinstance(getattr(error, "certificate_error", error), ssl.SSLCertVerificationError)
    return "; give its authority with --ca FILE, or use --insecure" if untrusted else ""


def default_control() -> str:
    """The control port of an emulator that was started in the same environment, as in a container."""
    return f"http://127.0.0.1:{given('VOICE_EMULATOR_CONTROL_PORT', os.environ) or 4881}"


_CONTROL = (
    click.option(
        "--control",
        metavar="URL",
        type=address,
        default=default_control,
        envvar="VOICE_EMULATOR_CONTROL",
        help="Base URL of the control port.  [default: http://127.0.0.1:4881]",
    ),
)
#: Those of a command that may do without a control port; see :func:`trust`.
TRUST_OPTIONS = (
    click.option(
        "--control-token",
        metavar="TOKEN",
        envvar="VOICE_EMULATOR_CONTROL_TOKEN",
        help="The token that serve was started with.",
    ),
    click.option(
        "--ca",
        metavar="FILE",
        type=click.Path(path_type=Path),
        envvar="VOICE_EMULATOR_CA",
        help="Authority (PEM) to trust at an https:// control port, besides the system's.",
    ),
    click.option(
        "--insecure",
        is_flag=True,
        envvar="VOICE_EMULATOR_INSECURE",
        help="Accept any certificate of the control port.",
    ),
)


def control_options(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the four options; it takes a :class:`ControlPort` as ``port``."""

    @functools.wraps(command)
    def with_port(
        *, control: str, control_token: str | None, ca: Path | None, insecure: bool, **others: Any
    ) -> R:
        return command(port=ControlPort(control, control_token, trust(ca, insecure)), **others)

    return _CONTROL[0](trusting(with_port))


def trusting(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of :data:`TRUST_OPTIONS`."""
    for option in reversed(TRUST_OPTIONS):
        command = option(command)
    return command


def trust(ca: Path | None, insecure: bool) -> ssl.SSLContext | None:
    """Whom to trust at an https URL; None for the system's authorities alone. Raises UsageError."""
    if insecure:
        return any_certificate()
    if ca is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(ca)
    except OSError as error:  # ssl.SSLError is one
        why = "" if isinstance(error, ssl.SSLError) else f": {error.strerror}"
        raise UsageError(f"--ca {ca} holds no certificates in PEM{why}") from error
    return context


def any_certificate() -> ssl.SSLContext:
    """Trust any certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
