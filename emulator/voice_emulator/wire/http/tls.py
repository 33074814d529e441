"""TLS contexts for both ports and for pushes, from the options of ``serve``.

A self-signed certificate comes from an authority that lives as long as the process. The private keys are never written
to disk: a container's file system may be read-only, and they are not needed later.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from voice_emulator.core.values import plain_value
from voice_emulator.errors import UsageError
from voice_emulator.settings import Options
from voice_emulator.wire.http.sockets import bare

if TYPE_CHECKING:
    from trustme import CA

#: Names in a self-signed certificate, besides those of the options.
NAMES = ("localhost", "127.0.0.1", "::1", "host.docker.internal", "voice-emulator")
#: The name in the certificate of ``--tls-fault wrong-host``. It is reserved, so no host has it.
WRONG_HOST = "wrong-host.invalid"
_WILDCARDS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not bound
_DAY = dt.timedelta(days=1)


@plain_value
class Certificates:
    """The contexts of the two ports, None for plain HTTP. ``ca_pem`` is the authority of a self-signed one."""

    traffic: ssl.SSLContext | None = None
    control: ssl.SSLContext | None = None
    ca_pem: bytes | None = None


def certificates(options: Options) -> Certificates:
    """The certificates that ``options`` ask for.

    Raises UsageError for options that exclude each other, and for a file without a certificate or key.
    """
    own = options.tls_cert, options.tls_key
    if options.tls_fault is not None and not options.tls_self_signed:
        raise UsageError("--tls-fault spoils a self-signed certificate: it needs --tls-self-signed")
    if options.tls_self_signed:
        if any(own):
            raise UsageError("--tls-self-signed makes a certificate: leave --tls-cert and --tls-key out")
        return _self_signed(options)
    cert, key = own
    if cert is None and key is None:
        return Certificates()
    if cert is None or key is None:
        raise UsageError("--tls-cert and --tls-key go together: a certificate and its private key")
    context = _serving()
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        raise UsageError(
            f"{cert} and {key} are not a certificate and its key in PEM format: {_words(error)}"
        ) from error
    return Certificates(context, context)


def push_trust(callback_ca: Path | None) -> ssl.SSLContext | None:
    """Whom pushes trust: the system's authorities, and those in the PEM file; None for the former alone.

    Raises UsageError when there are no certificates in the file.
    """
    if callback_ca is None:
        return None
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(callback_ca)
    except (OSError, ValueError) as error:
        raise UsageError(
            f"--callback-ca {callback_ca} contains no certificates in PEM format: {_words(error)}"
        ) from error
    return context


def _self_signed(options: Options) -> Certificates:
    from trustme import CA

    authority = CA(organization_name="voice-emulator")
    good = _issued(authority, names(options))
    traffic = good
    if options.tls_fault == "expired":
        now = dt.datetime.now(dt.UTC)  # noqa: TID251 - a TLS client judges by the wall's time
        traffic = _issued(authority, names(options), now - 30 * _DAY, now - _DAY)
    elif options.tls_fault == "wrong-host":
        traffic = _issued(authority, [WRONG_HOST])
    return Certificates(traffic, good, authority.cert_pem.bytes())


def names(options: Options) -> list[str]:
    """The host names and addresses in a self-signed certificate."""
    found = [*NAMES, socket.gethostname(), *options.allow_hosts]
    found += [host for host in map(bare, options.hosts) if host not in _WILDCARDS]
    # A certificate knows one kind of wildcard, a whole first label.
    return [name for name in dict.fromkeys(found) if name and "*" not in name.removeprefix("*.")]


def _issued(
    authority: CA,
    hosts: list[str],
    not_before: dt.datetime | None = None,
    not_after: dt.datetime | None = None,
) -> ssl.SSLContext:
    leaf = authority.issue_cert(*hosts, not_before=not_before, not_after=not_after)
    context = _serving()
    with _file(leaf.private_key_and_cert_chain_pem.bytes()) as path:
        context.load_cert_chain(path)
    return context


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """A path to ``content``, since OpenSSL reads files only; in memory on Linux."""
    if hasattr(os, "memfd_create"):
        with os.fdopen(os.memfd_create("voice-emulator-tls"), "wb") as memory:
            memory.write(content)
            memory.flush()
            yield f"/proc/self/fd/{memory.fileno()}"
    else:  # pragma: no cover - macOS, Windows
        with tempfile.TemporaryDirectory(prefix="voice-emulator-") as folder:
            path = Path(folder, "leaf.pem")
            path.write_bytes(content)
            yield str(path)


def _serving() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The emulator supports HTTP/1.1 only; a client that also offers h2 must know.
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    """Fail instead of asking on the terminal, where a process in the background would hang."""
    raise ValueError("the private key is encrypted; give one without a password")


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        # What OpenSSL adds are places in its source.
        reason = (error.reason or "").replace("_", " ").lower()
        return "not PEM" if "pem" in reason or not reason else reason
    return str(getattr(error, "strerror", None) or error)
